"""what OAuth, OpenID Connect and SMART need beyond the first tables

Columns are added and renamed in place, on SQLite too: to copy a table there is to delete the old one's rows, and with
them what refers to them.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_oauth"
down_revision = "20261121_tables"

ADDED = (
    ("client", "jwks", {"type_": sa.JSON()}),
    ("client", "jwks_uri", {"type_": sa.String()}),
    ("client", "id_token_alg", {"type_": sa.String(), "nullable": False, "server_default": "RS256"}),
    ("client", "post_logout_redirect_uris", {"type_": sa.JSON(), "nullable": False, "server_default": "[]"}),
    ("beneficiary", "closed_at", {"type_": sa.DateTime(timezone=True)}),
    ("authorization_request", "correlation_id", {"type_": sa.String()}),
    ("authorization_request", "claims", {"type_": sa.JSON()}),
    ("authorization_request", "audience", {"type_": sa.String()}),
    ("authorization_request", "login_hint", {"type_": sa.String()}),
    ("consent", "correlation_id", {"type_": sa.String()}),
    ("consent", "claims", {"type_": sa.JSON()}),
    ("consent", "audience", {"type_": sa.String()}),
    ("access_token", "audience", {"type_": sa.String()}),
)
# The trail is only ever added to.
APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_event_no_{change} BEFORE {change} ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is only ever added to'); END"
        for change in ("update", "delete")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_event_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''audit_event is only ever added to''; END'",
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event "
        "FOR EACH ROW EXECUTE FUNCTION audit_event_only_grows()",
    ],
}
ALTERABLE = {
    "sqlite": ["DROP TRIGGER audit_event_no_update", "DROP TRIGGER audit_event_no_delete"],
    "postgresql": ["DROP TRIGGER audit_event_no_change ON audit_event", "DROP FUNCTION audit_event_only_grows()"],
}
REFERENCES = (
    ("beneficiary", "merged_into_id", "beneficiary"),
    ("authorization_request", "named_beneficiary_id", "beneficiary"),
)


def upgrade():
    for table, name, column in ADDED:
        op.add_column(table, sa.Column(name, **column))
    for table, column, other in REFERENCES:
        name = f"fk_{table}_{column}_{other}"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES {other} (id)")
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.execute("ALTER TABLE audit_event RENAME COLUMN request_id TO correlation_id")
    op.create_index(op.f("ix_audit_event_correlation_id"), "audit_event", ["correlation_id"])
    op.create_index("ix_audit_event_event_at", "audit_event", ["event", "at"])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)

    op.create_table(
        "pushed_request",
        sa.Column("uri_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.client_id"], name=op.f("fk_pushed_request_client_id_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("uri_hash", name=op.f("pk_pushed_request")),
    )
    op.create_index(op.f("ix_pushed_request_client_id"), "pushed_request", ["client_id"])
    op.create_table(
        "used_assertion",
        sa.Column("jti_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti_hash", name=op.f("pk_used_assertion")),
    )
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limit")),
    )


def downgrade():
    for table in ("rate_limit", "used_assertion", "pushed_request"):
        op.drop_table(table)
    for statement in ALTERABLE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_audit_event_event_at", "audit_event")
    op.drop_index(op.f("ix_audit_event_correlation_id"), "audit_event")
    op.execute("ALTER TABLE audit_event RENAME COLUMN correlation_id TO request_id")
    for table, column, _other in reversed(REFERENCES):
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table, name, _column in reversed(ADDED):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
