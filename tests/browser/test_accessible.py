"""Axe finds no fault in any page (WCAG 2.2 AA, good practice); in both languages each fits the narrowest phone."""

import json
import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

NARROW = {"width": 320, "height": 568}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


class Inspector:
    """Looks at one page after the other, and keeps what is wrong with each."""

    def __init__(self, person, language):
        self.person, self.language, self.faults, self.seen = person, language, [], []

    def look(self, name):
        page = self.person.page
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        self.seen.append(name)
        if self.language == "en":  # what axe judges is the same in both; what may not fit is not
            found = Axe().run(page, options=RULES).response["violations"]
            self.faults += [f"{name}: {v['id']}: {json.dumps([n['html'] for n in v['nodes']])}" for v in found]
        width = page.evaluate("document.documentElement.scrollWidth")
        self._expect(name, width <= NARROW["width"], f"scrolls sideways: {width} px")
        self._expect(name, self.person.language == self.language, f"is in {self.person.language}")
        self._expect(name, page.locator("h1").count() == 1, "has not one h1")

    def _expect(self, name, holds, fault):
        if not holds:
            self.faults.append(f"{name}: {fault}")


@pytest.fixture(scope="session")
def server(asking_server):
    """The one on which the choice has no default: it has a page more, for who did not choose."""
    return asking_server


@contextmanager
def inspection(make_person, server, language):
    """An Inspector with a narrow phone; what it found wrong fails the test at the end."""
    inspector = Inspector(make_person(server, viewport=NARROW, java_script_enabled=True), language)
    refused = []
    inspector.person.page.on("console", lambda message: refused.append(message.text))
    inspector.person.visit(f"/?lang={language}")
    yield inspector
    assert inspector.faults == []
    assert [text for text in refused if "Content Security Policy" in text] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_journey(make_person, server, language):
    with inspection(make_person, server, language) as inspector:
        person, look = inspector.person, inspector.look
        look("home")
        person.visit("/sandbox/people")
        look("people")
        person.visit("/testclient")
        look("testclient")
        person.connect(lang=language)
        look("sign-in")
        person.sign_in(password="wrong")
        look("wrong-password")
        person.sign_in()
        look("consent")
        consent = person.page.url
        person.choose("share")
        look("consent-chosen")
        person.answer("yes")
        look("callback")
        person.visit("/connections")
        look("connections")
        person.page.goto(consent)
        look("already-yes")
        person.visit("/connections")
        person.press(".connection a.button >> nth=0")
        look("connection")
        connection = person.page.url
        person.press("a[href$='/less']")
        look("share-less")
        person.page.goto(connection)
        person.press("a[href$='/stop']")
        look("stop-sharing")
        person.press(".answers button")
        look("ended")
        person.press(".done a")
        look("receipt")
        person.visit("/")
        look("home-signed-in")
        person.press(".person button")
        person.visit("/sign-in")
        look("sign-in-alone")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pages_of_what_can_go_wrong(make_person, server, language):
    with inspection(make_person, server, language) as inspector:
        person, look = inspector.person, inspector.look
        person.to_consent(lang=language)
        person.answer("yes")
        look("choose")
        person.choose("share")
        person.page.locator("#boxes input").first.uncheck()
        person.answer("show")
        look("chosen line by line")
        for box in person.page.locator("#boxes input").all():
            box.uncheck()
        person.answer("yes")
        look("nothing left to share")
        person.answer("no")  # which needs no choice
        assert "access_denied" in person.page.locator("main").inner_text()
        assert person.page.locator("pre").count() == 0  # the app has nothing to show
        look("callback-no")
        person.visit("/nothing/here")
        look("no-such-page")
        person.visit("/v2/o/authorize?client_id=unknown")
        look("unreachable-app")
        person.visit("/consent/unknown")
        look("no-longer-open")
        person.visit("/testclient/callback?code=of-another&state=test")
        look("another-test")


def test_a_choice_that_was_not_made_is_asked_for_where_the_focus_is(make_person, server):
    person = make_person(server)
    person.to_consent()
    assert person.page.locator("input[name=demographic]:checked").count() == 0
    person.answer("yes")
    assert "/consent/" in person.page.url
    expect(person.page).to_have_title(re.compile("^Problem:"))
    assert "One more answer is needed" in person.focused.inner_text()
    person.look("choose")
    person.page.locator(".problem a").click()
    assert person.focused.get_attribute("id") == "share"
    person.choose("withhold")
    person.answer("yes")
    assert person.statuses() == {
        "connect/userinfo": 403,
        "fhir/Patient": 403,
        "fhir/Coverage": 200,
        "fhir/ExplanationOfBenefit": 200,
    }
