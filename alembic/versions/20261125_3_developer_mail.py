"""developer mail: what waits to be sent to developers"""

revision = "20261125_developer_mail"
down_revision = "20261125_apps"


def upgrade():
    pass


def downgrade():
    pass
