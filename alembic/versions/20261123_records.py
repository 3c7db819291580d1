"""records: how they are found, what they were judged to carry, and what a sandbox was made from

Nothing is written for the records that are there.  A record that nobody has judged is withheld, and records whose
type has no line in `record_indexing` stop a server, until `bb2 init` has gone through them, once.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_records"
down_revision = "20261122_oauth"

COMPARTMENT, COLUMNS = "ix_record_compartment", ["version", "resource_type", "patient", "id"]
CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade():
    op.add_column("consent", sa.Column("share_sensitive", sa.JSON()))
    op.add_column("record", sa.Column("judgements", CODE, nullable=False, server_default=""))
    # All that a count, and a search by date of change, must know of a record: it need not be touched.
    op.drop_index(COMPARTMENT, "record")
    op.create_index(COMPARTMENT, "record", [*COLUMNS, "last_updated", "judgements"], postgresql_include=["number"])
    op.create_table(
        "record_indexing",
        sa.Column("resource_type", CODE, nullable=False),
        sa.Column("declaration", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("resource_type", name=op.f("pk_record_indexing")),
    )
    op.create_table(
        "sandbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("claims_per_year", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox")),
    )
    op.create_table(
        "sandbox_person",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("beneficiary_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_sandbox_person_beneficiary_id_beneficiary")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sandbox_person")),
        sa.UniqueConstraint("beneficiary_id", name=op.f("uq_sandbox_person_beneficiary_id")),
    )


def downgrade():
    for table in ("sandbox_person", "sandbox", "record_indexing"):
        op.drop_table(table)
    op.drop_index(COMPARTMENT, "record")
    op.create_index(COMPARTMENT, "record", COLUMNS)
    op.execute("ALTER TABLE record DROP COLUMN judgements")
    op.execute("ALTER TABLE consent DROP COLUMN share_sensitive")
