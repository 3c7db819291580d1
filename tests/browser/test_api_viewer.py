"""A developer tries the API on /docs/api: signs in as a synthetic person, and calls it, under our own policy."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.long

WIDE = {"width": 1200, "height": 900}
PATIENCE = 60_000  # milliseconds: the viewer is large, and the tests' machine is busy


def sign_in(window):
    window.locator("#username").fill("BBUser00000")
    window.locator("#password").fill("PW00000!")
    window.locator("button[value=sign-in]").click()
    with window.expect_event("close"):  # its script hands the code on
        window.locator("button[value=yes]").click()


def try_out(page, tag, operation):
    """Open an operation, to call it as it stands."""
    page.locator(f"#operations-tag-{tag}").click()
    block = page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    return block


def call(block, status):
    """Call an operation, and see the status that it is answered."""
    block.locator(".execute").click()
    shown = block.locator(".live-responses-table .response .response-col_status").first
    expect(shown).to_contain_text(status, timeout=PATIENCE)


def test_who_has_no_token_is_told_so_and_who_signs_in_as_a_synthetic_person_reads_their_records(person):
    page, person.changed = person.page, True
    page.set_default_timeout(PATIENCE)
    person.visit("/docs/api")
    page.locator(".opblock-tag").first.wait_for()
    person.look("api-viewer")
    page.set_viewport_size(WIDE)
    search = try_out(page, "Patient", "v2_search_Patient")
    call(search, "401")

    page.locator(".auth-wrapper .authorize").first.click()
    assert page.evaluate("document.activeElement.className") == "close-modal"  # it is seen from its top
    way = page.locator(".auth-container", has_text="oauth2_v2")
    way.get_by_text("select all", exact=True).click()
    with page.expect_popup() as opened:
        way.locator(".btn.authorize").click()
    sign_in(opened.value)
    way.get_by_text("Logout").wait_for()
    page.locator(".close-modal").click()
    call(search, "200")
    assert person.refused == []
