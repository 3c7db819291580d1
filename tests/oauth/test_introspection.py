"""What an app is told of its own tokens, and nobody else (RFC 7662; SMART App Launch 2.2)."""

import json
import time

import pytest

from bb2.clock import utcnow
from bb2.models import AccessToken, Consent
from bb2.testing import ALICE
from databases import statements
from oauth.keyed import app_with_key, proof
from oauth.steps import EVERYTHING, another_app, change_app, earlier, opens, redeem

pytestmark = pytest.mark.either_database

CLOSED = {"active": False}


@pytest.fixture
def app(server):
    """An app of its own on the shared server."""
    return another_app(server)


def ask(app, token, *, version="v2", status=200, **changes):
    asked = {"token": token, "client_id": app.client_id, "client_secret": app.client_secret} | changes
    asked = {name: value for name, value in asked.items() if value is not None}
    return app.post(f"/{version}/o/introspect/", asked, status=status).json


class TestALiveToken:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_is_described(self, app, version):
        token = app.grant(EVERYTHING, version=version)
        told = ask(app, token["access_token"], version=version)
        sub = app.api("connect/userinfo", token).json["sub"]
        assert told == {
            "active": True,
            "scope": token["scope"],
            "client_id": app.client_id,
            "token_type": "Bearer",
            "exp": told["exp"],
            "iat": told["iat"],
            "iss": "http://localhost",
            "sub": sub,
            "aud": ["http://localhost/v1/fhir", "http://localhost/v2/fhir"],
            "patient": ALICE,
        }
        assert told["exp"] - told["iat"] == 3600
        assert abs(told["iat"] - time.time()) < 60

    def test_names_the_persons_record_where_that_was_granted(self, app):
        told = ask(app, app.grant("openid fhirUser profile")["access_token"])
        assert told["fhirUser"] == f"http://localhost/v2/fhir/Patient/{ALICE}"
        assert "Alice" not in json.dumps(told)
        assert "fhirUser" not in ask(app, app.grant("openid profile")["access_token"])

    def test_to_refresh_with_is_no_bearer_token(self, app):
        token = app.grant(EVERYTHING)
        told = ask(app, token["refresh_token"])
        assert told["active"] is True
        assert "token_type" not in told
        assert set(told["scope"].split()) == set(EVERYTHING.split())
        assert told["exp"] > time.time() + 390 * 86_400

    def test_of_a_research_app_to_refresh_with_has_no_end(self, server):
        app = another_app(server, access="research")
        assert "exp" not in ask(app, app.grant(EVERYTHING)["refresh_token"])

    def test_has_the_scopes_that_hold_now(self, app):
        token = app.grant(EVERYTHING)
        narrow = app.refresh(token, scope="openid patient/Coverage.read")
        assert ask(app, narrow["access_token"])["scope"].split() == ["openid", "patient/Coverage.read"]
        change_app(app, asks_demographic=False)
        assert "profile" not in ask(app, narrow["refresh_token"])["scope"]
        change_app(app, scopes=["patient/Patient.read"])
        assert ask(app, narrow["access_token"]) == CLOSED

    def test_says_which_fhir_base_it_is_for(self, app):
        page = app.consent_page(EVERYTHING, aud="http://localhost/v2/fhir/")
        token = redeem(app, app.approve(page))
        assert ask(app, token["access_token"])["aud"] == ["http://localhost/v2/fhir"]
        assert ask(app, token["refresh_token"])["aud"] == ["http://localhost/v2/fhir"]

    @pytest.mark.parametrize("hint", ["access_token", "refresh_token", "x", ""])
    def test_is_found_whatever_the_hint(self, app, hint):
        token = app.grant("openid")
        for kind in "access_token", "refresh_token":
            assert ask(app, token[kind], token_type_hint=hint)["active"] is True

    def test_may_be_asked_about_with_a_key(self, server):
        app = app_with_key(server)
        token = redeem(app, app.approve(app.consent_page("openid")), **proof(app))
        assert ask(app, token["access_token"], **proof(app))["active"] is True


class TestAnyOtherToken:
    @pytest.mark.parametrize("token", ["unknown", "é", " ", "x" * 5000, "a.b.c", "' OR 1=1"])
    def test_that_is_unknown_is_not_active(self, app, token):
        assert ask(app, token) == CLOSED

    def test_of_another_app_is_not_active(self, server, app):
        token = app.grant(EVERYTHING)
        for kind in "access_token", "refresh_token":
            assert ask(another_app(server), token[kind]) == CLOSED

    def test_that_was_rotated_away_is_not_active(self, app):
        first = app.grant(EVERYTHING)
        second = app.refresh(first)
        assert ask(app, first["refresh_token"]) == CLOSED
        assert ask(app, second["refresh_token"])["active"] is True
        assert ask(app, second["access_token"])["active"] is True

    @pytest.mark.parametrize("endpoint", ["revoke_token", "revoke"])
    def test_that_was_revoked_is_not_active(self, app, endpoint):
        token = app.grant(EVERYTHING)
        form = {"token": token["access_token"], "client_id": app.client_id, "client_secret": app.client_secret}
        app.post(f"/v2/o/{endpoint}/", form)
        for kind in "access_token", "refresh_token":
            assert ask(app, token[kind]) == CLOSED

    def test_that_has_expired_is_not_active(self, app):
        token = app.grant(EVERYTHING)
        earlier(app, AccessToken, "expires_at", hours=1)
        assert ask(app, token["access_token"]) == CLOSED
        assert ask(app, token["refresh_token"])["active"] is True

    def test_under_a_consent_that_is_over_is_not_active(self, app):
        token = app.grant(EVERYTHING)
        earlier(app, Consent, "expires_at", days=500)
        for kind in "access_token", "refresh_token":
            assert ask(app, token[kind]) == CLOSED

    def test_that_a_newer_consent_replaced_is_not_active(self, app):
        token = app.grant(EVERYTHING)
        app.grant(EVERYTHING)
        assert ask(app, token["access_token"]) == CLOSED

    def test_that_no_access_can_be_had_with_is_not_active(self, app):
        """What introspection says is what the API does."""
        token = app.grant(EVERYTHING)
        change_app(app, access="one-time")
        assert ask(app, token["refresh_token"]) == CLOSED
        app.refresh(token, status=400)
        assert (ask(app, token["access_token"])["active"], opens(app, token)) == (True, 200)


class TestTheEndpoint:
    def test_wants_an_app_that_authenticates(self, server, app):
        token = app.grant(EVERYTHING)["access_token"]
        public = another_app(server, public=True)
        theirs = redeem(public, public.approve(public.consent_page("openid")))["access_token"]
        refused = ask(public, theirs, status=401)
        assert refused["error"] == "invalid_client"
        assert "authenticate" in refused["error_description"]
        for wrong in ({"client_secret": None}, {"client_secret": "x"}, {"client_id": None}, {"client_id": "x"}):
            assert ask(app, token, status=401, **wrong)["error"] == "invalid_client"
        change_app(app, disabled_at=utcnow())
        ask(app, token, status=401)

    def test_reads_in_two_or_three_statements_and_writes_nothing(self, app):
        token = app.grant(EVERYTHING)
        for kind, most in ("access_token", 2), ("refresh_token", 3):
            with statements(app.engine) as sent:
                assert ask(app, token[kind])["active"] is True
            assert len(sent) <= most
            assert all(statement.startswith("SELECT") for statement in sent)

    def test_is_advertised(self, app):
        for version in "v1", "v2":
            url = f"http://localhost/{version}/o/introspect/"
            assert app.get(f"/{version}/connect/.well-known/openid-configuration").json["introspection_endpoint"] == url
            smart = app.get(f"/{version}/fhir/.well-known/smart-configuration").json
            assert smart["introspection_endpoint"] == url
            security = app.get(f"/{version}/fhir/metadata").json["rest"][0]["security"]
            uris = {uri["url"]: uri["valueUri"] for uri in security["extension"][0]["extension"]}
            assert uris["introspect"] == url
