"""The journey where people sign in at an OpenID Connect provider: with a real one, on another site than this server.

On this server the choice about personal information has no default: it has a page more, for who did not choose.
"""

import pytest
from measures import ZOOMED, measure

from bb2.sandbox.identifiers import patient_id
from real_provider import RealProvider
from running import RunningServer, free_port

pytestmark = pytest.mark.long

SECRET = "a secret of these stories and of nothing else"
ACCOUNTS = {"dorothy": {"patient": patient_id(1, 0)}, "emil": {}}


class HealthServer(RunningServer):
    """A server whose people sign in at the provider.  Their browsers know it by another host than the provider's."""

    def __init__(self, var, port, issuer):
        self.here = f"http://127.0.0.1:{port}"
        secret = var / "secret"
        secret.write_text(SECRET)
        provider = {"NAME": "MyHealth", "ISSUER": issuer, "CLIENT_ID": "us", "CLIENT_SECRET": str(secret)}
        provider |= {"CLAIM": "patient", "SCOPE": "openid medicare"}
        settings = {f"BB2_OIDC_{name}": value for name, value in provider.items()}
        settings |= {"BB2_IDENTITY": "oidc", "BB2_BASE_URL": self.here, "BB2_DEMOGRAPHIC_DEFAULT": "ask"}
        super().__init__(var, port, BB2_BENEFICIARIES="1", **settings)
        self.url = self.here


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def absent(port):
    """The provider, before it runs."""
    callback = f"http://127.0.0.1:{port}/sign-in/callback"
    return RealProvider([{"client_id": "us", "client_secret": SECRET, "redirect_uris": [callback]}], ACCOUNTS)


@pytest.fixture(scope="module")
def server(absent, port, tmp_path_factory):
    with HealthServer(tmp_path_factory.mktemp("health"), port, absent.issuer) as running:
        yield running


@pytest.fixture(scope="module")
def provider(absent):
    with absent as running:
        yield running


@pytest.fixture
def person(make_person, server):
    return make_person(server, **ZOOMED)


def go_there(person):
    """Connect in the app, and go on to the provider."""
    person.connect()
    person.answer("sign-in")


def sign_in_there(person, login):
    person.fill(login=login)
    person.answer("yes")  # this is who they are
    person.answer("yes")  # and this server may know


def told(person):
    """What the app was told, after the way back to it."""
    assert "/testclient/callback" in person.page.url
    return person.page.locator("main b").inner_text()


def test_a_provider_that_is_down_gets_a_page_with_a_way_back_to_the_app(person):  # it comes first: nothing runs yet
    go_there(person)
    assert person.heading == "We cannot reach MyHealth at the moment"
    person.look("provider-down")
    person.answer("cancel")
    assert told(person) == "temporarily_unavailable"
    person.look("provider-down-back-in-the-app")


def test_who_signs_in_there_comes_back_to_share_and_may_sign_out(person, provider):
    person.connect()
    person.look("provider-sign-in")
    person.answer("sign-in")
    assert person.page.url.startswith(provider.issuer)
    sign_in_there(person, "dorothy")
    assert person.heading == "Share your Medicare information with Carely?"
    person.look("provider-consent")
    person.answer("yes")
    assert "One more answer is needed" in person.told
    assert measure(person, "nothing chosen") == {}
    person.page.locator(".problem a").click()
    assert person.focused.get_attribute("id") == "share"
    person.choose("share")
    person.answer("yes")
    assert set(person.statuses().values()) == {200}
    person.visit("/connections")
    assert person.page.locator(".connection").count() == 1
    person.look("provider-connections")
    person.press(".person button")
    assert person.heading == "You are signed out"
    person.look("provider-signed-out")


@pytest.mark.parametrize("there", [True, False])
def test_who_cancels_there_or_here_is_back_in_the_app(person, provider, there):
    person.connect()
    if there:
        person.answer("sign-in")
        assert person.page.url.startswith(provider.issuer)
    person.answer("cancel")
    assert told(person) == "access_denied"


def test_who_has_no_patient_here_is_told_and_can_try_as_somebody_else_or_go_back_to_the_app(person, provider):
    go_there(person)
    sign_in_there(person, "emil")
    assert person.heading == "We could not find your Medicare record"
    person.look("provider-nobody")
    problem = person.page.url
    person.press("role=link[name='Try again']")
    person.answer("sign-in")
    assert person.page.url.startswith(f"{provider.issuer}/interaction/")  # who it is is asked anew
    person.page.goto(problem)
    person.answer("cancel")
    assert told(person) == "access_denied"
