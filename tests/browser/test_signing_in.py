"""A person's way in: signing in, trouble with it, a new account; and what they can change of it, in a real browser."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bb2.db import make_engine
from bb2.models import BrowserSession, EnrollmentDraft
from bb2.sandbox import PERSONAS
from bb2.sandbox.fill import recipe, write
from bb2.sandbox.identifiers import as_on_card, secret_answer_of
from bb2.sandbox.people import beneficiary
from bb2.sandbox.workers import made
from bb2.settings import Settings
from keyboard import Keyboard
from running import RunningServer

SEED = 1  # of the sandbox
TRIES = 3  # wrong passwords until a pause
SHARED = dict.fromkeys(("connect/userinfo", "fhir/Patient", "fhir/Coverage", "fhir/ExplanationOfBenefit"), 200)
NEW_PASSWORD = "marigold tea 7"
PROBLEM = """() => {
    const links = [...document.querySelectorAll("#problem a")].map((link) => link.innerText);
    return [document.title, links];
}"""
MISTAKE = """(number) => {
    const link = document.querySelectorAll("#problem a")[number];
    const told = document.querySelector(".wrong:focus-within .mistake").innerText;
    return [link.getAttribute("href"), link.innerText, `#${document.activeElement.id}`, told];
}"""
CREATE = "a[href^='/account/create']"
TROUBLE = "a[href^='/sign-in/trouble']"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The first two people of the sandbox are here, and those of the stories; a pause comes soon."""
    var = tmp_path_factory.mktemp("signing-in")
    few = {
        "BB2_SANDBOX_YEARS": "1",
        "BB2_LIMIT_SIGN_IN_ACCOUNT": f"{TRIES} per hour",
    }
    with RunningServer(var, **few) as running:
        add(running, "snf", "nothing", "newcomer", "newcomer-accents")
        yield running


def add(server, *names):
    """Add these personas alone: to make all twenty takes seconds, as one has a thousand claims."""
    engine = make_engine(f"sqlite:///{server.environ['VAR']}/bb2.sqlite")
    with Session(engine) as db, db.begin():
        for people in made(recipe(db), [PERSONAS[name].number for name in names], Settings.read({}, server.environ)):
            write(db, people)
    engine.dispose()


@pytest.fixture
def newcomer(server):
    """They have no account, whatever was made of them before."""
    server.command("sandbox", "reset", PERSONAS["newcomer"].username)


def earlier(server, model, column, **duration):
    """Move a time into the past, in every row of a table."""
    engine = make_engine(f"sqlite:///{server.environ['VAR']}/bb2.sqlite")
    with Session(engine) as db, db.begin():
        for row in db.scalars(select(model)):
            setattr(row, column, getattr(row, column) - timedelta(**duration))
    engine.dispose()


def on_card(number):
    """What the Medicare card of a person of the sandbox says, {id of a field: text}, for both pages that ask for it."""
    who = beneficiary(SEED, number)
    return {"number": as_on_card(who.mbi), "last_name": who.family, **date_fields("born", who.born)}


def date_fields(name, day):
    return {f"{name}-month": str(day.month), f"{name}-day": str(day.day), f"{name}-year": str(day.year)}


def go_on(person):
    """Press the first button of the last form, which leads on."""
    person.press("form:last-of-type .answers button >> nth=0")


def fill_card(person, name, **others):
    """Fill in the first page of a new account, for a persona of the sandbox."""
    number = PERSONAS[name].number
    who = beneficiary(SEED, number)
    person.fill(**on_card(number) | date_fields("started", who.enrolled) | {"zip": who.town[0]} | others)
    for box in f"input[name=sex][value={who.gender}]", "#mine", "#agreed":
        person.tick(box)


def mistakes(person):
    """The error summary, which has the focus: each of its links leads to its field, where the mistake is told again."""
    assert person.of_focused("id") == "problem"
    title, links = person.page.evaluate(PROBLEM)
    assert title.startswith("Problem: ")
    for number, link in enumerate(links):
        person.click(f"#problem a >> nth={number}")
        leads_to, says, focused, told = person.page.evaluate(MISTAKE, number)
        assert leads_to == focused
        assert says == link
        assert says in told
    return links


def request_of(url):
    """The id of the app's request that a page is on the way of."""
    path = urlsplit(url)
    return path.path.removeprefix("/consent/") if "/consent/" in path.path else parse_qs(path.query)["request"][0]


def test_cancel_at_sign_in_brings_the_person_back_to_the_app_with_its_state(person):
    person.visit("/testclient")
    person.press("button[value=show]")
    start = person.page.locator("main a.button").get_attribute("href")
    person.press("main a.button")
    person.look("sign-in")
    with person.page.expect_request("**/testclient/callback?*") as came_back:
        person.answer("cancel")
    answer = parse_qs(urlsplit(came_back.value.url).query)
    assert (answer["error"], answer["state"]) == (["access_denied"], parse_qs(urlsplit(start).query)["state"])
    assert "access_denied" in person.text


def test_after_too_many_wrong_passwords_the_secret_answer_leads_to_a_new_one_and_to_the_request(person):
    number = PERSONAS["snf"].number
    person.connect()
    asked = request_of(person.page.url)
    for _ in range(TRIES):
        person.sign_in(number, password="wrong")
        assert "could not sign you in" in person.told
    person.look("sign-in-wrong")
    person.sign_in(number)  # which is right, and waits too
    assert person.heading == "Please wait a few minutes"
    person.look("sign-in-paused")
    person.press("role=link[name='Trouble signing in?']")
    person.look("trouble")
    go_on(person)
    person.look("trouble-mistakes")
    assert mistakes(person) == ["Type your Medicare number", "Type your last name", "Type your date of birth"]

    # Nobody, and somebody who does not know the answer: the pages are the same, but for the question.
    pages = []
    for told in on_card(number) | {"last_name": "Nobody"}, on_card(number):
        person.fill(**told)
        go_on(person)
        person.fill(answer="wrong")
        go_on(person)
        assert "What you typed does not match" in person.told
        pages.append(person.text.replace(person.page.locator("label").inner_text(), ""))
        if len(pages) == 1:
            person.look("trouble-wrong-answer")
            person.press("role=link[name='Check what I typed before']")
    assert pages[0] == pages[1]

    go_on(person)
    assert mistakes(person) == ["Type your answer"]
    person.fill(answer=secret_answer_of(number))
    go_on(person)
    person.press("button[name=tell]")
    assert PERSONAS["snf"].username.lower() in person.told
    person.look("trouble-user-name")
    person.press("role=link[name='I know my password: sign in']")
    assert (person.heading, request_of(person.page.url)) == ("Sign in", asked)
    person.visit(f"/sign-in/trouble/password?request={asked}")
    person.fill(password="password", again="passwort")
    go_on(person)
    person.look("trouble-new-password-mistakes")
    assert mistakes(person)[1:] == ["Type the same password twice"]
    person.fill(password=NEW_PASSWORD, again=NEW_PASSWORD)
    go_on(person)
    person.look("trouble-done")
    person.press("main a.button")
    assert request_of(person.page.url) == asked
    person.answer("yes")
    assert person.statuses() == SHARED


def test_a_new_account_is_made_past_every_mistake_and_leads_to_the_request(person, newcomer):
    person.visit("/sandbox/people")
    assert on_card(PERSONAS["newcomer"].number)["number"] in person.page.locator("main").text_content()
    person.connect()
    asked = request_of(person.page.url)
    person.press(CREATE)
    person.look("create")
    go_on(person)
    person.look("create-mistakes")
    assert len(mistakes(person)) == 8
    fill_card(person, "newcomer", number="123", zip="1", **{"born-year": "50", "started-month": "13"})
    go_on(person)
    assert [mistake.split()[0] for mistake in mistakes(person)] == ["Check"] * 4
    fill_card(person, "newcomer", last_name="Nobody")
    go_on(person)
    assert "We cannot make an account with this information" in person.told
    person.look("create-refused")
    fill_card(person, "newcomer", zip="10001")
    go_on(person)
    person.look("create-notice")
    go_on(person)
    assert "is not the one that Medicare has on file" in person.text
    person.look("create-address")
    person.press("role=link[name='Back']")
    assert person.value("#zip") == "10001"
    assert person.page.locator("input:checked").count() == 3  # the sex, and both boxes
    fill_card(person, "newcomer")
    go_on(person)
    go_on(person)
    assert "is the one that Medicare has on file" in person.text
    go_on(person)
    go_on(person)
    assert len(mistakes(person)) == 4
    taken = PERSONAS["everything"].username
    person.fill(username=taken, password="password1", again="other", answer="-", email="nobody")
    go_on(person)
    person.look("create-sign-in-mistakes")
    assert len(mistakes(person)) == 5  # and who has the user name is told when all else is right
    person.fill(username=taken, password=NEW_PASSWORD, again=NEW_PASSWORD, answer="Tea rose", email="r@example.com")
    person.page.locator("#question").select_option("first-street")
    go_on(person)
    assert mistakes(person)[0].startswith("Somebody has this user name. These are free: ")
    person.press("button[value=back]")
    go_on(person)
    assert person.value("#question") == "first-street"
    assert person.value("#email") == "r@example.com"
    person.fill(username="Rose.Tea", password=NEW_PASSWORD, again=NEW_PASSWORD, answer="Tea rose")
    go_on(person)
    person.look("create-done")
    assert "rose.tea" in person.text
    person.press("main a.button")
    assert request_of(person.page.url) == asked
    person.answer("yes")
    assert person.statuses() == SHARED


@pytest.mark.long
def test_what_was_typed_for_an_account_is_gone_after_an_hour_and_the_app_still_waits(person, server, newcomer):
    person.connect()
    asked = request_of(person.page.url)
    person.press(CREATE)
    fill_card(person, "newcomer")
    go_on(person)
    earlier(server, EnrollmentDraft, "expires_at", hours=2)
    go_on(person)
    assert person.heading == "What you typed is no longer here"
    person.look("create-gone")
    person.press("role=link[name='Begin again']")
    assert (person.heading, request_of(person.page.url)) == ("Create an account", asked)


@pytest.mark.long
def test_a_session_that_is_over_shares_nothing_and_signing_in_again_goes_on(person, server):
    person.to_consent(number=1)
    earlier(server, BrowserSession, "seen_at", hours=10)
    person.answer("yes")
    assert person.heading == "This page is no longer open"
    assert "Nothing was shared" in person.text
    person.press("main a.button")
    assert person.heading == "Your Medicare information, where you want it"
    person.visit("/connections")
    person.sign_in(number=1)
    assert "No app can see your Medicare information." in person.text


@pytest.mark.long
def test_not_you_leads_to_the_same_request_of_another_person_also_after_a_wrong_password(person):
    person.to_consent(number=1)
    first, asked = person.page.locator(".person b").inner_text(), request_of(person.page.url)
    person.press(".person button")
    assert (person.heading, request_of(person.page.url)) == ("Sign in", asked)
    person.sign_in(password="wrong")
    assert person.page.title().startswith("Problem: Sign in")
    assert person.focused.get_attribute("role") == "alert"
    assert person.value("#username") == "BBUser00000"
    person.sign_in()
    assert request_of(person.page.url) == asked
    assert person.page.locator(".person b").inner_text() != first
    person.answer("yes")
    assert person.statuses() == SHARED


@pytest.mark.long
def test_my_account_changes_the_e_mail_the_question_and_the_password_and_ends_every_session(person):
    number = PERSONAS["nothing"].number
    person.visit("/sign-in")
    person.sign_in(number)
    person.press("a[href='/account']")
    person.press("a[href='/account/email']")
    person.fill(email="nobody")
    go_on(person)
    person.look("account-email-mistake")
    assert len(mistakes(person)) == 1
    person.fill(email="n@example.com")
    go_on(person)
    assert person.told == "Your e-mail address is saved"
    person.press("a[href='/account/question']")
    person.fill(answer="-")
    go_on(person)
    person.look("account-question-mistakes")
    assert len(mistakes(person)) == 2
    person.fill(answer="Tea rose", current=f"PW{number:05}!")
    go_on(person)
    person.press("a[href='/account/password']")
    person.fill(current="wrong", password=NEW_PASSWORD, again=NEW_PASSWORD)
    go_on(person)
    person.look("account-password-mistake")
    assert mistakes(person) == ["This is not your password. Please type it again"]
    person.fill(current=f"PW{number:05}!", password=NEW_PASSWORD, again=NEW_PASSWORD)
    go_on(person)
    person.look("account")
    person.press("role=button[name='Sign out everywhere']")
    person.look("signed-out-everywhere")
    person.press("main a.button")
    person.sign_in(number, password=NEW_PASSWORD)
    assert person.heading == "My connected apps"


def test_in_spanish_without_scripts_somebody_new_comes_from_the_app_back_to_the_app(spanish_person):
    person = spanish_person
    person.connect(lang="es")
    person.look("sign-in", "es")
    person.press(TROUBLE)
    person.look("trouble", "es")
    person.fill(**on_card(PERSONAS["newcomer-accents"].number))
    go_on(person)
    go_on(person)
    person.look("trouble-mistake", "es")
    person.fill(answer="nada")
    go_on(person)
    person.look("trouble-wrong-answer", "es")
    person.press(f"#problem {CREATE}")
    go_on(person)
    person.look("create-mistakes", "es")
    fill_card(person, "newcomer-accents")
    go_on(person)
    person.look("create-notice", "es")
    go_on(person)
    person.look("create-address", "es")
    go_on(person)
    go_on(person)
    person.look("create-sign-in-mistakes", "es")
    person.fill(username="Jose.Munoz", password=NEW_PASSWORD, again=NEW_PASSWORD, answer="San José")
    person.page.locator("#question").select_option("first-school")
    go_on(person)
    person.look("create-done", "es")
    person.press("main a.button")
    assert person.heading == "¿Compartir su información de Medicare con Carely?"
    person.answer("yes")
    assert person.statuses() == SHARED


@pytest.mark.long
def test_the_keyboard_alone_makes_an_account_and_signs_in(person, newcomer):
    keyboard, number = Keyboard(person), PERSONAS["newcomer"].number
    who = beneficiary(SEED, number)
    person.visit("/sign-in")
    keyboard.tab_to("#username")
    keyboard.keys.type("nobody")
    keyboard.type(password="nothing")
    keyboard.press("Enter")
    assert person.of_focused("id") == "problem"
    keyboard.tab_to(CREATE)
    keyboard.press("Enter")
    assert keyboard.tab_to("#number")[-1] == "Español"
    keyboard.press("Enter")
    assert person.of_focused("id") == "problem"
    keyboard.tab_to("#problem a[href='#number']")
    keyboard.keys.press("Enter")
    assert person.of_focused("id") == "number"
    card = on_card(number)
    keyboard.keys.type(card.pop("number"))
    keyboard.type(**card)
    keyboard.keys.press("Tab")
    keyboard.keys.press("Space" if who.gender == "female" else "ArrowDown")
    assert person.value("input[name=sex]:checked") == who.gender
    keyboard.type(zip=who.town[0], **date_fields("started", who.enrolled))
    for box in "mine", "agreed":
        assert keyboard.tab_to(f"#{box}") == []
        keyboard.keys.press("Space")
    assert keyboard.tab_to(".answers button") == []
    keyboard.press("Enter")
    for heading in "Security notice", "Check your address":
        assert person.heading == heading
        keyboard.tab_to(".answers button")
        keyboard.press("Enter")
    keyboard.tab_to("#username")
    keyboard.keys.type("Key.Board")
    keyboard.type(password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert keyboard.tab_to("#question") == []
    keyboard.keys.type("In which town was your first")
    keyboard.type(answer="Rome")
    keyboard.keys.press("Shift+Tab")
    assert person.focused.input_value() == "first-job"
    keyboard.tab_to("button[value=on]")
    keyboard.press("Space")
    assert person.heading == "Your account is ready"
    keyboard.tab_to("main a.button")
    keyboard.press("Enter")
    keyboard.tab_to(".person button")
    keyboard.press("Enter")
    person.visit("/sign-in")
    keyboard.tab_to("#username")
    keyboard.keys.type("key.board")
    keyboard.type(password=NEW_PASSWORD)
    keyboard.press("Enter")
    assert person.heading == "My connected apps"
