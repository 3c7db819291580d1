"""One server for each file of tests; a person at a phone for each test."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from running import RunningServer

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
PHONE = {"width": 375, "height": 667}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("browser"), BB2_BENEFICIARIES="3") as running:
        yield running


@pytest.fixture(scope="session")
def asking_server(tmp_path_factory):
    """A server on which the choice about personal information has no default."""
    var = tmp_path_factory.mktemp("asking")
    with RunningServer(var, BB2_BENEFICIARIES="1", BB2_DEMOGRAPHIC_DEFAULT="ask") as running:
        yield running


@pytest.fixture(scope="session")
def phones(browser):
    """A function that hands out a browser context without cookies; one of a kind lives as long as the process."""
    contexts = {}

    def phone(**options):
        kind = tuple(sorted(map(str, options.items())))
        if kind not in contexts:
            contexts[kind] = browser.new_context(**options)
            contexts[kind].set_default_timeout(10_000)
        contexts[kind].clear_cookies()
        return contexts[kind]

    return phone


@pytest.fixture
def make_person(phones):
    """A function that gives a person a browser without cookies."""
    people = []

    def make(server, **options):
        # The pages need no script, so the people have none.
        context = phones(**{"viewport": PHONE, "locale": "en-US", "java_script_enabled": False} | options)
        people.append(Person(context, server.url))
        return people[-1]

    yield make
    for person in people:
        for page in person.context.pages:
            page.close()


@pytest.fixture
def person(make_person, server):
    return make_person(server)


class Person:
    """A beneficiary with a browser, and the steps of their journey."""

    def __init__(self, context, url):
        self.context, self.url, self.page = context, url, context.new_page()

    def picture(self, name):
        """Keep a picture of the page in `artifacts/`."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    def visit(self, path):
        self.page.goto(f"{self.url}{path}")

    def press(self, selector, page=None):
        """Press a button or a link that leads to a page, and wait until that page is there."""
        page = page or self.page
        with page.expect_navigation():
            page.locator(selector).click()

    def connect(self, version="v2", lang=None):
        """Choose "Connect" in the demo client, whose request names a language or leaves it open."""
        self.visit(f"/testclient?version={version}")
        start = self.page.locator("main a.button").get_attribute("href")
        self.visit(start.replace("lang=en", f"lang={lang}" if lang else ""))

    def sign_in(self, number=0, password=None):
        self.page.locator("#username").fill(f"BBUser{number:05}")
        self.page.locator("#password").fill(password or f"PW{number:05}!")
        self.press("button[value=sign-in]")

    def to_consent(self, number=0, **options):
        """Connect and sign in: the authorization page."""
        self.connect(**options)
        self.sign_in(number)
        assert urlsplit(self.page.url).path.startswith("/consent/")

    def choose(self, demographic):
        self.page.locator(f"#{demographic}").check()

    def answer(self, answer):
        self.press(f"button[value={answer}]")

    @property
    def heading(self):
        return self.page.locator("h1").inner_text()

    @property
    def language(self):
        return self.page.locator("html").get_attribute("lang")

    @property
    def focused(self):
        """The element that has the focus."""
        return self.page.locator(":focus")

    def statuses(self):
        """What the demo client's calls were answered, {path below the version: status}."""
        calls = self.page.locator(".calls li > span").all_inner_texts()
        words = [call.split() for call in calls]
        return {path.split("/", 2)[2]: int(status) for _get, path, status, *_phrase in words}
