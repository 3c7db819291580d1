"""what a sandbox was made from, and how far each of its people is"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_sandbox"
down_revision = "20261122_record_indexing"


def upgrade():
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
    op.drop_table("sandbox_person")
    op.drop_table("sandbox")
