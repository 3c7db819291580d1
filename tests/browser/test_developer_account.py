"""An app developer's account in a real browser: from nothing to signed in and protected, by a mail that is printed."""

import pyotp
import pytest
from playwright.sync_api import expect
from test_passkey_stories import authenticator

from developing import PASSWORD, SIGN_UP, printed_link

pytestmark = pytest.mark.long


def confirm(person):
    person.page.get_by_label("Your password").fill(PASSWORD)


def test_a_developer_signs_up_protects_the_account_and_signs_in_with_a_passkey(person, server):
    page, device = person.page, authenticator(person)
    device("setAutomaticPresenceSimulation", enabled=False)
    person.visit("/developer")
    person.press("main >> text=Sign up >> nth=-1")
    for name, typed in SIGN_UP.items():
        page.locator(f"#{name}").fill(typed)
    person.press("main button")
    assert person.heading == "Look in your mail"
    person.visit(printed_link(server, "verify"))
    confirm(person)
    person.press("main button")
    expect(page.get_by_text("You are signed in as Ada Byron.")).to_be_visible()

    person.visit("/developer/account/passkeys")
    device("setAutomaticPresenceSimulation", enabled=True)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("pre.codes")).to_be_visible()
    person.look("developer-codes")
    codes = page.locator("pre.codes").inner_text()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download them").click()
    assert codes.strip() in file.value.path().read_text()

    person.visit("/developer/account/authenticator")
    key = page.locator("code.copy").first.inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(key).now())
    confirm(person)
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("Your authenticator app is set up")).to_be_visible()

    # Signed out, the passkey is offered where the address would be typed, and leads to the page that was wanted.
    person.press("form.person button")
    page.goto(f"{person.url}/developer/sign-in?next=/developer/account", wait_until="commit")
    page.wait_for_url(f"{person.url}/developer/account")
    assert person.heading == "Account"
