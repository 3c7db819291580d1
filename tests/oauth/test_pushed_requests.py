"""Authorization requests that apps send ahead (RFC 9126)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from bb2.clock import utcnow
from bb2.models import PushedRequest
from bb2.oauth import pushed
from bb2.oauth.secrets import hashed
from bb2.testing import ALICE, STATE, answer_of
from oauth.steps import another_app, ask, change_app, earlier, error_of, redeem

pytestmark = pytest.mark.either_database

SCOPE = "openid patient/Coverage.read"


def push(server, *, version="v2", status=201, **changes):
    """The answer to a pushed request that differs from a good one by `changes`."""
    asked = server.authorization_request(SCOPE, client_secret=server.client_secret)
    asked = {name: value for name, value in (asked | changes).items() if value is not None}
    return server.post(f"/{version}/o/par/", asked, status=status).json


def bring(server, request_uri, *, status="*", **changes):
    """A browser brings a request_uri to the authorization endpoint."""
    brought = {"client_id": server.client_id, "request_uri": request_uri} | changes
    return server.get("/v2/o/authorize/", {k: v for k, v in brought.items() if v is not None}, status=status)


def is_gone(response):
    """A page that says that the link does not work, and no redirect."""
    return response.status_int == 400 and "This link from the app does not work" in response.text


class TestAPushedRequest:
    def test_is_answered_with_a_request_uri_that_the_browser_brings(self, server):
        response = server.post(
            "/v2/o/par/", server.authorization_request(SCOPE, client_secret=server.client_secret), status=201
        )
        assert response.headers["Cache-Control"] == "no-store"
        assert response.content_type == "application/json"
        answered = response.json
        assert set(answered) == {"request_uri", "expires_in"}
        assert answered["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        assert 60 <= answered["expires_in"] <= 90
        server.sign_in()
        redirected = server.approve(bring(server, answered["request_uri"]).follow())
        assert answer_of(redirected)["state"] == STATE
        assert redeem(server, redirected)["patient"] == ALICE

    def test_of_a_public_app_needs_no_secret(self, server):
        app = another_app(server, public=True)
        assert bring(app, push(app)["request_uri"]).status_int == 303

    def test_names_the_app_by_its_credentials_alone(self, server):
        app = another_app(server)
        asked = app.authorization_request(SCOPE, client_id=None)
        app.authorization = ("Basic", (app.client_id, app.client_secret))
        answered = app.post("/v2/o/par/", asked, status=201).json
        app.authorization = None
        assert bring(app, answered["request_uri"]).status_int == 303

    def test_keeps_no_credential_and_no_request_uri(self, server):
        app = another_app(server)
        uri = push(app)["request_uri"]
        with app.db() as db:
            (kept,) = db.scalars(select(PushedRequest).where(PushedRequest.client_id == app.client_id))
        assert kept.uri_hash == hashed(uri)
        assert not {"client_secret", "client_assertion"} & kept.parameters.keys()

    def test_counts_alone_whatever_the_browser_brings_beside_it(self, server):
        server.sign_in()
        uri = push(server)["request_uri"]
        beside = {"scope": "profile", "state": "another state of the browser", "redirect_uri": "https://evil.example"}
        beside |= {"response_type": "token", "client_secret": "x", "code_challenge": "x"}
        page = bring(server, uri, **beside).follow()
        answered = server.approve(page)
        assert answered.location.startswith(server.redirect_uri)
        assert answer_of(answered)["state"] == STATE
        assert set(redeem(server, answered)["scope"].split()) == set(SCOPE.split())

    def test_may_come_by_post_as_any_authorization_request(self, server):
        server.sign_in()
        brought = {"client_id": server.client_id, "request_uri": push(server)["request_uri"]}
        assert "consent" in server.post("/v2/o/authorize/", brought, status=303).location

    def test_is_good_for_both_versions(self, server):
        assert bring(server, push(server, version="v1")["request_uri"]).status_int == 303

    def test_with_a_padded_challenge_is_taken_as_the_published_clients_send_it(self, server):
        padded = f"{server.authorization_request(SCOPE)['code_challenge']}="
        server.sign_in()
        answered = server.approve(bring(server, push(server, code_challenge=padded)["request_uri"]).follow())
        assert "code" in answer_of(answered)


class TestARequestUri:
    def test_is_used_once(self, server):
        uri = push(server)["request_uri"]
        assert bring(server, uri).status_int == 303
        assert is_gone(bring(server, uri))

    def test_is_used_once_of_two_at_the_same_moment(self, server):
        """The database decides: what one transaction has used, another finds used."""
        uri = push(server)["request_uri"]
        with server.db() as db:
            assert pushed.take(db, server.client_id, uri)
            assert pushed.take(db, server.client_id, uri) is None

    def test_belongs_to_one_app(self, server):
        other, uri = another_app(server), push(server)["request_uri"]
        assert is_gone(bring(other, uri))
        assert is_gone(bring(server, uri, client_id="unknown"))
        assert is_gone(bring(server, uri, client_id=None))
        assert bring(server, uri).status_int == 303

    def test_expires(self, server):
        app = another_app(server)
        uri = push(app)["request_uri"]
        earlier(app, PushedRequest, "expires_at", seconds=91)
        assert is_gone(bring(app, uri))

    def test_that_was_never_given_out_opens_nothing(self, server):
        for made_up in "x", "", "é", "\x00", "x" * 3000:
            assert is_gone(bring(server, pushed.PREFIX + made_up))

    def test_comes_once(self, server):
        uri = push(server)["request_uri"]
        for twice in ([("request_uri", uri)] * 2, [("client_id", server.client_id)] * 2):
            brought = [("client_id", server.client_id), ("request_uri", uri), *twice[1:]]
            assert is_gone(server.get("/v2/o/authorize/", brought, status="*"))

    def test_of_another_server_is_not_fetched(self, server):
        asked = server.authorization_request(SCOPE, request_uri="https://evil.example/request")
        refused = server.get("/v2/o/authorize/", asked)
        assert error_of(refused) == "request_uri_not_supported"

    def test_of_an_app_that_was_switched_off_since_opens_nothing(self, server):
        app = another_app(server)
        uri = push(app)["request_uri"]
        change_app(app, disabled_at=utcnow())
        assert bring(app, uri).status_int == 400

    def test_is_checked_again_when_it_comes(self, server):
        app = another_app(server)
        uri = push(app)["request_uri"]
        change_app(app, scopes=["patient/Patient.read"])
        assert error_of(bring(app, uri)) == "invalid_scope"


def test_a_request_that_comes_by_the_browser_is_kept_in_the_same_bounds(server):
    for state in "s" * 2048, "s" * 2049:
        answered = ask(server, SCOPE, state=state)
        assert ("error" in answer_of(answered)) == (len(state) > 2048)
    assert error_of(answered) == "invalid_request"
    assert answer_of(answered)["state"] == state
    assert error_of(ask(server, SCOPE, nonce="n" * 2049)) == "invalid_request"


class TestTheEndpoint:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
            ({"redirect_uri": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "invalid_request"),
            ({"state": "short"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "unknown"}, "invalid_scope"),
            ({"scope": "patient/Coverage.rs?status=active"}, "invalid_scope"),
            ({"aud": "https://evil.example/fhir"}, "invalid_request"),
            ({"resource": "https://evil.example/fhir"}, "invalid_target"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"max_age": "soon"}, "invalid_request"),
            ({"request": "e30.e30."}, "request_not_supported"),
            ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ],
    )
    def test_refuses_what_the_authorization_endpoint_would(self, server, changes, error):
        refused = push(server, status=400, **changes)
        assert refused["error"] == error
        assert set(refused) == {"error", "error_description", "error_uri"}

    def test_takes_no_more_than_it_can_keep(self, server):
        kept = {"state": "s" * 2048, "nonce": "n" * 2048}
        assert push(server, **kept)["request_uri"]
        for name in "state", "nonce", "claims", "login_hint", "ui_locales":
            refused = push(server, **{name: "x" * 2049}, status=400)
            assert refused["error"] == "invalid_request"
            assert name in refused["error_description"]
        whole = kept | {"login_hint": "l" * 2048, "acr_values": "a" * 2048}
        assert "8192" in push(server, **whole, status=400)["error_description"]

    def test_wants_post_and_a_form(self, server):
        assert server.get("/v2/o/par/", status=405).headers["Allow"] == "POST"
        server.post_json("/v2/o/par/", server.authorization_request(SCOPE), status=400)
        twice = [*server.authorization_request(SCOPE, client_secret=server.client_secret).items(), ("scope", "openid")]
        assert server.post("/v2/o/par/", twice, status=400).json["error"] == "invalid_request"

    def test_is_advertised_and_not_required(self, server):
        for version in "v1", "v2":
            document = server.get(f"/{version}/connect/.well-known/openid-configuration").json
            advertised = urlsplit(document["pushed_authorization_request_endpoint"])
            assert advertised.path == f"/{version}/o/par/"
            assert document["require_pushed_authorization_requests"] is False
            assert parse_qs(advertised.query) == {}
