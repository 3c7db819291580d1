"""The stop-watch story: a developer who reads nothing but the pages comes to the first claim, and then to the 403s.

Each page is reached by a link or a button of the page before, from `/developer` on; the README says how many they are.
"""

import re
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_developer_look import SIGNED_IN, STRANGER

from developing import PASSWORD, printed_link

pytestmark = pytest.mark.long

README = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
COUNTED = r"(\d+) pages, (\d+) clicks and (\d+) fields to type in"
GRACE = "grace@example.com"
APP = "Claims at a glance"
NO_ACCESS = "The beneficiary did not share their demographic information"
#: The paths of pages that are looked at in test_developer_look; and what those of beneficiaries begin with.
LOOKED_AT = set(chain(*STRANGER.values(), *SIGNED_IN.values()))
OF_BENEFICIARIES = ("/sign-in", "/consent/", "/connections")


class Reader:
    """Does what a page offers, and counts it."""

    def __init__(self, person, path):
        self.person, self.page = person, person.page
        self.pages = self.clicks = self.fields = 0
        self.seen = set()  #: headings
        person.visit(path)
        self._arrive()

    @property
    def counted(self):
        return self.pages, self.clicks, self.fields

    def follow(self, link):
        self._go(self.page.get_by_role("link", name=link, exact=True).first.click)

    def send(self, button):
        self._go(self.page.get_by_role("button", name=button, exact=True).click, answered=True)

    def open_mailed(self, path):
        """Click on the link in a mail."""
        self._go(lambda: self.person.visit(path))

    def choose(self, option):
        self.page.get_by_label(option).check()
        self.clicks += 1

    def type(self, **values):
        """Type into the fields with these labels; to say Ada's name: `Your_name="Ada"`."""
        for label, value in values.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)
            self.fields += 1

    def _go(self, click, answered=False):
        with self.page.expect_navigation():
            click()
        self.clicks += 1
        self._arrive(answered)

    def _arrive(self, answered=False):
        """Look at the page, if it is new: the answer to a form may be so at an address that is known."""
        self.pages += 1
        heading, (_scheme, _host, path, query, _fragment) = self.person.heading, urlsplit(self.page.url)
        known = path.startswith(OF_BENEFICIARIES) or (path in LOOKED_AT and not query and not answered)
        if heading not in self.seen and not known:
            self.person.look(f"developer-story-{self.pages:02}")
        self.seen.add(heading)


def sign_up(reader, server):
    reader.follow("Sign up")
    reader.type(Your_name="Grace Hopper", Organization="COBOL Works", Password=PASSWORD, **{"E-mail_address": GRACE})
    reader.send("Sign up")
    reader.open_mailed(printed_link(server, "verify", to=GRACE))
    reader.type(Your_password=PASSWORD)
    reader.send("Confirm and sign in")


def register_an_app(reader):
    reader.follow("Register an app")
    reader.type(Name=APP)
    reader.choose("Yes. People are asked")
    reader.send("Register")


def connect_as_the_persona_on_the_page(reader):
    reader.follow("Try it in the test client")
    password = reader.page.locator("main b.copy").inner_text()
    reader.send("Connect with Medicare")
    reader.type(Password=password)
    reader.send("Sign in")
    reader.send("Yes, approve access")


def come_to_the_first_claim(reader):
    reader.follow("/v2/fhir/ExplanationOfBenefit")
    reader.follow(reader.page.locator("main li a", has_text="ExplanationOfBenefit/").first.inner_text())
    assert '"resourceType": "ExplanationOfBenefit"' in reader.person.text


def decline(reader):
    """Connect again, as who is signed in, and keep to oneself who one is."""
    reader.follow("Back to the tokens")
    reader.follow("Connect again")
    reader.send("Connect with Medicare")
    reader.choose("No, leave my personal information out")
    reader.send("Yes, approve access")


def meet_the_403s(reader):
    for path in "/v2/fhir/Patient", "/v2/connect/userinfo":
        reader.follow(path)
        words = reader.person.text
        assert "403 Forbidden" in words
        assert NO_ACCESS in words
        reader.follow("Back to the tokens")


def test_from_nothing_to_the_first_claim_and_the_403s_it_takes_what_the_readme_says(person, server):
    reader = Reader(person, "/developer")
    sign_up(reader, server)
    register_an_app(reader)
    connect_as_the_persona_on_the_page(reader)
    come_to_the_first_claim(reader)
    to_the_claim = reader.counted
    decline(reader)
    person.look("testclient-answered")
    assert person.statuses() == {
        "fhir/ExplanationOfBenefit": 200,
        "fhir/Coverage": 200,
        "fhir/Patient": 403,
        "connect/userinfo": 403,
    }
    meet_the_403s(reader)
    assert [tuple(map(int, counts)) for counts in re.findall(COUNTED, README)] == [to_the_claim]

    # The developer was signed in all the while; the persona is so still when the developer is not.
    reader.follow("Account")
    assert "You are signed in as Grace Hopper." in reader.person.text
    reader.send("Sign out")
    reader.follow("The pages for people with Medicare")
    reader.follow("My connected apps")
    assert APP in reader.person.text
