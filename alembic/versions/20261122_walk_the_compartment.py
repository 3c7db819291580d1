"""a search counts one person's records without touching them

The index of the compartment holds all that a search by date of change, and a count, must know of a record.
"""

from alembic import op

revision = "20261122_compartment"
down_revision = "20261122_oauth"

NAME, COLUMNS = "ix_record_compartment", ["version", "resource_type", "patient", "id"]


def upgrade():
    op.drop_index(NAME, "record")
    op.create_index(NAME, "record", [*COLUMNS, "last_updated"], postgresql_include=["number"])


def downgrade():
    op.drop_index(NAME, "record")
    op.create_index(NAME, "record", COLUMNS)
