"""accounts: what the directory knows of an account, and where notices go"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_accounts"
down_revision = "20261123_records"


def upgrade():
    op.add_column("beneficiary", sa.Column("email", sa.String()))
    op.add_column("beneficiary", sa.Column("language", sa.String()))
    op.add_column("account", sa.Column("secret_question", sa.String()))
    op.add_column("account", sa.Column("secret_answer_hash", sa.String()))
    op.add_column("account", sa.Column("created_at", sa.DateTime(timezone=True)))
    _create_enrollment()
    _create_recovery()


def downgrade():
    op.drop_table("server_secret")
    op.drop_table("recovery")
    op.drop_index("ix_record_index_medicare_number", "record_index")
    op.drop_table("enrollment_draft")
    for column in "created_at", "secret_answer_hash", "secret_question":
        op.execute(f"ALTER TABLE account DROP COLUMN {column}")
    for column in "language", "email":
        op.execute(f"ALTER TABLE beneficiary DROP COLUMN {column}")


def _create_enrollment():
    """Drafts of new accounts, and the index by which a person is found who has a Medicare card."""
    op.create_table(
        "enrollment_draft",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "session_hash",
            sa.String(64),
            sa.ForeignKey("browser_session.id_hash", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("patient", sa.String(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    medicare_numbers = sa.text("system = 'http://hl7.org/fhir/sid/us-mbi'")
    op.create_index(
        "ix_record_index_medicare_number",
        "record_index",
        ["value"],
        sqlite_where=medicare_numbers,
        postgresql_where=medicare_numbers,
    )


def _create_recovery():
    op.create_table(
        "recovery",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "session_hash",
            sa.String(64),
            sa.ForeignKey("browser_session.id_hash", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("username", sa.String(), sa.ForeignKey("account.username", ondelete="CASCADE"), index=True),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "server_secret",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
