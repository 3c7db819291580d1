"""test client: what a test in progress keeps"""

revision = "20261125_testclient"
down_revision = "20261125_usage"


def upgrade():
    pass


def downgrade():
    pass
