"""Make the pictures of docs/ and README.md from the running program: `make pictures`."""

import sys
import tempfile
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from bb2.db import make_engine
from bb2.models import AuditEvent, Consent
from bb2.sandbox.people import beneficiary
from bb2.sandbox.personas import PERSONAS
from chromium import launch
from developing import PASSWORD, SIGN_UP, printed_link
from enrolling import SECRET
from running import RunningServer

PICTURES = Path(__file__).with_name("pictures")
SHADES = 16  # enough for text and a few flat colors, at a fifth of the size
SEED = 1  # of the sandbox
DAYS_AGO = (1, 2, 4, 8, 9, 15, 16, 22)  # on which the app has read too


class Phone:
    """A person's phone: a browser, and what they do with it."""

    SIZE, SCALE = {"width": 390, "height": 760}, 1.15

    def __init__(self, browser, url):
        context = browser.new_context(
            viewport=self.SIZE, device_scale_factor=self.SCALE, locale="en-US", reduced_motion="reduce"
        )
        self.page, self.url = context.new_page(), url

    def visit(self, path):
        self.page.goto(f"{self.url}{path}")

    def press(self, name, role="button"):
        self.go_by(self.page.get_by_role(role, name=name).first)

    def go_by(self, way):
        """Press what leads to another page, and wait until that page is there."""
        with self.page.expect_navigation():
            way.click()

    def follow(self, name):
        self.press(name, "link")

    def type(self, **values):
        for field, value in values.items():
            self.page.locator(f"#{field}").fill(str(value))

    def connect(self, number, language="en"):
        """From the demo client to the authorization page."""
        self.visit(f"/testclient?language={language}")
        self.press("Connect with Medicare")
        self.sign_in(number)

    def sign_in(self, number):
        self.type(username=f"BBUser{number:05}", password=f"PW{number:05}!")
        self.go_by(self.page.locator("button[value=sign-in]"))

    def keep(self, name, until=None):
        """Keep a picture of the whole page, or of what stands above the heading `until`."""
        self.page.evaluate("document.activeElement?.blur()")
        seen = {"full_page": True}
        if until:
            seen["clip"] = {"x": 0, "y": 0, "width": self.SIZE["width"], "height": self.top_of(until)}
        picture = Image.open(BytesIO(self.page.screenshot(**seen)))
        file = PICTURES / f"{name}.png"
        picture.convert("RGB").quantize(SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            file, optimize=True
        )
        print(f"{file} {picture.width}×{picture.height}, {file.stat().st_size / 1000:.0f} KB")

    def top_of(self, heading):
        return self.page.get_by_role("heading", name=heading).bounding_box()["y"]


class Desk(Phone):
    """A developer's screen."""

    SIZE, SCALE = {"width": 1060, "height": 760}, 1


def sign_in(phone):
    phone.visit("/testclient")
    phone.press("Connect with Medicare")
    phone.keep("sign-in")


def trouble(phone):
    phone.follow("Trouble signing in?")
    phone.keep("trouble")
    phone.page.go_back()


def create_account(phone):
    """All four pages, as somebody who has nothing but a Medicare card."""
    phone.follow("Create an account")
    who = beneficiary(SEED, PERSONAS["newcomer"].number)
    phone.type(number=who.mbi, last_name=who.family, zip="77009")
    for name, day in ("born", who.born), ("started", who.enrolled):
        phone.type(**{f"{name}-month": day.month, f"{name}-day": day.day, f"{name}-year": day.year})
    phone.page.locator(f"input[name=sex][value={who.gender}]").check()
    for box in "mine", "agreed":
        phone.page.locator(f"input[name={box}]").check()
    phone.keep("create-account")
    phone.press("Continue")
    phone.press("OK, continue")
    phone.keep("check-address")
    phone.press("Continue")
    phone.type(username="walks.at.dawn", password=SECRET, again=SECRET, answer="Rex")
    phone.page.locator("select#question").select_option(index=1)
    phone.keep("choose-sign-in")
    phone.press("Create my account")
    phone.keep("account-ready")


def authorize(phone):
    phone.connect(0)
    phone.keep("authorize")


def item_by_item(phone):
    """What is left out, and what the page says to it."""
    phone.page.get_by_text("Choose exactly what to share").click()
    phone.page.locator("#boxes").get_by_label("Your Medicare coverage").uncheck()
    phone.press("Show what this shares")
    phone.page.locator("#boxes").evaluate(BOXES_AND_SUMMARY)
    phone.keep("item-by-item")


#: The rest of the page has its own picture.
BOXES_AND_SUMMARY = """boxes => {
    const summary = document.querySelector('.done');
    for (const other of document.querySelectorAll('main > *, form > *'))
        if (!other.contains(boxes) && !other.contains(summary)) other.hidden = true;
}"""


def authorize_in_spanish(phone):
    phone.connect(1, "es")
    phone.keep("authorize-es")


def say_yes(phone):
    phone.visit("/testclient")
    phone.press("Connect with Medicare")
    phone.press("Yes, approve access")
    phone.page.wait_for_url("**/testclient/callback")


def receipt(phone):
    phone.visit("/connections/receipts")
    phone.go_by(phone.page.locator("main ul a").first)
    phone.keep("receipt", until="The words on the page")


def some_weeks_later(server):
    """What the app has read today, it has read on days before too."""
    with Session(make_engine(f"sqlite:///{server.log.with_name('bb2.sqlite')}")) as db:
        reads = wait_for(lambda: db.scalars(select(AuditEvent).where(AuditEvent.event == "records.read")).all())
        for consent in db.scalars(select(Consent)):
            consent.granted_at -= timedelta(days=max(DAYS_AGO))
            consent.expires_at -= timedelta(days=max(DAYS_AGO))
        for read in reads:
            often = "Coverage" not in read.details["kind"]
            db.add_all(read_again(read, days_ago) for days_ago in (DAYS_AGO if often else DAYS_AGO[1::3]))
        db.commit()


def read_again(read, days_ago):
    whose = {name: getattr(read, name) for name in ("event", "client_id", "beneficiary_id", "consent_id")}
    return AuditEvent(
        at=read.at - timedelta(days=days_ago), details=read.details | {"count": 1 + days_ago % 3}, **whose
    )


def wait_for(found):
    """The trail has what was read a second later."""
    while not (there := found()):
        time.sleep(0.2)
    return there


def connections(phone):
    phone.visit("/connections")
    phone.keep("connections", until="Your receipts")


def connection(phone):
    phone.follow("See or change what Carely can see")
    phone.keep("connection", until="What you agreed to")


def share_less(phone):
    phone.follow("Share less with Carely")
    phone.keep("share-less")


def stop_sharing(phone):
    phone.visit("/connections")
    phone.follow("See or change what Carely can see")
    phone.follow("Stop sharing with Carely")
    phone.keep("stop-sharing")


def developer_start(desk):
    desk.visit("/developer")
    desk.keep("developer-start")


def register_app(desk, server):
    desk.visit("/developer/sign-up")
    desk.type(**SIGN_UP)
    desk.press("Sign up")
    desk.visit(printed_link(server, "verify"))
    desk.type(current=PASSWORD)
    desk.press("Confirm and sign in")
    desk.follow("Register an app")
    desk.type(name="Claims at a glance")
    preview = desk.page.frame_locator("#preview")
    preview.get_by_role("heading", name="Share your Medicare information with Claims").wait_for()
    desk.page.get_by_label("Yes. People are asked").check()
    desk.page.mouse.wheel(0, -9_999)
    desk.keep("register-app", until="What your app asks for")


def first_claim(desk):
    desk.press("Register")
    desk.follow("Try it in the test client")
    desk.press("Connect with Medicare")
    desk.sign_in(0)
    desk.press("Yes, approve access")
    desk.follow("/v2/fhir/ExplanationOfBenefit")
    desk.keep("first-claim", until="Read one of them")


def main():
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as var,
        RunningServer(var, BB2_BENEFICIARIES="20", BB2_SANDBOX_SEED=str(SEED)) as server,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        take(server, Phone(browser, server.url), Phone(browser, server.url), Phone(browser, server.url))
        take_of_developers(server, Desk(browser, server.url))
        browser.close()


def take(server, newcomer, spanish, phone):
    """The journey, of three people."""
    for step in sign_in, trouble, create_account:
        step(newcomer)
    authorize_in_spanish(spanish)
    for step in authorize, item_by_item, say_yes, receipt:
        step(phone)
    some_weeks_later(server)
    for step in connections, connection, share_less, stop_sharing:
        step(phone)


def take_of_developers(server, desk):
    developer_start(desk)
    register_app(desk, server)
    first_claim(desk)


if __name__ == "__main__":
    main()
