"""usage: what developers see of how their apps are used"""

from alembic import op

revision = "20261125_usage"
down_revision = "20261125_developer_mail"


def upgrade():
    op.create_index("ix_audit_event_app", "audit_event", ["client_id", "event", "at"])


def downgrade():
    op.drop_index("ix_audit_event_app", "audit_event")
