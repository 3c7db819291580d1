"""usage: what developers see of how their apps are used"""

revision = "20261125_usage"
down_revision = "20261125_developer_mail"


def upgrade():
    pass


def downgrade():
    pass
