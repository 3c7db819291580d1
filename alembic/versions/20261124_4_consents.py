"""consents: what people choose line by line, and the logos of apps"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_consents"
down_revision = "20261124_identity"


def upgrade():
    op.add_column("consent", sa.Column("left_out", sa.JSON()))


def downgrade():
    op.execute("ALTER TABLE consent DROP COLUMN left_out")
