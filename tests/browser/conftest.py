"""One server for each file of tests; a person at a phone for each test.

A story looks at each page that it comes to: `person.look("name")` fails where axe finds a fault, the page scrolls
sideways, or is in another language than the person reads.  With PICTURES=1 in the environment it keeps a picture of
the page in `artifacts/`.
"""

import json
import os
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

import build_docs
from bb2.sandbox.identifiers import password_of, username_of
from journey import Forms
from running import RunningServer

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
PATIENCE = 30_000  # milliseconds: for what an idle machine does in a tenth of a second
PHONE = {"width": 320, "height": 568}  # the narrowest; and a desktop's 1280 pixels at 400 % (WCAG 2.2, 1.4.10)
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": {"assets": ["media"]},  # and no style sheets, which none of these rules reads
}
FIRST_OF_ITS_KIND = Path(__file__).with_name("first_of_its_kind.js").read_text(encoding="utf-8")
#: axe, and the faults that it finds, alone: what passes is long.  One script, as axe is half a megabyte long.
FAULTS = f"""{AXE_SCRIPT};
    ({FIRST_OF_ITS_KIND})();
    const wrong = ({{ violations }}) => violations.map(({{ id, nodes }}) => [id, nodes.map((node) => node.html)]);
    axe.run({json.dumps(RULES)}).then(wrong)
"""
OUTLINE = """() => {
    const page = document.documentElement;
    return [page.lang, document.querySelectorAll("h1").length, page.scrollWidth];
}"""
#: What a person could not fill in is not filled in.
FILL = """(texts) => {
    for (const [id, text] of Object.entries(texts)) {
        const field = document.getElementById(id);
        if (!field.checkVisibility() || field.matches(":disabled, :read-only")) throw new Error(`#${id} takes no text`);
        field.focus();
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""
#: The middle of an element, scrolled into view; of none where it is not the only one, or hidden, or covered.
PLACE = """([selector, number]) => {
    const found = [...document.querySelectorAll(selector)];
    if (number === null && found.length !== 1) return null;
    const element = found.at(number ?? 0);
    if (!element?.checkVisibility()) return null;
    element.scrollIntoViewIfNeeded();
    const [{ left, top, width, height }] = element.getClientRects();
    const place = [left + width / 2, top + height / 2];
    return element.contains(document.elementFromPoint(...place)) ? place : null;
}"""
#: What follows a selector of CSS that stands for many, to choose one.
NUMBER = re.compile(r" >> nth=(-?\d+)$")
CHECKED = "(selector) => document.querySelector(selector).checked"
#: Who reads English lets scripts run, and axe with them; who reads Spanish needs none: every page works without.
ENGLISH = {"locale": "en-US", "java_script_enabled": True}
SPANISH = {"locale": "es-US", "java_script_enabled": False}


expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    build_docs.build()  # it shows them
    with RunningServer(tmp_path_factory.mktemp("browser"), BB2_BENEFICIARIES="3") as running:
        yield running


@pytest.fixture(scope="session")
def phones(browser):
    """A function that hands out a browser context without cookies; one of a kind lives as long as the process."""
    contexts = {}

    def phone(**options):
        kind = tuple(sorted(map(str, options.items())))
        if kind not in contexts:
            contexts[kind] = browser.new_context(**options)
            contexts[kind].set_default_timeout(PATIENCE)
        contexts[kind].clear_cookies()
        return contexts[kind]

    return phone


@pytest.fixture
def make_person(phones):
    """A function that gives a person a browser without cookies.  Its tab is an earlier person's: that is quick."""
    people = []

    def make(server, **options):
        context = phones(**{"viewport": PHONE} | ENGLISH | options)
        taken = [person.tab for person in people]
        free = [page for page in context.pages if page not in taken]
        people.append(Person(free[0] if free else context.new_page(), server.url))
        return people[-1]

    yield make
    for person in people:
        person.leave()
    assert [person.refused for person in people if person.refused] == []


@pytest.fixture
def person(make_person, server):
    return make_person(server)


@pytest.fixture
def spanish_person(make_person, server):
    """Who reads Spanish, and whose browser runs no scripts."""
    return make_person(server, **SPANISH)


def credentials(number):
    return {"username": username_of(number), "password": password_of(number)}


class Person:
    """A beneficiary with a browser, and the steps of their journey."""

    def __init__(self, tab, url):
        self.context, self.url, self.tab, self.page = tab.context, url, tab, tab
        self.refused = []  #: what the Content-Security-Policy kept from running
        self.changed = False  #: the tab is another one than its context's options make
        self.tab.on("console", self._note)

    def _note(self, message):
        if "Content Security Policy" in message.text:
            self.refused.append(message.text)

    def leave(self):
        """Leave the tab to the next person, if it is as it was."""
        self.tab.remove_listener("console", self._note)
        for page in self.context.pages:
            if page != self.tab or self.changed:
                page.close()

    def emulate(self, **media):
        self.changed = True
        self.page.emulate_media(**media)

    def devtools(self):
        """A session of Chromium's own protocol with the tab."""
        self.changed = True
        return self.context.new_cdp_session(self.page)

    def look(self, name, language="en"):
        """See that everybody can read the page: unfolded, on the narrowest phone."""
        self.unfold()
        if os.environ.get("PICTURES"):
            ARTIFACTS.mkdir(exist_ok=True)
            self.page.screenshot(path=ARTIFACTS / f"{name}-{language}.jpg", quality=80, full_page=True)
        self.judge(name, language)

    def unfold(self):
        self.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    def judge(self, name, language="en"):
        """See that everybody can read the page as it is."""
        spoken, headings, width = self.page.evaluate(OUTLINE)
        assert (spoken, headings) == (language, 1), name
        assert width <= self.page.viewport_size["width"], name
        if language == "en":  # what axe judges is the same in both
            assert self.faults() == {}, name

    def faults(self):
        """What axe finds, {rule: [element]}."""
        return dict(self.page.evaluate(FAULTS))

    def visit(self, path):
        self.page.goto(f"{self.url}{path}")

    def press(self, selector, page=None):
        """Press a button or a link that leads to a page, and wait until that page is there."""
        page = page or self.page
        with page.expect_navigation():
            self.click(selector, page)

    def click(self, selector, page=None):
        """Click on the middle of an element.

        Playwright reads a long script of its own into each page whose elements it is to find: as long as the page
        itself takes.  It does so where CSS is not enough, or where it has to wait; and by force, since what is covered
        leads nowhere.
        """
        page = page or self.page
        if place := self._place(selector, page):
            page.mouse.click(*place)
        else:
            page.locator(selector).click(force=True)

    def _place(self, selector, page):
        number = NUMBER.search(selector)
        css = NUMBER.sub("", selector)
        if ">>" in css or css.startswith(("role=", "text=")):
            return None
        return page.evaluate(PLACE, [css, number and int(number[1])])

    def connect(self, version="v2", lang=None):
        """Come from the demo client's "Connect", whose request names a language or leaves it open."""
        self.page.goto(self._connect(version, lang))

    def _connect(self, version, lang):
        """Where "Connect" leads."""
        page = self.context.request.get(f"{self.url}/testclient")
        who = "here" if 'value="here"' in page.text() else ""  # the person who is signed in, or who signs in
        return self._send(page, answer="connect", version=version, language=lang or "", person=who)

    def _send(self, page, **fields):
        """Send the form of a page which the browser fetched and did not show.  Returns where it leads."""
        action, hidden = Forms(page.text()).answer
        sent = self.context.request.post(urljoin(page.url, action), form=hidden | fields, max_redirects=0)
        return urljoin(page.url, sent.headers["location"])

    def fill(self, **texts):
        """Fill in fields, {id: text}, in one step."""
        self.page.evaluate(FILL, texts)

    def sign_in(self, number=0, password=None):
        self.fill(**credentials(number) | ({"password": password} if password else {}))
        self.press("button[value=sign-in]")

    def to_consent(self, number=0, version="v2", lang=None):
        """Connect and sign in, and be shown no page before the authorization page."""
        page = self.context.request.get(self._connect(version, lang))
        self.page.goto(self._send(page, answer="sign-in", **credentials(number)))
        assert urlsplit(self.page.url).path.startswith("/consent/")

    def choose(self, demographic):
        self.tick(f"#{demographic}")

    def tick(self, selector):
        """Choose a box or a radio button, which may be chosen already."""
        if not self.page.evaluate(CHECKED, selector):
            self.click(selector)
        assert self.page.evaluate(CHECKED, selector), selector

    def value(self, selector):
        """What is typed or chosen in a field."""
        return self.page.evaluate("(selector) => document.querySelector(selector).value", selector)

    def answer(self, answer):
        self.press(f"button[value={answer}]")

    @property
    def heading(self):
        return self.page.evaluate("document.querySelector('h1').innerText")

    @property
    def language(self):
        return self.page.evaluate("document.documentElement.lang")

    @property
    def text(self):
        """What the page says, without what is around it."""
        return self.page.evaluate("document.querySelector('main').innerText")

    @property
    def focused(self):
        """The element that has the focus."""
        return self.page.locator(":focus")

    @property
    def told(self):
        """The words of the element that has the focus: what a screen reader says first."""
        return self.of_focused("innerText")

    def of_focused(self, name):
        """A property of the element that has the focus, which a page gives when it is drawn: just after it has come."""
        found = self.page.evaluate("(name) => document.querySelector(':focus')?.[name]", name)
        return self.focused.evaluate("(element, name) => element[name]", name) if found is None else found

    def statuses(self):
        """What the demo client's calls were answered, {path below the version: status}."""
        calls = self.page.evaluate("[...document.querySelectorAll('.calls li > span')].map((call) => call.innerText)")
        words = [call.split() for call in calls]
        return {path.split("/", 2)[2]: int(status) for _get, path, status, *_phrase in words}
