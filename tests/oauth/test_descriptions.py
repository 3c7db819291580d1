"""Every refusal says in words what to mend, not only its code (RFC 6749, 4.1.2.1 and 5.2)."""

import pytest

from bb2.testing import answer_of, code_of

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"scope": "patient/Claim.read"}, "invalid_scope", "patient/Claim.read is not a scope of this server"),
        ({"scope": "patient/Coverage.rs"}, "invalid_scope", "not registered for patient/Coverage.rs"),
        ({"scope": 'é"\\'}, "invalid_scope", "??? is not a scope"),
        ({"scope": "profile"}, "invalid_scope", "it asks for no demographic information"),
        ({"response_type": "token"}, "unsupported_response_type", "must be code"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", "code_challenge is missing"),
        ({"code_challenge_method": "plain"}, "invalid_request", "must be S256"),
    ],
)
def test_an_app_is_told_what_is_wrong_with_its_request(make_server, changes, error, said):
    server = make_server(client={"scopes": ["openid", "patient/Coverage.r"]})
    asked = server.authorization_request(**{"scope": "openid"} | changes)
    answer = answer_of(server.get("/v2/o/authorize", asked, status=303))
    assert answer["error"] == error
    assert said in answer["error_description"]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"code_verifier": "v" * 43}, "invalid_grant", "code_verifier does not fit"),
        ({"client_secret": "wrong"}, "invalid_client", "secret is wrong or missing"),
        ({"client_secret": None}, "invalid_client", "secret is wrong or missing"),
        ({"grant_type": "password"}, "unsupported_grant_type", "authorization_code or refresh_token"),
    ],
)
def test_the_token_endpoint_says_what_is_wrong(make_server, changes, error, said):
    server = make_server()
    code = code_of(server.approve(server.consent_page("openid")))
    refused = server.post("/v2/o/token/", server.token_request(code, **changes), expect_errors=True)
    assert refused.json["error"] == error
    assert said in refused.json["error_description"]


def test_a_refresh_that_would_widen_says_so(make_server):
    server = make_server()
    token = server.grant("openid")
    refused = server.refresh(token, scope="openid profile", status=400)
    assert refused["error"] == "invalid_scope"
    assert "more scopes than were granted" in refused["error_description"]
