"""notices: mail that waits to be sent"""

revision = "20261124_notices"
down_revision = "20261124_consents"


def upgrade():
    pass


def downgrade():
    pass
