"""My account: what a person sees and changes of their own sign-in, and what nobody else can."""

import pytest
from sqlalchemy import select

from bb2.identity.builtin import add_account, is_password
from bb2.identity.questions import is_answer
from bb2.models import Account, AuditEvent, Beneficiary, BrowserSession, Recovery
from bb2.testing import ALICE, PASSWORD, ConsentServer
from built_in import BUILT_IN
from oauth.steps import another_browser
from test_trouble import NEW, PEOPLE, form_with, question, ready, sign_in, signed_in

PAGES = ("/account", "/account/email", "/account/password", "/account/question")


@pytest.fixture
def server():
    server = ready(ConsentServer(*BUILT_IN, records=PEOPLE))
    sign_in(server, PASSWORD)
    return server


def fill(server, path, **fields):
    """The answer to the form of a page with these fields filled in."""
    form = form_with(server.get(path), next(iter(fields)))
    for name, value in fields.items():
        form[name] = value
    return form.submit(status="*")


def change_password(server, current=PASSWORD, password=NEW, again=NEW):
    return fill(server, "/account/password", current=current, password=password, again=again)


def sign_out_everywhere(server):
    forms = server.get("/account").forms.values()
    return next(form for form in forms if form.action.endswith("/sign-out-everywhere")).submit()


def account(server):
    with server.db() as db:
        return db.get(Account, "alice")


def events(server):
    """What happened after the sign-in: [(event, details)]."""
    with server.db() as db:
        return [(event.event, event.details) for event in db.scalars(select(AuditEvent).order_by(AuditEvent.id))][1:]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_for_somebody_who_is_not_signed_in(server, path):
    stranger = another_browser(server)
    assert stranger.get(path).location.endswith("/sign-in")
    token = stranger.get("/sign-in").forms[0]["csrf_token"].value
    for posted in {path, "/account/sign-out-everywhere"} - {"/account"}:
        assert stranger.post(posted, {"csrf_token": token, "remove": "yes"}).location.endswith("/sign-in")
    assert signed_in(server)


def test_the_page_says_who_signs_in_and_is_one_click_from_the_others(server):
    for path in "/", "/connections":
        page = server.get(path).click("^My account$")
    text = page.html.main.get_text(" ", strip=True)
    assert "Your user name is alice" in text
    assert "What was the name of your first pet?" in text
    assert "My connected apps" in text


def test_the_page_shows_the_last_sign_ins_of_this_person_alone(server):
    sign_in(another_browser(server), PASSWORD, "bob")
    page = server.get("/v2/o/authorize", server.authorization_request("openid", prompt="login")).follow().follow()
    page.forms[0]["username"], page.forms[0]["password"] = "alice", PASSWORD
    page.forms[0].submit("answer", value="sign-in")
    shown = [item.get_text(" ", strip=True) for item in server.get("/account").html.main.find_all("li")]
    assert len(shown) == 2
    assert shown[0].endswith(", for The App")
    assert shown[1].endswith(", in a browser that was new to us")


class TestTheEmailAddress:
    def test_is_saved_changed_and_taken_away(self, server):
        for typed, kept in ((" ana@Example.COM", "ana@example.com"), ("josé@example.com", "josé@example.com")):
            assert "is saved" in fill(server, "/account/email", email=typed).follow().text
            assert kept in server.get("/account").text
        form = form_with(server.get("/account/email"), "remove")
        assert "is removed" in form.submit("remove").follow().text
        with server.db() as db:
            assert set(db.scalars(select(Beneficiary.email))) == {None}
        assert events(server) == [("account.email_changed", {})] * 3

    @pytest.mark.parametrize("typed", ["", "ana", "ana@", "a b@example.com", "ana@example.com\nBcc: x@example.com"])
    def test_that_is_none_is_not_saved(self, server, typed):
        page = fill(server, "/account/email", email=typed)
        assert page.status_int == 422
        assert page.html.find(id="problem")
        assert events(server) == []


class TestTheLanguage:
    def test_of_notices_is_that_of_the_last_sign_in(self, server):
        for path, language in (("/sign-in?lang=es", "es"), ("/sign-in?lang=en", "en")):
            server.get(path)
            sign_in(server, PASSWORD)
            with server.db() as db:
                assert db.scalar(select(Beneficiary.language).where(Beneficiary.patient == ALICE)) == language


class TestTheNewPassword:
    def test_ends_every_other_session_and_every_way_back_that_was_begun(self, server):
        elsewhere, another_way = another_browser(server), another_browser(server)
        sign_in(elsewhere, PASSWORD)
        question(another_way)
        before = server.cookies["beneficiary"]
        assert "Your password is changed" in change_password(server).follow().text
        assert server.cookies["beneficiary"] != before
        assert signed_in(server)
        assert not signed_in(elsewhere)
        with server.db() as db:
            assert db.scalars(select(Recovery)).all() == []
        assert sign_in(elsewhere, PASSWORD).status_int == 403
        assert events(server)[-2] == ("account.password_changed", {"by": "password"})

    def test_leaves_this_browser_known(self, server):
        change_password(server)
        server.post("/sign-out", {"csrf_token": form_with(server.get("/account/email"), "email")["csrf_token"].value})
        sign_in(server, NEW)
        assert events(server)[-1] == ("account.signed_in", {"new_browser": False})

    def test_needs_the_one_before_and_is_counted_as_a_sign_in_is(self, server):
        form = form_with(server.get("/account/password"), "current")
        form["current"], form["password"], form["again"] = "wrong", NEW, NEW
        statuses = [form.submit(status="*").status_int for _ in range(11)]
        assert statuses == [403] * 10 + [429]
        assert is_password(account(server).password_hash, PASSWORD)
        assert "You are still signed in" in change_password(server).text
        assert sign_in(another_browser(server), PASSWORD).status_int == 303

    def test_must_be_hard_to_guess_and_typed_twice(self, server):
        for password, again in (("short", "short"), ("password1", "password1"), (NEW, "another")):
            page = change_password(server, password=password, again=again)
            assert page.status_int == 422
            assert PASSWORD not in page.text
            assert password not in page.text

    def test_is_that_of_the_account_whose_password_was_typed(self, server):
        with server.db() as db:
            add_account(db, username="ally", password="another of hers", patient=ALICE, given_name="A", family_name="D")
        assert change_password(server, current="another of hers").status_int == 303
        assert is_password(account(server).password_hash, PASSWORD)
        assert sign_in(server, NEW, "ally").status_int == 303


class TestTheSecretQuestion:
    def test_is_chosen_with_the_password(self, server):
        fields = {"question": "first-car", "answer": "Escarabajo", "current": "wrong"}
        assert fill(server, "/account/question", **fields).status_int == 403
        assert account(server).secret_question == "first-pet"
        page = fill(server, "/account/question", **fields | {"current": PASSWORD}).follow()
        assert "What was your first car?" in page.text
        assert is_answer(account(server).secret_answer_hash, "escarabajo")
        assert events(server)[-1] == ("account.question_changed", {})

    def test_that_is_changed_ends_every_way_back_that_was_begun(self, server):
        question(another_browser(server))
        fill(server, "/account/question", question="first-car", answer="Escarabajo", current=PASSWORD)
        with server.db() as db:
            assert db.scalars(select(Recovery)).all() == []

    def test_needs_an_answer_and_is_one_of_those_that_are_offered(self, server):
        page = server.get("/account/question?lang=es")
        assert "¿Cuál fue su primer auto?" in page.text
        sent = dict(form_with(page, "answer").submit_fields()) | {"current": PASSWORD}
        for wrong in ({"answer": "ab"}, {"answer": "abc", "question": "another"}):
            assert server.post("/account/question", sent | wrong, status="*").status_int == 422
        assert account(server).secret_question == "first-pet"


class TestSigningOutEverywhere:
    def test_ends_every_session_of_the_person_and_of_nobody_else(self, server):
        elsewhere, bobs = another_browser(server), another_browser(server)
        sign_in(elsewhere, PASSWORD)
        sign_in(bobs, PASSWORD, "bob")
        assert "You are signed out everywhere" in sign_out_everywhere(server).text
        assert [signed_in(browser) for browser in (server, elsewhere, bobs)] == [False, False, True]
        with server.db() as db:
            assert len(db.scalars(select(BrowserSession).where(BrowserSession.beneficiary_id.is_not(None))).all()) == 1

    def test_leaves_what_apps_may_see_and_the_browsers_that_are_known(self, server):
        token = another_browser(server).grant("patient/Coverage.read")
        sign_out_everywhere(server)
        server.fhir("Coverage", token)
        sign_in(server, PASSWORD)
        assert events(server)[-1] == ("account.signed_in", {"new_browser": False})
