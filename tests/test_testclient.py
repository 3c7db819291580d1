"""The test client: a developer's first call, on the pages, over the wire."""

import pytest

from bb2.sandbox.demo import ensure_demo_client
from bb2.testing import ALICE, ConsentServer, consent_form, record
from built_in import BUILT_IN

pytestmark = pytest.mark.either_database


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    var = tmp_path_factory.mktemp("testclient")
    server = ConsentServer(*BUILT_IN, settings={"bb2.var": str(var)})
    with server.db() as db:
        ensure_demo_client(db, server.scopes, var, server.settings.base_url)
        server.load(db, [record(resource, "a-1", ALICE) for resource in server.scopes.resources.values()])
    return server


@pytest.fixture
def server(one_server):
    one_server.reset()
    one_server.signed_in = None
    return one_server


def begin(server, answer="connect", **chosen):
    """Send the form of the start page, as it stands but for what is `chosen`."""
    form = server.get("/testclient").forms[0]
    for name, value in chosen.items():
        form[name] = value
    return form.submit("answer", value=answer)


def connect(server, *, demographic="share", answer="yes", **chosen):
    """As alice, from the start page to the page of the tokens."""
    server.sign_in()
    form = consent_form(begin(server, **chosen).follow().follow())
    form["demographic"] = demographic
    return form.submit("answer", value=answer).follow().follow()


def statuses(page):
    """{path: status} of the calls that the page has made."""
    calls = [call.get_text().split() for call in page.html.select(".calls li > span")]
    return {path: int(status) for _get, path, status, *_phrase in calls}


def test_a_yes_opens_every_endpoint(server):
    assert statuses(connect(server)) == {
        "/v2/fhir/ExplanationOfBenefit": 200,
        "/v2/fhir/Coverage": 200,
        "/v2/fhir/Patient": 200,
        "/v2/connect/userinfo": 200,
    }
