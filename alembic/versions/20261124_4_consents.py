"""consents: what people choose line by line, and the logos of apps"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_consents"
down_revision = "20261124_identity"


def upgrade():
    op.add_column("consent", sa.Column("left_out", sa.JSON()))
    op.drop_index("ix_audit_event_beneficiary_id", "audit_event")
    op.create_index("ix_audit_event_person", "audit_event", ["beneficiary_id", "event", "consent_id", "at"])


def downgrade():
    op.drop_index("ix_audit_event_person", "audit_event")
    op.create_index("ix_audit_event_beneficiary_id", "audit_event", ["beneficiary_id"])
    op.execute("ALTER TABLE consent DROP COLUMN left_out")
