"""passkeys: keys with which people sign in without a password"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_passkeys"
down_revision = "20261124_accounts"

TIME = sa.DateTime(timezone=True)


def upgrade():
    op.add_column("beneficiary", sa.Column("passkey_handle", sa.String()))
    op.add_column("beneficiary", sa.Column("passkey_declined_at", TIME))
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("beneficiary_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_passkey_beneficiary_id_beneficiary")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_beneficiary_id"), "passkey", ["beneficiary_id"])
    op.create_table(
        "passkey_challenge",
        sa.Column("challenge_hash", sa.String(length=64), nullable=False),
        sa.Column("session_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_passkey_challenge")),
    )


def downgrade():
    for table in "passkey_challenge", "passkey":
        op.drop_table(table)
    for column in "passkey_declined_at", "passkey_handle":
        op.execute(f"ALTER TABLE beneficiary DROP COLUMN {column}")
