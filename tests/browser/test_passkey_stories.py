"""Passkeys in a real browser, with an authenticator of its own: added, used, removed; and offered where they work."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.long

ONE_OF_THE_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def person(make_person, server):
    return make_person(server, java_script_enabled=True)


def authenticator(person, **changes):
    """Give the person's device an authenticator.  Returns a function that asks for another way of it to behave."""
    devtools = person.devtools()
    devtools.send("WebAuthn.enable")
    options = ONE_OF_THE_DEVICE | changes
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return lambda method, **values: devtools.send(f"WebAuthn.{method}", made | values)


def test_a_passkey_is_added_used_without_a_password_and_removed(person):
    device = authenticator(person)
    refused = []
    person.page.on("console", lambda message: refused.append(message.text))
    person.visit("/sign-in")
    person.sign_in()
    expect(person.page.get_by_text("Sign in faster next time")).to_be_visible()
    person.press("aside a.button")
    expect(person.page.get_by_text("You have none yet.")).to_be_visible()
    device("setUserVerified", isUserVerified=False)
    person.page.locator("form[data-passkey=add] button").click()
    expect(person.page.get_by_text("No passkey was added. You can try again.")).to_be_visible()
    device("setUserVerified", isUserVerified=True)
    person.page.get_by_label("A name for it, if you like").fill("My phone")
    person.press("form[data-passkey=add] button")
    assert person.page.locator(":focus").inner_text().startswith("Your passkey is ready")
    expect(person.page.get_by_role("heading", name="My phone")).to_be_visible()
    # The same device makes no second one.
    person.page.locator("form[data-passkey=add] button").click()
    expect(person.page.get_by_text("This device has a passkey for you already.")).to_be_visible()
    person.press("form.person button")

    # Where the offer beside the user name fails, there is the button.
    offer = "**/sign-in/passkey/options"
    person.page.route(offer, lambda route: route.abort())
    with person.page.expect_event("requestfailed"):
        person.connect()
    person.page.unroute(offer)
    with person.page.expect_navigation(url="**/consent/**"):
        person.page.get_by_role("button", name="Sign in with a passkey").click()

    person.visit("/connections")
    expect(person.page.get_by_text("Sign in faster next time")).to_have_count(0)
    person.visit("/account/passkeys")
    person.press("button[value=remove]")
    assert person.page.locator(":focus").inner_text().startswith("The passkey was removed")
    person.press("form.person button")
    # The device has it still, and this authenticator chooses it at once where the user name is typed.
    person.page.goto(f"{person.url}/sign-in", wait_until="commit")
    person.page.wait_for_url("**/sign-in/passkey")
    assert person.heading == "We could not sign you in with this passkey"
    assert [text for text in refused if "Content Security Policy" in text] == []
