"""The authorization endpoint (RFC 6749, 3.1 and 4.1; OpenID Connect Core 3.1.2; SMART App Launch 2.2).

Without a client and redirect_uri that can be trusted, the person is told; everything else is told to the app.
"""

import socket
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

import pytest

from bb2.clock import utcnow
from bb2.models import BrowserSession, PushedRequest
from bb2.oauth.errors import ClientError
from bb2.testing import PASSWORD, STATE, answer_of, challenge, code_of
from oauth.steps import another_app, another_browser, answer, ask, change_app, earlier
from requirements.steps import (
    EVIL,
    RECORD_SCOPES,
    asks_the_person,
    claims_of,
    exchange,
    grant,
    is_refused,
    is_refused_by_the_api,
    is_told_to_the_app,
    is_told_to_the_person,
    new_code,
    parameters,
    refresh,
)

NEAR_MISSES = (
    "https://app.example/callback/more",
    "https://app.example/callback/",
    "https://app.example/callback?a=b",
    "https://app.example/callback#fragment",
    "https://app.example/x/../callback",
    "https://app.example/./callback",
    "http://app.example/callback",
    "https://user@app.example/callback",
    "https://app.example@evil.example/callback",
    "https://sub.app.example/callback",
    "https://app.example.evil.example/callback",
    "https://APP.example/callback",
    "https://app.example/CALLBACK",
    "https://app.example\\@evil.example/callback",
    "javascript:alert(1)//https://app.example/callback",
    "data:text/html,hello",
    "//app.example/callback",
    "/callback",
    "https://app.example/callback\r\nLocation: https://evil.example",
    "https://app.example/*",
    "https://app.example/callback\x00",
    "https://app.example:443/callback",
)
STATES = (
    "a plain state of some length",
    "a+b c%20d&e=f#g;h/ü?\"'<>\\",
    "estado único — 状態 🔑 ñandú",
    "x" * 1024,
)
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
#: Parameters of OpenID Connect Core 15.1 that a server must at least not stumble over.
OPTIONAL = (
    {"display": "page"},
    {"display": "popup"},
    {"ui_locales": "es en"},
    {"claims_locales": "es"},
    {"acr_values": "1 2"},
    {"login_hint": "alice"},
    {"prompt": "login"},
    {"max_age": "10000"},
)


def sign_in(page):
    """Send the right password on a sign-in page."""
    form = next(form for form in page.forms.values() if "password" in form.fields)
    form["username"], form["password"] = "alice", PASSWORD
    return form.submit("answer", value="sign-in")


def unsigned_object():
    """A request object without a signature, which has another state (OpenID Connect Core 6.1)."""
    parts = ('{"alg":"none"}', '{"state":"another state of that length"}')
    return ".".join(urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."


class TestThePersonIsTold:
    @pytest.mark.parametrize("client_id", ["unknown", "é", "x" * 9000])
    def test_authz_01_of_an_unknown_app(self, server, client_id):
        """RFC 6749, 4.1.2.1"""
        assert is_told_to_the_person(ask(server, client_id=client_id))

    def test_authz_02_of_no_app(self, server):
        assert is_told_to_the_person(ask(server, client_id=None))

    def test_authz_03_of_a_redirect_uri_that_is_not_the_apps(self, server):
        """RFC 6749, 3.1.2.4"""
        assert is_told_to_the_person(ask(server, redirect_uri=f"{EVIL}/callback"))

    @pytest.mark.parametrize("uri", NEAR_MISSES)
    def test_authz_04_of_a_redirect_uri_that_differs_by_a_character(self, server, uri):
        """RFC 9700, 2.1 and 4.1.3"""
        assert is_told_to_the_person(ask(server, redirect_uri=uri))

    def test_authz_05_of_a_missing_redirect_uri(self, server):
        """OpenID Connect Core 3.1.2.1"""
        for scope in "openid", RECORD_SCOPES:
            assert is_told_to_the_person(ask(server, scope, redirect_uri=None))

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "state", "scope", "code_challenge"])
    def test_authz_06_or_the_app_of_a_parameter_that_comes_twice(self, server, name):
        """RFC 6749, 3.1"""
        good = server.authorization_request("openid")
        other = {"redirect_uri": f"{EVIL}/callback", "code_challenge": challenge("another verifier")}.get(name, "other")
        for twice in [(name, other), *good.items()], [*good.items(), (name, other)]:
            response = server.get("/v2/o/authorize/", twice, status="*")
            assert "evil.example" not in response.headers.get("Location", "")
            if response.status_int == 400:
                assert is_told_to_the_person(response)
            else:
                assert answer_of(response)["error"] == "invalid_request"


class TestTheAppIsTold:
    def test_authz_07_of_an_unknown_response_type(self, server):
        assert is_told_to_the_app(ask(server, response_type="banana"), "unsupported_response_type")

    def test_authz_08_of_a_missing_response_type(self, server):
        """RFC 6749, 3.1.1"""
        assert is_told_to_the_app(ask(server, response_type=None), "invalid_request", "unsupported_response_type")

    def test_authz_09_of_an_unknown_scope(self, server):
        """RFC 6749, 3.3"""
        assert is_told_to_the_app(ask(server, "openid nonsense"), "invalid_scope")

    def test_authz_10_of_the_persons_no(self, app):
        """RFC 6749, 4.1.2.1"""
        assert is_told_to_the_app(answer(app.consent_page("openid", username=None), "no"), "access_denied")

    @pytest.mark.parametrize("state", STATES)
    def test_authz_11_its_own_state(self, server, state):
        """RFC 6749, 4.1.2: "the exact value received" """
        assert is_told_to_the_app(ask(server, "nonsense", state=state), "invalid_scope", state=state)
        redirect = server.approve(server.consent_page("openid", username=None, state=state))
        assert parameters(redirect)["state"] == [state]

    def test_authz_12_that_a_state_is_needed_and_none_is_invented(self, server):
        assert is_told_to_the_app(ask(server, state=None), "invalid_request", state=None)

    def test_authz_13_that_nobody_is_signed_in(self, browser):
        """OpenID Connect Core 3.1.2.6"""
        assert is_told_to_the_app(ask(browser, "openid", prompt="none"), "login_required")

    @pytest.mark.parametrize("response_type", ["token", "id_token", "id_token token", "code token", "code id_token"])
    def test_authz_17_that_tokens_never_come_through_the_browser(self, server, response_type):
        """RFC 9700, 2.1.2"""
        response = ask(server, "openid", response_type=response_type, nonce="n" * 16)
        assert is_told_to_the_app(response, "unsupported_response_type")
        assert "access_token" not in response.location
        assert "#" not in response.location

    def test_authz_25_that_a_request_object_is_not_read(self, server):
        """OpenID Connect Core 3.1.2.6"""
        assert is_told_to_the_app(ask(server, "openid", request=unsigned_object()), "request_not_supported")

    def test_authz_29_that_the_tokens_would_be_for_another_server(self, server):
        """SMART App Launch 2.2, "aud" """
        for aud in "https://evil-fhir.example/r4", "http://localhost", "http://localhost/v2/fhir/Patient":
            assert is_told_to_the_app(ask(server, RECORD_SCOPES, aud=aud), "invalid_request", "invalid_target")

    def test_authz_35_nothing_but_the_error(self, server):
        """RFC 6749, 4.1.2.1; RFC 9207"""
        response = ask(server, "nonsense")
        told = parameters(response)
        assert set(told) <= {"error", "error_description", "error_uri", "state", "iss"}
        assert told["iss"] == ["http://localhost"]
        assert all(len(values) == 1 for values in told.values())
        assert "#" not in response.location

    def test_authz_36_that_a_request_uri_is_not_fetched(self, server, openid_configuration):
        """OpenID Connect Core 3.1.2.6"""
        response = ask(server, "openid", request_uri="urn:example:kit")
        assert is_told_to_the_app(response, "request_uri_not_supported", "invalid_request")
        assert openid_configuration["request_uri_parameter_supported"] is False

    def test_m_14_that_request_objects_of_any_kind_are_not_offered(self, server, openid_configuration):
        """OpenID Connect Core 6.1; RFC 9101"""
        assert openid_configuration["request_parameter_supported"] is False
        assert "request_object_signing_alg_values_supported" not in openid_configuration
        for request in unsigned_object(), "a.b.c", "garbage":
            response = ask(server, "openid", request=request)
            assert is_told_to_the_app(response, "request_not_supported")


class TestAGoodRequest:
    def test_authz_14_may_carry_an_unknown_parameter(self, server):
        """RFC 6749, 3.1"""
        assert asks_the_person(server, unknown="1", campaign="<b>")

    def test_authz_15_may_come_as_a_form(self, browser, smart_configuration):
        """OpenID Connect Core 3.1.2.1; SMART's `authorize-post`"""
        assert "authorize-post" in smart_configuration["capabilities"]
        asked = browser.authorization_request("openid")
        page = browser.post("/v2/o/authorize/", asked, status=303)
        while page.status_int == 303:
            page = page.follow()
        redirect = browser.approve(sign_in(page).follow())
        assert answer_of(redirect)["state"] == STATE
        assert exchange(browser, code_of(redirect)).status_int == 200

    def test_authz_15_may_come_as_a_form_from_a_browser_that_is_signed_in(self, server):
        page = server.post("/v2/o/authorize/", server.authorization_request("openid"), status=303)
        while page.status_int == 303:
            page = page.follow()
        assert code_of(server.approve(page))

    def test_authz_16_gets_code_and_state_once_in_the_query(self, app):
        """RFC 6749, 4.1.2"""
        for mode in "fragment", "form_post":
            assert is_told_to_the_app(ask(app, "openid", response_mode=mode), "invalid_request")
        redirect = app.approve(app.consent_page("openid", username=None, response_mode="query"))
        told = parameters(redirect)
        assert set(told) == {"code", "state", "iss"}
        assert all(len(values) == 1 for values in told.values())
        assert "#" not in redirect.location

    def test_authz_18_may_have_its_scopes_and_parameters_in_any_order(self, server):
        asked = server.authorization_request("patient/Coverage.read openid")
        page = server.get("/v2/o/authorize/", list(reversed(asked.items())), status=303).follow()
        token = exchange(server, code_of(server.approve(page))).json
        assert set(token["scope"].split()) == {"openid", "patient/Coverage.read"}

    def test_authz_19_gets_a_code_that_cannot_be_guessed(self, app):
        """RFC 6749, 10.10: 43 characters of base64url are 256 bits."""
        codes = {new_code(app) for _ in range(3)}
        assert len(codes) == 3
        assert all(len(code) >= 43 for code in codes)
        assert all(len(set(code)) > 16 for code in codes)

    @pytest.mark.parametrize("asked", OPTIONAL)
    def test_authz_20_may_say_how_the_person_is_asked(self, server, asked):
        """OpenID Connect Core 15.1"""
        assert asks_the_person(server, **asked)

    @pytest.mark.parametrize(
        "aud", ["http://localhost/v2/fhir", "http://localhost/v2/fhir/", "http://localhost/v1/fhir"]
    )
    def test_authz_30_may_name_the_fhir_base_with_and_without_its_slash(self, server, aud):
        version = "v1" if "v1" in aud else "v2"
        response = ask(server, RECORD_SCOPES, version=version, aud=aud)
        assert "/consent/" in response.location


@pytest.mark.parametrize(
    "name",
    ["client_id", "redirect_uri", "state", "scope", "response_type", "nonce", "login_hint", "ui_locales", "lang"],
)
def test_authz_21_nothing_of_the_request_is_repeated_unescaped(server, browser, name):
    """RFC 6749, 10.14; OWASP on XSS"""
    for seen_by in server, browser:
        page = ask(seen_by, **({"scope": "openid"} | {name: NASTY}))
        while page.status_int == 303 and not page.location.startswith("https://"):
            page = page.follow(status="*")
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def test_authz_22_a_line_break_in_the_state_makes_no_header(server):
    """RFC 6749, 10.14; OWASP on response splitting"""
    state = "sixteen or more\r\nSet-Cookie: evil=1\r\n\r\n<script>"
    response = ask(server, "nonsense", state=state)
    assert is_told_to_the_app(response, "invalid_scope", state=state)
    assert "evil=1" not in response.headers.get("Set-Cookie", "")


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "nul\x00" * 8},
        {"client_id": "\x00"},
        {"redirect_uri": "\x00"},
        {"scope": "\x00"},
        {"nonce": "\x00"},
        {"state": "x" * 9216},
        {"scope": "x" * 9216},
        {"max_age": "soon"},
        {"max_age": "-1"},
        {"prompt": "shout"},
        {"prompt": "none login"},
        {"claims": "{"},
        {"claims": "[]"},
        {"claims": "\x00"},
        {"display": "\x00"},
        {"login_hint": "\x00"},
        {"id_token_hint": "garbage"},
        {"ui_locales": "\x00"},
        {"acr_values": "\x00"},
        {"response_mode": "banana"},
        {"registration": "{"},
    ],
    ids=str,
)
def test_authz_23_nothing_that_is_odd_is_a_server_error(server, asked):
    """RFC 6749, 4.1.2.1"""
    response = ask(server, **({"scope": "openid"} | asked))
    assert response.status_int < 500
    if response.status_int == 303 and response.location.startswith("https://"):
        assert answer_of(response)["error"] not in ("server_error", "temporarily_unavailable")
    elif response.status_int == 303:
        assert response.follow(status="*").status_int < 500


def test_authz_23_neither_is_another_encoding_or_another_method(server):
    for query in "state=%ff%fe&client_id=%ff", "%ff=1", "scope=%c3%28", "=", "&&&", "%":
        assert 400 <= server.get(f"/v2/o/authorize/?{query}", status="*").status_int < 500
    for method in "PUT", "DELETE", "PATCH":
        assert 400 <= server.request("/v2/o/authorize/", method=method, status="*").status_int < 500


def test_authz_24_a_request_uri_is_never_fetched(server):
    """OpenID Connect Core 6.2; RFC 9101, 10.4"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        ask(server, "openid", request_uri=f"http://127.0.0.1:{listener.getsockname()[1]}/request.jwt")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_authz_26_prompt_login_asks_for_the_password_of_a_person_who_is_signed_in(server):
    """OpenID Connect Core 3.1.2.1"""
    browser = another_browser(server)
    browser.sign_in()
    page = ask(browser, "openid", prompt="login").follow(status=303).follow()
    assert "password" in page.text
    assert code_of(browser.approve(sign_in(page).follow()))


def test_authz_27_max_age_asks_for_the_password_when_the_sign_in_is_older(server):
    """OpenID Connect Core 3.1.2.1"""
    browser = another_browser(server)
    browser.sign_in()
    earlier(browser, BrowserSession, "authenticated_at", seconds=2)
    before = int(utcnow().timestamp())
    page = ask(browser, "openid", max_age="1").follow(status=303).follow()
    token = exchange(browser, code_of(browser.approve(sign_in(page).follow()))).json
    assert claims_of(token)["auth_time"] >= before


def test_authz_28_prompt_none_says_that_the_person_must_be_asked(app):
    """OpenID Connect Core 3.1.2.6.  README.md, "Decisions", says why there is no code without a page."""
    grant(app, "openid")
    assert is_told_to_the_app(ask(app, "openid", prompt="none"), "consent_required", "interaction_required")


def test_authz_31_no_page_of_another_origin_reads_the_answer(server):
    """RFC 9700, 2.6"""
    asked = server.authorization_request("openid")
    for method in "GET", "OPTIONS", "POST":
        headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        response = server.request(f"/v2/o/authorize/?{urlencode(asked)}", method=method, headers=headers, status="*")
        assert "Access-Control-Allow-Origin" not in response.headers


def test_authz_32_the_password_is_never_sent_on(browser):
    """RFC 9700, 4.12"""
    page = ask(browser, "openid").follow().follow()
    assert sign_in(page).status_int in (302, 303)


def test_authz_33_a_wrong_password_brings_no_code(browser):
    """OpenID Connect Core 3.1.2.3"""
    page = ask(browser, "openid").follow().follow()
    form = next(form for form in page.forms.values() if "password" in form.fields)
    form["username"], form["password"] = "alice", "wrong"
    response = form.submit("answer", value="sign-in", status="*")
    assert response.status_int in (200, 400, 401, 403)
    assert "Location" not in response.headers
    assert browser.get("/connections", status="*").status_int == 303


def test_authz_34_two_tabs_keep_their_own_state_and_challenge(app):
    """RFC 9700, 4.4 and 4.5"""
    first, first_verifier = app.consent_page("openid", username=None, state="the state of the first tab"), app.verifier
    second = app.consent_page("openid", username=None, state="the state of the second tab")
    second_answer, first_answer = app.approve(second), app.approve(first)
    assert answer_of(second_answer)["state"] == "the state of the second tab"
    assert answer_of(first_answer)["state"] == "the state of the first tab"
    assert is_refused(exchange(app, code_of(first_answer)), "invalid_grant")
    assert exchange(app, code_of(first_answer), code_verifier=first_verifier).status_int == 200


def test_m_09_an_app_that_is_switched_off_is_refused_everywhere(app):
    """RFC 6749, 4.1.2.1"""
    token, code = grant(app), new_code(app)
    change_app(app, disabled_at=utcnow())
    page = ask(app, RECORD_SCOPES)
    assert is_told_to_the_person(page)
    assert "switched off" in page.text
    assert is_refused(exchange(app, code), "invalid_client", status=(401,))
    assert is_refused(refresh(app, token), "invalid_client", status=(401,))
    response = app.fhir("Coverage", token, status=401)
    assert is_refused_by_the_api(response, 401, "invalid_token")
    assert "switched off" in response.text


def test_m_10_an_id_token_hint_of_somebody_else_is_no_sign_in(app):
    """OpenID Connect Core 3.1.2.1"""
    bob = another_browser(app)
    bob.sign_in("bob")
    hint = grant(bob, "openid")["id_token"]
    assert is_told_to_the_app(ask(app, "openid", prompt="none", id_token_hint=hint), "login_required")
    assert "/sign-in" in ask(app, "openid", id_token_hint=hint).follow(status=303).location


def test_m_11_a_login_hint_fills_in_the_name_and_signs_nobody_in(browser):
    """OpenID Connect Core 3.1.2.1"""
    page = ask(browser, "openid", login_hint="bob").follow().follow()
    assert page.forms[0]["username"].value == "bob"
    assert browser.get("/connections", status="*").status_int == 303


def test_m_12_a_native_app_listens_on_any_port_of_a_loopback_address_only(server):
    """RFC 8252, 7.3"""
    uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:1/cb", "https://app.example/cb"]
    native = another_app(server, public=True, redirect_uris=uris)
    for uri in "http://127.0.0.1:51004/cb", "http://[::1]:51004/cb":
        assert asks_the_person(native, redirect_uri=uri)
    for uri in "http://localhost:2/cb", "https://app.example:2/cb", "http://127.0.0.2/cb", "http://127.0.0.1:2/other":
        assert is_told_to_the_person(ask(native, redirect_uri=uri))


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb#fragment",
        "http://app.example/cb",
        "https://*.example/cb",
        "https://app.example/*",
        "/cb",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_m_13_a_redirect_uri_that_is_not_safe_is_not_registered(server, uri):
    """RFC 6749, 3.1.2; RFC 9700, 4.1.3"""
    with pytest.raises(ClientError, match="redirect URI"):
        another_app(server, redirect_uris=["https://app.example/callback", uri])


def push(app, openid_configuration, **changes):
    """The response to an authorization request that the app sends ahead (RFC 9126, 2)."""
    asked = app.authorization_request(RECORD_SCOPES, **({"client_secret": app.client_secret} | changes))
    return app.post(openid_configuration["pushed_authorization_request_endpoint"], asked, status="*")


def test_m_15_a_pushed_request_counts_once_for_one_app_for_a_while(server, app, openid_configuration):
    """RFC 9126, 2.2, 4 and 7.3"""
    response = push(app, openid_configuration)
    assert response.status_int == 201
    assert 0 < response.json["expires_in"] <= 600
    assert "no-store" in response.headers["Cache-Control"]
    uri, other = response.json["request_uri"], another_app(server)

    def bring(seen_by, request_uri, **extra):
        return seen_by.get(
            "/v2/o/authorize/", {"client_id": seen_by.client_id, "request_uri": request_uri} | extra, status="*"
        )

    assert is_told_to_the_person(bring(other, uri))
    page = bring(app, uri).follow()
    assert exchange(app, code_of(app.approve(page))).status_int == 200
    assert is_told_to_the_person(bring(app, uri))
    assert is_refused(push(app, openid_configuration, client_secret="wrong"), "invalid_client", status=(401,))
    assert is_refused(push(app, openid_configuration, request_uri=uri), "invalid_request")
    assert is_refused(push(app, openid_configuration, redirect_uri=f"{EVIL}/cb"), status=(400,))
    assert is_told_to_the_person(bring(app, "urn:ietf:params:oauth:request_uri:unknown"))
    uri = push(app, openid_configuration).json["request_uri"]
    earlier(app, PushedRequest, "expires_at", days=1)
    assert is_told_to_the_person(bring(app, uri))
