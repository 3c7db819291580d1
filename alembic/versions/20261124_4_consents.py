"""consents: what people choose line by line"""

revision = "20261124_consents"
down_revision = "20261124_identity"


def upgrade():
    pass


def downgrade():
    pass
