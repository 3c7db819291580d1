"""The token endpoint: what a code is good for, once; and what the answer says."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from bb2.clock import utcnow
from bb2.models import AuthorizationCode, Consent
from bb2.testing import ALICE, challenge, code_of
from oauth.steps import (
    EVERYTHING,
    LESS,
    another_app,
    answer,
    change_app,
    consents_of,
    earlier,
    opens,
    redeem,
    trail,
)

pytestmark = pytest.mark.either_database

#: What is wrong with a token request, the status, and RFC 6749's word for it.
BAD_TOKEN_REQUESTS = (
    ({"code_verifier": "v" * 43}, 400, "invalid_grant"),
    ({"code_verifier": None}, 400, "invalid_request"),
    ({"code_verifier": ""}, 400, "invalid_request"),
    ({"code_verifier": " "}, 400, "invalid_grant"),
    ({"code_verifier": "v" * 42}, 400, "invalid_grant"),
    ({"code_verifier": "v" * 129}, 400, "invalid_grant"),
    ({"code_verifier": "é" * 43}, 400, "invalid_grant"),
    ({"code_verifier": "\x00" * 43}, 400, "invalid_request"),
    ({"redirect_uri": None}, 400, "invalid_request"),
    ({"redirect_uri": "https://evil.example/callback"}, 400, "invalid_grant"),
    ({"redirect_uri": "https://app.example/callback/"}, 400, "invalid_grant"),
    ({"redirect_uri": "https://app.example/callback?a=b"}, 400, "invalid_grant"),
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_secret": None}, 401, "invalid_client"),
    ({"client_secret": ""}, 401, "invalid_client"),
    ({"client_id": None}, 401, "invalid_client"),
    ({"client_id": "unknown"}, 401, "invalid_client"),
    ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
    ({"code": None}, 400, "invalid_request"),
    ({"code": "unknown"}, 400, "invalid_grant"),
    ({"code": "é"}, 400, "invalid_grant"),
    ({"code": "x" * 9000}, 400, "invalid_grant"),
    ({"grant_type": None}, 400, "invalid_request"),
    ({"grant_type": "password", "username": "alice", "password": "x"}, 400, "unsupported_grant_type"),
    ({"grant_type": "client_credentials", "scope": "openid"}, 400, "unsupported_grant_type"),
    ({"grant_type": "urn:example:nope"}, 400, "unsupported_grant_type"),
    ({"grant_type": "openid"}, 400, "unsupported_grant_type"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request"),
)


@pytest.fixture
def code(server):
    """A fresh code of the shared server's app."""
    return code_of(server.approve(server.consent_page(EVERYTHING)))


class TestTheTokenResponse:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_says_what_the_contract_says(self, server, version):
        response = server.post(
            f"/{version}/o/token/",
            server.token_request(code_of(server.approve(server.consent_page(EVERYTHING, version=version)))),
        )
        token = response.json
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Pragma"] == "no-cache"
        assert set(token) == {
            "access_token",
            "token_type",
            "expires_in",
            "scope",
            "refresh_token",
            "patient",
            "access_grant_expiration",
            "id_token",
        }
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] == 3600
        assert isinstance(token["expires_in"], int)
        assert set(token["scope"].split()) == set(EVERYTHING.split())
        assert token["patient"] == ALICE
        for secret in token["access_token"], token["refresh_token"]:
            assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)

    def test_has_an_id_token_only_with_openid(self, server):
        assert "id_token" not in redeem(server, server.approve(server.consent_page("patient/Coverage.read")))

    def test_of_an_ongoing_app_says_until_when_to_the_day_thirteen_months_ahead(self, server, code):
        until = datetime.fromisoformat(redeem(server, code)["access_grant_expiration"])
        now = datetime.now(UTC)
        assert (until.year * 12 + until.month) - (now.year * 12 + now.month) in (13, 12)
        assert timedelta(days=393) < until - now < timedelta(days=399)

    def test_of_a_one_time_app_has_no_refresh_token_and_an_hour(self, server):
        server = another_app(server, access="one-time")
        token = redeem(server, server.approve(server.consent_page("openid offline_access patient/Coverage.read")))
        assert "refresh_token" not in token
        assert set(token["scope"].split()) == {"openid", "patient/Coverage.read"}
        assert 3500 <= token["expires_in"] <= 3600
        assert opens(server, token) == 200
        earlier(server, Consent, "expires_at", hours=1)
        assert opens(server, token) == 401

    def test_of_a_research_app_has_no_end(self, server):
        server = another_app(server, access="research")
        token = redeem(server, server.approve(server.consent_page(EVERYTHING)))
        assert "access_grant_expiration" not in token
        assert "refresh_token" in token
        earlier(server, Consent, "granted_at", "activated_at", days=3650)
        assert opens(server, server.refresh(token)) == 200

    def test_lives_as_long_as_the_operator_says_but_no_longer_than_the_consent(self, make_server):
        server = make_server(settings={"bb2.access_token_lifetime": "600"})
        token = redeem(server, server.approve(server.consent_page("openid")))
        assert token["expires_in"] == 600
        with server.db() as db:
            db.query(Consent).update({"expires_at": utcnow() + timedelta(seconds=100)})
        assert 90 <= server.refresh(token)["expires_in"] <= 100


class TestACode:
    def test_used_twice_closes_what_it_had_opened(self, server, code):
        token = redeem(server, code)
        assert opens(server, token) == 200
        assert redeem(server, code, status=400)["error"] == "invalid_grant"
        assert opens(server, token) == 401
        assert server.refresh(token, status=400)["error"] == "invalid_grant"
        assert [e.event for e in trail(server)][-1] == "code.replayed"

    def test_used_twice_closes_what_was_refreshed_from_it_too_however_late(self, server, code):
        token = server.refresh(redeem(server, code))
        earlier(server, AuthorizationCode, "expires_at", "redeemed_at", days=2)
        redeem(server, code, status=400)
        assert opens(server, token) == 401
        server.refresh(token, status=400)

    def test_dies_after_a_minute(self, server, code):
        earlier(server, AuthorizationCode, "expires_at", seconds=59)
        redeem(server, code)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        earlier(server, AuthorizationCode, "expires_at", seconds=60)
        refused = redeem(server, code, status=400)
        assert refused["error"] == "invalid_grant"
        assert "expired" in refused["error_description"]
        assert consents_of(server)[-1].activated_at is None

    def test_lives_as_long_as_the_operator_says(self, make_server):
        server = make_server(settings={"bb2.authorization_code_lifetime": "10"})
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        earlier(server, AuthorizationCode, "expires_at", seconds=10)
        redeem(server, code, status=400)

    def test_is_not_spent_by_a_request_that_fails(self, server, code):
        for changes, status, error in BAD_TOKEN_REQUESTS:
            asked = server.token_request(**({"code": code} | changes))
            refused = server.post("/v2/o/token/", asked, status=status).json
            assert set(refused) == {"error", "error_description", "error_uri"}
            assert refused["error"] == error, changes
        assert redeem(server, code)["patient"] == ALICE

    def test_is_not_proved_by_its_challenge_or_by_the_verifier_of_another_tab(self, server, code):
        verifier = server.verifier
        redeem(server, code, code_verifier=challenge(verifier), status=400)
        other = code_of(server.approve(server.consent_page(EVERYTHING, username=None)))
        redeem(server, code, code_verifier=server.verifier, status=400)
        redeem(server, other, code_verifier=verifier, status=400)
        redeem(server, code, code_verifier=verifier)

    def test_of_a_verifier_too_short_to_be_secret_opens_nothing(self, server):
        """RFC 7636, 4.1 and 7.1"""
        code = code_of(server.approve(server.consent_page("openid", code_challenge=challenge("too short!"))))
        assert redeem(server, code, code_verifier="too short!", status=400)["error"] == "invalid_grant"

    def test_belongs_to_one_app(self, server):
        server = another_app(server)
        other, public = another_app(server), another_app(server, public=True)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        other.verifier = public.verifier = server.verifier
        assert redeem(other, code, status=400)["error"] == "invalid_grant"
        assert redeem(public, code, status=400)["error"] == "invalid_grant"
        redeem(public, code, client_id=server.client_id, status=401)
        redeem(other, code, client_id=server.client_id, status=401)
        redeem(server, code)

    def test_of_another_app_is_not_taken_for_a_replay(self, server):
        server = another_app(server)
        other = another_app(server)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        token = redeem(server, code)
        other.verifier = server.verifier
        redeem(other, code, status=400)
        assert opens(server, token) == 200

    def test_is_no_bearer_token_and_no_refresh_token(self, server, code):
        assert opens(server, {"access_token": code}) == 401
        assert server.refresh({"refresh_token": code}, status=400)["error"] == "invalid_grant"

    def test_of_a_public_app_needs_no_secret_but_its_verifier(self, server):
        server = another_app(server, public=True)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        for changes in ({"code_verifier": None}, {"code_verifier": "v" * 43}):
            redeem(server, code, status=400, **changes)
        redeem(server, code, client_secret="any", status=401)
        assert opens(server, redeem(server, code)) == 200

    def test_of_an_app_that_is_switched_off_opens_nothing(self, server):
        server = another_app(server)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        change_app(server, disabled_at=utcnow())
        assert redeem(server, code, status=401)["error"] == "invalid_client"
        change_app(server, disabled_at=None)
        redeem(server, code)

    def test_opens_no_more_than_the_app_is_registered_for_when_it_comes(self, server):
        server = another_app(server)
        code = code_of(server.approve(server.consent_page(EVERYTHING)))
        change_app(server, asks_demographic=False)
        assert set(redeem(server, code)["scope"].split()) == set(LESS.split())

    def test_opens_nothing_when_the_app_is_registered_for_nothing_of_it_any_more(self, server):
        server = another_app(server)
        code = code_of(server.approve(server.consent_page("patient/Coverage.read")))
        change_app(server, scopes=["openid"])
        assert redeem(server, code, status=400)["error"] == "invalid_grant"
        change_app(server, scopes=["openid", "patient/Coverage.read"])
        redeem(server, code)

    def test_of_a_consent_that_was_ended_opens_nothing(self, server):
        server = another_app(server)
        page = server.consent_page(EVERYTHING)
        code = code_of(server.approve(page))
        answer(page, "no")
        refused = redeem(server, code, status=400)
        assert refused["error"] == "invalid_grant"
        assert "ended" in refused["error_description"]


class TestTheEndpoint:
    def test_refuses_a_parameter_that_comes_twice(self, server, code):
        asked = server.token_request(code)
        for name, value in asked.items():
            twice = [*asked.items(), (name, value)]
            assert server.post("/v2/o/token/", twice, status=400).json["error"] == "invalid_request"
        redeem(server, code)

    def test_ignores_parameters_that_it_does_not_know(self, server, code):
        unknown = {"authorization_code": "x", "consent": "x", "scopes": "profile", "client": "x", "user": "bob"}
        assert redeem(server, code, **unknown)["patient"] == ALICE

    def test_takes_nothing_from_the_url(self, server, code):
        asked = server.token_request(code)
        for method in server.get, server.put, server.delete:
            response = method("/v2/o/token/", asked, status=405)
            assert response.headers["Allow"] == "POST"
            assert response.json["error"] == "invalid_request"
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        assert server.post(f"/v2/o/token/?{query}", status=400).json["error"] == "invalid_request"
        for name in "client_secret", "code":
            rest = {key: value for key, value in asked.items() if key != name}
            server.post(f"/v2/o/token/?{name}={asked[name]}", rest, status=400)
        redeem(server, code)

    def test_wants_a_form(self, server, code):
        refused = server.post_json("/v2/o/token/", server.token_request(code), status=400).json
        assert refused["error"] == "invalid_request"
        redeem(server, code)

    def test_keeps_no_answer_in_a_cache(self, server):
        refused = server.post("/v2/o/token/", {"grant_type": "x"}, status=400)
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.content_type == "application/json"
