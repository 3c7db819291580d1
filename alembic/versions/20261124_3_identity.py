"""identity: sign-ins that are under way at an identity provider"""

revision = "20261124_identity"
down_revision = "20261124_passkeys"


def upgrade():
    pass


def downgrade():
    pass
