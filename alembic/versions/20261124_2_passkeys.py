"""passkeys: keys with which people sign in without a password"""

revision = "20261124_passkeys"
down_revision = "20261124_accounts"


def upgrade():
    pass


def downgrade():
    pass
