"""What an app may ask of the sign-in: who, how fresh, which language and claims (OpenID Connect Core 3.1.2.1)."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from bb2.models import AuthorizationRequest, BrowserSession
from bb2.testing import PASSWORD, answer_of
from oauth.steps import another_app, another_browser, answer, ask, change_app, consents_of, earlier, error_of, redeem

pytestmark = pytest.mark.either_database


def sign_in_on(page, username):
    """Sign in on the page to which an authorization request has led; returns where that leads."""
    form = page.forms[0]
    form["username"], form["password"] = username, PASSWORD
    return form.submit("answer", value="sign-in").follow(status="*")


def sign_in_page(response):
    """The page to which an authorization request leads when somebody must sign in."""
    page = response.follow()
    assert urlsplit(page.location).path == "/sign-in"
    return page.follow()


def claims_in(server, token):
    keys = KeySet.import_key_set(server.get("/.well-known/jwks.json").json)
    return jwt.decode(token["id_token"], keys, algorithms=["RS256", "ES256"]).claims


@pytest.fixture(scope="module")
def id_tokens(shared_server):
    """{user name: an id_token}"""
    return {name: shared_server.grant("openid", username=name)["id_token"] for name in ("alice", "bob")}


class TestTheHintOfAnIdToken:
    def test_lets_the_person_whom_it_names_go_on(self, server, id_tokens):
        page = server.consent_page("openid", username="alice", id_token_hint=id_tokens["alice"])
        assert "id_token" in redeem(server, server.approve(page))

    def test_with_prompt_none_says_whether_it_is_that_person(self, server, id_tokens):
        server.sign_in("alice")
        assert error_of(ask(server, "openid", prompt="none", id_token_hint=id_tokens["alice"])) == "consent_required"
        assert error_of(ask(server, "openid", prompt="none", id_token_hint=id_tokens["bob"])) == "login_required"

    def test_asks_another_to_sign_in_and_lets_the_right_person_do_so(self, server, id_tokens):
        server.sign_in("bob")
        page = sign_in_page(ask(server, "openid", id_token_hint=id_tokens["alice"]))
        page = sign_in_on(page, "alice")
        token = redeem(server, server.approve(page))
        read = [claims_in(server, {"id_token": one})["sub"] for one in (token["id_token"], id_tokens["alice"])]
        assert read[0] == read[1]

    def test_sends_whoever_else_signs_in_back_to_the_app_once(self, server, id_tokens):
        server.reset()
        before = len(consents_of(server))
        page = sign_in_page(ask(server, "openid", id_token_hint=id_tokens["alice"]))
        back = sign_in_on(page, "bob")
        assert error_of(back) == "login_required"
        assert answer_of(back)["state"] == server.authorization_request()["state"]
        assert server.get(urlsplit(back.request.url).path, status=409)
        assert len(consents_of(server)) == before

    def test_never_shows_the_page_to_another_who_signs_in_elsewhere(self, server, id_tokens):
        server.sign_in("alice")
        page = ask(server, "openid", id_token_hint=id_tokens["alice"]).follow()
        address = urlsplit(page.request.url).path
        form = server.get("/sign-in").forms[0]
        form["username"], form["password"] = "bob", PASSWORD
        form.submit("answer", value="sign-in")
        assert server.get(address, status="*").status_int != 200
        assert answer(page).status_int == 400  # the form is of a session that is over

    def test_may_be_expired(self, server, id_tokens):
        claims = claims_in(server, {"id_token": id_tokens["alice"]})
        old = server.app.registry["signing_keys"].sign(claims | {"iat": 1, "exp": 2}, "RS256")
        server.sign_in("alice")
        assert ask(server, "openid", id_token_hint=old).follow().status_int == 200

    def test_that_is_none_of_ours_for_this_app_is_refused(self, server, id_tokens):
        keys, claims = server.app.registry["signing_keys"], claims_in(server, {"id_token": id_tokens["alice"]})
        header, payload, signature = id_tokens["alice"].split(".")
        others = another_app(server)
        others = redeem(others, others.approve(others.consent_page("openid")))["id_token"]
        bad = (
            "x",
            "é.b.c",
            f"{header}.{payload}.",
            f"{header}.{id_tokens['bob'].split('.')[1]}.{signature}",
            f"{payload}.{payload}.{signature}",
            others,
            keys.sign(claims | {"iss": "https://evil.example"}, "RS256"),
            keys.sign({name: claims[name] for name in claims if name != "sub"}, "ES256"),
        )
        for hint in bad:
            assert error_of(ask(server, "openid", id_token_hint=hint)) == "invalid_request"

    def test_of_a_person_who_has_no_account_finds_nobody(self, server, id_tokens):
        keys, claims = server.app.registry["signing_keys"], claims_in(server, {"id_token": id_tokens["alice"]})
        for sub in ("nobody", "nul\x00", "é"):
            hint = keys.sign(claims | {"sub": sub}, "RS256")
            assert error_of(ask(server, "openid", id_token_hint=hint)) == "login_required"


class TestTheClaimsParameter:
    def test_brings_claims_into_the_id_token_that_a_granted_scope_releases(self, server):
        wanted = {"id_token": {"given_name": {"essential": True}, "family_name": None, "email": None, "iss": None}}
        page = server.consent_page("openid profile", claims=json.dumps(wanted))
        token = redeem(server, server.approve(page))
        for read in claims_in(server, token), claims_in(server, server.refresh(token)):
            assert (read["given_name"], read["family_name"]) == ("Alice", "Doe")
            assert not {"name", "patient", "email"} & set(read)
            assert read["iss"] == "http://localhost"

    def test_opens_no_more_than_the_token_of_a_refresh_that_asks_for_less(self, server):
        wanted = json.dumps({"id_token": {"given_name": None}})
        token = redeem(server, server.approve(server.consent_page("openid profile", claims=wanted)))
        assert "given_name" not in claims_in(server, server.refresh(token, scope="openid"))

    def test_opens_no_more_than_the_app_may_still_ask_for(self, server):
        app = another_app(server)
        wanted = json.dumps({"id_token": {"given_name": None}})
        token = redeem(app, app.approve(app.consent_page("openid profile", claims=wanted)))
        change_app(app, asks_demographic=False)
        assert "given_name" not in claims_in(app, app.refresh(token))

    @pytest.mark.parametrize(("scope", "share"), [("openid", True), ("openid profile", False)])
    def test_opens_nothing_that_was_not_granted(self, server, scope, share):
        wanted = json.dumps({"id_token": {"given_name": {"essential": True}}, "userinfo": {"name": None}})
        token = redeem(server, server.approve(server.consent_page(scope, claims=wanted), share_demographic=share))
        assert "given_name" not in claims_in(server, token)
        server.api("connect/userinfo", token, status=403)

    @pytest.mark.parametrize("member", ["id_token", "userinfo"])
    @pytest.mark.parametrize("how", ["value", "values"])
    def test_names_the_person_by_sub(self, server, id_tokens, member, how):
        sub = claims_in(server, {"id_token": id_tokens["alice"]})["sub"]
        wanted = json.dumps({member: {"sub": {how: sub if how == "value" else [sub]}}})
        server.sign_in("alice")
        assert ask(server, "openid", claims=wanted).follow().status_int == 200
        assert error_of(ask(server, "openid", claims=wanted, prompt="none")) == "consent_required"
        server.sign_in("bob")
        assert error_of(ask(server, "openid", claims=wanted, prompt="none")) == "login_required"
        assert error_of(sign_in_on(sign_in_page(ask(server, "openid", claims=wanted)), "bob")) == "login_required"

    def test_that_names_nobody_or_two_people_leads_to_no_sign_in(self, server, id_tokens):
        sub = claims_in(server, {"id_token": id_tokens["alice"]})["sub"]
        for value in ("nobody", "\x00", "é", "\ud800"):
            wanted = json.dumps({"id_token": {"sub": {"value": value}}})
            assert error_of(ask(server, "openid", claims=wanted)) == "login_required"
        wanted = json.dumps({"id_token": {"sub": {"value": sub}}})
        assert error_of(ask(server, "openid", claims=wanted, id_token_hint=id_tokens["bob"])) == "login_required"

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "null",
            "[]",
            '"id_token"',
            "\x00",
            "[" * 2_000,
            '{"id_token": []}',
            '{"id_token": {"name": {"value": NaN}}}',
            '{"id_token": {"name": true}}',
            '{"userinfo": {"name": "x"}}',
            '{"id_token": {"sub": {"value": 5}}}',
            '{"id_token": {"sub": {"value": null}}}',
            '{"id_token": {"sub": {"values": "x"}}}',
            '{"id_token": {"sub": {"values": ["x", "y"]}}}',
        ],
    )
    def test_that_cannot_be_read_is_refused(self, server, text):
        server.get("/sign-in")  # the browser has a session: the form is not turned into a link
        asked = server.authorization_request("openid", claims=text)
        assert error_of(server.post("/v2/o/authorize/", asked, status=303)) == "invalid_request"

    def test_keeps_nothing_that_nobody_here_knows(self, server):
        text = '{"id_token": {"\\u0000": null, "x": {"value": 1e999}}, "y": 1e999}'
        token = redeem(server, server.approve(server.consent_page("openid", claims=text)))
        assert "x" not in claims_in(server, token)
        assert consents_of(server)[-1].claims is None

    def test_that_insists_on_an_acr_is_told_that_there_is_none(self, server):
        wanted = {"id_token": {"acr": {"essential": True, "values": ["urn:example:gold"]}}}
        assert error_of(ask(server, "openid", claims=json.dumps(wanted))) == "unmet_authentication_requirements"
        wanted["id_token"]["acr"]["essential"] = False
        sign_in_page(ask(server, "openid", claims=json.dumps(wanted), acr_values="urn:example:gold"))


class TestFhirUser:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_is_the_address_of_the_persons_own_record(self, server, version):
        scope = "openid fhirUser launch/patient patient/Patient.read"
        token = server.grant(scope, version=version)
        address = claims_in(server, token)["fhirUser"]
        assert address == f"http://localhost/{version}/fhir/Patient/{token['patient']}"
        path = urlsplit(address).path.removeprefix(f"/{version}/")
        assert server.api(path, token, version=version, status="*").status_int in (200, 404)  # opened; is it loaded?

    def test_is_in_no_id_token_without_its_scope(self, server):
        assert "fhirUser" not in claims_in(server, server.grant("openid launch/patient"))

    def test_says_nothing_of_who_the_person_is_and_stays_when_that_is_not_shared(self, server):
        token = server.grant("openid fhirUser profile patient/Patient.read", share_demographic=False)
        assert set(token["scope"].split()) == {"openid", "fhirUser"}
        assert claims_in(server, token)["fhirUser"].endswith(f"/Patient/{token['patient']}")

    def test_is_in_userinfo_too(self, server):
        claims = server.api("connect/userinfo", server.grant("openid fhirUser profile")).json
        assert claims["fhirUser"] == f"http://localhost/v2/fhir/Patient/{claims['patient']}"

    def test_is_asked_for_as_a_technical_matter(self, server):
        page = server.consent_page("openid fhirUser")
        assert "web address of your Medicare record" in page.text
        assert "demographic" not in page.forms[0].fields


class TestTheSignIn:
    def test_begins_with_the_user_name_that_the_app_hints_at(self, server):
        page = sign_in_page(ask(server, "openid", login_hint="alice"))
        assert page.forms[0]["username"].value == "alice"
        assert sign_in_on(page, "bob").status_int == 200  # a hint binds nobody

    @pytest.mark.parametrize("hint", ["x" * 101, "nul\x00", "line\nbreak", " "])
    def test_does_not_mind_a_hint_that_can_be_no_user_name(self, server, hint):
        assert sign_in_page(ask(server, "openid", login_hint=hint)).forms[0]["username"].value == ""

    def test_hint_is_in_no_log(self, server, caplog):
        caplog.set_level("DEBUG")
        sign_in_page(ask(server, "openid", login_hint="somebody-in-particular"))
        ask(server, "nonsense", login_hint="somebody-in-particular")
        ask(server, "openid", login_hint="somebody-in-particular", redirect_uri="https://evil.example")
        assert "somebody-in-particular" not in caplog.text

    @pytest.mark.parametrize("changes", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
    def test_is_asked_for_again_and_makes_a_new_auth_time(self, server, changes):
        server.sign_in("alice")
        earlier(server, BrowserSession, "authenticated_at", minutes=10)
        old = redeem(server, server.approve(server.consent_page("openid", username=None)))
        page = sign_in_on(sign_in_page(ask(server, "openid", **changes)), "alice")
        new = redeem(server, server.approve(page))
        assert claims_in(server, new)["auth_time"] - claims_in(server, old)["auth_time"] >= 600

    def test_is_not_asked_for_again_while_it_is_fresh_enough(self, server):
        server.sign_in("alice")
        earlier(server, BrowserSession, "authenticated_at", minutes=10)
        assert ask(server, "openid", max_age="660").follow().status_int == 200
        assert error_of(ask(server, "openid", max_age="660", prompt="none")) == "consent_required"
        assert error_of(ask(server, "openid", max_age="500", prompt="none")) == "login_required"
        sign_in_page(ask(server, "openid", max_age="500"))

    @pytest.mark.parametrize("prompt", ["consent", "none"])
    def test_of_before_is_enough_where_only_consent_is_asked(self, server, prompt):
        server.sign_in("alice")
        response = ask(server, "openid", prompt=prompt)
        assert error_of(response) == "consent_required" if prompt == "none" else response.follow().status_int == 200


class TestTheLanguage:
    @pytest.mark.parametrize(
        ("changes", "language"),
        [
            ({"ui_locales": "es"}, "es"),
            ({"ui_locales": "fr-CA es-MX en"}, "es"),
            ({"ui_locales": "EN-us es"}, "en"),
            ({"ui_locales": "fr"}, "en"),
            ({"ui_locales": "es", "lang": "en"}, "en"),
            ({"ui_locales": "en", "lang": "es"}, "es"),
            ({"ui_locales": "es", "lang": "fr"}, "es"),
            ({"claims_locales": "es"}, "en"),
        ],
    )
    def test_is_what_the_app_names_if_we_speak_it(self, server, changes, language):
        page = sign_in_page(ask(server, "openid", **changes))
        assert page.html.find("html")["lang"] == language

    def test_named_ahead_counts_too(self, server):
        asked = server.authorization_request("openid", ui_locales="es-PR", client_secret=server.client_secret)
        uri = server.post("/v2/o/par", asked, status=201).json["request_uri"]
        page = sign_in_page(server.get("/v2/o/authorize", {"client_id": server.client_id, "request_uri": uri}))
        assert page.html.find("html")["lang"] == "es"


def test_every_advertised_prompt_is_taken_and_no_other(server):
    for prompt in server.get("/.well-known/openid-configuration").json["prompt_values_supported"]:
        response = ask(server, "openid", prompt=prompt)
        assert "error" not in parse_qs(urlsplit(response.location).query) or error_of(response) == "login_required"
    assert error_of(ask(server, "openid", prompt="create")) == "invalid_request"


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap"])
def test_display_and_acr_values_are_taken(server, display):
    sign_in_page(ask(server, "openid", display=display, acr_values="1 2"))


@pytest.mark.parametrize(
    "name", ["login_hint", "id_token_hint", "claims", "ui_locales", "display", "acr_values", "lang"]
)
def test_none_of_these_may_come_twice(server, name):
    twice = [*server.authorization_request("openid").items(), (name, "1"), (name, "1")]
    assert error_of(server.get("/v2/o/authorize/", twice)) == "invalid_request"


def test_two_browsers_keep_their_own_hints(server):
    sign_in_page(ask(server, "openid", login_hint="alice"))
    other = another_browser(server)
    assert sign_in_page(ask(other, "openid")).forms[0]["username"].value == ""
    with server.db() as db:
        assert db.query(AuthorizationRequest).filter_by(login_hint="alice").count()
