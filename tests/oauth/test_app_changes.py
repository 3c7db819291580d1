"""What becomes of consents, tokens and secrets when an app's registration changes, on both databases."""

from datetime import timedelta

import pytest

from bb2.clock import now
from bb2.models import Beneficiary, Client, ClientLogo
from bb2.oauth import client_ends, clients
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import set_logo
from bb2.testing import answer_of
from databases import statements
from oauth.steps import (
    EVERYTHING,
    LESS,
    another_app,
    another_browser,
    answer,
    change_app,
    consents_of,
    newest_connection,
    opens,
    redeem,
)
from pictures import picture

COVERAGE = "patient/Coverage.read"
WITHOUT = [name for name in EVERYTHING.split() if name != COVERAGE]


@pytest.fixture
def server(server):
    """The shared server, with an app of the test's own."""
    return another_app(server)


def change(server, **values):
    """As `bb2 client set` and the developer's form change an app."""
    with server.db() as db:
        clients.change_client(db, server.scopes, clients.lock_client(db, server.client_id), **values)


def asks_for(server, *names):
    change(server, scopes=list(names))


def app_of(server):
    with server.db() as db:
        return db.get(Client, server.client_id)


def scopes_of(server, token):
    form = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    return set(server.post("/v2/o/introspect/", form).json.get("scope", "").split())


class TestWhatWasTakenAwayAndGivenBack:
    def test_a_scope_stays_away_from_consents_of_before_whoever_asks(self, server):
        token = server.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        assert opens(server, token) == 403
        asks_for(server, *WITHOUT, COVERAGE)
        refused = server.fhir("Coverage", token, status=403)
        assert "The app gave this up after the beneficiary had agreed" in refused.text
        assert COVERAGE not in scopes_of(server, token)
        refreshed = server.refresh(token)
        assert COVERAGE not in refreshed["scope"].split()
        assert opens(server, refreshed) == 403
        assert opens(server, refreshed, "fhir/Patient") == 200  # of what it kept, nothing is lost

    def test_the_person_reads_that_the_app_cannot_see_it(self, server):
        server.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        asks_for(server, *WITHOUT, COVERAGE)
        main = server.get(newest_connection(server)).html.find("main").get_text(" ")
        can, cannot = main.index("can see"), main.index("cannot see")
        assert "Your Medicare coverage" not in main[can:cannot]
        assert "Your Medicare coverage" in main[cannot:]

    def test_a_new_consent_brings_it(self, server):
        server.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        asks_for(server, *WITHOUT, COVERAGE)
        assert opens(server, server.grant(EVERYTHING)) == 200

    def test_so_it_is_with_who_the_person_is(self, server):
        token = server.grant(EVERYTHING)
        change(server, asks_demographic=False)
        change(server, asks_demographic=True)
        refused = server.fhir("Patient", token, status=403)
        assert "gave this up" in refused.text
        assert opens(server, token, "connect/userinfo") == 403
        assert set(server.refresh(token)["scope"].split()) == set(LESS.split())
        assert opens(server, server.grant(EVERYTHING), "fhir/Patient") == 200

    def test_a_yes_on_a_page_of_before_does_not_bring_it(self, server):
        page = server.consent_page(EVERYTHING)
        asks_for(server, *WITHOUT)
        redirect = answer(page)
        asks_for(server, *WITHOUT, COVERAGE)
        assert opens(server, redeem(server, redirect)) == 403

    def test_it_stays_away_when_the_app_changes_once_more(self, server):
        token = server.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        asks_for(server, *WITHOUT, COVERAGE)
        asks_for(server, COVERAGE, *WITHOUT)
        change(server, name="Renamed", asks_demographic=True)
        assert opens(server, token) == 403

    def test_nobody_elses_app_loses_anything(self, server):
        other = another_app(server)
        token = other.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        asks_for(server, *WITHOUT, COVERAGE)
        assert opens(other, token) == 200


@pytest.mark.either_database
class TestAnotherSpelling:
    def test_is_neither_more_nor_less(self, server):
        token = server.grant(EVERYTHING)
        asks_for(server, *WITHOUT, "patient/Coverage.rs")
        assert opens(server, token) == 200
        asks_for(server, *WITHOUT, COVERAGE)
        assert opens(server, token) == 200
        assert app_of(server).scopes_since is None

    def test_of_less_that_becomes_more_again_brings_back_no_more_than_the_less(self, server):
        token = server.grant(f"openid {COVERAGE}")
        asks_for(server, "openid", "patient/Coverage.r")
        asks_for(server, "openid", "patient/Coverage.rs")
        assert opens(server, token) == 403

    def test_does_not_make_what_came_later_older(self, server):
        token = server.grant(EVERYTHING)
        asks_for(server, *WITHOUT)
        asks_for(server, *WITHOUT, COVERAGE)
        asks_for(server, *WITHOUT, "patient/Coverage.rs")
        assert opens(server, token) == 403


def test_to_widen_an_app_costs_as_many_statements_with_many_consents_as_with_none(server):
    asks_for(server, *WITHOUT)
    cost = []
    for person in ("nobody", "alice", "bob"):
        if person != "nobody":
            another_browser(server).grant("openid", username=person)
        asks_for(server, *WITHOUT)
        with statements(server.engine) as seen:
            asks_for(server, *WITHOUT, COVERAGE)
        cost.append(len(seen))
    assert cost[0] == cost[1] == cost[2] <= 4


@pytest.mark.either_database
def test_what_an_app_has_of_a_plugin_that_is_gone_stays_when_it_is_changed(server):
    change_app(server, scopes=["gone", "openid"])
    asks_for(server, "gone", "openid", COVERAGE)
    assert app_of(server).scopes == ["gone", "openid", COVERAGE]
    with pytest.raises(ClientError, match="unknown scopes"):
        asks_for(server, "openid", "never/there")


@pytest.mark.either_database
class TestANewSecret:
    @pytest.fixture
    def server(self, make_server):
        """One of their own: it counts the secrets that are wrong."""
        return make_server()

    def rotate(self, server, hours=24):
        with server.db() as db:
            return clients.rotate_secret(db, clients.lock_client(db, server.client_id), timedelta(hours=hours))

    def accepts(self, server, secret):
        form = {"token": "none", "client_id": server.client_id, "client_secret": secret}
        return server.post("/v2/o/introspect/", form, status="*").status_int == 200

    def test_counts_beside_the_one_before_until_its_time_is_over(self, server):
        old, new = server.client_secret, self.rotate(server)
        assert self.accepts(server, old)
        assert self.accepts(server, new)
        assert server.grant("openid")  # with the old one
        with server.db() as db:
            db.get(Client, server.client_id).previous_secret_ends_at = now(db)
        assert not self.accepts(server, old)
        assert self.accepts(server, new)

    def test_stops_the_one_before_at_once_where_no_overlap_is_asked_for(self, server):
        old, new = server.client_secret, self.rotate(server, hours=0)
        assert (self.accepts(server, old), self.accepts(server, new)) == (False, True)

    def test_leaves_two_at_most(self, server):
        secrets = [server.client_secret, self.rotate(server), self.rotate(server)]
        assert [self.accepts(server, secret) for secret in secrets] == [False, True, True]

    def test_costs_no_statement_when_the_old_one_is_shown(self, server):
        old, new, cost = server.client_secret, self.rotate(server), []
        for secret in new, old:
            with statements(server.engine) as seen:
                assert self.accepts(server, secret)
            cost.append(len(seen))
        assert cost[0] == cost[1]

    @pytest.mark.parametrize("otherwise", ["public", "keys", "secret"])
    def test_goes_with_the_one_before_when_the_app_proves_itself_otherwise(self, server, otherwise):
        secrets = [server.client_secret, self.rotate(server)]
        with server.db() as db:
            client = clients.lock_client(db, server.client_id)
            if otherwise == "public":
                clients.set_public(client)
            elif otherwise == "keys":
                clients.set_keys(client, jwks_uri="https://app.example/jwks.json")
            else:
                clients.give_secret(client)
        assert [self.accepts(server, secret) for secret in secrets] == [False, False]


class TestADeletedApp:
    @pytest.fixture
    def server(self, make_server):
        """One that has no other app."""
        return make_server()

    @pytest.fixture
    def tokens(self, server):
        """Of Alice, who gets mail, and of Bob."""
        with server.db() as db:
            db.query(Beneficiary).filter_by(given_name="Alice").one().email = "alice@example.com"
            client = db.get(Client, server.client_id)
            set_logo(db, client, picture())
            client.privacy_policy, client.support_email = "https://app.example/privacy", "us@app.example"
        bob = another_browser(server).grant(EVERYTHING, username="bob")
        tokens = [bob, server.grant(EVERYTHING)]
        server.pending = answer(server.consent_page("openid"))
        server.mails()
        return tokens

    def delete(self, server):
        with server.db() as db:
            client_ends.delete_client(db, clients.lock_client(db, server.client_id))

    def test_gets_nothing_more(self, server, tokens):
        self.delete(server)
        for token in tokens:
            assert opens(server, token) == 401
            assert server.refresh(token, status=401)["error"] == "invalid_client"
        assert redeem(server, server.pending, status=401)["error"] == "invalid_client"
        assert {consent.revoked_by for consent in consents_of(server)} == {"client"}
        assert server.get("/v2/o/authorize", server.authorization_request(), status=400)
        assert server.get("/.well-known/applications").json == []
        change_app(server, disabled_at=None)  # the consents have ended, and not the app alone
        assert [opens(server, token) for token in tokens] == [401, 401]

    def test_leaves_its_people_their_history_and_tells_them(self, server, tokens):
        self.delete(server)
        (mail,) = server.mails()
        assert mail["To"] == "alice@example.com"
        assert "The App" in mail["Subject"]
        assert "The app ended the connection" in server.get("/connections").text
        assert "The App" in server.get(f"/connections/{consents_of(server)[1].id}").text
        assert "The App" in server.get("/connections/receipts").text
        client = app_of(server)
        gone = ("secret_hash", "previous_secret_hash", "jwks", "jwks_uri", "logo", "support_email", "support_phone")
        assert {getattr(client, name) for name in gone} == {None}
        assert (client.redirect_uris, client.privacy_policy) == ([], "https://app.example/privacy")
        with server.db() as db:
            assert db.get(ClientLogo, server.client_id) is None

    def test_leaves_its_name_to_another_and_other_apps_alone(self, server):
        for _time in range(2):
            self.delete(server)
            server = another_app(server, name="the app")
        token = server.grant("openid")
        self.delete(another_app(server))
        assert server.refresh(token)


@pytest.mark.either_database
@pytest.mark.parametrize("alike", ["THE APP", "the  app", "Ｔｈｅ Ａｐｐ", "𝐓𝐡𝐞 𝐀𝐩𝐩", "The\ufe0f A\u034fpp"])
def test_no_two_apps_have_a_name_that_reads_alike(shared_server, alike):
    with pytest.raises(ClientError, match="another app is called"):
        another_app(shared_server, name=alike)


@pytest.mark.either_database
@pytest.mark.parametrize("name", ["", " ", "a\x00b", "a\u202eb", "a\u200bb", "ㅤ", "…", "x" * 81, "a\ud800"])
def test_a_name_that_people_cannot_read_is_none(shared_server, name):
    with pytest.raises(ClientError, match="1 to 80 printable"):
        another_app(shared_server, name=name)


@pytest.mark.either_database
def test_an_app_that_is_switched_off_by_this_service_is_not_switched_on_by_its_developer(server):
    with server.db() as db:
        client = clients.lock_client(db, server.client_id)
        client_ends.switch_off(db, client, client_ends.DEVELOPER)
        client_ends.switch_off(db, client, client_ends.OPERATOR)
        client_ends.switch_off(db, client, client_ends.DEVELOPER)
        with pytest.raises(ClientError, match="only this service"):
            client_ends.switch_on(client, client_ends.DEVELOPER)
        client_ends.switch_on(client, client_ends.OPERATOR)
    assert set(answer_of(answer(server.consent_page("openid")))) >= {"code"}
