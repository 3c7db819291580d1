"""One server for this folder, on SQLite, with one beneficiary signed in; what many tests read is fetched once."""

import time
from dataclasses import dataclass

import pytest

from bb2.scopes.coverage import COVERAGE
from bb2.scopes.explanation_of_benefit import EXPLANATION_OF_BENEFIT
from bb2.scopes.patient import PATIENT
from bb2.testing import ALICE, BOB, ConsentServer, record
from built_in import BUILT_IN
from oauth.steps import another_app, another_browser
from requirements.steps import EVERYTHING, NONCE, exchange, new_code

LINKED = {"link": [{"other": {"reference": f"Patient/{BOB}"}, "type": "seealso"}]}
FHIR_RECORDS = [
    record(PATIENT, "", ALICE) | LINKED,
    record(PATIENT, "", BOB),
    record(COVERAGE, "coverage-of-alice", ALICE),
    record(COVERAGE, "coverage-of-bob", BOB),
    record(EXPLANATION_OF_BENEFIT, "eob-of-alice", ALICE),
    record(EXPLANATION_OF_BENEFIT, "eob-of-bob", BOB),
]


@pytest.fixture(scope="session")
def one_server():
    """The server, and the cookies of Alice's browser."""
    server = ConsentServer(*BUILT_IN, records=FHIR_RECORDS)
    server.sign_in()
    return server, {cookie.name: cookie.value for cookie in server.cookiejar}


@pytest.fixture
def server(one_server):
    """The server and its one app, seen by a browser in which Alice is signed in."""
    server, cookies = one_server
    server.reset()
    for name, value in cookies.items():
        server.set_cookie(name, value)
    return server


@pytest.fixture
def browser(server):
    """The same server and app, seen by a browser without cookies."""
    return another_browser(server)


@pytest.fixture
def app(server):
    """A confidential app that no other test uses."""
    return another_app(server)


@pytest.fixture
def public_app(server):
    return another_app(server, public=True)


@dataclass(frozen=True)
class Granted:
    """A consent that is in force for the whole session: to be read, never to be spent."""

    app: ConsentServer
    response: object  #: of the token endpoint
    at: float  #: when it came, in seconds since 1970

    @property
    def token(self):
        return self.response.json

    @property
    def bearer(self):
        """The headers with which the app calls an API."""
        return {"Authorization": f"Bearer {self.token['access_token']}"}


@pytest.fixture(scope="session")
def granted(one_server):
    app = another_app(another_browser(one_server[0]), name="The app that keeps its token")
    app.sign_in()
    return Granted(app, exchange(app, new_code(app, EVERYTHING, nonce=NONCE)), time.time())


@pytest.fixture(scope="session")
def openid_configuration(one_server):
    return one_server[0].get("/.well-known/openid-configuration").json


@pytest.fixture(scope="session")
def smart_configuration(one_server):
    return one_server[0].get("/v2/fhir/.well-known/smart-configuration").json
