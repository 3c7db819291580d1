"""test client: what a test in progress keeps"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_testclient"
down_revision = "20261125_usage"


def upgrade():
    op.create_table(
        "client_trial",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_client_trial")),
    )


def downgrade():
    op.drop_table("client_trial")
