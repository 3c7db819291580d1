"""One server for each database that many small stories share; a story that changes the server makes its own."""

import pytest

from bb2.db import make_engine
from bb2.models import Base
from bb2.settings import SETTINGS
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import emptied, new_database


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_url):
    """An engine on a database of its own, which no other test empties."""
    engine = make_engine(new_database(postgresql_url, "shared"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_server(request):
    engine = emptied(request.getfixturevalue("shared_postgresql")) if request.param == "postgresql" else None
    return ConsentServer(*BUILT_IN, engine=engine)


@pytest.fixture
def server(shared_server):
    """The shared server, with a browser that has no cookies."""
    shared_server.reset()
    return shared_server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def unlimited(request, postgresql_url):
    """A server of each kind that counts no tries, for tests that ask thousands of times."""
    engine = None
    if request.param == "postgresql":
        engine = make_engine(new_database(postgresql_url, "unlimited"))
        Base.metadata.create_all(engine)
    off = {setting.name: "off" for setting in SETTINGS if setting.name.startswith("bb2.limit_")}
    yield ConsentServer(*BUILT_IN, engine=engine, settings=off)
    if engine:
        engine.dispose()
