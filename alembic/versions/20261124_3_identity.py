"""identity: sign-ins that are under way at an identity provider"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_identity"
down_revision = "20261124_passkeys"


def upgrade():
    op.create_table(
        "provider_sign_in",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("session_hash", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("earliest_authenticated_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.String()),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["authorization_request.id"],
            name="fk_provider_sign_in_request_id_authorization_request",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_provider_sign_in"),
    )
    for column in "session_hash", "request_id":
        op.create_index(op.f(f"ix_provider_sign_in_{column}"), "provider_sign_in", [column])


def downgrade():
    op.drop_table("provider_sign_in")
