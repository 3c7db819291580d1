"""apps: whose they are, what their people can be told of them, and a secret's overlap"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_apps"
down_revision = "20261125_developers"

COLUMNS = (
    ("disabled_by", sa.String()),
    ("deleted_at", sa.DateTime(timezone=True)),
    ("description", sa.String()),
    ("support_email", sa.String()),
    ("support_phone", sa.String()),
    ("previous_secret_hash", sa.String()),
    ("previous_secret_ends_at", sa.DateTime(timezone=True)),
)


def upgrade():
    for name, kind in COLUMNS:
        op.add_column("client", sa.Column(name, kind))
    reference = "CONSTRAINT fk_client_developer_id_developer REFERENCES developer (id)"
    op.execute(f"ALTER TABLE client ADD COLUMN developer_id INTEGER {reference}")
    op.create_index(op.f("ix_client_developer_id"), "client", ["developer_id"])


def downgrade():
    op.drop_index(op.f("ix_client_developer_id"), "client")
    for name in ("developer_id", *(name for name, _kind in reversed(COLUMNS))):
        op.execute(f"ALTER TABLE client DROP COLUMN {name}")
