"""The token endpoint: the exchange of a code, what it answers, and that a code counts once (RFC 6749, 4.1.3 and 5)."""

import re

import pytest

from bb2.models import AccessToken, AuthorizationCode
from bb2.testing import ALICE, REDIRECT_URI
from oauth.steps import another_app, at_once, earlier, opens
from requirements.steps import (
    EVERYTHING,
    EVIL,
    RECORD_SCOPES,
    bearer,
    code_for_many_tests,
    credentials,
    exchange,
    grant,
    is_refused,
    is_refused_by_the_api,
    new_code,
    post,
    refresh,
)

REGISTERED_ERRORS = {  # RFC 6749, 5.2
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}
LEGAL_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1
TOKENS = "access_token", "refresh_token"


@pytest.fixture(scope="module")
def unspent(one_server):
    """An app and its code, which no refused request spends."""
    app = another_app(one_server[0])
    app.sign_in()
    yield from code_for_many_tests(app)


def ask_with(unspent, **changes):
    app, code, verifier = unspent
    return exchange(app, changes.pop("code", code), **({"code_verifier": verifier} | changes))


class TestTheResponse:
    def test_tok_01_is_json_with_a_bearer_token(self, granted):
        """RFC 6749, 5.1"""
        assert granted.response.status_int == 200
        assert granted.response.content_type == "application/json"
        assert granted.token["access_token"]
        assert granted.token["token_type"] == "Bearer"
        assert granted.token["expires_in"] > 0

    def test_tok_02_says_the_scope_without_repetition(self, granted):
        scopes = granted.token["scope"].split(" ")
        assert len(set(scopes)) == len(scopes)

    def test_tok_03_grants_no_more_than_was_asked_for(self, granted, app):
        """RFC 6749, 3.3"""
        assert set(granted.token["scope"].split()) <= set(EVERYTHING.split())
        assert grant(app, "openid patient/Coverage.s")["scope"].split() in (
            ["openid", "patient/Coverage.s"],
            ["patient/Coverage.s", "openid"],
        )

    def test_tok_04_is_kept_out_of_caches(self, granted):
        """RFC 6749, 5.1"""
        assert "no-store" in granted.response.headers["Cache-Control"]
        assert granted.response.headers["Pragma"] == "no-cache"

    def test_tok_05_is_kept_out_of_caches_when_it_refuses(self, server):
        assert post(server, "token", {"grant_type": "banana"}).headers["Cache-Control"] == "no-store"

    def test_tok_25_brings_tokens_that_cannot_be_guessed(self, app):
        """RFC 6749, 10.10: 43 characters of base64url are 256 bits."""
        first, second = grant(app), grant(app)
        values = {token[kind] for token in (first, second) for kind in TOKENS}
        assert len(values) == 4
        assert all(len(value) >= 43 and B64TOKEN.fullmatch(value) for value in values)

    def test_tok_26_says_that_the_token_lives_for_an_hour_at_most(self, granted):
        assert isinstance(granted.token["expires_in"], int)
        assert granted.token["expires_in"] <= 3600

    def test_tok_28_has_an_id_token_with_openid_and_none_without(self, granted, app):
        """OpenID Connect Core 3.1.3.3"""
        assert granted.token["id_token"].count(".") == 2
        assert "id_token" not in grant(app, RECORD_SCOPES)

    def test_tok_29_names_the_patient_by_a_bare_id(self, granted):
        """SMART App Launch 2.2, launch context"""
        assert granted.token["patient"] == ALICE

    def test_tok_30_has_no_launch_context_of_another_type_and_no_null(self, granted):
        assert None not in granted.token.values()
        types = {
            "need_patient_banner": bool,
            "intent": str,
            "smart_style_url": str,
            "tenant": str,
            "encounter": str,
            "fhirContext": list,
        }
        assert all(isinstance(granted.token[name], kind) for name, kind in types.items() if name in granted.token)


class TestARefusalOfTheRequest:
    def test_tok_06_of_what_comes_by_get(self, server, unspent):
        """RFC 6749, 3.2"""
        app, code, verifier = unspent
        asked = app.token_request(code, code_verifier=verifier)
        assert is_refused(app.get("/v2/o/token/", asked, status="*"), status=(400, 401, 405))

    def test_tok_07_without_a_grant_type(self, unspent):
        assert is_refused(ask_with(unspent, grant_type=None), "invalid_request")

    def test_tok_08_of_an_unknown_grant_type(self, unspent):
        assert is_refused(ask_with(unspent, grant_type="urn:example:nope"), "unsupported_grant_type")

    def test_tok_09_of_a_password(self, server):
        """RFC 9700, 2.4"""
        form = {"grant_type": "password", "username": "alice", "password": "correct horse", "scope": "openid"}
        assert is_refused(post(server, "token", form), "unsupported_grant_type", "unauthorized_client")

    def test_tok_10_without_a_code(self, unspent):
        assert is_refused(ask_with(unspent, code=None), "invalid_request")

    def test_tok_11_of_an_unknown_code(self, unspent):
        assert is_refused(ask_with(unspent, code="unknown"), "invalid_grant")

    @pytest.mark.parametrize("uri", [f"{EVIL}/callback", f"{REDIRECT_URI}/", f"{REDIRECT_URI}?a=b"])
    def test_tok_12_with_another_redirect_uri(self, unspent, uri):
        """RFC 6749, 4.1.3"""
        assert is_refused(ask_with(unspent, redirect_uri=uri), "invalid_grant")

    def test_tok_13_without_the_redirect_uri(self, unspent):
        assert is_refused(ask_with(unspent, redirect_uri=None), "invalid_grant", "invalid_request")

    def test_tok_14_by_another_app(self, server, unspent):
        """RFC 6749, 10.5"""
        other = another_app(server)
        response = ask_with(unspent, **credentials(other))
        assert is_refused(response, "invalid_grant", "invalid_client", status=(400, 401))

    def test_tok_18_with_a_wrong_secret(self, unspent):
        assert is_refused(ask_with(unspent, client_secret="wrong"), "invalid_client", status=(400, 401))

    def test_tok_19_of_what_comes_in_the_url(self, unspent):
        """RFC 6749, 2.3.1 and 3.2"""
        app, code, verifier = unspent
        asked = app.token_request(code, code_verifier=verifier)
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        assert is_refused(app.post(f"/v2/o/token/?{query}", "", status="*"), status=(400, 401))

    @pytest.mark.parametrize("name", ["code", "grant_type", "redirect_uri", "code_verifier"])
    def test_tok_20_with_a_parameter_that_comes_twice(self, unspent, name):
        """RFC 6749, 3.2"""
        app, code, verifier = unspent
        asked = app.token_request(code, code_verifier=verifier)
        for twice in [*asked.items(), (name, "other")], [(name, asked[name]), *asked.items()]:
            assert is_refused(app.post("/v2/o/token/", twice, status="*"), "invalid_request")

    def test_tok_22_of_a_json_body(self, unspent):
        """RFC 6749, 4.1.3"""
        app, code, verifier = unspent
        asked = app.token_request(code, code_verifier=verifier)
        assert is_refused(app.post_json("/v2/o/token/", asked, status="*"), status=(400, 401, 415))

    @pytest.mark.parametrize(
        "changes",
        [
            {"grant_type": "nope"},
            {"code": "unknown"},
            {"client_secret": "wrong"},
            {"code": None},
            {"grant_type": "refresh_token", "refresh_token": "unknown", "scope": "é"},
        ],
    )
    def test_tok_23_has_a_registered_error_and_legal_words(self, unspent, changes):
        """RFC 6749, 5.2"""
        response = ask_with(unspent, **changes)
        assert is_refused(response, *REGISTERED_ERRORS, status=(400, 401))
        assert LEGAL_DESCRIPTION.fullmatch(response.json["error_description"])
        assert "Traceback" not in response.text

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"", "application/x-www-form-urlencoded"),
            (b"\x00\xff\xfe", "application/x-www-form-urlencoded"),
            (b"grant_type=authorization_code&code=%", "application/x-www-form-urlencoded"),
            (b"grant_type=%ff%fe", "application/x-www-form-urlencoded"),
            (b"--x\r\nContent-Disposition: form-data; name", "multipart/form-data; boundary=x"),
            (b"a=b", "multipart/form-data"),
            (b"code=" + b"x" * 100_000, "application/x-www-form-urlencoded"),
            (b"grant_type=authorization_code", "text/plain"),
            (b"{", "application/json"),
            (b"a=b", "banana"),
        ],
        ids=range(10),
    )
    def test_tok_24_of_a_body_that_is_no_form(self, server, body, content_type):
        response = server.post("/v2/o/token/", body, headers={"Content-Type": content_type}, status="*")
        assert 400 <= response.status_int < 500
        assert response.content_type == "application/json"
        assert response.json["error"]

    def test_tok_27_of_an_app_without_a_person(self, server, openid_configuration):
        """RFC 6749, 4.4"""
        form = {"grant_type": "client_credentials", "scope": "patient/Patient.read"}
        assert is_refused(post(server, "token", form), "unsupported_grant_type", "unauthorized_client")
        assert "client_credentials" not in openid_configuration["grant_types_supported"]

    def test_tok_34_of_a_code_as_a_token(self, server, unspent):
        response = server.get("/v2/fhir/Coverage", headers=bearer(unspent[1]), status=401)
        assert is_refused_by_the_api(response, 401, "invalid_token")


def test_tok_21_an_unknown_parameter_changes_nothing(app):
    """RFC 6749, 3.2"""
    assert exchange(app, new_code(app), unknown="1").status_int == 200


class TestACode:
    def test_tok_15_counts_once(self, app):
        """RFC 6749, 4.1.2"""
        code = new_code(app)
        assert exchange(app, code).status_int == 200
        assert is_refused(exchange(app, code), "invalid_grant")

    def test_tok_16_that_comes_twice_closes_what_it_had_opened(self, app):
        """RFC 6749, 4.1.2"""
        code = new_code(app)
        token = exchange(app, code).json
        exchange(app, code)
        assert opens(app, token) == 401
        assert is_refused(refresh(app, token), "invalid_grant")

    def test_tok_17_counts_once_in_four_requests_at_the_same_moment(self, app):
        form = app.token_request(new_code(app))
        statuses = [response.status_int for response in at_once(app, [("/v2/o/token/", form)] * 4)]
        assert statuses.count(200) <= 1
        assert set(statuses) <= {200, 400}

    def test_tok_31_dies_within_ten_minutes(self, server):
        """RFC 6749, 4.1.2.  By this server's contract: a minute."""
        app = another_app(server)
        code = new_code(app)
        earlier(app, AuthorizationCode, "expires_at", seconds=60)
        assert is_refused(exchange(app, code), "invalid_grant")

    def test_tok_35_is_redeemed_by_exactly_one_of_six_requests_at_the_same_moment(self, app):
        form = app.token_request(new_code(app))
        statuses = [response.status_int for response in at_once(app, [("/v2/o/token/", form)] * 6)]
        assert sorted(statuses) == [200, 400, 400, 400, 400, 400]

    def test_m_02_that_comes_again_after_half_a_minute_closes_what_it_had_opened(self, app):
        code = new_code(app)
        token = exchange(app, code).json
        earlier(app, AuthorizationCode, "expires_at", "redeemed_at", seconds=31)
        assert is_refused(exchange(app, code), "invalid_grant")
        assert opens(app, token) == 401
        assert is_refused(refresh(app, token), "invalid_grant")


class TestBrowsersOfOtherOrigins:
    def test_tok_32_of_a_public_app_may_read_the_answer(self, public_app):
        """SMART App Launch 2.2, "CORS considerations" """
        origin = {"Origin": "https://app.example"}
        asked = origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        preflight = public_app.options("/v2/o/token/", headers=asked, status="*")
        assert preflight.status_int in (200, 204)
        assert preflight.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        response = exchange(public_app, new_code(public_app), headers=origin)
        assert response.status_int == 200
        assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")

    def test_tok_33_that_no_app_registered_read_nothing(self, server, granted):
        origin = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
        responses = [
            server.options("/v2/o/token/", headers=origin, status="*"),
            server.options("/v2/connect/userinfo", headers=origin, status="*"),
            post(server, "token", {"grant_type": "refresh_token", "refresh_token": "x"}, headers=origin),
            server.get("/v2/connect/userinfo", headers=origin | granted.bearer),
        ]
        for response in responses:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert "Access-Control-Allow-Credentials" not in response.headers


def test_m_01_an_access_token_is_good_for_as_long_as_the_response_said(app):
    """RFC 6749, 5.1; SMART App Launch 2.2"""
    token = grant(app)
    earlier(app, AccessToken, "expires_at", seconds=token["expires_in"] - 30)
    assert opens(app, token) == 200
    earlier(app, AccessToken, "expires_at", seconds=30)
    assert is_refused_by_the_api(app.fhir("Coverage", token, status=401), 401, "invalid_token")
