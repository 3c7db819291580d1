"""What is shared with an app, and what comes of it: from the authorization page to "My connected apps" and its end."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from second_app import NAME, PAGE, SecondApp
from sqlalchemy import update
from sqlalchemy.orm import Session

from bb2.clock import DatabaseTime
from bb2.db import make_engine
from bb2.models import Consent
from keyboard import Keyboard
from other_server import OtherServer, send

REQUESTS = ("connect/userinfo", "fhir/Patient", "fhir/Coverage", "fhir/ExplanationOfBenefit")
SHARED = dict.fromkeys(REQUESTS, 200)
DECLINED = SHARED | {"connect/userinfo": 403, "fhir/Patient": 403}
CLOSED = dict.fromkeys(REQUESTS, 401)
CLAIMS_OUT = SHARED | {"fhir/ExplanationOfBenefit": 403}
SENSITIVE = "#sensitive-substance-use"


def test_what_is_shared_stays_open_after_back_until_a_later_no(person):
    person.to_consent(version="v1")
    person.look("share-consent")
    copy = person.context.new_page()
    copy.goto(person.page.url)
    person.answer("yes")
    assert person.statuses() == SHARED
    person.look("share-back-in-the-app")
    callback = person.page.url
    while "/consent/" not in person.page.url:
        person.page.go_back()
    assert person.heading == "You have already said yes"
    person.look("share-already-yes")
    person.page.goto(callback)
    assert person.statuses() == SHARED
    person.press("button[value=no]", copy)
    assert copy.locator("h1").inner_text() == "Carely no longer has access"
    person.page.reload()
    assert person.statuses() == CLOSED
    person.page = copy
    person.look("share-taken-back")


def test_each_page_is_in_the_language_of_the_request_or_the_one_chosen_since_and_loses_nothing(person):
    def change():
        person.press("nav [lang]")

    person.connect(lang="es")
    assert (person.language, person.heading) == ("es", "Iniciar sesión")
    change()
    person.sign_in(password="wrong")
    assert person.language == "en"
    change()
    assert person.language == "es"
    person.sign_in()
    assert (person.language, person.heading) == ("es", "¿Compartir su información de Medicare con Carely?")
    person.choose("withhold")
    change()
    assert (person.language, person.heading) == ("en", "Share your Medicare information with Carely?")
    change()
    assert person.language == "es"
    person.answer("yes")
    assert (person.language, person.statuses()) == ("en", DECLINED)  # the test client is for developers, in English
    person.visit("/connections")
    assert (person.language, person.heading) == ("es", "Mis aplicaciones conectadas")
    person.press(".connection a.button")
    assert "Sus reclamos de Medicare" in person.text


def test_two_tabs_are_two_requests_with_an_answer_each_and_a_copy_has_none_of_its_own(person):
    person.to_consent()
    copy, second = person.context.new_page(), person.context.new_page()
    copy.goto(person.page.url)
    second.goto(f"{person.url}/testclient")
    person.press("button[value=connect]", second)
    person.answer("no")
    assert "error=access_denied" in person.page.url
    person.page = copy
    person.answer("yes")
    assert person.heading == "You have already said no"
    person.look("no-already")
    second.locator("#withhold").check()
    person.press("button[value=yes]", second)
    person.page = second
    assert person.statuses() == DECLINED


def wait_for_reads(person):
    """What the app has just read, a kind of record each, stands on the page of a connection within a second or two."""
    bars = person.page.locator("svg.bars rect")
    for _try in range(50):
        if bars.count() == len(REQUESTS):
            return
        person.page.wait_for_timeout(200)
        person.page.reload()
    raise AssertionError(f"{bars.count()} bars")


def downloaded(person, words):
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name=words).click()
    return json.loads(Path(download.value.path()).read_text())


def test_who_shares_less_closes_that_alone_and_who_stops_closes_the_rest_at_once(person):
    person.to_consent(number=2)
    person.tick(f"{SENSITIVE}-share")
    person.answer("yes")
    assert person.statuses() == SHARED
    callback = person.page.url
    person.visit("/connections")
    person.look("connections-one")
    person.press("role=link[name='See or change what Carely can see']")
    wait_for_reads(person)
    person.look("connection-with-reads")

    person.press("role=link[name='Share less with Carely']")
    person.look("less-choose")
    person.press(".answers button")
    assert "Nothing has changed" in person.told
    person.look("less-unchanged")
    person.press("role=link[name='Share less with Carely']")
    person.page.get_by_label("Your name, address").uncheck()
    person.page.get_by_label("The name on your account").uncheck()
    person.press(".answers button")
    assert "Carely now sees less" in person.told
    assert "birth date" in person.page.locator("h2:has-text('What Carely cannot see') + ul").inner_text()
    person.look("less-done")
    connection = person.page.url
    person.page.goto(callback)
    assert person.statuses() == DECLINED

    person.page.goto(connection)
    person.press(".done a")
    assert person.heading == "You chose to share less with Carely"
    person.look("receipt-less")
    assert downloaded(person, "consent receipt (JSON)")
    assert downloaded(person, "FHIR Consent")["resourceType"] == "Consent"

    person.page.goto(connection)
    person.press("role=link[name='Stop sharing with Carely']")
    person.look("stop-asks-once")
    person.press("role=button[name='Yes, stop sharing']")
    assert "Carely no longer has access" in person.told
    assert person.page.locator(".connection").count() == 0
    person.look("stop-done")
    person.press("#earlier + ul a >> nth=0")
    assert "You stopped sharing" in person.page.locator(".until").inner_text()
    assert "birth date" in person.page.locator("h2:has-text('could not see at the end') + ul").inner_text()
    person.look("connection-ended")
    person.page.goto(callback)
    assert person.statuses() == CLOSED
    person.visit("/connections/receipts")
    assert person.heading == "Your receipts"
    person.look("receipts")


def test_item_by_item_one_line_is_left_out_and_everything_left_out_is_told_to_mean_no(person):
    person.to_consent(number=1)
    person.page.locator("#boxes summary").click()
    boxes = person.page.locator("#boxes input")
    for box in boxes.all():
        box.uncheck()
    person.answer("show")
    assert "You have left everything out" in person.told
    assert "the same as No" in person.told
    person.look("items-nothing")
    for box in boxes.all():
        box.check()
    person.page.get_by_label("Your Medicare claims").uncheck()
    person.answer("show")
    assert "Carely will not get:" in person.told
    person.look("items-shown")
    person.answer("yes")
    assert person.statuses() == CLAIMS_OUT


@pytest.fixture(scope="module")
def app(server, tmp_path_factory):
    with OtherServer(lambda handler: send(handler, PAGE, content_type="text/html")) as site:
        yield SecondApp(server, f"http://127.0.0.1:{site.server_port}/back", tmp_path_factory.mktemp("app"))


@pytest.fixture
def move_end(server):
    """A function that moves the end of an app's access to so long from now."""
    engine = make_engine(f"sqlite:///{server.log.parent}/bb2.sqlite")

    def move(app, later):
        with Session(engine) as db, db.begin():
            moved = update(Consent).where(Consent.client_id == app.id)
            db.execute(moved.values(expires_at=DatabaseTime(later.total_seconds())))

    yield move
    engine.dispose()


@pytest.mark.long
def test_of_two_apps_each_is_told_apart_until_both_end(person, server, app, move_end):
    app.connect(person, lang="es")
    person.look("long-name-sign-in", "es")
    person.sign_in(number=1)
    person.look("long-name-consent", "es")
    person.press("nav [lang]")
    person.look("long-name-consent")
    assert person.page.locator("img.logo").evaluate("image => image.naturalWidth") > 0
    person.answer("yes")
    app.redeem(app.answer(person)["code"])
    assert app.read() == 200
    person.connect()
    person.answer("yes")
    callback = person.page.url

    move_end(app, timedelta(days=9))
    server.command("client", "disable", app.id)
    assert app.read() == 401
    person.visit("/connections")
    assert "switched off" in person.page.locator(".connection >> nth=1").inner_text()
    person.look("connections-two")
    person.press(".connection a >> nth=1")
    person.look("connection-switched-off")
    server.command("client", "enable", app.id)
    assert app.read() == 200
    person.page.reload()
    assert "switched off" not in person.text
    person.look("connection-about-to-end")
    person.press("a[href$='/stop']")
    person.look("long-name-stop")

    person.visit("/connections")
    person.press("role=link[name='Stop sharing with all apps']")
    assert NAME in person.text
    person.look("stop-all-asks-once")
    person.press("role=button[name='Yes, stop all']")
    assert "No app has access any more" in person.told
    person.look("stop-all-done")
    assert app.read() == 401
    person.page.goto(callback)
    assert person.statuses() == CLOSED


@pytest.mark.long
def test_a_spanish_reader_without_scripts_shares_shares_less_and_stops(spanish_person):
    person = spanish_person
    person.connect(lang="es")
    person.look("journey-1-sign-in", "es")
    person.sign_in()
    person.look("journey-2-consent", "es")
    person.answer("show")
    person.look("journey-3-shown", "es")
    person.answer("yes")
    assert person.statuses() == SHARED
    callback = person.page.url
    person.visit("/connections")
    person.look("journey-4-connections", "es")
    person.press("role=link[name=/Carely/] >> nth=0")
    wait_for_reads(person)
    person.look("journey-5-connection", "es")
    person.press("a[href$='/less']")
    person.look("journey-6-less", "es")
    for field in ("kept-line-patient/Patient", "kept-line-profile"):
        person.page.locator(f"[name=kept][value='{field.removeprefix('kept-')}']").uncheck()
    person.press(".answers button")
    person.look("journey-7-less-done", "es")
    connection = person.page.url
    person.press(".done a")
    person.look("journey-8-receipt", "es")
    person.page.goto(callback)
    assert person.statuses() == DECLINED
    person.page.goto(connection)
    person.press("a[href$='/stop']")
    person.look("journey-9-stop", "es")
    person.press(".answers button")
    person.look("journey-10-stopped", "es")
    person.page.goto(callback)
    assert person.statuses() == CLOSED


def test_the_keyboard_alone_is_enough(person):
    keyboard = Keyboard(person)
    person.visit("/testclient")
    assert keyboard.tab_to("button[value=connect]")[0] == "Skip to the main content"
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/sign-in*")
    keyboard.tab_to("#username")
    keyboard.keys.type("BBUser00000")
    assert keyboard.tab_to("#password") == []
    keyboard.keys.type("PW00000!")
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/consent/*")
    assert re.sub(r"\s+", " ", " | ".join(keyboard.tab_to("#share"))) == (
        "Skip to the main content | Blue Button | Español | Privacy policy | Terms | Not you? Sign in as somebody else"
        " | Your Medicare claims | Your Medicare coverage"
    )
    keyboard.keys.press("ArrowDown")
    assert person.page.locator("#withhold").is_checked()
    # Enter is no answer while a choice has the focus, and what was chosen stays chosen.
    keyboard.keys.press("Enter")
    person.page.wait_for_selector(".problem:focus")
    assert "Please answer Yes or No" in person.told
    keyboard.tab_to("#withhold")
    assert person.page.locator("#withhold").is_checked()
    # What is sensitive is a question of its own, which stands at No.
    sensitive = "input[name^=sensitive-]"
    assert keyboard.tab_to(f"{sensitive}[value=withhold]") == []
    assert person.value(f"{sensitive}:checked") == "withhold"
    keyboard.keys.press("ArrowUp")
    assert person.value(f"{sensitive}:checked") == "share"
    # Line by line, for those who want it.
    assert keyboard.tab_to("#boxes summary") == ["How the connection works"]
    keyboard.keys.press("Enter")
    assert keyboard.tab_to("#boxes input") == []
    keyboard.keys.press("Space")
    keyboard.tab_to("button[value=show]")
    keyboard.keys.press("Enter")
    person.page.wait_for_selector(".done:focus")
    assert "Carely will not get:\nYour Medicare claims" in re.sub(r"\s*\n\s*", "\n", person.told)
    assert keyboard.tab_to("button[value=yes]") == ["My connected apps", "1-800-633-4227"]
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/testclient/callback")
    assert person.statuses() == DECLINED | {"fhir/ExplanationOfBenefit": 403}


@pytest.mark.long
def test_the_keyboard_alone_shares_less_and_stops(person):
    person.to_consent()
    person.answer("yes")
    callback, keyboard = person.page.url, Keyboard(person)
    person.visit("/connections")
    keyboard.tab_to(".connection a.button")
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/connections/*")
    keyboard.tab_to("a[href$='/less']")
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/less")
    keyboard.tab_to("[name=kept]")
    keyboard.keys.press("Space")
    keyboard.tab_to("main button")
    keyboard.keys.press("Enter")
    person.page.wait_for_selector(".done:focus")
    assert "Carely now sees less" in person.told
    assert keyboard.tab_to(".done a") == []
    keyboard.tab_to("a[href$='/stop']")
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/stop")
    keyboard.tab_to("main button")
    keyboard.keys.press("Enter")
    person.page.wait_for_selector(".done:focus")
    assert "Carely no longer has access" in person.told
    person.page.goto(callback)
    assert person.statuses() == CLOSED


def test_the_skip_link_leads_to_the_main_content(person):
    keyboard = Keyboard(person)
    person.visit("/")
    keyboard.keys.press("Tab")
    keyboard.keys.press("Enter")
    assert keyboard.tab_to("main a.button") == []
