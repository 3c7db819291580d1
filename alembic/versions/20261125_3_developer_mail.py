"""developer mail: what waits to be sent to developers"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_developer_mail"
down_revision = "20261125_apps"

COLUMNS = ("kind", "beneficiary_id", "consent_id", "address", "created_at", "due_at", "tries")
NOTICE, KEPT = (sa.table(name, *map(sa.column, ("id", *COLUMNS))) for name in ("notice", "notice_kept"))
#: column: (its type, the table that it points at)
OF_DEVELOPERS = {"developer_id": (sa.Integer, "developer"), "developer_link_id": (sa.String, "developer_link")}


def upgrade():
    """`notice` is made anew with the mails that wait: SQLite cannot let a column be empty that may not be."""
    op.execute("CREATE TABLE notice_kept AS SELECT * FROM notice")
    op.drop_table("notice")
    _create(for_developers=True)
    _bring_back()


def downgrade():
    op.execute("CREATE TABLE notice_kept AS SELECT * FROM notice WHERE beneficiary_id IS NOT NULL")
    op.drop_table("notice")
    _create(for_developers=False)
    _bring_back()


def _bring_back():
    """Under new numbers: nothing refers to them."""
    kept = sa.select(*(KEPT.c[name] for name in COLUMNS)).order_by(KEPT.c.id)
    op.execute(sa.insert(NOTICE).from_select(COLUMNS, kept))
    op.drop_table("notice_kept")


def _create(for_developers):
    ours = OF_DEVELOPERS if for_developers else {}
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("beneficiary_id", sa.Integer(), nullable=for_developers),
        *(sa.Column(name, kind()) for name, (kind, _table) in ours.items()),
        sa.Column("consent_id", sa.Integer()),
        sa.Column("address", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["beneficiary.id"], name=op.f("fk_notice_beneficiary_id_beneficiary")
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_notice_consent_id_consent")),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_notice_{name}_{table}"), ondelete="CASCADE")
            for name, (_kind, table) in ours.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    for column in ("beneficiary_id", "consent_id", "due_at", *ours):
        op.create_index(op.f(f"ix_notice_{column}"), "notice", [column])
