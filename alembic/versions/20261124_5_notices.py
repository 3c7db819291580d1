"""notices: mail that waits to be sent, and of which end of access people were told"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_notices"
down_revision = "20261124_consents"


def upgrade():
    op.add_column("consent", sa.Column("end_told_at", sa.DateTime(timezone=True)))
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("beneficiary_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer()),
        sa.Column("address", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_notice_beneficiary_id_beneficiary")
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_notice_consent_id_consent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    for column in "beneficiary_id", "consent_id", "due_at":
        op.create_index(op.f(f"ix_notice_{column}"), "notice", [column])


def downgrade():
    op.drop_table("notice")
    op.execute("ALTER TABLE consent DROP COLUMN end_told_at")
