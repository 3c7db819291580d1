"""apps: whose they are, what their people can be told of them, a secret's overlap, and since when they have a scope

A name is kept twice from now on: as people read it, and as names are compared, in the column that is unique already.
"""

from unicodedata import normalize

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
    ("scopes_since", sa.JSON()),
    ("asks_demographic_since", sa.DateTime(timezone=True)),
)
client = sa.table("client", sa.column("client_id"), sa.column("name"), sa.column("name_key"))


def upgrade():
    for name, kind in COLUMNS:
        op.add_column("client", sa.Column(name, kind))
    reference = "CONSTRAINT fk_client_developer_id_developer REFERENCES developer (id)"
    op.execute(f"ALTER TABLE client ADD COLUMN developer_id INTEGER {reference}")
    op.create_index(op.f("ix_client_developer_id"), "client", ["developer_id"])
    op.execute("ALTER TABLE client RENAME COLUMN name TO name_key")  # its unique constraint comes along
    op.add_column("client", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE client SET name = name_key")
    _fill_keys()


def _fill_keys():
    """Of two apps whose names were different so far, and are alike by the key, one keeps a key of its own."""
    taken = set()
    for client_id, name in op.get_bind().execute(sa.select(client.c.client_id, client.c.name)).all():
        key = normalize("NFKC", name).casefold()
        key = f"{key}\t{client_id}" if key in taken else key
        taken.add(key)
        op.execute(client.update().where(client.c.client_id == client_id).values(name_key=key))


def downgrade():
    op.execute("UPDATE client SET name_key = name WHERE deleted_at IS NULL")  # a deleted one's name may be another's
    op.execute("ALTER TABLE client DROP COLUMN name")
    op.execute("ALTER TABLE client RENAME COLUMN name_key TO name")
    op.drop_index(op.f("ix_client_developer_id"), "client")
    for name in ("developer_id", *(name for name, _kind in reversed(COLUMNS))):
        op.execute(f"ALTER TABLE client DROP COLUMN {name}")
