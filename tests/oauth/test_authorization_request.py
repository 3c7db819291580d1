"""The authorization request: who is told of a bad one, in which words, and what a good one leads to."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bb2.clock import utcnow
from bb2.oauth.client_checks import checked_redirect_uris
from bb2.oauth.errors import ClientError
from bb2.testing import STATE, answer_of, challenge, code_of
from oauth.steps import EVERYTHING, LESS, another_app, another_browser, answer, ask, change_app, error_of, redeem

pytestmark = pytest.mark.either_database

GOOD_URI = "https://app.example/callback"
NEAR_MISSES = (
    "https://evil.example/callback",
    "https://app.example/callback/",
    "https://app.example/callback/more",
    "https://app.example/callback?a=b",
    "https://app.example/callback#fragment",
    "https://app.example/x/../callback",
    "https://app.example/./callback",
    "http://app.example/callback",
    "https://user@app.example/callback",
    "https://evil.example@app.example/callback",
    "https://app.example@evil.example/callback",
    "https://app.example.evil.example/callback",
    "https://sub.app.example/callback",
    "https://APP.example/callback",
    "https://app.example/CALLBACK",
    "https://app.example\\@evil.example/callback",
    "https://app.example:443/callback",
    "https://app.example/%63allback",
    "//app.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,hello",
    "https://app.example/callback\r\nLocation: https://evil.example",
    "https://app.example/callback\x00",
    "https://app.example/*",
    "https://app.example/callback https://evil.example/",
    " https://app.example/callback",
)

STATES = (
    "a+b c%20d&e=f#g;h/ü?\"'<>\\",
    "estado único — 状態 🔑 ñandú",
    "x" * 1024,
    "line\r\nSet-Cookie: evil=1; more",
    "=&=&=&=&=&=&=&=&=&",
)


def assert_the_person_is_told(response):
    """A page that says what happened and what to do, and sends nobody anywhere (RFC 6749, 4.1.2.1)."""
    assert response.status_int == 400
    assert response.content_type == "text/html"
    assert "Location" not in response.headers
    assert "Nothing was shared" in response.text
    assert "tell the people who make the app" in response.text


class TestThePersonIsTold:
    @pytest.mark.parametrize("client_id", [None, "", "unknown", "nul\x00", "x" * 9000, "é", "' OR 1=1 --"])
    def test_that_the_app_is_unknown(self, server, client_id):
        assert_the_person_is_told(ask(server, client_id=client_id))

    def test_that_the_redirect_uri_is_not_the_apps(self, server):
        for redirect_uri in None, "", *NEAR_MISSES:
            page = ask(server, redirect_uri=redirect_uri)
            assert_the_person_is_told(page)
            assert "The App" in page.text

    def test_which_app_it_was_only_when_there_is_one(self, server):
        assert "An app sent you here" in ask(server, client_id="unknown").text

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope", "state"])
    def test_that_a_parameter_came_twice(self, server, name):
        good = server.authorization_request("openid")
        for twice in (
            [(name, "other"), *good.items()],
            [*good.items(), (name, "other")],
            [*good.items(), *good.items()],
        ):
            assert_the_person_is_told(server.get("/v2/o/authorize/", twice, status="*"))

    def test_that_the_app_is_switched_off(self, server):
        server = another_app(server)
        change_app(server, disabled_at=utcnow())
        page = ask(server)
        assert page.status_int == 400
        assert "is switched off" in page.text

    def test_nothing_of_the_request_is_repeated_unescaped(self, server):
        nasty = "<script>alert(1)</script>\"'><img src=x>"
        for name in "client_id", "redirect_uri", "state", "scope", "response_type", "nonce", "login_hint", "lang":
            changes = {"client_id": "unknown"} | {name: nasty}
            assert "<script>alert" not in ask(server, **changes).text


class TestTheAppIsTold:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": None}, "invalid_request"),
            ({"response_type": ""}, "invalid_request"),
            ({"response_type": "banana"}, "unsupported_response_type"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "id_token"}, "unsupported_response_type"),
            ({"response_type": "code token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": "none"}, "unsupported_response_type"),
            ({"scope": "patient/Coverage.write"}, "invalid_scope"),
            ({"scope": "openid nonsense"}, "invalid_scope"),
            ({"scope": "OPENID"}, "invalid_scope"),
            ({"scope": "patient/*.read"}, "invalid_scope"),
            ({"scope": "patient/Coverage.sr"}, "invalid_scope"),
            ({"scope": "openid  profile"}, "invalid_scope"),
            ({"scope": " "}, "invalid_scope"),
            ({"scope": "nul\x00"}, "invalid_scope"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge": "x" * 44}, "invalid_request"),
            ({"code_challenge": "x" * 42 + "+"}, "invalid_request"),
            ({"code_challenge": "é" * 43}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": "s256"}, "invalid_request"),
            ({"code_challenge_method": "S512"}, "invalid_request"),
            ({"code_challenge_method": "none"}, "invalid_request"),
            ({"client_secret": "secret"}, "invalid_request"),
            ({"aud": "https://evil.example/v2/fhir"}, "invalid_request"),
            ({"aud": "http://localhost/v2/fhir/Patient"}, "invalid_request"),
            ({"resource": "http://localhost"}, "invalid_target"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"response_mode": "query.jwt"}, "invalid_request"),
            ({"request": "e30.e30."}, "request_not_supported"),
            ({"request_uri": "https://app.example/request.jwt"}, "request_uri_not_supported"),
            ({"registration": "{}"}, "registration_not_supported"),
            ({"prompt": "none"}, "login_required"),
            ({"prompt": "none", "max_age": "0"}, "login_required"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "shout"}, "invalid_request"),
            ({"max_age": "soon"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"max_age": "1e9"}, "invalid_request"),
            ({"max_age": "9" * 5000}, "invalid_request"),
            ({"max_age": "٣"}, "invalid_request"),
            ({"nonce": "nul\x00"}, "invalid_request"),
        ],
    )
    def test_what_is_wrong_and_gets_its_state_back(self, server, changes, error):
        response = ask(server, **({"scope": "openid"} | changes))
        assert error_of(response) == error
        assert answer_of(response)["state"] == STATE
        assert response.location.startswith(f"{GOOD_URI}?")

    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize("state", [None, "", "short", "x" * 15])
    def test_that_its_state_is_missing_or_can_be_guessed(self, server, version, state):
        response = ask(server, version=version, state=state)
        assert error_of(response) == "invalid_request"
        assert answer_of(response).get("state") == (state or None)

    def test_that_its_state_holds_a_nul_and_gets_it_back(self, server):
        response = ask(server, state=f"{STATE}\x00")
        assert error_of(response) == "invalid_request"
        assert answer_of(response)["state"] == f"{STATE}\x00"

    @pytest.mark.parametrize("name", ["code_challenge", "code_challenge_method", "nonce", "aud", "prompt", "max_age"])
    def test_that_another_parameter_came_twice(self, server, name):
        twice = [*server.authorization_request("openid").items(), (name, "1"), (name, "2")]
        assert error_of(server.get("/v2/o/authorize/", twice)) == "invalid_request"

    def test_that_somebody_is_signed_in_but_must_be_asked(self, server):
        server.sign_in()
        assert error_of(ask(server, prompt="none")) == "consent_required"
        assert error_of(ask(server, prompt="none", max_age="0")) == "login_required"

    def test_nothing_that_was_never_registered_can_be_asked_for(self, server):
        server = another_app(server, scopes=["openid", "patient/Coverage.r"])
        assert error_of(ask(server, "openid patient/ExplanationOfBenefit.read")) == "invalid_scope"
        assert error_of(ask(server, "patient/Coverage.rs")) == "invalid_scope"

    def test_that_demographic_scopes_were_all_it_asked_for_and_are_not_for_it(self, server):
        server = another_app(server, asks_demographic=False)
        assert error_of(ask(server, "profile patient/Patient.rs")) == "invalid_scope"


class TestAGoodRequest:
    @pytest.mark.parametrize(
        "changes",
        [
            {"unknown_parameter": "x"},
            {"display": "popup"},
            {"ui_locales": "fr en-US es"},
            {"claims_locales": "es"},
            {"acr_values": "1"},
            {"login_hint": "alice"},
            {"claims": "{}"},
            {"claims": '{"id_token": {"nickname": {"essential": true}}, "userinfo": null, "other": 1}'},
            {"nonce": "n" * 64},
            {"prompt": "login"},
            {"prompt": "consent"},
            {"prompt": "login consent select_account"},
            {"max_age": "0"},
            {"max_age": "10000"},
            {"max_age": "9999999999"},
            {"response_mode": "query"},
            {"aud": "http://localhost/v1/fhir"},
            {"aud": "http://localhost/v2/fhir/"},
            {"resource": "http://localhost/v2/fhir"},
            {"request": "", "request_uri": "", "prompt": "", "max_age": "", "nonce": "", "aud": ""},
        ],
    )
    def test_leads_to_sign_in(self, server, changes):
        page = ask(server, "openid", **changes).follow().follow()
        assert page.status_int == 200
        assert "<b>The App</b> asks to see your Medicare information" in page.text

    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_may_come_as_a_form_and_without_the_slash(self, server, version, slash):
        asked = server.authorization_request("openid", lang="es")
        # Without a session, as from another site, the form becomes a link: then the browser brings its cookie.
        page = server.post(f"/{version}/o/authorize{slash}", asked, status=303).follow().follow().follow()
        assert page.html.find("html")["lang"] == "es"
        asked["state"] = "short"
        assert error_of(server.post(f"/{version}/o/authorize{slash}", asked)) == "invalid_request"

    def test_may_come_in_any_order(self, server):
        server.sign_in()
        asked = server.authorization_request("patient/Coverage.read openid")
        page = server.get("/v2/o/authorize", list(reversed(asked.items()))).follow()
        assert set(redeem(server, server.approve(page))["scope"].split()) == {"openid", "patient/Coverage.read"}

    def test_gets_its_state_back_to_the_letter(self, server):
        server.sign_in()
        for state in STATES:
            for said, parameters in (("yes", {"code"}), ("no", {"error", "error_description", "error_uri"})):
                redirect = answer(server.consent_page("openid", username=None, state=state), said)
                answered = parse_qsl(urlsplit(redirect.location).query)
                assert {"state": state, "iss": "http://localhost"}.items() <= dict(answered).items()
                assert sorted(name for name, _value in answered) == sorted({"state", "iss"} | parameters)
                assert "Set-Cookie" not in redirect.headers

    def test_without_scope_asks_for_all_that_the_app_is_registered_for(self, server):
        server = another_app(server, scopes=["openid", "profile", "patient/Coverage.rs"])
        token = redeem(server, server.approve(server.consent_page(None)))
        assert set(token["scope"].split()) == {"openid", "profile", "patient/Coverage.rs"}

    def test_gets_no_demographic_scope_that_the_app_is_not_registered_for(self, server):
        server = another_app(server, asks_demographic=False, scopes=EVERYTHING.split())
        for scope in EVERYTHING, None:
            token = redeem(server, answer(server.consent_page(scope)))
            assert set(token["scope"].split()) == set(LESS.split())

    def test_of_a_registration_from_before_a_plugin_went_asks_for_what_is_left(self, server):
        server = another_app(server)
        change_app(server, scopes=["openid", "patient/Gone.read"])
        assert redeem(server, server.approve(server.consent_page(None)))["scope"] == "openid"

    def test_names_a_scope_twice_and_gets_it_once(self, server):
        token = redeem(server, server.approve(server.consent_page("openid openid profile openid")))
        assert sorted(token["scope"].split()) == ["openid", "profile"]

    def test_may_ask_in_the_other_spelling_of_what_is_registered(self, server):
        server = another_app(server, scopes=["patient/Coverage.read"])
        for scope in "patient/Coverage.rs", "patient/Coverage.r", "patient/Coverage.s":
            assert redeem(server, server.approve(server.consent_page(scope)))["scope"] == scope

    @pytest.mark.parametrize(
        ("language", "header", "lang"),
        [
            ("es", None, "es"),
            ("en", None, "en"),
            (None, "es-MX,en;q=0.5", "es"),
            (None, "de", "en"),
            ("en", "es", "en"),
            ("xx", "es", "es"),
            (None, None, "en"),
        ],
    )
    def test_is_shown_in_the_language_that_it_names(self, server, language, header, lang):
        asked = server.authorization_request("openid", lang=language)
        headers = {"Accept-Language": header} if header else {}
        kept = server.get("/v2/o/authorize", asked, headers=headers)
        page = server.get(server.get(kept.location, headers=headers).location, headers=headers)
        assert page.html.find("html")["lang"] == lang

    def test_is_not_answered_to_pages_of_other_origins(self, server):
        response = server.get("/v2/o/authorize", server.authorization_request("openid"), headers={"Origin": GOOD_URI})
        assert "Access-Control-Allow-Origin" not in response.headers

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_comes_by_get_or_post_only(self, server, method):
        response = server.request("/v2/o/authorize/", method=method, status="*")
        assert 400 <= response.status_int < 500

    def test_brings_no_code_that_can_be_guessed(self, server):
        server.sign_in()
        codes = {code_of(server.approve(server.consent_page("openid", username=None))) for _ in range(3)}
        assert len(codes) == 3
        assert all(len(code) >= 43 for code in codes)  # 256 bits in base64url


class TestSignInAsTheAppAsksForIt:
    def test_prompt_login_asks_for_the_password_again(self, server):
        server.sign_in()
        consent = ask(server, "openid", prompt="login").follow(status=303)
        page = consent.follow()
        assert page.request.path == "/sign-in"
        # The way round the sign-in page is closed too.
        server.post(consent.request.path, {"answer": "yes", "csrf_token": csrf(page)}, status=303).follow(status=303)
        page.forms[0]["username"], page.forms[0]["password"] = "alice", "correct horse"
        page = page.forms[0].submit("answer", value="sign-in").follow()
        assert redeem(server, server.approve(page))["scope"] == "openid"

    def test_max_age_asks_for_the_password_when_the_sign_in_is_older(self, server):
        server.sign_in()
        assert ask(server, "openid", max_age="600").follow().status_int == 200
        assert ask(server, "openid", max_age="0").follow(status=303).location.split("?")[0].endswith("/sign-in")

    def test_an_ordinary_request_finds_the_person_signed_in(self, server):
        server.sign_in()
        assert ask(server, "openid").follow(status=200).forms


def csrf(page):
    return page.forms[0]["csrf_token"].value


class TestRedirectUris:
    @pytest.mark.parametrize(
        "uri",
        [
            "org.example.app:/callback",
            "org.example.app://callback",
            "org.example.app:///callback",
            "com.example.my-app2:/oauth/done?keep=this",
            "https://app.example",
            "https://app.example/?",
            "https://app.example/cb?a=b%20c&flag&d=%C3%A9+x;y",
            "https://app.example:8443/a;b/c%2Fd",
            "http://localhost:3000/callback",
            "http://127.0.0.1:3000/callback",
            "http://[::1]:3000/callback",
        ],
    )
    def test_are_answered_to_the_letter(self, server, uri):
        app = another_app(server, redirect_uris=[uri])
        redirect = answer(app.consent_page("openid"))
        added = redirect.location.removeprefix(uri)
        assert redirect.location.startswith(uri)
        assert added[0] == ("&" if "?" in uri else "?")
        assert [name for name, _value in parse_qsl(added[1:])] == ["code", "state", "iss"]
        assert redeem(app, dict(parse_qsl(added[1:]))["code"])["scope"] == "openid"
        assert ask(app, "nonsense").location.startswith(f"{uri}{added[0]}error=invalid_scope")

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        uri=st.builds(
            "{}{}{}".format,
            st.sampled_from(["https://app.example", "https://a.b:1", "http://localhost", "org.example.app:", "x.y:/"]),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12).map("/{}".format),
            st.sampled_from(["", "?", "?a=b", "?x"]),
        )
    )
    def test_that_can_be_registered_can_be_used(self, server, uri):
        try:
            checked_redirect_uris([uri])
        except ClientError:
            assume(False)
        change_app(server, redirect_uris=[GOOD_URI, uri])
        assert ask(server, "nonsense", redirect_uri=uri).location.startswith(f"{uri}{'&' if '?' in uri else '?'}error=")

    def test_of_a_public_app_may_have_any_port_on_a_loopback_address(self, server):
        """RFC 8252, 7.3"""
        uris = ["http://127.0.0.1/cb", "http://[::1]:1/cb", "http://localhost:1/cb", "https://app.example/cb"]
        server = another_app(server, public=True, redirect_uris=uris)
        server.redirect_uri = "http://127.0.0.1:51004/cb"
        redirect = answer(server.consent_page("openid"))
        assert redirect.location.startswith("http://127.0.0.1:51004/cb?code=")
        redeem(server, redirect, redirect_uri="http://127.0.0.1/cb", status=400)
        assert redeem(server, redirect)["scope"] == "openid"
        assert "Location" in ask(server, redirect_uri="http://[::1]:51004/cb").headers
        for uri in (
            "http://localhost:2/cb",
            "https://app.example:2/cb",
            "http://127.0.0.1:2/cb/",
            "http://127.0.0.1:2@evil.example/cb",
            "http://127.0.0.1:2.evil.example/cb",
            "http://127.0.0.2:2/cb",
        ):
            assert_the_person_is_told(ask(server, redirect_uri=uri))

    def test_of_a_confidential_app_have_the_registered_port(self, server):
        server = another_app(server, redirect_uris=["http://127.0.0.1:1/cb"])
        assert_the_person_is_told(ask(server, redirect_uri="http://127.0.0.1:2/cb"))


class TestTheHostHeader:
    @pytest.mark.parametrize("host", ["evil.example", "localhost?x=%zz", "localhost#", "evil.example@localhost", "a b"])
    def test_leads_nowhere_else(self, server, host):
        asked = server.authorization_request("openid")
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        response = server.get("/v2/o/authorize", asked, headers=headers, status=303)
        assert "evil" not in response.location
        redirect = ask(server, "nonsense")
        assert answer_of(redirect)["iss"] == "http://localhost"


def test_two_browsers_share_nothing(server):
    """A request that one browser brought cannot be seen or answered from another."""
    mine = server.consent_page("openid")
    other = another_browser(server)
    other.sign_in("bob")
    assert other.get(mine.request.path, status=400).content_type == "text/html"
    forged = {"answer": "yes", "screen": mine.forms[1]["screen"].value, "csrf_token": mine.forms[1]["csrf_token"].value}
    other.post(mine.request.path, forged, status=400)
    mine_token = other.get("/connections").forms[0]["csrf_token"].value
    other.post(mine.request.path, forged | {"csrf_token": mine_token}, status=400)
    assert challenge(server.verifier)
    assert redeem(server, server.approve(mine))["scope"] == "openid"
