"""What changes under a live consent shows at once and everywhere, and the words tell the developer which it was."""

import copy
from dataclasses import replace
from functools import cache
from types import ModuleType

import pytest
from sqlalchemy import func, select, update
from webtest import TestApp

import bb2
from bb2.clock import utcnow
from bb2.identity import closing
from bb2.identity.builtin import DirectoryError
from bb2.models import AuditEvent, Beneficiary, BrowserSession, Consent
from bb2.oauth import consents
from bb2.oauth.clients import add_client
from bb2.scopes import coverage, explanation_of_benefit, hookimpl, offline_access, openid, profile
from bb2.testing import ALICE, BOB, PASSWORD, answer_of
from oauth.steps import (
    another_browser,
    answer,
    change_app,
    consents_of,
    earlier,
    newest_connection,
    opens,
    redeem,
    stop_form,
)
from test_sign_in import sign_in

pytestmark = pytest.mark.either_database

SCOPES = "openid profile offline_access patient/Coverage.read patient/ExplanationOfBenefit.read"
API = ("fhir/Coverage", "fhir/ExplanationOfBenefit/any", "connect/userinfo")


@pytest.fixture
def server(make_server):
    return make_server()


def close(server, patient=ALICE):
    with server.db() as db:
        closing.close(db, patient)


def merge(server, patient=ALICE, into=BOB):
    with server.db() as db:
        closing.merge(db, patient, into)


def stop_sharing(server):
    stop_form(server.get(newest_connection(server) + "/stop")).submit(status=303)


#: How access ends; what the app is told at the API, at a refresh, and when it redeems a code of before.
ENDINGS = {
    "the one hour of a one-time app": (
        {"client": {"access": "one-time"}},
        lambda server: earlier(server, Consent, "expires_at", "granted_at", hours=1, seconds=1),
        "the one-time access of 1 hour that the beneficiary granted has expired",
        "ended before the code was redeemed",
    ),
    "thirteen months": (
        {},
        lambda server: earlier(server, Consent, "expires_at", "granted_at", days=400),
        "the access that the beneficiary granted until 20",
        "ended before the code was redeemed",
    ),
    "the beneficiary": (
        {},
        stop_sharing,
        "the consent was ended by the beneficiary",
        "the beneficiary",
    ),
    "a closed account": ({}, close, "the beneficiary's account was closed", "the beneficiary's account was closed"),
    "a merged record": (
        {},
        merge,
        "the beneficiary's record was merged with another",
        "the beneficiary's record was merged with another",
    ),
}


def api_says(server, token):
    """What each endpoint answers to an access token that is closed."""
    for path in API:
        refused = server.api(path, token, status=401)
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
        said = refused.json
        yield said["issue"][0]["diagnostics"] if "issue" in said else said["error_description"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_each_kind_of_ended_access_answers(make_server, ending):
    options, end, words, _at_the_code = ENDINGS[ending]
    server = make_server(**options)
    token = server.grant(SCOPES)
    end(server)
    for said in api_says(server, token):
        assert words in said
    if "refresh_token" in token:
        refused = server.refresh(token, status=400)
        assert refused["error"] == "invalid_grant"
        assert words in refused["error_description"]
    form = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    assert server.post("/v2/o/introspect/", form).json == {"active": False}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_code_of_before_is_dead_and_says_why(make_server, ending):
    options, end, _at_the_api, words = ENDINGS[ending]
    if ending == "the beneficiary":  # a consent whose code was not redeemed is no connection yet: No, after Back
        server = make_server(**options)
        page = server.consent_page(SCOPES)
        redirect = answer(page)
        answer(page, "no")
        words = "ended before the code was redeemed"
    else:
        server = make_server(**options)
        redirect = answer(server.consent_page(SCOPES))
        end(server)
    refused = redeem(server, redirect, status=400)
    assert refused["error"] == "invalid_grant"
    assert words in refused["error_description"]


def test_a_replaced_consent_says_that_the_newer_answer_counts(server):
    token = server.grant(SCOPES)
    server.grant("patient/Coverage.read")
    for said in api_says(server, token):
        assert "answered anew" in said
    assert "answered anew" in server.refresh(token, status=400)["error_description"]


def test_an_app_that_is_switched_off_is_told_so_everywhere(server):
    token, redirect = server.grant(SCOPES), answer(server.consent_page(SCOPES))
    change_app(server, disabled_at=utcnow())
    for said in api_says(server, token):
        assert "The app is switched off" in said
    for refused in server.refresh(token, status=401), redeem(server, redirect, status=401):
        assert refused["error"] == "invalid_client"
        assert "switched off" in refused["error_description"]


class TestAClosedAccount:
    def test_ends_every_session_of_the_person_and_no_other(self, server):
        phone, bobs = another_browser(server), another_browser(server)
        for browser, name in (server, "alice"), (phone, "alice"), (bobs, "bob"):
            browser.sign_in(name)
        close(server)
        assert [b.get("/connections", status="*").status_int for b in (server, phone, bobs)] == [303, 303, 200]
        with server.db() as db:
            assert db.scalar(select(func.count()).where(BrowserSession.beneficiary_id.is_not(None))) == 1

    def test_leaves_the_page_that_was_open_without_an_answer(self, server):
        page = server.consent_page(SCOPES)
        close(server)
        assert answer(page).status_int == 400
        assert consents_of(server) == []

    def test_opens_nothing_even_where_a_yes_came_at_the_same_moment(self, server):
        token = server.grant(SCOPES)
        close(server)
        with server.db() as db:
            for consent in db.scalars(select(Consent)):
                consent.revoked_at = None
        assert opens(server, token) == 401
        server.refresh(token, status=400)

    @pytest.mark.parametrize(
        ("end", "words"), [(close, "Your account here is closed"), (merge, "Your record has moved")]
    )
    def test_refuses_the_sign_in_with_a_calm_page_and_only_to_its_person(self, server, end, words):
        end(server)
        form = server.get("/v2/o/authorize", server.authorization_request(SCOPES)).follow().follow().forms[0]
        form["username"], form["password"] = "alice", PASSWORD
        page = form.submit("answer", value="sign-in", status=403)
        assert words in page.text
        assert server.settings.support_phone in page.text
        assert "Cancel and go back to The App" in page.click("Sign in").text
        form["password"] = "a wrong password"
        page = form.submit("answer", value="sign-in", status=403)
        assert words not in page.text
        assert server.get("/connections").location.endswith("/sign-in")
        sign_in(server, "bob").follow(status=200)

    def test_that_is_opened_again_lets_the_person_in_and_makes_apps_ask_anew(self, server):
        token = server.grant(SCOPES)
        close(server)
        with server.db() as db:
            closing.reopen(db, ALICE)
        for said in api_says(server, token):
            assert "ended by this service" in said
        sign_in(server).follow(status=200)
        assert opens(server, server.grant(SCOPES)) == 200

    def test_that_is_opened_again_brings_no_session_back(self, server):
        close(server)
        browser = another_browser(server)
        browser.sign_in("bob")
        with server.db() as db:
            alice = db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one()
            db.execute(update(BrowserSession).values(beneficiary_id=alice.id))  # as one that began at that moment
        with server.db() as db:
            closing.reopen(db, ALICE)
        assert browser.get("/connections", status=303).location.endswith("/sign-in")

    def test_that_is_closed_while_the_page_is_answered_is_granted_nothing(self, server, monkeypatch):
        """The page was read before the record was closed; under the lock it is read again."""
        page, lock = server.consent_page(SCOPES), consents.lock

        def late(db, beneficiary_id):
            db.execute(update(Beneficiary).where(Beneficiary.id == beneficiary_id).values(closed_at=utcnow()))
            return lock(db, beneficiary_id)

        monkeypatch.setattr(consents, "lock", late)
        assert answer(page).location == page.request.url
        assert consents_of(server) == []
        server.reset()
        form = server.get("/sign-in").forms[0]
        form["username"], form["password"] = "bob", PASSWORD
        assert "Your account here is closed" in form.submit("answer", value="sign-in", status=403).text

    def test_is_locked_in_one_order_whichever_is_merged_into_which(self, server, monkeypatch):
        locked, lock = [], consents.lock
        monkeypatch.setattr(consents, "lock", lambda db, id: locked.append(id) or lock(db, id))
        for pair in (ALICE, BOB), (BOB, ALICE):
            merge(server, *pair)
            with server.db() as db:
                closing.reopen(db, pair[0])
        first, second = sorted(set(locked))
        assert locked[:2] == locked[3:5] == [first, second]

    def test_changes_nothing_for_others(self, server):
        token = server.grant(SCOPES, username="bob")
        merge(server)
        assert opens(server, token) == 200
        server.refresh(token)

    def test_keeps_its_history(self, server):
        server.grant(SCOPES)
        close(server)
        (consent,) = consents_of(server)
        assert consent.revoked_by == "server"
        with server.db() as db:
            assert "consent.revoked" in [e.event for e in db.scalars(select(AuditEvent))]

    def test_is_refused_where_it_makes_no_sense(self, server):
        merge(server)
        for act in (
            lambda db: closing.merge(db, ALICE, BOB),
            lambda db: closing.merge(db, BOB, ALICE),
            lambda db: closing.merge(db, BOB, BOB),
            lambda db: closing.close(db, ALICE),
            lambda db: closing.close(db, "nobody"),
            lambda db: closing.reopen(db, BOB),
        ):
            with server.db() as db, pytest.raises(DirectoryError):
                act(db)


@cache
def with_plugins(app, *plugins):
    """The application anew, with only these; tests that have one server after the other may share it as they do."""
    named = {f"test:{plugin.__name__}": plugin for plugin in plugins}
    registry = app.registry
    return bb2.make_app(registry["settings"], registry["engine"], named, registry["signing_keys"])


def without(server, *plugins):
    """The same database, served by a server that has only these plugins."""
    other = copy.copy(server)
    other.app = with_plugins(server.app, *plugins)
    other.cookiejar = TestApp(other.app).cookiejar
    return other


class TestAPluginThatIsRemoved:
    def test_closes_what_it_opened_and_nothing_else(self, server):
        token = server.grant(SCOPES)
        after = without(server, openid, profile, explanation_of_benefit)
        assert opens(after, token, "fhir/Coverage") == 404
        assert opens(after, token, "fhir/ExplanationOfBenefit") == opens(after, token, "connect/userinfo") == 200
        assert not any("Coverage" in scope for scope in after.refresh(token)["scope"].split())

    def test_that_was_all_an_app_had_leaves_it_nothing(self, server):
        token = server.grant("patient/Coverage.read")
        after = without(server, openid)
        assert opens(after, token, "fhir/Coverage") == 404
        assert after.refresh(token, status=400)["error"] == "invalid_grant"

    def test_kills_the_code_that_was_for_it_alone(self, server):
        redirect = answer(server.consent_page("patient/Coverage.read"))
        assert redeem(without(server, openid), redirect, status=400)["error"] == "invalid_grant"

    def test_is_not_offered_on_a_page_that_was_asked_for_before(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        after = without(server, openid)
        after.cookiejar = server.cookiejar
        assert "Coverage" not in str(after.get(page.request.path).html.find("main"))

    def test_stands_in_the_persons_list_in_the_words_that_they_agreed_to(self, server):
        server.grant("patient/Coverage.read")
        after = without(server, openid)
        after.sign_in("alice")
        page = after.get(newest_connection(server)).html
        assert "can see none of your health records" in page.get_text()
        assert str(coverage.register_scopes()[0].consent) in page.find("details").get_text()

    def test_that_comes_back_opens_what_was_granted(self, server):
        token = server.grant("patient/Coverage.read")
        assert opens(without(server, openid), token) == 404
        assert opens(without(server, openid, coverage), token) == 200


@cache
def deprecating(*names):
    """The coverage plugin, with these of its scopes deprecated."""

    @hookimpl
    def register_scopes():
        return [replace(scope, deprecated=scope.name in names) for scope in coverage.register_scopes()]

    plugin = ModuleType("deprecating")
    plugin.register_scopes = register_scopes
    return plugin


class TestAScopeThatIsDeprecated:
    ALL = tuple(scope.name for scope in coverage.register_scopes())

    def test_works_until_the_consent_ends(self, server):
        token = server.grant("openid offline_access patient/Coverage.read")
        after = without(server, openid, offline_access, deprecating(*self.ALL))
        assert opens(after, token) == 200
        new = after.refresh(token)
        assert new["scope"] == token["scope"]
        assert opens(after, new) == 200
        assert opens(after, after.refresh(new, scope="patient/Coverage.read")) == 200

    def test_is_not_granted_anew_and_the_answer_says_what_was(self, server):
        after = without(server, openid, deprecating("patient/Coverage.read"))
        after.sign_in("alice")
        token = redeem(after, answer(after.consent_page("openid patient/Coverage.read", username=None)))
        assert token["scope"] == "openid"
        assert opens(after, token) == 403
        refused = after.get("/v2/o/authorize", after.authorization_request("patient/Coverage.read"), status=303)
        assert answer_of(refused)["error"] == "invalid_scope"
        assert "deprecated" in answer_of(refused)["error_description"]

    def test_is_not_in_a_page_that_was_asked_for_before(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        after = without(server, openid, offline_access, deprecating(*self.ALL))
        after.cookiejar = server.cookiejar
        assert redeem(after, answer(after.get(page.request.path)))["scope"] == "openid"

    def test_is_not_advertised(self, server):
        after = without(server, openid, deprecating("patient/Coverage.read"))
        for document in "openid-configuration", "smart-configuration":
            supported = after.get(f"/.well-known/{document}").json["scopes_supported"]
            assert "patient/Coverage.read" not in supported
            assert "patient/Coverage.rs" in supported
        assert "permission-v1" not in after.get("/.well-known/smart-configuration").json["capabilities"]

    def test_is_nothing_that_a_new_app_or_one_that_names_no_scopes_gets(self, server):
        after = without(server, openid, deprecating("patient/Coverage.read"))
        with server.db() as db:
            names = {"name": "A new app", "redirect_uris": [server.redirect_uri]}
            client, _secret = add_client(db, after.app.registry["scopes"], **names)
        assert set(client.scopes) == {"openid", "patient/Coverage.rs"}
        after.sign_in("alice")
        token = redeem(after, answer(after.consent_page(None, username=None)))
        assert "patient/Coverage.read" not in token["scope"].split()
