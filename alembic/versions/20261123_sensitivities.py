"""what a record was judged to carry, and what a person answered about it

Nothing is judged here: a record that nobody has judged is withheld, until `bb2 init` or `bb2 judge` has.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_sensitivities"
down_revision = "20261122_oauth"

COMPARTMENT = ["version", "resource_type", "patient", "id"]


def upgrade():
    op.add_column("consent", sa.Column("share_sensitive", sa.JSON()))
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.add_column("record", sa.Column("judgements", text, nullable=False, server_default=""))
    op.drop_index("ix_record_compartment", "record")
    op.create_index("ix_record_compartment", "record", [*COMPARTMENT, "judgements"])


def downgrade():
    op.drop_index("ix_record_compartment", "record")
    op.create_index("ix_record_compartment", "record", COMPARTMENT)
    op.execute("ALTER TABLE record DROP COLUMN judgements")
    op.execute("ALTER TABLE consent DROP COLUMN share_sensitive")
