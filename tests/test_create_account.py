"""A person with a Medicare card makes an account: four pages, whatever is typed, tried or opened on the way."""

import copy
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from bb2.clock import utcnow
from bb2.identity import builtin
from bb2.identity.questions import is_answer
from bb2.models import Account, AuditEvent, Beneficiary, BrowserSession, EnrollmentDraft
from bb2.sweep import sweep
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import emptied, just_before
from enrolling import (
    CAROL,
    CHOSEN,
    DAVE,
    ELSEWHERE,
    NUMBER,
    RECORDS,
    SECRET,
    TYPED,
    coverage,
    create,
    credentials,
    fill,
    inform,
    person,
)
from oauth.steps import another_browser, redeem


@pytest.fixture
def server():
    return ConsentServer(*BUILT_IN, records=RECORDS)


@pytest.fixture(scope="module")
def at_the_end():
    """(A server, its last page for a person who has got there): what is refused on it changes nothing."""
    server = ConsentServer(*BUILT_IN, records=RECORDS)
    return server, credentials(server)


def count(server, model):
    with server.db() as db:
        return db.scalar(select(func.count()).select_from(model))


def events(server):
    with server.db() as db:
        return list(db.scalars(select(AuditEvent.event).order_by(AuditEvent.id)))


def mistakes(page):
    return [(link["href"], link.get_text()) for link in page.html.select("#problem a")]


class TestTheWayThroughIt:
    def test_leads_to_an_account_in_four_pages(self, server):
        steps, page = [], server.get("/account/create")
        page = fill(page, **TYPED).submit().follow()
        assert "Security notice" in page
        page = page.forms[0].submit().follow()
        steps.append(page.html.select_one(".steps").get_text())
        assert "the one that Medicare has on file" in page
        page = page.forms[0].submit().follow()
        steps.append(page.html.select_one(".steps").get_text())
        page = fill(page, **CHOSEN).submit("go", value="on").follow()
        steps.append(page.html.select_one(".steps").get_text())
        assert steps == [f"Step {number} of 4" for number in (2, 3, 4)]
        assert "carol.blue" in page
        with server.db() as db:
            account = db.get(Account, "carol.blue")
            assert builtin.is_password(account.password_hash, SECRET)
            assert is_answer(account.secret_answer_hash, "REX, the 2nd!")
            assert account.secret_question == "first-pet"
            assert abs(account.created_at - utcnow()) < timedelta(minutes=1)
            whose = account.beneficiary
            assert (whose.patient, whose.family_name, whose.email) == (CAROL, "Núñez-O'Hara Jr.", "carol@example.com")
        assert page.html.dl.get_text(" ", strip=True).endswith(f"{utcnow():%B} {utcnow().day}, {utcnow().year}")
        assert events(server) == ["account.created", "account.signed_in"]

    def test_leads_back_to_exactly_the_request_of_the_app(self, server):
        asked = server.authorization_request()
        page = server.get("/v2/o/authorize", asked).follow().follow()
        kept = page.request.params["request"]
        cookie = server.cookies["beneficiary"]
        page = create_with(server, kept)
        assert "The App" in page
        assert server.cookies["beneficiary"] != cookie
        page = page.click("Continue to The App")
        assert page.request.path == f"/consent/{kept}"
        assert redeem(server, server.approve(page))["patient"] == CAROL
        with server.db() as db:
            told = db.scalars(select(AuditEvent).where(AuditEvent.event.startswith("account"))).all()
            assert len({event.correlation_id for event in told}) == 1

    def test_shows_again_what_was_typed_when_a_person_goes_back(self, server):
        page = fill(credentials(server), **CHOSEN).submit("go", value="back").follow()
        assert "Check your address" in page
        page = page.click("^Back$")
        assert {name: page.forms[0][name].value for name in ("number", "zip", "born-year", "started-day", "sex")} == {
            "number": NUMBER,
            "zip": "77009",
            "born-year": "1950",
            "started-day": "1",
            "sex": "female",
        }
        page = page.forms[0].submit().follow().forms[0].submit().follow().forms[0].submit().follow()
        form = page.forms[0]
        assert (form["username"].value, form["question"].value, form["email"].value) == (
            "Carol.Blue",
            "first-pet",
            "carol@Example.com",
        )
        assert (form["password"].value, form["answer"].value) == ("", "")

    def test_keeps_neither_password_nor_answer_before_the_end_and_nothing_after_it(self, server):
        fill(credentials(server), **CHOSEN | {"again": "something else"}).submit("go", value="on", status=422)
        with server.db() as db:
            (typed,) = db.scalars(select(EnrollmentDraft.typed))
        assert SECRET not in str(typed)
        assert "Rex" not in str(typed)
        create(server)
        assert count(server, EnrollmentDraft) == 0

    def test_speaks_spanish(self, server):
        page = server.get("/account/create?lang=es")
        page = fill(page, **TYPED | {"zip": ""}).submit(status=422)
        assert mistakes(page) == [("#zip", "Escriba su código postal")]


def create_with(server, kept):
    page = fill(server.get(f"/account/create?request={kept}"), **TYPED).submit().follow()
    page = page.forms[0].submit().follow().forms[0].submit().follow()
    return fill(page, **CHOSEN).submit("go", value="on").follow()


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        "changes",
        [
            {"number": "1sg4-te5-mk73"},
            {"number": " 1SG4 TE5 MK73 "},
            {"last_name": "núñez-o'hara jr"},
            {"last_name": "NUNEZ OHARA, III"},
            {"started-month": "7", "started-year": "2016"},
            {"zip": "10001-1234"},
        ],
    )
    def test_counts_however_it_is_written(self, server, changes):
        assert "Security notice" in inform(server, **changes)

    def test_is_asked_for_in_one_summary(self, server):
        page = server.get("/account/create").forms[0].submit(status=422)
        assert [field for field, _message in mistakes(page)] == [
            *("#number", "#last_name", "#born-month", "#sex-0", "#zip", "#started-month", "#mine", "#agreed")
        ]
        page = credentials(server).forms[0].submit("go", value="on", status=422)
        assert [field for field, _message in mistakes(page)] == ["#username", "#password", "#question", "#answer"]

    def test_may_name_a_day_on_which_medicare_has_yet_to_begin(self, server):
        soon = utcnow().date() + timedelta(days=60)
        with server.db() as db:
            server.load(db, {"v2": [coverage("A", soon.isoformat())]})
        inform(
            server, **{"started-year": str(soon.year), "started-month": str(soon.month), "started-day": str(soon.day)}
        )

    def test_is_told_to_be_wrong_where_it_is(self, server):
        for name, value in (("number", "123-45-6789"), ("zip", "7700"), ("born-day", "31"), ("started-year", "2999")):
            field = f"#{name.partition('-')[0]}{'-month' if '-' in name else ''}"
            assert [told for told, _message in mistakes(inform(server, 422, **{name: value}))] == [field]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "carol@example.com"),
            ("username", "blue"),
            ("username", "1SG4-TE5-MK73"),
            ("username", "a123-45-6789"),
            ("username", "alice"),
            ("password", "password1"),
            ("password", "carol.blue1"),
            ("password", NUMBER + "!"),
            ("password", "tea"),
            ("again", "marigold tea 8"),
            ("question", "the-moon"),
            ("answer", "--x"),
            ("email", "carol@"),
        ],
    )
    def test_is_refused_beside_its_field(self, at_the_end, field, value):
        server, page = at_the_end
        form = page.forms[0]
        for name, typed in (CHOSEN | {field: value} | ({"again": value} if field == "password" else {})).items():
            form[name].force_value(typed)
        told = dict(mistakes(form.submit("go", value="on", status=422)))
        assert set(told) == {f"#{field}", "#password"}
        assert count(server, Account) == 2

    def test_of_a_user_name_that_is_taken_brings_others_that_are_free(self, server):
        first = another_browser(server)
        page = credentials(server)
        with server.db() as db:
            db.get(Account, "alice").username = "carol.blue"
        page = fill(page, **CHOSEN).submit("go", value="on", status=422)
        assert "carol.blue2, carol.blue3, carol.blue4" in page
        fill(page, **CHOSEN | {"username": "carol.blue3"}).submit("go", value="on").follow()
        assert "Create an account" in first.get("/account/create")

    def test_of_the_address_is_compared_with_what_is_on_file(self, server):
        page = inform(server, zip="10001").forms[0].submit().follow()
        assert page.html.dl.get_text(" ", strip=True) == (
            "The ZIP code that you typed 10001 What Medicare has on file 77009, TX"
        )
        assert page.html.find("a", href="https://www.ssa.gov/myaccount/")
        assert "7 to 14 days" in page
        page.forms[0].submit().follow()


class TestWhoCannotMakeOne:
    #: what is typed, and what the records say
    CASES = (
        ({"number": "3SG4TE5MK73"}, None),
        ({"last_name": "Hara"}, None),
        ({"born-day": "27"}, None),
        ({"sex": "male"}, None),
        ({"started-year": "2014"}, None),
        ({"started-year": "2017", "started-month": "1"}, None),  # of Part D
        ({"number": "2SG4TE5MK73"}, None),  # has an account
        ({}, person(deceasedDateTime="2024-01-01")),
        ({}, person(identifier=[person()["identifier"][0] | {"period": {"end": "2024-01-01"}}])),
    )

    def test_gets_one_and_the_same_answer_whatever_the_reason(self, server):
        said = set()
        for changes, record in self.CASES:
            with server.db() as db:
                server.load(db, {"v2": [record or person()]})
            page = inform(server, 403, **changes)
            said.add((page.html.select_one("#problem").get_text(), len(page.html.find_all("form"))))
        with server.db() as db:
            server.load(db, {"v2": [person()]})
            db.add(Beneficiary(sub="c", patient=CAROL, given_name="Carol", family_name="Nunez", closed_at=utcnow()))
        said.add((inform(server, 403).html.select_one("#problem").get_text(), 1))
        assert len(said) == 1
        ways = [link["href"] for link in inform(server, 403).html.select("#problem a")]
        assert ways == ["/sign-in/trouble", "tel:1-800-633-4227"]
        assert set(events(server)) == {"account.not_created"}
        assert count(server, EnrollmentDraft) == 0

    def test_waits_after_some_tries_and_keeps_nobody_else_waiting(self):
        low = {"bb2.limit_enroll_number": "2 per hour", "bb2.limit_enroll_anywhere": "5 per hour"}
        server = ConsentServer(*BUILT_IN, records=RECORDS, settings=low)
        for _try in range(2):
            inform(server, 403, sex="male")
        for _try in range(4):  # more than anywhere is left of the five
            assert inform(server, 429, sex="male").headers["Retry-After"]
        elsewhere = another_browser(server)
        elsewhere.extra_environ |= {"REMOTE_ADDR": "203.0.113.9"}
        for _try in range(4):  # right ones are not counted
            inform(elsewhere)
        assert events(server).count("account.creation_paused") == 1

    def test_cannot_guess_what_a_found_card_does_not_tell(self):
        server = ConsentServer(*BUILT_IN, records=RECORDS, settings={"bb2.limit_enroll_anywhere": "2 per day"})
        for day in "1", "2", "3":
            server.extra_environ |= {"REMOTE_ADDR": f"203.0.113.{day}"}
            inform(server, 429 if day == "3" else 403, **{"born-day": day})
        inform(server, 429)
        inform(server, 303, last_name="Nunez-Ohara Sr.", **{"started-month": "7", "started-year": "2016"})

    def test_is_everybody_where_the_records_are_in_another_server(self):
        page = ConsentServer(*BUILT_IN, settings=ELSEWHERE).get("/account/create", status=404)
        assert "1-800-633-4227" in page
        assert page.html.find("a", href="/sign-in")


class TestTheOrderOfThePages:
    def test_cannot_be_left_by_an_address(self, server):
        page = inform(server)
        notice = page.request.path
        for step in ("address", "sign-in"):
            assert server.get(notice.replace("notice", step)).location.endswith(notice)
        token = page.forms[0]["csrf_token"].value
        answer = server.post(notice.replace("notice", "sign-in"), CHOSEN | {"csrf_token": token, "go": "on"})
        assert answer.location.endswith(notice)
        assert count(server, Account) == 2
        server.get(notice.replace("notice", "nothing"), status=404)
        assert "Begin again" in server.get("/account/create/nothing/notice", status=410)

    def test_begins_anew_for_another_person(self, server):
        with server.db() as db:
            server.load(db, {"v2": [person(DAVE, "4SG4TE5MK73"), coverage("A", "2015-04-01", DAVE)]})
        page = credentials(server)
        there = page.request.path
        fill(server.get(there.replace("sign-in", "information")), number="4SG4TE5MK73").submit()
        assert server.get(there).location.endswith("notice")

    def test_belongs_to_one_browser(self, server):
        there = credentials(server).request.path
        page = another_browser(server).get(there, status=410)
        assert NUMBER not in page
        assert page.html.find("a", href="/account/create")

    def test_is_over_after_an_hour_and_with_the_session(self, server):
        page = credentials(server)
        with server.db() as db:
            db.execute(update(EnrollmentDraft).values(expires_at=utcnow() - timedelta(seconds=1)))
        assert "Begin again" in server.get(page.request.path, status=410)
        page = credentials(server)
        with server.db() as db:
            db.execute(update(BrowserSession).values(seen_at=utcnow() - timedelta(hours=1)))
        page = fill(page, **CHOSEN).submit("go", value="on", status=410)
        assert "your account is ready: sign in" in page
        assert count(server, Account) == 2
        assert sweep(server.engine, server.settings)["enrollment_draft"] == 1
        assert count(server, EnrollmentDraft) == 0

    def test_is_one_of_its_own_in_each_tab(self, server):
        with server.db() as db:
            server.load(db, {"v2": [person(DAVE, "4SG4TE5MK73"), coverage("A", "2015-04-01", DAVE)]})
        hers, his = credentials(server), credentials(server, number="4SG4TE5MK73")
        fill(hers, **CHOSEN).submit("go", value="on").follow()
        with server.db() as db:
            assert db.get(Account, "carol.blue").beneficiary.patient == CAROL
        his = fill(his, **CHOSEN | {"username": "dave.blue"}).submit("go", value="on").follow()
        assert "Choose how to sign in" in his
        fill(his, **CHOSEN | {"username": "dave.blue"}).submit("go", value="on").follow()
        with server.db() as db:
            assert db.get(Account, "dave.blue").beneficiary.patient == DAVE

    def test_ends_once_however_often_the_last_page_is_sent(self, server):
        page = credentials(server)
        fill(page, **CHOSEN).submit("go", value="on").follow()
        for again in (fill(page, **CHOSEN).submit("go", value="on"), server.get(page.request.path)):
            assert "carol.blue" in again.follow()
        assert count(server, Account) == 3

    def test_ends_at_sign_in_for_who_is_not_signed_in(self, server):
        assert server.get("/account/create/done").location.endswith("/sign-in")


class TestTwoAtOnce:
    @pytest.fixture
    def shared(self, make_server):
        server = make_server(records=RECORDS)
        with server.db() as db:
            server.load(db, {"v2": [person(DAVE, "4SG4TE5MK73"), coverage("A", "2015-04-01", DAVE)]})
        return server

    def both(self, pages, *changes):
        """The statuses of two last pages that are sent at the same moment."""

        def send(page, changes):
            return fill(page, **CHOSEN | changes).submit("go", value="on", status="*").status_int

        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(send, pages, changes))

    def test_take_one_user_name_and_one_of_them_gets_it(self, shared):
        pages = credentials(shared), credentials(another_browser(shared), number="4SG4TE5MK73")
        assert self.both(pages, {}, {}) == [303, 422]
        assert (count(shared, Account), count(shared, EnrollmentDraft)) == (3, 1)

    def test_are_one_person_and_have_one_account(self, shared):
        pages = credentials(shared), credentials(another_browser(shared))
        assert self.both(pages, {}, {"username": "carol.red"}) == [303, 410]
        assert count(shared, Account) == 3


def test_of_a_person_whose_other_tab_is_quicker_nothing_is_kept(postgresql):
    server = ConsentServer(*BUILT_IN, engine=emptied(postgresql), records=RECORDS)
    page = credentials(server)

    def ends():
        with server.db() as db:
            db.execute(delete(EnrollmentDraft))

    with just_before(server.engine, "UPDATE enrollment_draft", ends):
        assert "Begin again" in fill(page, **CHOSEN).submit("go", value="on", status=410)
    assert count(server, Account) == 2


def test_files_in_the_place_of_words_are_nothing_typed(server):
    page = credentials(server)
    names = "username", "password", "again", "answer", "email"
    token = {"csrf_token": page.forms[0]["csrf_token"].value}
    files = [(name, "a.txt", b"marigold tea 7") for name in names]
    page = server.post(page.request.path, token, upload_files=files, status=422)
    assert len(mistakes(page)) == 4


def test_a_number_that_was_taken_back_is_nobodys(server):
    mark = {"extension": [{"url": "…/identifier-currency", "valueCoding": {"code": "historic"}}]}
    record = copy.deepcopy(person())
    record["identifier"][0]["type"]["coding"][0] |= mark
    with server.db() as db:
        server.load(db, {"v2": [record]})
    inform(server, 403)


def test_a_sex_that_the_records_do_not_tell_is_any(server):
    with server.db() as db:
        server.load(db, {"v2": [person(gender="unknown")]})
    inform(server, sex="male")


def test_records_of_version_1_do_as_well():
    first = {"grouping": {"subGroup": "Medicare", "subPlan": "Part B"}, "class": None}
    records = {"v1": [person(), {k: v for k, v in (coverage("B", "2015-04-01") | first).items() if v}]}
    assert "Security notice" in inform(ConsentServer(*BUILT_IN, records=records))


def test_a_new_account_signs_in_like_any_other(server):
    create(server)
    browser = another_browser(server)
    form = browser.get("/sign-in").forms[0]
    form["username"], form["password"] = "CAROL.BLUE", SECRET
    assert form.submit("answer", value="sign-in").location.endswith("/connections")
