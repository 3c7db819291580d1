"""Which tests run, in which order, and in which processes."""

import gc
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from zlib import crc32

import pytest

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes that files of the tests may come to


def pytest_configure(config):
    _keep_files_in_memory()
    is_worker = hasattr(config, "workerinput")
    hands_out = config.getoption("numprocesses", None) and not config.option.collectonly
    if is_worker or not hands_out:  # who only hands the tests out need not wait for them
        for plugin in ("log_guard", "shared_fixtures", *(["workers"] if is_worker else [])):
            config.pluginmanager.register(import_module(plugin))


def _keep_files_in_memory():
    """Where there is room: no test waits for a disk, and their power does not fail."""
    if _serves(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _serves(folder):
    """True where files can be written, and run: some tests make environments of their own."""
    if not os.access(folder, os.W_OK):
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC and shutil.disk_usage(folder).free > ROOM


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
