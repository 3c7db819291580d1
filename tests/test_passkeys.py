"""Passkeys: added by who has just signed in, used once for each challenge, and for the person who has them only."""

import json
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes

import cbor2
import pytest
from sqlalchemy import select
from webauthn.helpers import bytes_to_base64url

from authenticator import ATTESTED, BACKED_UP, ELIGIBLE, ES256, PRESENT, RS256, SYNCED, VERIFIED, Authenticator, EdDSA
from bb2.clock import now
from bb2.identity import closing, passkeys
from bb2.models import AuditEvent, Beneficiary, BrowserSession, Passkey, PasskeyChallenge
from bb2.settings import Settings
from bb2.sweep import sweep
from bb2.testing import ALICE, BOB, PASSWORD, ConsentServer
from built_in import BUILT_IN
from oauth.steps import another_browser, answer, earlier, redeem
from test_sign_in import sign_in as sign_in_with_password
from test_trouble import PEOPLE, choose, ready, recognized

WRONG_KEYS = [
    {"origin": "http://localhost.evil.example"},
    {"origin": "https://localhost"},
    {"origin": "http://localhost:8001"},
    {"rp_id": "evil.example"},
    {"flags": PRESENT},  # nobody verified the person
    {"flags": VERIFIED},  # nobody was there
    {"flags": PRESENT | VERIFIED | BACKED_UP},  # backed up, but cannot be
    {"client_data": {"type": "webauthn.get"}},
    {"client_data": {"challenge": "AAAA"}},
    {"client_data": {"challenge": None}},
    {"client_data": {"crossOrigin": True}},
    {"cose": {1: 2, 3: -47, -1: 8, -2: bytes(32), -3: bytes(32)}},  # an algorithm that nobody asked for
    {"cose": {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}},  # no point of the curve
    {"cose": {}},
    {"cose": "x"},
]
WRONG_ANSWERS = [
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost/"},
    {"rp_id": "evil.example"},
    {"flags": SYNCED & ~VERIFIED},
    {"flags": SYNCED & ~PRESENT},
    {"flags": PRESENT | VERIFIED},  # it could be backed up when it was made
    {"flags": SYNCED | ATTESTED},
    {"signature": b"not a signature"},
    {"user_handle": None},
    {"user_handle": b"somebody else"},
    {"client_data": {"type": "webauthn.create"}},
    {"client_data": {"crossOrigin": True}},
]
PAGE, SIGN_IN = "/account/passkeys", "/sign-in/passkey"


@pytest.fixture
def server():
    return ConsentServer(*BUILT_IN)


@pytest.fixture
def either_server(make_server):
    """On each database in turn."""
    return make_server()


def form_with(page, field):
    return next(form for form in page.forms.values() if field in form.fields)


def options(server, path, page, **how):
    """What the script of a page is told, as JSON."""
    posted = {"csrf_token": page.forms[0]["csrf_token"].value}
    return server.post(f"{path}/options", posted, **how).text if how else server.post(f"{path}/options", posted).text


def add(server, key=None, name="", bend=None, page=None, **how):
    """The answer to a passkey that the person who is signed in adds."""
    page = page or server.get(PAGE)
    form = form_with(page, "credential")
    form["credential"] = (key or Authenticator()).create(options(server, PAGE, page), **(bend or {}))
    form["passkey-name"] = name
    return form.submit(**how)


def added(server, key):
    """Sign in with the password, and add a passkey.  Returns it; nobody is signed in any more."""
    sign_in_with_password(server)
    add(server, key, status=303)
    server.reset()
    return key


ABOUT = {"name": "", "sign_count": 0, "backup_eligible": True, "backed_up": True, "transports": ["internal"]}


def known(server, patient=ALICE):
    """A passkey that somebody has already, as if it had been `added`."""
    key = Authenticator()
    key.user_handle = token_bytes(32)
    with server.db() as db:
        person = db.scalars(select(Beneficiary).where(Beneficiary.patient == patient)).one()
        person.passkey_handle = bytes_to_base64url(key.user_handle)
        about = ABOUT | {"public_key": cbor2.dumps(key.key.cose()), "created_at": now(db)}
        db.add(Passkey(credential_id=bytes_to_base64url(key.id), beneficiary=person, **about))
    return key


def give(server, number):
    """Let Alice have so many passkeys."""
    with server.db() as db:
        person = db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one()
        about = ABOUT | {"public_key": b"", "created_at": now(db)}
        for count in range(number):
            db.add(Passkey(credential_id=f"{count:04}", beneficiary=person, **about))


def sign_in(server, key, page=None, then=None, **bent):
    """The answer to a passkey on the sign-in page."""
    page = page or server.get("/sign-in")
    form = form_with(page, "credential")
    form["credential"] = key.get(options(server, SIGN_IN, page), **bent)
    return form.submit(status="*")


def signed_in(server):
    return server.get("/connections", status="*").status_int == 200


def events(server, *names):
    with server.db() as db:
        return db.scalars(select(AuditEvent).where(AuditEvent.event.in_(names)).order_by(AuditEvent.id)).all()


def rows(server, model):
    with server.db() as db:
        return db.scalars(select(model)).all()


class TestAPersonWithAPasskey:
    @pytest.mark.parametrize("algorithm", [ES256, EdDSA, RS256])
    def test_signs_in_without_a_user_name_or_a_password(self, server, algorithm):
        key = added(server, Authenticator(algorithm))
        assert not signed_in(server)
        assert sign_in(server, key).location.endswith("/connections")
        assert "Alice" in server.get("/connections").text
        (_password, passkey) = events(server, "account.signed_in")
        assert passkey.details["method"] == "passkey"

    def test_comes_back_to_exactly_the_request_of_the_app(self, server):
        key = known(server)
        page = server.get("/v2/o/authorize", server.authorization_request("openid", prompt="login")).follow().follow()
        page = sign_in(server, key, page).follow()
        assert redeem(server, answer(page))["scope"] == "openid"

    def test_is_a_fresh_sign_in_for_an_app_that_asks_for_one(self, server):
        key = known(server)
        sign_in(server, key)
        earlier(server, BrowserSession, "authenticated_at", hours=1)
        page = server.get("/v2/o/authorize", server.authorization_request("openid", max_age="60")).follow().follow()
        assert sign_in(server, key, page).follow().status_int == 200

    def test_gets_a_new_session_id(self, server):
        key = known(server)
        page = server.get("/sign-in")
        before = dict(server.cookies)["beneficiary"]
        sign_in(server, key, page)
        assert dict(server.cookies)["beneficiary"] != before

    def test_is_not_held_up_by_wrong_passwords(self, server):
        key = known(server)
        form = server.get("/sign-in").forms[0]
        form["username"], form["password"] = "alice", "wrong"
        for _ in range(11):
            paused = form.submit("answer", value="sign-in", status="*").status_int
        assert paused == 429
        assert sign_in(server, key).status_int == 303

    def test_whose_record_is_closed_is_told_so(self, server):
        key = known(server)
        with server.db() as db:
            closing.close(db, ALICE)
        refused = sign_in(server, key)
        assert refused.status_int == 403
        assert "Your account here is closed" in refused.text
        assert not signed_in(server)

    def test_removes_it_and_it_opens_nothing_any_more(self, server):
        key = known(server)
        sign_in(server, key)
        page = form_with(server.get(PAGE), "passkey").submit("answer", value="remove").follow()
        assert "The passkey was removed" in page.text
        assert events(server, "passkey.removed")[0].details == {"by": "beneficiary"}
        server.reset()
        assert sign_in(server, key).status_int == 403

    def test_sees_it_by_its_name_which_is_only_text(self, server):
        server.sign_in()
        add(server, name="  <b>My\x00 phone</b>\n" + "x" * 100)
        (kept,) = rows(server, Passkey)
        assert kept.name == ("<b>My phone</b> " + "x" * 100)[: passkeys.MOST_NAME]
        assert "<b>My phone" not in server.get(PAGE).text

    def test_cannot_remove_somebody_elses(self, server):
        known(server)
        server.sign_in("bob")
        add(server)
        form = form_with(server.get(PAGE), "passkey")
        for number in (str(rows(server, Passkey)[0].id), "", "x", "9" * 30, "²"):
            form["passkey"] = number
            form.submit("answer", value="remove", status=303)
        assert len(rows(server, Passkey)) == 2


class TestAddingOne:
    def test_needs_a_recent_sign_in_or_the_password_again(self, server):
        server.sign_in()
        page = server.get(PAGE)
        earlier(server, BrowserSession, "authenticated_at", seconds=601)
        options(server, PAGE, page, status=404)
        page = server.get(PAGE)
        assert not any("credential" in form.fields for form in page.forms.values())
        form = form_with(page, "current")
        form["current"] = "wrong"
        page = form.submit("answer", value="confirm", status=403)
        assert "This is not your password" in page.text
        form = form_with(page, "current")
        form["current"] = PASSWORD
        form.submit("answer", value="confirm", status=303)
        assert add(server).location.endswith("done=added")

    def test_needs_the_password_as_often_as_a_sign_in_does_and_no_oftener(self, server):
        server.sign_in()
        earlier(server, BrowserSession, "authenticated_at", seconds=601)
        form = form_with(server.get(PAGE), "current")
        form["current"] = "wrong"
        answers = [form.submit("answer", value="confirm", status="*").status_int for _ in range(11)]
        assert answers == [403] * 10 + [429]

    def test_may_be_confirmed_with_another_passkey(self, server):
        key = known(server)
        sign_in(server, key)
        earlier(server, BrowserSession, "authenticated_at", seconds=601)
        assert sign_in(server, key, server.get(PAGE)).location.endswith(PAGE)
        assert add(server).location.endswith("done=added")

    def test_is_no_business_of_who_is_not_signed_in(self, server):
        page = server.get("/sign-in")
        options(server, PAGE, page, status=404)
        token = page.forms[0]["csrf_token"].value
        for act in ("add", "remove", "decline", "confirm"):
            assert server.post(PAGE, {"csrf_token": token, "answer": act}, status=303).location.endswith("/sign-in")
        assert server.get(PAGE, status=303).location.endswith("/sign-in")
        assert rows(server, Passkey) == []

    def test_asks_for_a_key_that_is_found_without_a_name_and_knows_its_person(self, server):
        server.sign_in()
        asked = json.loads(options(server, PAGE, server.get(PAGE)))
        assert asked["rp"] == {"id": "localhost", "name": "Blue Button"}
        assert asked["authenticatorSelection"]["residentKey"] == "required"
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        assert asked["attestation"] == "none"
        assert [each["alg"] for each in asked["pubKeyCredParams"]] == [-8, -7, -257]
        assert asked["user"]["id"] not in ("", "alice")
        with server.db() as db:
            person = db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one()
            assert asked["user"]["id"] == person.passkey_handle
            assert person.passkey_handle != person.sub

    def test_names_those_that_are_there_so_that_no_device_makes_a_second(self, server):
        server.sign_in()
        key = Authenticator()
        add(server, key)
        asked = json.loads(options(server, PAGE, server.get(PAGE)))
        assert [(each["id"], each["transports"]) for each in asked["excludeCredentials"]] == [
            (bytes_to_base64url(key.id), ["internal"])
        ]
        assert add(server, key, status=400).status_int == 400
        assert len(rows(server, Passkey)) == 1

    def test_ends_at_ten(self, server):
        server.sign_in()
        page = server.get(PAGE)
        form = form_with(page, "credential")
        give(server, passkeys.MOST)
        assert "You have 10 passkeys" in server.get(PAGE).text
        form["credential"] = Authenticator().create(options(server, PAGE, page))
        assert form.submit(status=400).status_int == 400
        assert len(rows(server, Passkey)) == passkeys.MOST

    def test_takes_no_key_that_is_not_right(self, server):
        server.sign_in()
        page = server.get(PAGE)
        for bend in WRONG_KEYS:
            assert "The passkey was not added" in add(server, bend=bend, page=page, status="*").text, bend
        assert rows(server, Passkey) == []


class TestAnAnswer:
    def test_that_is_not_right_opens_nothing(self, server):
        key = known(server)
        page = server.get("/sign-in")
        for bend in WRONG_ANSWERS:
            assert "We could not sign you in with this passkey" in sign_in(server, key, page, **bend).text, bend
        assert not signed_in(server)
        assert sign_in(server, key).status_int == 303

    def test_that_is_no_answer_opens_nothing(self, server):
        for username, path, status in (("alice", PAGE, 400), (None, "/sign-in", 403)):
            server.sign_in(username) if username else server.reset()
            form = form_with(server.get(path), "credential")
            for text in (
                "",
                "null",
                "[]",
                "{}",
                "[" * 3_000,
                '{"id": "a", "rawId": "a", "type": "public-key"}',
                "\x00",
                "é",
            ):
                form["credential"] = text
                form.submit(status=status)

    def test_with_odd_members_opens_nothing(self, server):
        key = known(server)
        page = server.get("/sign-in")
        good = json.loads(key.get(options(server, SIGN_IN, page)))
        form = form_with(page, "credential")
        for odd in (None, 1, "é\x00", [], "A" * 5_000):
            for name in ("id", "rawId", "type", "response"):
                form["credential"] = json.dumps(good | {name: odd})
                form.submit(status=403)
            for name in good["response"].keys() - {"transports"}:
                form["credential"] = json.dumps(good | {"response": good["response"] | {name: odd}})
                form.submit(status=403)

    def test_of_another_persons_passkey_signs_in_that_person_only(self, server):
        alice, bob = known(server), known(server, BOB)
        assert sign_in(server, alice, user_handle=bob.user_handle).status_int == 403
        sign_in(server, bob)
        assert "Bob" in server.get("/connections").text

    def test_in_another_browser_is_refused(self, server):
        key = known(server)
        page = server.get("/sign-in")
        stolen = key.get(options(server, SIGN_IN, page))
        thief = another_browser(server)
        form = form_with(thief.get("/sign-in"), "credential")
        form["credential"] = stolen
        assert form.submit(status=403)
        assert not signed_in(thief)

    def test_is_right_for_ten_minutes_and_its_challenge_is_swept(self, server):
        key = known(server)
        page = server.get("/sign-in")
        form = form_with(page, "credential")
        form["credential"] = key.get(options(server, SIGN_IN, page))
        assert len(rows(server, PasskeyChallenge)) == 1
        earlier(server, PasskeyChallenge, "expires_at", seconds=601)
        form.submit(status=403)
        assert sweep(server.engine, server.settings)["passkey_challenge"] == 1

    def test_to_a_challenge_for_signing_in_adds_nothing(self, server):
        """Who has a session for long would else get a challenge for a new key there."""
        server.sign_in()
        page = server.get(PAGE)
        asked = json.loads(options(server, PAGE, page)) | {
            "challenge": json.loads(options(server, SIGN_IN, page))["challenge"]
        }
        form = form_with(page, "credential")
        form["credential"] = Authenticator().create(json.dumps(asked))
        form.submit(status=400)

    def test_of_two_keys_that_were_one_is_refused_and_on_record(self, server):
        """WebAuthn, 6.1.1: the count of signatures went back, or stood still."""
        key = known(server)
        for count, status in ((5, 303), (5, 403), (4, 403), (0, 403), (6, 303)):
            server.reset()
            assert sign_in(server, key, count=count).status_int == status
        assert [event.details["reason"] for event in events(server, "account.refused")] == ["counter"] * 3
        assert all(event.beneficiary_id for event in events(server, "account.refused"))
        (kept,) = rows(server, Passkey)
        assert kept.sign_count == 6

    def test_tells_that_the_key_is_now_on_other_devices_too(self, server):
        key = added(server, Authenticator(flags=PRESENT | VERIFIED | ELIGIBLE))
        assert rows(server, Passkey)[0].backed_up is False
        sign_in(server, key, flags=SYNCED)
        (kept,) = rows(server, Passkey)
        assert (kept.backup_eligible, kept.backed_up) == (True, True)

    def test_may_be_wrong_as_often_as_the_address_may_be(self):
        server = ConsentServer(*BUILT_IN, settings={"bb2.limit_sign_in_address": "3 per 15 minutes"})
        server.extra_environ["REMOTE_ADDR"] = "192.0.2.7"
        key = known(server)
        for _ in range(5):
            assert sign_in(server, key).status_int == 303
            server.reset()
        answers = [sign_in(server, Authenticator(), user_handle=b"x").status_int for _ in range(4)]
        assert answers == [403, 403, 403, 429]


class TestAForgottenPassword:
    def test_takes_the_passkeys_along_and_says_so_before(self):
        server = ready(ConsentServer(*BUILT_IN, records=PEOPLE))
        key = known(server)
        page = recognized(server)
        assert "It also removes your passkeys" in page.text
        choose(page).follow()
        assert [event.details for event in events(server, "passkey.removed")] == [{"by": "recovery"}]
        server.reset()
        assert sign_in(server, key).status_int == 403
        assert "It also removes your passkeys" not in recognized(server).text


class TestAtOnce:
    """On both databases: of two requests at the same moment one counts."""

    def test_one_answer_signs_in_once(self, either_server):
        server = either_server
        key = known(server)
        page = server.get("/sign-in")
        form = form_with(page, "credential")
        form["credential"] = key.get(options(server, SIGN_IN, page))
        fields, cookie = dict(form.submit_fields()), dict(server.cookies)["beneficiary"]
        with ThreadPoolExecutor() as threads:
            sent = [threads.submit(_post, server, SIGN_IN, fields, cookie) for _ in range(4)]
        answers = sorted(each.result() for each in sent)
        assert answers[0] == 303
        assert 303 not in answers[1:]

    def test_nobody_gets_more_than_ten(self, either_server):
        server = either_server
        server.sign_in()
        give(server, passkeys.MOST - 1)
        page = server.get(PAGE)
        cookie = dict(server.cookies)["beneficiary"]
        sent = []
        for _ in range(3):
            form = form_with(page, "credential")
            form["credential"] = Authenticator().create(options(server, PAGE, page))
            sent.append(dict(form.submit_fields()))
        with ThreadPoolExecutor() as threads:
            answers = [threads.submit(_post, server, PAGE, fields, cookie) for fields in sent]
        assert sorted(each.result() for each in answers) == [303, 400, 400]
        assert len(rows(server, Passkey)) == passkeys.MOST

    def test_a_credential_id_is_one_persons_only(self, either_server):
        server, key = either_server, Authenticator()
        added(server, key)
        server.sign_in("bob")
        add(server, key, status=400)
        (kept,) = rows(server, Passkey)
        with server.db() as db:
            assert db.get(Beneficiary, kept.beneficiary_id).patient == ALICE


def _post(server, path, fields, cookie):
    headers = {"Cookie": f"beneficiary={cookie}"}
    return another_browser(server).post(path, fields, headers=headers, status="*").status_int


class TestTheOffer:
    def test_stands_on_the_connections_of_who_has_none(self, server):
        server.sign_in()
        assert "Sign in faster next time" in server.get("/connections").text
        add(server)
        assert "Sign in faster next time" not in server.get("/connections").text

    def test_goes_for_good_when_the_person_says_so(self, server):
        server.sign_in()
        page = server.get("/connections")
        form = next(form for form in page.forms.values() if form.action == PAGE)
        assert form.submit("answer", value="decline").location.endswith("/connections")
        server.sign_in()
        assert "Sign in faster next time" not in server.get("/connections").text
        assert "Add a passkey" in server.get(PAGE).text
        assert len(events(server, "passkey.declined")) == 1

    def test_is_hidden_until_a_script_knows_that_it_works(self, server):
        assert server.get("/sign-in").html.find(attrs={"data-passkey": "sign-in"}).has_attr("hidden")
        server.sign_in()
        assert server.get("/connections").html.find(attrs={"data-passkey": "offer"}).has_attr("hidden")
        page = server.get(PAGE).html
        assert page.find(attrs={"data-passkey": "add"}).has_attr("hidden")
        assert not page.find(attrs={"data-passkey": "unable"}).has_attr("hidden")

    def test_is_not_made_where_an_address_has_no_name(self):
        settings = {"bb2.base_url": "http://[::1]:8000", "bb2.scopes": "those of the test"}
        assert passkeys.RelyingParty.of(Settings.read(settings, {})) is None
        settings["bb2.base_url"] = "http://127.0.0.1:8000"
        server = ConsentServer(*BUILT_IN, settings=settings)
        server.extra_environ["HTTP_HOST"] = "127.0.0.1:8000"
        page = server.get("/sign-in")
        assert "passkey" not in page.text
        options(server, SIGN_IN, page, status=404)
        token = page.forms[0]["csrf_token"].value
        server.post(SIGN_IN, {"csrf_token": token, "credential": "{}"}, status=404)

    def test_is_not_made_at_another_name_of_a_developers_machine(self, server):
        server.extra_environ["HTTP_HOST"] = "127.0.0.1"
        assert "passkey" not in server.get("/sign-in").text

    @pytest.mark.parametrize(
        ("base_url", "id", "origin"),
        [
            ("https://BB2.example:443", "bb2.example", "https://bb2.example"),
            ("https://bb2.example:8443", "bb2.example", "https://bb2.example:8443"),
            ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ],
    )
    def test_is_made_for_the_host_of_the_servers_address(self, base_url, id, origin):
        settings = {"bb2.base_url": base_url, "bb2.scopes": "those of the test"}
        party = passkeys.RelyingParty.of(Settings.read(settings, {}))
        assert (party.id, party.origin) == (id, origin)
