"""developers: their accounts and sessions"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_developers"
down_revision = "20261124_notices"

OF_DEVELOPER = "developer_passkey", "developer_recovery_code", "developer_link"


def upgrade():
    op.create_table(
        "developer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organization", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True)),
        sa.Column("totp_secret", sa.String()),
        sa.Column("totp_step", sa.BigInteger()),
        sa.Column("passkey_handle", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_developer")),
        sa.UniqueConstraint("email", name=op.f("uq_developer_email")),
    )
    op.create_table(
        "developer_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("developer_id", sa.Integer()),
        sa.Column("half_developer_id", sa.Integer()),
        sa.Column("authenticated_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], ["developer.id"], name=op.f(f"fk_developer_session_{column}_developer"), ondelete="CASCADE"
            )
            for column in ("developer_id", "half_developer_id")
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_developer_session")),
    )
    op.create_index(op.f("ix_developer_session_developer_id"), "developer_session", ["developer_id"])
    op.create_index(op.f("ix_developer_session_half_developer_id"), "developer_session", ["half_developer_id"])
    op.create_table(
        "developer_passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("developer_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        _of_developer("developer_passkey"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_developer_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_developer_passkey_credential_id")),
    )
    op.create_table(
        "developer_recovery_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("developer_id", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        _of_developer("developer_recovery_code"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_developer_recovery_code")),
    )
    op.create_table(
        "developer_link",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("developer_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        _of_developer("developer_link"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_developer_link")),
    )
    for table in OF_DEVELOPER:
        op.create_index(op.f(f"ix_{table}_developer_id"), table, ["developer_id"])


def _of_developer(table):
    name = op.f(f"fk_{table}_developer_id_developer")
    return sa.ForeignKeyConstraint(["developer_id"], ["developer.id"], name=name, ondelete="CASCADE")


def downgrade():
    for table in (*OF_DEVELOPER, "developer_session", "developer"):
        op.drop_table(table)
