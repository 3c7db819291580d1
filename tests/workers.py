"""The processes among which the tests are divided: what one has done, the others need not do, nor undo."""

import atexit
import os

import pytest


def pytest_configure():
    # After what is registered later, the tests' folders and processes: to free a million objects takes seconds.
    atexit.register(os._exit, 0)


class Turned(pytest.Dir):
    """A folder whose files each worker reads from another one on: it finds compiled what the others have read."""

    def collect(self):
        found = list(super().collect())
        worker = self.config.workerinput
        start = len(found) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        return found[start:] + found[:start]


def pytest_collect_directory(path, parent):
    return Turned.from_parent(parent, path=path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path)
