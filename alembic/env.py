"""Alembic's environment: the tables of bb2.models, on a connection that is handed in or that the settings name."""

from alembic import context
from pyramid.paster import get_appsettings

from bb2.clock import UtcDateTime
from bb2.db import make_engine
from bb2.models import Base
from bb2.settings import Settings


def render_item(kind, item, autogen_context):
    """A migration names types of SQLAlchemy only: it must still run when ours have changed."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run(connection):
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    settings = Settings.read(get_appsettings(context.config.config_file_name))
    with make_engine(settings.database_url).begin() as connection:
        run(connection)
