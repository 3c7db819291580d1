"""Is the database at the newest revision?  Bring it there, from a checkout or from a wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

PACKAGE = Path(__file__).parent


def folder():
    """The migrations: `alembic/` inside the package in a wheel, beside it in a checkout."""
    inside = PACKAGE / "alembic"
    return inside if inside.is_dir() else PACKAGE.parent / "alembic"


def config(connection):
    """Alembic's configuration for commands on this connection."""
    alembic = Config()
    alembic.set_main_option("script_location", str(folder()))
    alembic.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    alembic.attributes["connection"] = connection
    return alembic


def upgrade(engine):
    """Bring the database to the newest revision; True if there was something to do."""
    with engine.begin() as connection:
        if is_current(connection):
            return False
        command.upgrade(config(connection), "head")
        return True


def is_current(connection):
    head = ScriptDirectory(str(folder())).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head
