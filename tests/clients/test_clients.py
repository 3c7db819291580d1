"""Clients that other people wrote, unmodified, each on its whole way: sign-in, consent, token, refresh, revocation."""

from functools import cache

import pytest

from clients.apps import APPS, LIBRARIES, SCOPE, Visit

pytestmark = pytest.mark.long

each_app = pytest.mark.parametrize("name", APPS)
ALL = {"Patient": 200, "Coverage": 200, "ExplanationOfBenefit": 200, "userinfo": 200}
WITHOUT_DEMOGRAPHIC = ALL | {"Patient": 403, "userinfo": 403}


@pytest.fixture(scope="module")
def seen(settings):
    """A function: what an app saw when the person shared, or withheld, who they are.  Each goes its way once."""

    @cache
    def see(name, demographic):
        visit = Visit(name, settings)
        return visit.end(visit.answer(answer="yes", demographic=demographic))

    return see


@each_app
def test_what_is_shared_is_read(seen, name):
    shared = seen(name, "share")
    assert shared["statuses"] == ALL
    assert set(shared["token"]["scope"].split()) == set(SCOPE.split())


@each_app
def test_what_is_withheld_is_refused(seen, name):
    withheld = seen(name, "withhold")
    assert withheld["statuses"] == WITHOUT_DEMOGRAPHIC
    assert set(withheld["token"]["scope"].split()) == set(SCOPE.split()) - {"profile", "patient/Patient.read"}


@each_app
def test_a_refreshed_token_opens_the_same(seen, name):
    withheld = seen(name, "withhold")
    assert withheld["refreshed"]["scope"] == withheld["token"]["scope"]
    assert withheld["status_after_refresh"] == 200


@each_app
def test_a_revoked_token_opens_nothing(seen, name):
    assert seen(name, "share")["status_after_revocation"] == 401


@pytest.mark.parametrize("name", ["authlib", "authlib with a key", "openid-client"])
def test_an_app_learns_what_its_token_opens(seen, settings, name):
    introspected = seen(name, "share")["introspected"]
    assert introspected["active"] is True
    assert introspected["client_id"] == settings(APPS[name][1])["client_id"]
    assert set(introspected["scope"].split()) == set(SCOPE.split())


def test_a_pushed_request_is_not_in_the_browser(settings):
    visit = Visit("openid-client with a key, pushing its requests", settings)
    assert visit.asked.keys() == {"client_id", "request_uri"}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_no_is_told_to_the_app(settings, name):
    visit = Visit(name, settings)
    with pytest.raises(Exception, match=r"access_denied|did not approve access"):
        visit.end(visit.answer(answer="no"))


# A library that checks nothing would pass all of the above


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("authlib", "CSRF Warning! State not equal"),
        ("requests-oauthlib", "CSRF Warning! State not equal"),
        ("fhirclient", "Invalid state"),
        ("openid-client", 'unexpected "state" response parameter value'),
        ("oauth4webapi", 'unexpected "state" response parameter value'),
        ("fhirclient.js", "No state found"),
    ],
)
def test_another_state_is_refused(settings, name, words):
    visit = Visit(name, settings)
    with pytest.raises(Exception, match=words):
        visit.end({"code": "of somebody else", "state": "of somebody else", "iss": visit.settings["issuer"]})


@pytest.mark.parametrize("name", ["openid-client", "oauth4webapi"])
def test_an_answer_of_another_server_is_refused(settings, name):
    visit = Visit(name, settings)
    with pytest.raises(Exception, match='unexpected "iss"'):
        visit.end({"code": "of another server", "state": visit.asked["state"], "iss": "https://another.example"})


@pytest.mark.parametrize(
    ("name", "words"),
    [("authlib", "nonce"), ("openid-client", '"nonce" claim'), ("oauth4webapi", '"nonce" claim')],
)
def test_an_id_token_for_another_nonce_is_refused(settings, name, words):
    visit = Visit(name, settings)
    visit.url = visit.url.replace(visit.asked["nonce"], "another")
    with pytest.raises(Exception, match=words):
        visit.end(visit.answer(answer="yes", demographic="share"))
