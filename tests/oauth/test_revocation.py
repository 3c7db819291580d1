"""revoke_token closes a token and its siblings, revoke ends the consent; never what is another app's (RFC 7009)."""

import pytest

from bb2.testing import code_of
from oauth.steps import EVERYTHING, another_app, consents_of, opens, trail

pytestmark = pytest.mark.either_database


def close(server, token, path="revoke_token", status=200, version="v2", **changes):
    """The answer to a revocation of an access token or another value."""
    value = token["access_token"] if isinstance(token, dict) else token
    asked = {"token": value, "client_id": server.client_id, "client_secret": server.client_secret} | changes
    asked = {name: value for name, value in asked.items() if value is not None}
    return server.post(f"/{version}/o/{path}/", asked, status=status)


BOTH = pytest.mark.parametrize("path", ["revoke_token", "revoke"])
EITHER = pytest.mark.parametrize(("version", "kind"), [("v1", "access_token"), ("v2", "refresh_token")])


@EITHER
def test_revoke_token_closes_the_siblings_and_the_consent_stays(server, version, kind):
    token = server.refresh(server.grant(EVERYTHING))
    close(server, token[kind], version=version)
    assert opens(server, token) == 401
    assert server.refresh(token, status=400)["error"] == "invalid_grant"
    consent, event = consents_of(server)[-1], trail(server)[-1]
    assert consent.revoked_at is None
    assert (event.event, event.consent_id) == ("token.revoked", consent.id)
    assert "what The App can see" in server.get("/connections").text


@EITHER
def test_revoke_ends_the_consent_with_every_token_under_it(server, version, kind):
    first = server.grant(EVERYTHING)
    token = server.refresh(first)
    close(server, first[kind], "revoke", version=version)
    for each in first, token:
        assert opens(server, each) == 401
        assert server.refresh(each, status=400)["error"] == "invalid_grant"
    consent, event = consents_of(server)[-1], trail(server)[-1]
    assert (consent.revoked_by, consent.revoked_at is not None) == ("client", True)
    assert (event.event, event.consent_id, event.details) == ("consent.revoked", consent.id, {"by": "client"})
    assert "what The App can see" not in server.get("/connections").text


def test_the_api_says_who_ended_the_consent(server):
    token = server.grant(EVERYTHING)
    close(server, token, "revoke")
    refused = server.api("connect/userinfo", token, status=401)
    assert refused.json["error"] == "invalid_token"
    assert "ended by the app" in refused.json["error_description"]
    assert "ended by the app" in server.refresh(token, status=400)["error_description"]


@BOTH
def test_twice_or_unknown_is_as_good(server, path):
    token = server.grant("openid")
    for value in token, token, "unknown", "é\n", "x" * 9000, token["id_token"]:
        close(server, value, path)


@pytest.mark.parametrize(("path", "hints"), [("revoke_token", ("refresh_token", "é")), ("revoke", ("nonsense", ""))])
def test_a_wrong_hint_changes_nothing(server, path, hints):
    for hint in hints:
        token = server.grant("patient/Coverage.read")
        close(server, token, path, token_type_hint=hint)
        assert opens(server, token) == 401


@BOTH
def test_needs_the_apps_own_credentials(server, path):
    server = another_app(server)
    token, other, public = (
        server.grant(EVERYTHING),
        another_app(server),
        another_app(server, public=True),
    )
    for changes in (
        {"client_secret": "wrong"},
        {"client_secret": None},
        {"client_id": None},
        {"client_id": None, "client_secret": None},
        {"client_id": other.client_id},
        {"client_id": public.client_id, "client_secret": "any"},
    ):
        assert close(server, token, path, status=401, **changes).json["error"] == "invalid_client"
    for app in other, public:
        for kind in "access_token", "refresh_token":
            close(app, token[kind], path)
    assert opens(server, token) == 200
    assert opens(server, server.refresh(token)) == 200


@BOTH
def test_a_public_app_names_itself(server, path):
    server = another_app(server, public=True)
    token = server.grant(EVERYTHING)
    close(server, token, path)
    assert opens(server, token) == 401


@BOTH
def test_one_app_leaves_anothers_tokens_alone(server, path):
    server = another_app(server)
    other = another_app(server)
    token, others = server.grant(EVERYTHING), other.grant(EVERYTHING)
    close(server, token, path)
    assert opens(server, token) == 401
    assert opens(other, others) == 200


@BOTH
def test_one_beneficiary_leaves_anothers_tokens_alone(server, path):
    server = another_app(server)
    alice, bob = server.grant(EVERYTHING), server.grant(EVERYTHING, username="bob")
    close(server, alice, path)
    assert opens(server, bob) == 200


@BOTH
def test_refuses_what_is_no_revocation(server, path):
    token = server.grant("openid patient/Coverage.read")
    for value in None, "", "nul\x00":
        assert close(server, value, path, status=400).json["error"] == "invalid_request"
    twice = [("token", "a"), ("token", "b"), ("client_id", server.client_id), ("client_secret", server.client_secret)]
    assert server.post(f"/v2/o/{path}/", twice, status=400).json["error"] == "invalid_request"
    server.get(f"/v2/o/{path}/", {"token": token["access_token"]}, status=405)
    server.post(f"/v2/o/{path}/?token={token['access_token']}", status=400)
    assert opens(server, token) == 200


def test_revoke_closes_a_code_that_is_still_on_its_way_too(server):
    """The app ends the consent with the token of an older one, and the newer Yes is not touched."""
    server = another_app(server)
    token = server.grant(EVERYTHING)
    code = code_of(server.approve(server.consent_page(EVERYTHING)))
    close(server, token, "revoke")
    assert opens(server, token) == 401
    assert server.post("/v2/o/token/", server.token_request(code)).json["scope"]
