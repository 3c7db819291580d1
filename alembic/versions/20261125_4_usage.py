"""usage: what developers see of how their apps are used"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_usage"
down_revision = "20261125_developer_mail"


def upgrade():
    op.create_index("ix_audit_event_app", "audit_event", ["client_id", "event", "at"])
    op.create_table(
        "calls_of_day",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("interaction", sa.String(), nullable=False),
        sa.Column("outcome", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name=op.f("fk_calls_of_day_client_id_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "day", "kind", "interaction", "outcome", name=op.f("pk_calls_of_day")),
    )


def downgrade():
    op.drop_table("calls_of_day")
    op.drop_index("ix_audit_event_app", "audit_event")
