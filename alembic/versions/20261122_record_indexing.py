"""by which declaration of their plugin the records are indexed

No line is written for the records that are there: `bb2 init` makes their rows anew, once.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_record_indexing"
down_revision = "20261122_oauth"


def upgrade():
    op.create_table(
        "record_indexing",
        sa.Column("resource_type", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("declaration", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("resource_type", name=op.f("pk_record_indexing")),
    )


def downgrade():
    op.drop_table("record_indexing")
