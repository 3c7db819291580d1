"""A developer tries the API on /docs/api: signs in as a synthetic person, and calls it, under our own policy."""

import pytest

pytestmark = pytest.mark.long

WIDE = {"width": 1200, "height": 900}


@pytest.fixture
def developer(make_person, server):
    person = make_person(server, viewport=WIDE)
    person.visit("/docs/api")
    person.page.set_default_timeout(30_000)  # the viewer is large, and the tests' machine is busy
    person.page.locator(".opblock-tag").first.wait_for()
    return person


def sign_in(window):
    window.locator("#username").fill("BBUser00000")
    window.locator("#password").fill("PW00000!")
    window.locator("button[value=sign-in]").click()
    with window.expect_event("close"):  # its script hands the code on
        window.locator("button[value=yes]").click()


def call(person, tag, operation):
    """Try an operation out as it stands; the status that it is answered."""
    person.page.locator(f"#operations-tag-{tag}").click()
    block = person.page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    block.locator(".execute").click()
    return block.locator(".live-responses-table .response .response-col_status").first.inner_text()


def test_who_signs_in_there_as_a_synthetic_person_reads_their_records(developer):
    page = developer.page
    page.locator(".auth-wrapper .authorize").first.click()
    assert page.evaluate("document.activeElement.className") == "close-modal"  # it is seen from its top
    way = page.locator(".auth-container", has_text="oauth2_v2")
    way.get_by_text("select all", exact=True).click()
    with page.expect_popup() as opened:
        way.locator(".btn.authorize").click()
    sign_in(opened.value)
    way.get_by_text("Logout").wait_for()
    page.locator(".close-modal").click()
    assert call(developer, "Coverage", "v2_search_Coverage").startswith("200")
    assert call(developer, "ExplanationOfBenefit", "v2_search_ExplanationOfBenefit").startswith("200")
    assert developer.refused == []


def test_who_has_no_token_is_told_so(developer):
    assert call(developer, "Coverage", "v2_search_Coverage").startswith("401")
