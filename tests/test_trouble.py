"""Trouble signing in: whoever knows the card and the secret answer comes back, and nobody else learns anything."""

from copy import copy
from functools import partial

import pytest
from sqlalchemy import select

from bb2.identity import closing
from bb2.identity.questions import QUESTIONS, published_answer_hash
from bb2.models import Account, AuditEvent, AuthorizationRequest, BrowserSession, Recovery
from bb2.sweep import sweep
from bb2.testing import ALICE, BOB, PASSWORD, ConsentServer, consent_form
from built_in import BUILT_IN
from databases import statements
from enrolling import ELSEWHERE
from oauth.steps import another_browser, earlier
from oauth.wire import post, together

NUMBER, OTHERS = "1S00A00AA00", "1S00A00AA01"
NOBODYS = "1S00A00AA09"
ANSWER, NEW = "Rex", "plum rocket sofa nine"
TRUE = {"number": NUMBER, "last_name": "Doe", "suffix": "", "born": "2/3/1950"}
UNTRUE = {
    "nobody's number": {"number": NOBODYS},
    "another name": {"last_name": "Dough"},
    "another day": {"born": "2/4/1950"},
    "another suffix": {"suffix": "Sr."},
    "a person without a question": {"number": OTHERS},
}


def patient(id, number, **name):
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": number}],
        "name": [{"family": "Doe", "given": ["Someone"], **name}],
        "birthDate": "1950-02-03",
    }


PEOPLE = {"v2": [patient(ALICE, NUMBER, suffix=["Jr."]), patient(BOB, OTHERS)]}


def ready(server):
    """Alice has a secret question, and Bob, whom an operator gave his sign-in, has none."""
    with server.db() as db:
        alice = db.get(Account, "alice")
        alice.secret_question, alice.secret_answer_hash = "first-pet", published_answer_hash(ANSWER)
    return server


@pytest.fixture
def server():
    return ready(ConsentServer(*BUILT_IN, records=PEOPLE))


def form_with(page, name):
    return next(form for form in page.forms.values() if name in form.fields)


def say_who(server, path="/sign-in/trouble", **told):
    """The answer to the first page."""
    told = TRUE | told
    form = form_with(server.get(path), "last_name")
    for name in "number", "last_name", "suffix":
        form[name] = told[name]
    for part, value in zip(("month", "day", "year"), told["born"].split("/"), strict=True):
        form[f"born-{part}"] = value
    return form.submit(status="*")


def question(server, **told):
    return say_who(server, **told).follow()


def asked(page):
    """The question on a page."""
    return page.html.find("label", attrs={"for": "answer"}).get_text()


def answer(page, text=ANSWER):
    form = form_with(page, "answer")
    form["answer"] = text
    return form.submit(status="*")


def recognized(server, **options):
    return answer(question(server, **options)).follow()


def choose(page, password=NEW, again=None):
    form = form_with(page, "password")
    form["password"], form["again"] = password, again or password
    return form.submit(status="*")


def sign_in(server, password, username="alice"):
    form = server.get("/sign-in").forms[0]
    form["username"], form["password"] = username, password
    return form.submit("answer", value="sign-in", status="*")


def signed_in(server):
    return server.get("/account", status="*").status_int == 200


def events(server):
    with server.db() as db:
        return list(db.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def same(page):
    """A page without what differs on every page: the tokens of its forms, and the question."""
    html = copy(page.html)
    for hidden in html.find_all("input", attrs={"name": ["csrf_token", "recovery"]}):
        hidden["value"] = ""
    html.find("label", attrs={"for": "answer"}).string = ""
    return str(html)


class TestWhoKnowsTheAnswer:
    def test_chooses_a_password_and_goes_on_to_exactly_the_request_that_was_begun(self, server):
        page = server.get("/v2/o/authorize", server.authorization_request("openid")).follow().follow()
        trouble = page.html.find("a", string="Trouble signing in?")["href"]
        page = say_who(server, trouble).follow()
        assert "The App" in page.text
        page = choose(answer(page).follow()).follow()
        assert "Your new password is set" in page.text
        assert "alice" in page.html.main.get_text()
        form = consent_form(page.click("Go on to what The App asks"))
        assert "code=" in form.submit("answer", value="yes").location
        assert sign_in(another_browser(server), NEW).status_int == 303
        assert sign_in(another_browser(server), PASSWORD).status_int == 403

    def test_can_be_told_the_user_name_alone(self, server):
        page = form_with(recognized(server), "tell").submit("tell")
        assert page.html.find(class_="done").b.get_text() == "alice"
        assert "alice" not in page.request.url
        assert sign_in(server, PASSWORD).status_int == 303
        server.get("/sign-in/trouble/password", status=303)  # what was begun is over

    @pytest.mark.parametrize(
        "told",
        [
            {"number": "1s00-a00-aa00"},
            {"number": " 1S00 AOO AA00 "},
            {"last_name": "DOE "},
            {"last_name": "D'oé"},
            {"suffix": "JR"},
            {"last_name": "Doe, Jr."},
        ],
        ids=str,
    )
    def test_may_write_what_is_on_the_card_in_any_way(self, server, told):
        assert "Now we know" in recognized(server, **told).text

    @pytest.mark.parametrize("name", [{}, {"family": "Doe Jr"}])
    def test_may_have_a_suffix_that_is_not_on_file_or_stands_in_the_name(self, name):
        server = ready(ConsentServer(*BUILT_IN, records={"v2": [patient(ALICE, NUMBER, **name)]}))
        assert "Now we know" in recognized(server, suffix="Jr").text
        assert answer(question(server, suffix="Sr")).status_int == (403 if name else 303)

    def test_is_signed_out_everywhere_else_and_known_in_no_browser(self, server):
        elsewhere, another_way = another_browser(server), another_browser(server)
        sign_in(elsewhere, PASSWORD)
        half_way = recognized(another_way)
        choose(recognized(server))
        assert signed_in(server)
        assert not signed_in(elsewhere)
        assert choose(half_way, "another good long password").location.endswith("/sign-in/trouble")
        sign_in(elsewhere, NEW)
        assert [event.details["new_browser"] for event in events(server) if "new_browser" in event.details] == [
            True
        ] * 3

    def test_gets_a_new_session_id_that_nobody_planted(self, server):
        page = question(server)
        thief = another_browser(server)
        thief.set_cookie("beneficiary", server.cookies["beneficiary"])
        answer(page)
        assert thief.get("/sign-in/trouble/password").location.endswith("/sign-in/trouble")

    def test_must_choose_a_password_that_is_hard_to_guess_twice(self, server):
        page = recognized(server)
        for password, again in (("short", None), ("password1", None), (NEW, "another"), ("", "")):
            page = choose(page, password, again)
            assert page.status_int == 422
            assert page.html.find(id="problem")
        assert choose(page).status_int == 303

    def test_waits_no_longer_where_sign_in_was_paused(self, server):
        form = server.get("/sign-in").forms[0]
        form["username"], form["password"] = "alice", "wrong"
        for _ in range(10):
            form.submit("answer", value="sign-in", status=403)
        page = sign_in(server, PASSWORD)
        assert page.status_int == 429
        page.click("Trouble signing in")
        choose(recognized(server))
        elsewhere = another_browser(server)  # at the same address
        assert sign_in(elsewhere, "wrong").status_int == 403
        assert sign_in(elsewhere, NEW).status_int == 303

    def test_is_on_record_without_anything_that_was_typed(self, server):
        answer(page := question(server), "Max")
        answer(page)
        choose(server.get("/sign-in/trouble/password"))
        trail = events(server)
        assert [event.event for event in trail] == [
            "account.recovery_refused",
            "account.recovered",
            "account.password_changed",
            "account.signed_in",
        ]
        assert len({event.beneficiary_id for event in trail}) == 1
        assert [event.details for event in trail[1:]] == [{}, {"by": "answer"}, {"new_browser": True}]


class TestNobodyLearns:
    @pytest.mark.parametrize(
        ("told", "text"),
        [*((told, ANSWER) for told in UNTRUE), ("nobody's number", "wrong"), ("another name", "wrong")],
    )
    def test_from_a_page_or_the_work_for_it_whether_there_is_such_a_person_or_account(self, server, told, text):
        ours, theirs = question(server), question(another_browser(server), **UNTRUE[told])
        assert asked(theirs) in QUESTIONS.values()
        assert same(theirs) == same(ours)
        if told == "another suffix":
            assert asked(theirs) == asked(ours)
        with statements(server.engine) as for_them:
            refused = answer(theirs, text)
        with statements(server.engine) as for_us:
            assert same(refused) == same(answer(ours, "wrong"))
        assert refused.status_int == 403
        assert for_them == for_us

    def test_from_the_question_as_the_same_words_bring_the_same_one(self, server):
        seen = set()
        for n in range(8):
            told = {"number": f"1S00A00AA{n + 10}"}
            first = asked(question(server, **told))
            written_otherwise = {"number": f"1s00-a00-aa{n + 10}", "last_name": "DOE"}
            assert asked(question(another_browser(server), **written_otherwise)) == first
            seen.add(first)
        assert len(seen) > 1

    def test_that_a_record_was_closed(self, server):
        page = question(server)
        with server.db() as db:
            closing.close(db, ALICE)
        assert answer(page).status_int == 403
        assert answer(question(server)).status_int == 403

    def test_from_the_limit(self, server):
        pages = {}
        for name, told in {"alice": {}, "nobody": {"number": NOBODYS}}.items():
            browser = another_browser(server)
            page = question(browser, **told)
            pages[name] = [answer(page, "wrong").status_int for _ in range(6)]
        assert pages["alice"] == pages["nobody"] == [403] * 5 + [429]


class TestTheLimits:
    def test_hold_up_neither_the_persons_sign_in_nor_their_answer_from_elsewhere(self, server):
        page = question(server)
        for _ in range(6):
            paused = answer(page, "wrong")
        assert "call 1-800-633-4227" in paused.html.main.get_text()
        assert paused.click("^Sign in$", index=0).status_int == 200
        assert answer(page).status_int == 429
        assert sign_in(another_browser(server), PASSWORD).status_int == 303
        elsewhere = another_browser(server)
        elsewhere.extra_environ = elsewhere.extra_environ | {"REMOTE_ADDR": "192.0.2.9"}
        assert answer(question(elsewhere)).status_int == 303
        assert "account.recovery_paused" in {event.event for event in events(server)}

    def test_bound_the_wrong_answers_from_all_addresses_for_who_knows_the_card(self):
        settings = {"bb2.limit_recovery_anywhere": "1 per day"}
        server = ready(ConsentServer(*BUILT_IN, records=PEOPLE, settings=settings))
        for n in range(2):
            server.extra_environ["REMOTE_ADDR"] = f"192.0.2.{n}"
            statuses = answer(question(server, last_name="Dough"), "wrong"), answer(question(server), "wrong")
        assert [page.status_int for page in statuses] == [429, 429]
        assert answer(question(server, number=NOBODYS), "wrong").status_int == 403

    def test_bound_how_often_somebody_says_who_they_are(self, server):
        assert [say_who(server, born=f"2/{day}/1950").status_int for day in range(1, 12)] == [303] * 10 + [429]
        assert say_who(server, number=OTHERS).status_int == 303


class TestWhatWasBegun:
    def test_waits_a_quarter_of_an_hour_and_is_swept(self, server):
        page = recognized(server)
        earlier(server, Recovery, "expires_at", minutes=15)
        assert choose(page).location.endswith("/sign-in/trouble")
        assert sweep(server.engine, server.settings)["recovery"] == 1

    def test_ends_with_the_session(self, server):
        question(server)
        with server.db() as db:
            db.delete(db.scalars(select(BrowserSession)).one())
        with server.db() as db:
            assert db.scalars(select(Recovery)).all() == []

    def test_is_this_browsers_alone(self, server):
        page = recognized(server)
        thief = another_browser(server)
        form = form_with(page, "password")
        theirs = form_with(thief.get("/sign-in/trouble"), "last_name")["csrf_token"].value
        sent = dict(form.submit_fields()) | {"password": NEW, "again": NEW, "csrf_token": theirs}
        assert thief.post("/sign-in/trouble/password", sent).location.endswith("/sign-in/trouble")
        assert choose(page).status_int == 303

    def test_in_another_tab_for_somebody_else_is_not_mixed_up_with_this_one(self, server):
        page = question(server)
        others = question(server, number=OTHERS)
        assert answer(page).status_int == 409
        page = recognized(server)
        assert answer(others).status_int == 400  # of an earlier session
        question(server, number=OTHERS)
        assert choose(page).location.endswith("/sign-in/trouble/question")

    def test_goes_from_page_to_page_in_order(self, server):
        for path in "question", "password":
            assert server.get(f"/sign-in/trouble/{path}").location.endswith("/sign-in/trouble")
        question(server)
        assert server.get("/sign-in/trouble/password").location.endswith("/question")
        assert server.get("/sign-in/trouble/done").location.endswith("/sign-in")

    def test_leads_on_when_a_button_was_pressed_twice(self, server):
        page = question(server)
        answer(page)
        again = answer(page)
        assert again.status_int == 400
        assert "Set a new password" in again.click("Go on").follow().text

    def test_keeps_the_request_of_the_app_on_every_page(self, server):
        page = server.get("/v2/o/authorize", server.authorization_request("openid")).follow().follow()
        with server.db() as db:
            (kept,) = db.scalars(select(AuthorizationRequest.id))
        page = page.click("Trouble signing in")
        assert kept in page.html.find("a", string="Back to sign in")["href"]
        page = form_with(page, "last_name").submit(status=422)
        page = say_who(server, page.html.find("a", lang="es")["href"]).follow()
        for seen in (page, answer(page, "falsch"), answer(page).follow()):
            assert form_with(seen, "recovery")["request"].value == kept
            assert seen.html.html["lang"] == "es"

    def test_is_nothing_where_another_server_has_the_records(self):
        server = ConsentServer(*BUILT_IN, settings=ELSEWHERE)
        page = server.get("/sign-in/trouble", status=404)
        assert "call 1-800-633-4227" in page.html.main.get_text()


class TestTwoFormsAtOnce:
    """From two tabs, or a button that was pressed twice; on each database."""

    def send(self, server, path, forms):
        calls = [partial(post, server.app, path, form, dict(server.cookies)) for form in forms]
        return sorted(response.status_int for response in together(*calls))

    def test_set_one_password(self, make_server):
        server = ready(make_server(records=PEOPLE))
        fields = dict(form_with(recognized(server), "password").submit_fields())
        words = NEW, "tulip garage moon 77"
        forms = [fields | {"password": word, "again": word} for word in words]
        assert self.send(server, "/sign-in/trouble/password", forms)[0] == 303
        assert sorted(sign_in(another_browser(server), word).status_int for word in words) == [303, 403]

    def test_begin_once(self, make_server):
        server = ready(make_server(records=PEOPLE))
        fields = dict(form_with(server.get("/sign-in/trouble"), "last_name").submit_fields())
        fields |= TRUE | {"born-month": "2", "born-day": "3", "born-year": "1950"}
        assert self.send(server, "/sign-in/trouble", [fields] * 4) == [303] * 4
        assert asked(server.get("/sign-in/trouble/question")) == QUESTIONS["first-pet"]
