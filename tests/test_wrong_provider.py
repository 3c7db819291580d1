"""A provider that is down, slow or wrong: each time a page that says what to do, and a way back to the app."""

import json
import time
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select

from bb2.clock import utcnow
from bb2.identity import provider as provider_module
from bb2.identity.client_proof import LEAST_RSA_BITS
from bb2.identity.provider import Provider, ProviderError
from bb2.models import AuditEvent
from bb2.oauth import fetch
from bb2.settings import SettingError, Settings
from bb2.testing import STATE, ConsentServer, answer_of
from built_in import BUILT_IN
from other_server import send
from real_provider import CALLBACK
from test_provider import back_to_app, go_on, query, sign_in_page, signed_in
from wrong_provider import KEY, STRANGERS_KEY, WrongProvider

CLIENT_ID, SECRET = "us", "the secret of the tests"
GOOD = {
    "bb2.identity": "oidc",
    "bb2.oidc_issuer": "https://id.example",
    "bb2.oidc_client_id": CLIENT_ID,
    "bb2.oidc_client_secret": "secret",
    "bb2.oidc_claim": "patient",
}
DISCOVERY = "/.well-known/openid-configuration"
DOWN = (503, "temporarily_unavailable", "We cannot reach 127.0.0.1 at the moment")
WRONG = (502, "server_error", "Signing in did not work")


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("provider") / "secret"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="module")
def running():
    with WrongProvider(CLIENT_ID) as running:
        yield running


@pytest.fixture
def provider(running, secret):
    running.secret = secret
    running.wrong, running.asked, running.headers, running.posted = {}, [], [], []
    return running


@pytest.fixture
def start(provider, secret):
    """A function that starts a server whose people sign in at this provider, of which it knows nothing yet."""

    def start(**settings):
        known = GOOD | {"bb2.oidc_issuer": provider.issuer, "bb2.oidc_client_secret": str(secret)}
        server = ConsentServer(*BUILT_IN, settings=known | {f"bb2.{name}": value for name, value in settings.items()})
        server.app.registry["provider"] = Provider(server.settings)
        return server

    return start


@pytest.fixture
def server(start):
    return start()


def come_back(server, provider, page=None, **changes):
    """The answer to a person who has signed in there and comes back."""
    asked = query(go_on(page or sign_in_page(server)))
    provider.nonce = asked["nonce"]
    brought = {"code": "of-the-provider", "state": asked["state"]} | changes
    return server.get("/sign-in/callback", {k: v for k, v in brought.items() if v is not None}, status="*")


def check(server, page, problem):
    status, error, title = problem
    assert (page.status_int, page.html.h1.text) == (status, title)
    assert page.html.find("a", string=lambda text: text and text.strip() == "Try again")
    assert signed_in(server) is None
    told = back_to_app(page)
    assert (told["error"], told["state"], told["iss"]) == (error, STATE, "http://localhost")


def test_as_it_stands_the_person_is_signed_in_by_what_userinfo_tells(server, provider):
    page = come_back(server, provider).follow()
    assert "Alice Doe" in page.text
    assert provider.posted[0]["code"] == "of-the-provider"
    assert provider.posted[0]["redirect_uri"] == CALLBACK
    assert provider.headers[-1]["Authorization"] == "Bearer of the provider"


def encoded(text):
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


#: What an id_token may not be.
BAD_ID_TOKENS = {
    "of another issuer": {"claims": {"iss": "https://id.example"}},
    "for another client": {"claims": {"aud": "another"}},
    "for others beside us": {"claims": {"aud": [CLIENT_ID, "another"]}},
    "for another party": {"claims": {"azp": "another"}},
    "for nobody": {"claims": {"aud": None}},
    "of nobody": {"claims": {"sub": None}},
    "expired": {"claims": {"exp": int(time.time()) - 120}},
    "without an end": {"claims": {"exp": None}},
    "with an end that is no time": {"claims": {"exp": "tomorrow"}},
    "of the future": {"claims": {"iat": int(time.time()) + 3600}},
    "without a nonce": {"claims": {"nonce": None}},
    "with another nonce": {"claims": {"nonce": "another"}},
    "of another access token": {"claims": {"at_hash": "AAAA"}},
    "signed by a stranger": {"key": STRANGERS_KEY},
    "signed with an unknown key": {"header": {"kid": "two"}},
    "signed with a key that has no name": {"header": {"kid": None}},
    "signed with a shared secret": {"header": {"alg": "HS256"}, "key": OctKey.import_key(SECRET)},
    "not signed": {"tokens": {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0."}},
    "an encrypted one": {"tokens": {"id_token": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA"}},
    "too deep": {"tokens": {"id_token": f"{encoded('[' * 20_000)}.AAAA.AAAA"}},
    "no JWT": {"tokens": {"id_token": "something"}},
    "missing": {"tokens": {"id_token": None}},
    "a number": {"tokens": {"id_token": 7}},
}


def failure(provider, ask=None, **brought):
    """What comes of asking the provider who somebody is; None, where it says so and is believed."""
    known = GOOD | {"bb2.oidc_issuer": provider.issuer, "bb2.oidc_client_secret": str(provider.secret)}
    asking, provider.nonce = Provider(Settings.read(known, {})), "n"
    expected = {"verifier": "v", "nonce": "n", "now": utcnow(), "earliest": None}
    try:
        ask(asking) if ask else asking.answer("a code", **(expected | brought))
    except ProviderError as error:
        return error
    return None


def test_the_provider_is_believed_as_it_stands(provider):
    assert failure(provider) is None


@pytest.mark.parametrize("wrong", BAD_ID_TOKENS.values(), ids=BAD_ID_TOKENS.keys())
def test_an_id_token_proves_nothing(provider, wrong):
    provider.wrong = wrong
    assert failure(provider).passing is False


OTHER_ANSWERS = {
    "no access token": {"tokens": {"access_token": None}},
    "an access token of two lines": {"tokens": {"access_token": "a\r\nb"}},
    "userinfo of another person": {"userinfo": {"sub": "8"}},
    "no keys": {"jwks": []},
    "keys that are none": {"jwks": [7, {"kid": "one"}, {"kty": "EC", "kid": "one"}]},
    "another issuer beside the code": {"callback": {"iss": "https://id.example"}},
    "no issuer beside the code, though it says so": {
        "discovery": {"authorization_response_iss_parameter_supported": True}
    },
}


@pytest.mark.parametrize("wrong", OTHER_ANSWERS.values(), ids=OTHER_ANSWERS.keys())
def test_what_comes_with_it_is_wrong(provider, wrong):
    provider.wrong = wrong
    assert failure(provider, **wrong.get("callback", {})).passing is False


def refuse(handler):
    send(handler, {"error": "invalid_grant"}, status=400)


def fail(handler):
    send(handler, b"<h1>Internal Server Error</h1>", status=500, content_type="text/html")


def answer_no_json(handler):
    send(handler, b"<h1>Hello</h1>", content_type="text/html")


def answer_a_list(handler):
    send(handler, [])


def answer_without_end(handler):
    send(handler, b"[" + b" " * 70_000 + b"]")


def redirect(handler):
    send(handler, b"", status=302, Location=f"{handler.server.issuer}/elsewhere")


def hang_up(handler):
    handler.close_connection = True


def drip(handler):
    handler.server.over.wait(10)


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token", "/userinfo"])
@pytest.mark.parametrize("answer", [refuse, answer_no_json, answer_a_list, answer_without_end, redirect])
def test_a_wrong_answer_stays_wrong(provider, path, answer):
    provider.wrong = {"at": {path: answer}}
    assert failure(provider).passing is False
    assert "/elsewhere" not in provider.asked


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token", "/userinfo"])
@pytest.mark.parametrize("answer", [fail, hang_up, drip])
def test_a_provider_that_is_down_or_slow_may_be_there_again_soon(provider, path, answer, monkeypatch):
    monkeypatch.setattr(fetch, "SECONDS", 0.1 if answer is drip else 5)
    provider.wrong = {"at": {path: answer}}
    assert failure(provider).passing is True


@pytest.mark.parametrize(("answer", "problem"), [(refuse, WRONG), (fail, DOWN)])
def test_a_person_whose_sign_in_fails_is_told_what_to_do_and_can_go_back_to_the_app(server, provider, answer, problem):
    provider.wrong = {"at": {"/token": answer}}
    check(server, come_back(server, provider), problem)
    with server.db() as db:
        (event,) = [event for event in db.scalars(select(AuditEvent)) if event.event == "provider.failed"]
    assert event.details == {"reason": "down" if problem is DOWN else "wrong"}


def test_a_provider_that_is_not_there_is_told_and_works_again_when_it_is(server, provider):
    provider.wrong = {"at": {DISCOVERY: hang_up}}
    page = sign_in_page(server).forms[0].submit("answer", value="sign-in", status=503)
    assert page.html.title.text.startswith("Problem:")
    provider.wrong = {}
    assert come_back(server, provider, page.click("Try again")).follow(status=200)


def test_a_provider_that_hangs_keeps_only_some_threads_waiting(provider, monkeypatch):
    monkeypatch.setattr(provider_module, "PATIENCE", 0.01)

    def ask_while_others_wait(of_us):
        for _thread in range(provider_module.AT_ONCE):
            of_us.turns.acquire()
        of_us.authorization_uri(state="s", nonce="n", verifier="v")

    assert failure(provider, ask_while_others_wait).passing is True
    assert provider.asked == []


def test_what_is_kept_of_the_provider_outlives_its_failure(server, provider):
    come_back(server, provider)
    server.reset()
    provider.wrong = {"at": {DISCOVERY: fail, "/jwks": fail}}
    come_back(server, provider).follow(status=200)
    assert provider.asked.count("/jwks") == 1


def test_a_description_that_could_not_be_used_is_not_kept(server, provider):
    provider.wrong = {"discovery": {"issuer": "https://id.example"}}
    page = sign_in_page(server)
    failed = page.forms[0].submit("answer", value="sign-in", status=502)
    provider.wrong = {}
    server.app.registry["provider"].discovered.at -= 11  # seconds, since when it was fetched
    assert come_back(server, provider, failed.click("Try again")).follow(status=200)


def test_a_new_key_is_fetched_when_it_is_first_used(server, provider):
    come_back(server, provider)
    server.reset()
    documents = server.app.registry["provider"].key_sets.values()
    new = ECKey.generate_key("P-256", {"kid": "two"})
    provider.wrong = {
        "header": {"kid": "two"},
        "key": new,
        "jwks": [KEY.as_dict(private=False), new.as_dict(private=False)],
    }
    for document in documents:
        document.at -= 11  # seconds, since when it was fetched
    come_back(server, provider).follow(status=200)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://id.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": "http://id.example/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://id.example/a\r\nSet-Cookie: x=y"},
        {"userinfo_endpoint": "file:///etc/passwd"},
        {"end_session_endpoint": 7},
        {"token_endpoint": "https://[::"},
    ],
)
def test_a_description_that_cannot_be_used_leads_nowhere(provider, discovery):
    provider.wrong = {"discovery": discovery}
    assert (
        failure(provider, lambda asking: asking.authorization_uri(state="s", nonce="n", verifier="v")).passing is False
    )


@pytest.mark.parametrize(
    ("error", "problem"), [("server_error", DOWN), ("temporarily_unavailable", DOWN), ("invalid_scope", WRONG)]
)
def test_an_error_of_the_provider_is_told(server, provider, error, problem):
    check(server, come_back(server, provider, code=None, error=error), problem)


def test_a_cancel_that_another_issuer_sends_is_none(server, provider):
    check(server, come_back(server, provider, code=None, error="access_denied", iss="https://id.example"), WRONG)


class TestAFreshSignIn:
    @pytest.mark.parametrize("told", [None, "now", True, 1_700_000_000])  # the last: years ago
    def test_that_the_provider_does_not_prove_is_none(self, provider, told):
        provider.wrong = {"claims": {"auth_time": told}}
        assert failure(provider, earliest=utcnow() - timedelta(minutes=1)).passing is False

    def test_is_what_the_provider_says_and_not_when_the_person_came_back(self, server, provider):
        """An app that wants a younger sign-in a moment later sends the person there again."""
        provider.wrong = {"claims": {"auth_time": int(time.time()) - 600}}
        come_back(server, provider, sign_in_page(server, max_age="900")).follow(status=200)
        page = sign_in_page(server, max_age="300")  # and not the authorization page
        asked = query(go_on(page))
        assert 300 <= int(asked["max_age"]) < 310

    def test_by_a_clock_that_is_behind_is_one(self, server, provider):
        provider.wrong = {"claims": {"auth_time": int(time.time()) - 20}}
        come_back(server, provider, sign_in_page(server, prompt="login")).follow(status=200)


def test_nobody_is_signed_out_where_the_provider_has_no_place_for_it(start, provider):
    server = start(oidc_sign_out="true")
    provider.wrong = {"discovery": {"end_session_endpoint": None}}
    assert come_back(server, provider).follow(status=200)


def test_an_id_token_that_says_who_the_person_is_stands_in_no_url(start, provider):
    server = start(oidc_sign_out="true")
    provider.wrong = {"claims": {"name": "Alice Doe"}}
    asked = query(come_back(server, provider).location)
    assert asked["client_id"] == CLIENT_ID
    assert "id_token_hint" not in asked


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bb2.oidc_issuer": None}, "bb2.oidc_issuer"),
        ({"bb2.oidc_client_id": None}, "bb2.oidc_client_id"),
        ({"bb2.oidc_claim": ""}, "bb2.oidc_claim"),
        ({"bb2.oidc_client_secret": None}, "bb2.oidc_client_key"),
        ({"bb2.oidc_client_key": "key.pem"}, "either"),
        ({"bb2.oidc_issuer": "http://id.example"}, "https"),
        ({"bb2.oidc_issuer": "http://localhost:1", "bb2.sandbox": "false"}, "sandbox"),
        ({"bb2.oidc_issuer": "https://id.example?x"}, "query"),
        ({"bb2.oidc_scope": "profile"}, "openid"),
        (
            {"bb2.oidc_identifier_system": "x", "bb2.fhir_source": "upstream", "bb2.upstream_v2": "https://f.example"},
            "sql",
        ),
    ],
)
def test_half_a_description_stops_the_start(changes, told):
    given = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(SettingError, match=told):
        Settings.read(given, {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("oidc_client_secret", None),
        ("oidc_client_secret", b"\n"),
        ("oidc_client_secret", b"two\nlines"),
        ("oidc_client_key", None),
        ("oidc_client_key", b"no key"),
        ("oidc_client_key", b"{}"),
        ("oidc_client_key", ECKey.generate_key("P-256").as_pem(private=False)),
        ("oidc_client_key", ECKey.generate_key("P-521").as_pem(private=True)),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path, name, content):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    settings = GOOD | {"bb2.oidc_client_secret": None, f"bb2.{name}": str(path)}
    with pytest.raises(SettingError, match=str(path)):
        Provider(Settings.read({name: value for name, value in settings.items() if value is not None}, {}))


def test_a_key_that_has_a_name_signs_by_it(server, provider, tmp_path):
    key = RSAKey.generate_key(LEAST_RSA_BITS, {"kid": "ours"})
    path = tmp_path / "key.jwk"
    path.write_text(json.dumps(key.as_dict(private=True)))
    given = GOOD | {
        "bb2.oidc_issuer": provider.issuer,
        "bb2.oidc_client_secret": None,
        "bb2.oidc_client_key": str(path),
    }
    given = {name: value for name, value in given.items() if value is not None}
    server.app.registry["provider"] = Provider(Settings.read(given, {}))
    come_back(server, provider).follow(status=200)
    assertion = jwt.decode(provider.posted[0]["client_assertion"], key, algorithms=["RS256"])
    assert assertion.header["kid"] == "ours"
    assert assertion.claims["aud"] == f"{provider.issuer}/token"


def test_the_app_may_have_been_answered_in_another_tab(server, provider):
    provider.wrong = {"key": STRANGERS_KEY}
    page = sign_in_page(server)
    failed = come_back(server, provider, page)
    assert answer_of(page.forms[0].submit("answer", value="cancel"))["error"] == "access_denied"
    form = next(form for form in failed.forms.values() if "problem" in form.fields)
    assert "already said no" in form.submit("answer", value="cancel").follow(status=409).text
