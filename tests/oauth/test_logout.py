"""An app ends a session (OpenID Connect RP-Initiated Logout 1.0): never a consent, never by an open redirect."""

import pytest
from sqlalchemy import select

from bb2.models import AuditEvent
from bb2.testing import answer_of
from oauth.steps import another_app, another_browser, opens, redeem

pytestmark = pytest.mark.either_database

GOODBYE = "https://app.example/goodbye?a=b"
NEAR_MISSES = (
    "https://evil.example/",
    "https://app.example/goodbye",
    "https://app.example/goodbye?a=b&c=d",
    "https://app.example/goodbye?a=b#x",
    "https://app.example/goodbye/?a=b",
    "http://app.example/goodbye?a=b",
    "https://app.example/callback",
    "//app.example/goodbye?a=b",
    "javascript:alert(1)",
    "nul\x00",
)


@pytest.fixture
def app(server):
    """An app that is registered with a place to send people to."""
    return another_app(server, post_logout_redirect_uris=[GOODBYE])


@pytest.fixture
def token(app):
    """The token response of a sign-in by Alice, in the app's browser."""
    return redeem(app, app.approve(app.consent_page("openid patient/Coverage.read")))


def log_out(app, method="get", status="*", version="v2", **asked):
    return getattr(app, method)(f"/{version}/connect/logout", asked, status=status)


def is_signed_in(app):
    return "You are signed in as" in app.get("/").text


def assert_refused(response):
    """A page: nobody is sent anywhere."""
    assert response.status_int == 400
    assert "Location" not in response.headers
    assert "This link from the app does not work" in response.text


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_id_token_of_the_person_ends_the_session_and_leads_back(app, token, method, version):
    back = log_out(
        app,
        method,
        303,
        version,
        id_token_hint=token["id_token"],
        post_logout_redirect_uri=GOODBYE,
        state="a&b=é",
    )
    assert back.location.startswith(f"{GOODBYE}&state=")
    assert answer_of(back) == {"a": "b", "state": "a&b=é"}
    assert not is_signed_in(app)
    assert log_out(app, status=303, client_id=app.client_id, post_logout_redirect_uri=GOODBYE).location == GOODBYE


def test_the_consent_stays(app, token):
    log_out(app, id_token_hint=token["id_token"])
    assert opens(app, token) == 200
    assert app.refresh(token)["access_token"]


def test_the_cookie_of_the_session_opens_nothing_any_more(app, token):
    thief = another_browser(app)
    for cookie in app.cookiejar:
        thief.set_cookie(cookie.name, cookie.value)
    assert is_signed_in(thief)
    log_out(app, id_token_hint=token["id_token"])
    assert not is_signed_in(thief)


@pytest.mark.parametrize("asked", [{}, {"client_id": True}, {"client_id": True, "post_logout_redirect_uri": GOODBYE}])
def test_without_an_id_token_the_person_is_asked(app, token, asked):
    asked = asked | ({"client_id": app.client_id} if "client_id" in asked else {})
    page = log_out(app, status=200, **asked)
    assert is_signed_in(app)
    assert "Do you want to sign out here too?" in page.text
    done = page.forms[0].submit("answer", value="sign-out")
    assert not is_signed_in(app)
    if "post_logout_redirect_uri" in asked:
        assert done.location == GOODBYE
    else:
        assert "You are signed out" in done.text
    assert opens(app, token) == 200


def test_the_person_may_stay(app, token):
    page = log_out(app, client_id=app.client_id, post_logout_redirect_uri=GOODBYE)
    back = page.forms[0].submit("answer", value="stay", status=303)
    assert back.location.endswith("/connections")
    assert is_signed_in(app)


def test_an_id_token_of_another_person_ends_nothing_by_itself(app, token):
    app.sign_in("bob")
    page = log_out(app, status=200, id_token_hint=token["id_token"], post_logout_redirect_uri=GOODBYE)
    assert "Do you want to sign out here too?" in page.text
    assert is_signed_in(app)
    assert page.forms[0].submit("answer", value="sign-out", status=303).location == GOODBYE
    assert not is_signed_in(app)


def test_the_answer_needs_the_sessions_own_form(app, token):
    for forged in ({}, {"csrf_token": "x"}):
        refused = log_out(app, "post", answer="sign-out", **forged)
        assert refused.status_int == 400
        assert "This page is no longer open" in refused.text
    assert is_signed_in(app)


def test_another_sites_form_becomes_a_link_since_it_brings_no_cookie(app, token):
    asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": GOODBYE, "ui_locales": "es"}
    link = log_out(another_browser(app), "post", 303, **asked, client_secret="a secret")
    assert link.location.split("?")[0].endswith("/v2/connect/logout")
    assert "ui_locales=es" in link.location
    assert "secret" not in link.location
    assert is_signed_in(app)
    assert app.get(link.location, status=303).location == GOODBYE
    assert not is_signed_in(app)


def test_nobody_is_sent_where_the_app_is_not_registered_to_send_them(app, token):
    for uri in NEAR_MISSES:
        for asked in ({"id_token_hint": token["id_token"]}, {"client_id": app.client_id}, {}):
            assert_refused(log_out(app, post_logout_redirect_uri=uri, **asked))
    assert is_signed_in(app)


def test_a_wrong_request_ends_nothing(app, token, server):
    other = another_app(server, post_logout_redirect_uris=[])
    header, payload, _signature = token["id_token"].split(".")
    good = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": GOODBYE}
    for changes in (
        {"id_token_hint": "x"},
        {"id_token_hint": f"{header}.{payload}."},
        {"client_id": other.client_id},
        {"client_id": "nobody"},
        {"client_id": "nul\x00"},
    ):
        assert_refused(log_out(app, **good | changes))
    assert_refused(log_out(app, client_id=other.client_id, post_logout_redirect_uri=GOODBYE))
    assert_refused(app.get("/v2/connect/logout", [*good.items(), ("state", "1"), ("state", "2")], status="*"))
    assert is_signed_in(app)


def test_an_expired_id_token_will_do(app, token):
    keys = app.app.registry["signing_keys"]
    old = keys.sign(keys.claims_of(token["id_token"]) | {"iat": 1, "exp": 2}, "ES256")
    assert log_out(app, id_token_hint=old, post_logout_redirect_uri=GOODBYE).location == GOODBYE
    assert not is_signed_in(app)


def test_nothing_of_the_request_is_repeated_unescaped(app, token):
    nasty = "\"'><script>alert(1)</script>"
    assert "<script>alert" not in log_out(app, state=nasty).text
    for name in ("id_token_hint", "client_id", "post_logout_redirect_uri", "ui_locales"):
        assert "<script>alert" not in log_out(app, **{name: nasty}).text


def test_the_page_speaks_the_language_that_the_app_names(app, token):
    page = log_out(app, client_id=app.client_id, ui_locales="es-MX")
    assert page.html.find("html")["lang"] == "es"
    assert "¿Quiere" in page.text


def test_the_answer_may_lead_to_the_app_and_the_page_be_in_no_frame(app, token):
    policy = log_out(app).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy


def test_the_trail_says_who_was_signed_out_and_by_which_app(app, token):
    log_out(app, id_token_hint=token["id_token"])
    with app.db() as db:
        mine = select(AuditEvent).where(AuditEvent.client_id == app.client_id, AuditEvent.event == "account.signed_out")
        (found,) = db.scalars(mine)
        assert found.beneficiary_id


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_discovery_names_it(server, version):
    document = server.get(f"/{version}/connect/.well-known/openid-configuration").json
    assert document["end_session_endpoint"] == f"http://localhost/{version}/connect/logout"
    assert log_out(server, version=version).status_int == 200


def test_what_may_be_registered_is_what_may_be_a_redirect_uri(server):
    for uri in ("http://app.example/bye", "https://*.example/bye", "https://app.example/bye#x", "javascript:alert(1)"):
        with pytest.raises(Exception, match="redirect URI"):
            another_app(server, post_logout_redirect_uris=[uri])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"client_id": "unknown"}, "client_id is unknown or switched off"),
        ({"id_token_hint": "no.such.token"}, "id_token_hint is no id_token of ours"),
        ({"post_logout_redirect_uri": GOODBYE}, "needs an id_token_hint or a client_id"),
    ],
)
def test_the_page_of_a_refusal_tells_the_developer_what_to_mend(app, asked, reason):
    response = log_out(app, **asked)
    assert_refused(response)
    assert reason in response.html.get_text()
