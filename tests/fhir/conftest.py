"""Databases that the tests of a module share: what they only read is loaded once."""

import os
from contextlib import ExitStack, contextmanager
from zlib import crc32

import pytest
from fhir_records import EVERYTHING, VERSIONS, server_with

from databases import emptied
from other_server import listening

SOURCES = ("sqlite", "postgresql", "upstream")


def pytest_collection_modifyitems(config, items):
    """Of what is `either_version`: one version at each source, in turn, so that each case meets both versions."""
    if os.environ.get("TESTS") == "all":
        return
    turns = [_in_turn(item) for item in items]
    config.hook.pytest_deselected(items=[item for item, turn in zip(items, turns, strict=True) if not turn])
    items[:] = [item for item, turn in zip(items, turns, strict=True) if turn]


def _in_turn(item):
    chosen = item.callspec.params if hasattr(item, "callspec") else {}
    if item.get_closest_marker("either_version") is None or not {"serve", "version"} <= chosen.keys():
        return True
    source, version = chosen["serve"], chosen["version"]
    turn = crc32(item.nodeid.replace(source, "").replace(version, "").encode()) + SOURCES.index(source)
    return version == VERSIONS[turn % 2]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_engine(request):
    """As `engine` of the folder above, for the tests of a module together."""
    return None if request.param == "sqlite" else emptied(request.getfixturevalue("postgresql"))


@pytest.fixture(scope="module", params=SOURCES)
def serve(request, tmp_path_factory):
    """A function that starts a server with records, {version: dicts}: in each database, and in another bb2."""
    with ExitStack() as running:

        def start(records):
            if request.param == "sqlite":
                return server_with(None, records)
            if request.param == "postgresql":
                return server_with(emptied(request.getfixturevalue("postgresql")), records)
            return running.enter_context(in_front_of(server_with(None, records), tmp_path_factory.mktemp("upstream")))

        yield start


@pytest.fixture(scope="session")
def in_front():
    """`in_front_of`, for tests that set up both servers."""
    return in_front_of


@contextmanager
def in_front_of(other, folder, username="alice"):
    """A server without records of its own, which asks another one, on a socket, with a token of this person's."""
    secret = folder / "authorization"
    secret.write_text(f"Bearer {other.grant(EVERYTHING, username=username)['access_token']}\n")
    with listening(other.app) as url:
        asked = {f"bb2.upstream_{version}": f"{url}/{version}/fhir" for version in VERSIONS}
        yield server_with(
            None,
            {},
            settings={"bb2.fhir_source": "upstream", "bb2.upstream_authorization": str(secret)} | asked,
        )
