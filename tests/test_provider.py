"""Signing in through an OpenID Connect provider: the whole way, with a real one on a socket."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import select
from sqlalchemy.orm import Session
from webtest import TestApp

from bb2.identity import closing
from bb2.matching import NoMatchError
from bb2.models import AuditEvent, Beneficiary, BrowserSession, ProviderSignIn
from bb2.oauth.secrets import hashed
from bb2.testing import ALICE, BOB, STATE, ConsentServer, answer_of, consent_form
from built_in import BUILT_IN
from oauth.steps import redeem
from other_server import OtherServer, send
from real_provider import CALLBACK, Person, RealProvider

SECRET = "a secret of the tests & of nobody else: 100% +"
MBI, OTHER = "http://hl7.org/fhir/sid/us-mbi", "https://id.example/number"
CAROL = "-1003"
ACCOUNTS = {
    "alice": {
        "patient": ALICE,
        "mbi": "1s00-a00-aa01",
        "number": "a 1",
        "email": "alice@mail.example",
        "email_verified": True,
    },
    "bob": {
        "patient": BOB,
        "mbi": "1S00A00AA02",
        "number": "b 2",
        "email": "bob@mail.example",
        "email_verified": False,
    },
    "carol": {"patient": CAROL, "mbi": "1S00A00AA03"},
    "dora": {"patient": "-4711", "mbi": "1S00A00AA04"},
    "emil": {},
    "fred": {"patient": "../Coverage", "mbi": "%", "number": "%"},
}


def named(name, **more):
    known = {"client_id": name, "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [CALLBACK]}
    return known | ({} if "jwks" in more else {"client_secret": SECRET}) | more


@pytest.fixture(scope="module")
def key():
    return ECKey.generate_key("P-256", {"kid": "ours"})


@pytest.fixture(scope="module")
def provider(key):
    keyed = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256"}
    clients = [
        named("basic"),
        named("posted", token_endpoint_auth_method="client_secret_post"),
        named("keyed", jwks={"keys": [key.as_dict(private=False)]}, **keyed),
    ]
    with RealProvider(clients, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory, key):
    folder = tmp_path_factory.mktemp("files")
    (folder / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "key.pem").write_bytes(key.as_pem(private=True))
    return folder


@pytest.fixture(scope="module")
def start(provider, files):
    """A function that starts a server whose people sign in at the provider."""

    def start(**settings):
        known = {"oidc_client_id": "basic", "oidc_client_secret": str(files / "secret"), "oidc_claim": "patient"}
        known |= {"identity": "oidc", "oidc_issuer": provider.issuer, "oidc_scope": "openid email medicare"}
        known |= {"oidc_name": "MyHealth", **settings}
        known = {f"bb2.{name}": value for name, value in known.items() if value is not None}
        return ConsentServer(*BUILT_IN, settings=known)

    return start


@pytest.fixture
def server(start):
    return start()


@pytest.fixture(scope="module", params=[("mbi", MBI), ("number", OTHER)])
def numbered(start, request):
    """(A claim, a server where Alice is found by its number): to look for anybody changes nothing there."""
    claim, system = request.param
    server = start(oidc_claim=claim, oidc_identifier_system=system)
    give_record(server, ALICE, "1S00A00AA01", system)
    return claim, server


def sign_in_page(server, scope="openid", **changes):
    """The page that an app's request leads to."""
    page = server.get("/v2/o/authorize", server.authorization_request(scope, **changes), status=303)
    return page.follow().follow(status=200)


def go_on(page):
    """The URL of the provider to which the sign-in page leads."""
    return (
        next(form for form in page.forms.values() if "answer" in form.fields).submit("answer", value="sign-in").location
    )


def arrive(server, person, page, answer="yes"):
    """What the browser is answered when the person comes back from the provider."""
    return server.get(person.sign_in(go_on(page), answer), status="*")


def signed_in(server):
    """Whose name `My connected apps` says; None: nobody is signed in."""
    page = server.get("/connections")
    return page.html.find(class_="person").b.text if page.status_int == 200 else None


def back_to_app(page):
    """The app's answer that the page's button leads to."""
    return answer_of(next(f for f in page.forms.values() if "problem" in f.fields).submit("answer", value="cancel"))


def events(server, name):
    with server.db() as db:
        return [event for event in db.scalars(select(AuditEvent)) if event.event == name]


def query(url):
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def give_record(server, patient, number=None, system=MBI):
    record = {"resourceType": "Patient", "id": patient, "name": [{"given": ["Carol"], "family": "Roe"}]}
    if number:
        record["identifier"] = [{"system": system, "value": number}]
    with server.db() as db:
        server.load(db, [record])


class TestThePage:
    def test_says_which_app_asks_and_where_one_signs_in_and_leads_there(self, server):
        page = sign_in_page(server, lang="es", login_hint="alice")
        assert "The App" in page.html.main.text
        assert "MyHealth" in page.html.main.text
        asked = query(go_on(page))
        assert asked["code_challenge_method"] == "S256"
        assert asked["ui_locales"] == "es"
        assert asked["login_hint"] == "alice"
        assert not {"prompt", "max_age"} & set(asked)

    def test_leads_back_to_the_app_when_the_person_cancels(self, server):
        answered = sign_in_page(server).forms[0].submit("answer", value="cancel")
        assert answer_of(answered) == {
            "error": "access_denied",
            "error_description": "The beneficiary did not approve access",
            "error_uri": "http://localhost/docs/errors#access_denied",
            "state": STATE,
            "iss": "http://localhost",
        }

    def test_has_no_cancel_where_no_app_waits(self, server):
        page = server.get("/sign-in")
        assert "cancel" not in page.text.lower()

    def test_is_the_only_way_in(self, server):
        """The built-in directory's pages are gone, and its form opens nothing."""
        form = server.get("/sign-in").forms[0]
        token = form["csrf_token"].value
        posted = {"csrf_token": token, "username": "alice", "password": "correct horse", "answer": "sign-in"}
        assert server.post("/sign-in", posted).location.startswith(server.settings.oidc_issuer)
        assert signed_in(server) is None


class TestSigningIn:
    def test_there_leads_to_the_authorization_page_and_the_app_gets_its_tokens(self, server):
        page = arrive(server, Person("alice"), sign_in_page(server, "openid patient/Coverage.read")).follow()
        assert "Alice Doe" in page.text
        answered = server.approve(page)
        assert answer_of(answered)["state"] == STATE
        assert redeem(server, answered)["patient"] == ALICE

    @pytest.mark.parametrize(
        "proof",
        [
            {"oidc_client_id": "posted"},
            {"oidc_client_id": "keyed", "oidc_client_secret": None, "oidc_client_key": "key.pem"},
        ],
    )
    def test_works_with_every_proof_of_who_we_are(self, start, files, proof):
        if "oidc_client_key" in proof:
            proof = proof | {"oidc_client_key": str(files / proof["oidc_client_key"])}
        server = start(**proof)
        arrive(server, Person("alice"), server.get("/sign-in"))
        assert signed_in(server) == "Alice Doe"

    def test_without_an_app_leads_to_the_connected_apps(self, server):
        answered = arrive(server, Person("alice"), server.get("/sign-in"))
        assert urlsplit(answered.location).path == "/connections"
        (event,) = events(server, "account.signed_in")
        assert event.beneficiary_id

    def test_makes_a_new_session_and_the_earlier_one_is_dead(self, server):
        page = server.get("/sign-in")
        before = server.cookies["beneficiary"]
        arrive(server, Person("alice"), page)
        assert server.cookies["beneficiary"] != before
        with server.db() as db:
            assert db.get(BrowserSession, hashed(before)) is None

    def test_leaves_no_secret_in_the_database(self, server):
        asked = query(go_on(sign_in_page(server)))
        with server.db() as db:
            (begun,) = db.scalars(select(ProviderSignIn))
            kept = {str(value) for value in vars(begun).values()}
        assert not kept & {asked["state"], asked["nonce"], asked["code_challenge"]}
        assert begun.state_hash == hashed(asked["state"])

    def test_keeps_the_language_and_an_address_that_is_verified(self, server):
        for login in "alice", "bob":
            arrive(server, Person(login), sign_in_page(server, lang="es", prompt="login"))
        with server.db() as db:
            found = {p.patient: (p.language, p.email) for p in db.scalars(select(Beneficiary))}
        assert found == {ALICE: ("es", "alice@mail.example"), BOB: ("es", None)}

    def test_for_the_first_time_makes_the_person_known_by_their_record(self, server):
        give_record(server, CAROL)
        arrive(server, Person("carol"), server.get("/sign-in"))
        assert signed_in(server) == "Carol Roe"


class TestComingBack:
    def test_counts_in_the_browser_that_went(self, server):
        url = Person("alice").sign_in(go_on(sign_in_page(server)))
        other = TestApp(server.app, extra_environ={"HTTP_HOST": "localhost"})
        for begun in (False, True):
            page = other.get(url, status=400)
            assert "no longer open" in page.html.h1.text
            assert other.get("/connections").status_int == 303
            if not begun:
                other.get("/sign-in")  # it has a session of its own now
        assert server.get(url).status_int == 303  # and where it belongs it still counts
        assert signed_in(server) == "Alice Doe"

    def test_twice_leads_on_and_does_nothing(self, server):
        url = Person("alice").sign_in(go_on(sign_in_page(server)))
        first, second = server.get(url), server.get(url)
        assert first.location == second.location
        assert len(events(server, "account.signed_in")) == 1
        assert second.follow().status_int == 200

    def test_from_an_older_tab_leads_to_what_that_tab_had_begun(self, server):
        person = Person("alice")
        old, new = (go_on(sign_in_page(server, state=f"the state of the tab {n}")) for n in "12")
        server.get(person.sign_in(new))
        page = server.get(person.sign_in(old)).follow(status=200)
        assert answer_of(server.approve(page))["state"] == "the state of the tab 1"

    def test_after_signing_out_in_another_tab_signs_nobody_in(self, server):
        url = Person("bob").sign_in(go_on(server.get("/sign-in")))
        arrive(server, Person("alice"), server.get("/sign-in"))
        server.get("/connections").forms[0].submit()
        assert "no longer open" in server.get(url, status=400).html.h1.text
        assert signed_in(server) is None

    def test_too_late_is_told_and_another_try_works(self, server):
        person, page = Person("alice"), sign_in_page(server)
        url = person.sign_in(go_on(page))
        with server.db() as db:
            (begun,) = db.scalars(select(ProviderSignIn))
            begun.expires_at -= timedelta(hours=1)
        page = server.get(url, status=400)
        assert "took too long" in page.html.h1.text
        assert "too long" in server.get(url, status=400).text  # and again, when the page is loaded again
        page = arrive(server, person, page.click("Try again")).follow(status=200)
        assert "code" in answer_of(server.approve(page))

    @pytest.mark.parametrize(
        "nonsense", ["", "?state=", "?state=x&state=y", "?state=%C3%A9", "?code=1", "?error=x&state=z"]
    )
    def test_with_nonsense_is_a_page_with_a_way_on(self, server, nonsense):
        server.get("/sign-in")
        page = server.get(f"/sign-in/callback{nonsense}", status=400)
        assert page.click("Sign in").html.h1.text == "Sign in"

    def test_after_cancelling_there_is_cancelling_here(self, server):
        answered = arrive(server, Person("alice"), sign_in_page(server), answer="cancel")
        assert answer_of(answered)["error"] == "access_denied"
        assert answer_of(answered)["state"] == STATE
        assert signed_in(server) is None

    def test_after_cancelling_there_without_an_app_is_the_sign_in_page_again(self, server):
        answered = arrive(server, Person("alice"), server.get("/sign-in"), answer="cancel")
        assert urlsplit(answered.location).path == "/sign-in"

    def test_to_a_problem_stays_there_in_the_other_language(self, server):
        page = arrive(server, Person("dora"), sign_in_page(server))
        link = page.html.find("a", lang="es")["href"]
        assert "code" not in query(link)
        spanish = server.get(link, status=403)
        assert spanish.html.find("html")["lang"] == "es"
        assert back_to_app(spanish)["error"] == "access_denied"


class TestWhoSignsIn:
    @pytest.mark.parametrize("login", ["dora", "emil"])
    def test_without_a_patient_of_ours_is_told_and_leads_back_to_the_app(self, server, login):
        page = arrive(server, Person(login), sign_in_page(server))
        assert page.status_int == 403
        assert "could not find your Medicare record" in page.html.h1.text
        assert "MyHealth" in page.html.main.text
        (event,) = events(server, "provider.failed")
        assert event.details == {"reason": "nobody"}
        assert event.correlation_id
        assert back_to_app(page)["error"] == "access_denied"

    def test_can_try_again_as_somebody_else(self, server):
        """The provider would send the same person back unasked, as they are signed in there."""
        person = Person("dora")
        page = arrive(server, person, sign_in_page(server))
        person.login = "alice"
        page = arrive(server, person, page.click("Try again")).follow(status=200)
        assert "Alice Doe" in page.text

    @pytest.mark.parametrize(("claim", "system", "number"), [("mbi", MBI, "1S00A00AA01"), ("number", OTHER, "a 1")])
    def test_is_found_by_a_number_in_the_records(self, start, claim, system, number):
        """A Medicare number is understood as people write it; any other number is one to the letter."""
        server = start(oidc_claim=claim, oidc_identifier_system=system)
        give_record(server, CAROL, number, system)
        give_record(server, BOB, f"{number}0", system)
        give_record(server, ALICE, number, "https://id.example/another")
        arrive(server, Person("alice"), server.get("/sign-in"))
        assert signed_in(server) == "Carol Roe"

    @pytest.mark.parametrize(
        "value", ["%", "", "1S00A00AA0_", "1S00A00AA0", 1, None, True, ["1S00A00AA01"], "\x00", "A" * 300]
    )
    def test_is_nobody_by_any_other_number(self, numbered, value):
        claim, server = numbered
        with Session(server.engine) as db, pytest.raises(NoMatchError, match="nobody"):
            server.app.registry["matching"].person(db, {claim: value})

    def test_with_several_records_is_told_so(self, start):
        server = start(oidc_claim="mbi", oidc_identifier_system=MBI)
        for patient in ALICE, CAROL:
            give_record(server, patient, "1S00A00AA01")
        page = arrive(server, Person("alice"), sign_in_page(server))
        assert page.status_int == 403
        assert "more than one Medicare record" in page.html.h1.text
        assert signed_in(server) is None
        assert back_to_app(page)["error"] == "server_error"

    def test_with_a_record_that_was_merged_into_the_other_gets_that_one(self, start):
        server = start(oidc_claim="mbi", oidc_identifier_system=MBI)
        for patient in ALICE, BOB:
            give_record(server, patient, "1S00A00AA01")
        with server.db() as db:
            closing.merge(db, BOB, ALICE)
        arrive(server, Person("alice"), server.get("/sign-in"))
        assert signed_in(server) == "Alice Doe"

    @pytest.mark.parametrize(
        ("close", "title"),
        [
            (lambda db: closing.close(db, ALICE), "Your account here is closed"),
            (lambda db: closing.merge(db, ALICE, BOB), "Your record has moved"),
        ],
    )
    def test_is_nobody_whose_record_is_closed(self, server, close, title):
        with server.db() as db:
            close(db)
        page = arrive(server, Person("alice"), sign_in_page(server))
        assert (page.status_int, page.html.h1.text) == (403, title)
        assert signed_in(server) is None
        assert back_to_app(page)["error"] == "access_denied"


def test_the_record_may_be_in_another_server_which_may_be_down(start):
    def answer(handler):
        record = {"resourceType": "Patient", "id": CAROL, "name": [{"given": ["Carol"], "family": "Roe"}]}
        send(handler, *([record] if handler.path.endswith(f"Patient/{CAROL}") else [{}, 404]))

    with OtherServer(answer) as other:
        server = start(fhir_source="upstream", upstream_v2=other.base, upstream_retries="0")
        page = arrive(server, Person("dora"), server.get("/sign-in"))
        assert (page.status_int, page.html.h1.text) == (403, "We could not find your Medicare record")
        other.answer = lambda handler: send(handler, {}, 500)
        page = arrive(server, Person("carol"), sign_in_page(server))
        assert (page.status_int, page.html.h1.text) == (503, "We cannot look up your record at the moment")
        assert back_to_app(page)["error"] == "temporarily_unavailable"
        other.answer = answer
        arrive(server, Person("carol"), server.get("/sign-in"))
        assert signed_in(server) == "Carol Roe"


class TestAFreshSignIn:
    def test_is_none_where_the_person_is_signed_in_there(self, server):
        person = Person("alice")
        arrive(server, person, server.get("/sign-in"))
        server.reset()
        arrive(server, person, server.get("/sign-in"))
        assert person.pages == ["login", "consent"]
        assert signed_in(server) == "Alice Doe"

    @pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}])
    def test_is_asked_for_where_the_app_wants_it(self, server, asked):
        person = Person("alice")
        arrive(server, person, server.get("/sign-in"))
        page = arrive(server, person, sign_in_page(server, **asked)).follow(status=200)
        assert person.pages == ["login", "consent", "login"]
        token = redeem(server, server.approve(page))
        claims = jwt.decode(token["id_token"], KeySet.import_key_set(server.get("/.well-known/jwks.json").json)).claims
        assert claims["auth_time"] <= claims["iat"]

    def test_is_how_somebody_else_signs_in(self, server):
        """`Not you?` would lead in a circle else: the provider knows the person still."""
        person = Person("alice")
        page = arrive(server, person, sign_in_page(server)).follow()
        page = page.forms[0].submit().follow()
        person.login = "bob"
        page = arrive(server, person, page).follow(status=200)
        assert "Bob Doe" in page.text
        assert "code" in answer_of(server.approve(page))

    def test_is_asked_for_where_the_app_names_somebody(self, server):
        """Else the provider would send the person back whom it knows, and the app would be told that they are wrong."""
        bob = Person("bob")
        page = arrive(server, bob, sign_in_page(server)).follow()
        hint = redeem(server, server.approve(page))["id_token"]
        server.reset()
        person = Person("alice")
        arrive(server, person, server.get("/sign-in"))
        page = sign_in_page(server, id_token_hint=hint)
        person.login = "bob"
        assert "code" in answer_of(server.approve(arrive(server, person, page).follow(status=200)))
        page = sign_in_page(server, id_token_hint=hint, prompt="login")
        person.login = "alice"
        assert answer_of(arrive(server, person, page).follow())["error"] == "login_required"


class TestSigningOut:
    def test_here_says_that_the_provider_may_know_the_person_still(self, server):
        arrive(server, Person("alice"), server.get("/sign-in"))
        page = server.get("/connections").forms[0].submit()
        assert "MyHealth" in page.html.main.text
        assert signed_in(server) is None

    def test_there_comes_right_after_the_sign_in_where_the_operator_wants_it(self, start):
        server, person = start(oidc_sign_out="true"), Person("alice")
        for _time in range(2):  # the provider asks anew the second time
            out = arrive(server, person, sign_in_page(server))
            assert urlsplit(out.location).path == "/session/end"
            page = server.get(person.sign_in(out.location)).follow(status=200)
            assert consent_form(page)
            server.get("/connections").forms[0].submit(status=303)
        assert person.pages.count("login") == 2

    def test_there_hands_over_the_id_token_that_says_nothing_of_the_person(self, start):
        server = start(oidc_sign_out="true")
        hint = query(arrive(server, Person("alice"), server.get("/sign-in")).location)["id_token_hint"]
        assert ALICE not in str(jwt.decode(hint, KeySet.import_key_set(keys_of(server))).claims)

    def test_there_names_us_alone_where_the_sub_is_a_number_of_the_person(self, start):
        server = start(oidc_sign_out="true", oidc_claim="sub", oidc_identifier_system=OTHER)
        give_record(server, ALICE, "alice", OTHER)
        asked = query(arrive(server, Person("alice"), server.get("/sign-in")).location)
        assert "id_token_hint" not in asked
        assert asked["client_id"] == "basic"


def keys_of(server):
    """The provider's keys, which it publishes."""
    provider = server.app.registry["provider"]
    return {"keys": provider._keys()}


def test_a_code_that_was_made_up_is_refused_and_too_many_of_them_are_paused(start):
    server = start(limit_sign_in_address="2 per hour")
    server.extra_environ["REMOTE_ADDR"] = "192.0.2.1"

    def come_back(status):
        asked = {"code": "made-up", "state": query(go_on(sign_in_page(server)))["state"]}
        return server.get("/sign-in/callback", asked | {"iss": server.settings.oidc_issuer}, status=status)

    for _time in range(2):
        assert back_to_app(come_back(502))["error"] == "server_error"
    assert come_back(429).click("Sign in").status_int == 200
