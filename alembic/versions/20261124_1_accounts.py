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


def downgrade():
    for column in "created_at", "secret_answer_hash", "secret_question":
        op.execute(f"ALTER TABLE account DROP COLUMN {column}")
    for column in "language", "email":
        op.execute(f"ALTER TABLE beneficiary DROP COLUMN {column}")
