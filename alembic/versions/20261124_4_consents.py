"""consents: what people choose line by line, and the logos of apps"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_consents"
down_revision = "20261124_identity"


def upgrade():
    op.add_column("consent", sa.Column("left_out", sa.JSON()))
    op.add_column("client", sa.Column("logo", sa.String(length=64)))
    op.create_table(
        "client_logo",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name=op.f("fk_client_logo_client_id_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_logo")),
    )
    op.drop_index("ix_audit_event_beneficiary_id", "audit_event")
    op.create_index("ix_audit_event_person", "audit_event", ["beneficiary_id", "event", "consent_id", "at"])


def downgrade():
    op.drop_index("ix_audit_event_person", "audit_event")
    op.create_index("ix_audit_event_beneficiary_id", "audit_event", ["beneficiary_id"])
    op.drop_table("client_logo")
    op.execute("ALTER TABLE client DROP COLUMN logo")
    op.execute("ALTER TABLE consent DROP COLUMN left_out")
