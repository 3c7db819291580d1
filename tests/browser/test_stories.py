"""The beneficiary's journey in a real browser, from an app to an app."""

import re

from keyboard import Keyboard

REQUESTS = ("connect/userinfo", "fhir/Patient", "fhir/Coverage", "fhir/ExplanationOfBenefit")
SHARED = dict.fromkeys(REQUESTS, 200)
DECLINED = SHARED | {"connect/userinfo": 403, "fhir/Patient": 403}
CLOSED = dict.fromkeys(REQUESTS, 401)


def test_what_is_shared_stays_open_after_back_until_a_later_no(person):
    person.to_consent(version="v1")
    person.look("consent")
    copy = person.context.new_page()
    copy.goto(person.page.url)
    person.answer("yes")
    assert person.statuses() == SHARED
    callback = person.page.url
    while "/consent/" not in person.page.url:
        person.page.go_back()
    assert person.heading == "You have already said yes"
    person.page.goto(callback)
    assert person.statuses() == SHARED
    person.press("button[value=no]", copy)
    assert copy.locator("h1").inner_text() == "Carely no longer has access"
    person.page.reload()
    assert person.statuses() == CLOSED


def test_each_page_is_in_the_language_of_the_request_or_the_one_chosen_since_and_loses_nothing(person):
    def change():
        person.press("nav a")

    person.connect(lang="es")
    assert (person.language, person.heading) == ("es", "Iniciar sesión")
    change()
    person.sign_in(password="wrong")
    assert person.language == "en"
    change()
    assert person.language == "es"
    person.sign_in()
    assert (person.language, person.heading) == ("es", "¿Compartir su información de Medicare con Carely?")
    person.look("consent-long", "es")
    change()
    assert (person.language, person.heading) == ("en", "Share your Medicare information with Carely?")
    person.choose("withhold")
    person.answer("yes")
    assert (person.language, person.statuses()) == ("en", DECLINED)
    change()
    assert (person.language, person.heading) == ("es", "Cliente de prueba: la respuesta")
    assert person.statuses() == DECLINED
    person.visit("/connections")
    assert (person.language, person.heading) == ("es", "Mis aplicaciones conectadas")
    person.press(".connection a.button")
    assert "Sus reclamos de Medicare" in person.page.locator("main").inner_text()


def test_two_tabs_are_two_requests_with_an_answer_each_and_a_copy_has_none_of_its_own(person):
    person.to_consent()
    copy, second = person.context.new_page(), person.context.new_page()
    copy.goto(person.page.url)
    second.goto(f"{person.url}/testclient")
    person.press("main a.button", second)
    person.answer("no")
    assert "error=access_denied" in person.page.url
    person.press("button[value=yes]", copy)
    assert copy.locator("h1").inner_text() == "You have already said no"
    second.locator("#withhold").check()
    person.press("button[value=yes]", second)
    person.page = second
    assert person.statuses() == DECLINED


def test_what_is_left_out_stays_closed_and_stopping_closes_the_rest_at_once(person):
    person.to_consent(number=2)
    person.choose("withhold")
    person.answer("yes")
    assert person.statuses() == DECLINED
    callback = person.page.url
    person.visit("/connections")
    person.look("connections")
    person.press("role=link[name='See or change what Carely can see']")
    cannot = person.page.locator("h2:has-text('What Carely cannot see') + ul").inner_text()
    assert "birth date" in cannot
    person.look("connection")
    person.press("role=link[name='Stop sharing with Carely']")
    person.press("role=button[name='Yes, stop sharing']")
    assert "Carely no longer has access" in person.focused.inner_text()
    assert person.page.locator(".connection").count() == 0
    person.page.goto(callback)
    assert person.statuses() == CLOSED


def test_the_keyboard_alone_is_enough(person):
    keyboard = Keyboard(person)
    person.visit("/testclient")
    assert keyboard.tab_to("main a.button")[0] == "Skip to the main content"
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
    assert "Please answer Yes or No" in person.focused.inner_text()
    keyboard.tab_to("#withhold")
    assert person.page.locator("#withhold").is_checked()
    # What is sensitive is a question of its own, which stands at No.
    sensitive = "input[name^=sensitive-]"
    assert keyboard.tab_to(f"{sensitive}[value=withhold]") == []
    assert person.page.locator(f"{sensitive}:checked").get_attribute("value") == "withhold"
    keyboard.keys.press("ArrowUp")
    assert person.page.locator(f"{sensitive}:checked").get_attribute("value") == "share"
    # Line by line, for those who want it.
    assert keyboard.tab_to("#boxes summary") == ["How the connection works"]
    keyboard.keys.press("Enter")
    assert keyboard.tab_to("#boxes input") == []
    keyboard.keys.press("Space")
    keyboard.tab_to("button[value=show]")
    keyboard.keys.press("Enter")
    person.page.wait_for_selector(".done:focus")
    assert "Carely will not get:\nYour Medicare claims" in re.sub(r"\s*\n\s*", "\n", person.focused.inner_text())
    assert keyboard.tab_to("button[value=yes]") == ["My connected apps", "1-800-633-4227"]
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/testclient/callback")
    assert person.statuses() == DECLINED | {"fhir/ExplanationOfBenefit": 403}


def test_the_skip_link_leads_to_the_main_content(person):
    keyboard = Keyboard(person)
    person.visit("/")
    keyboard.keys.press("Tab")
    keyboard.keys.press("Enter")
    assert keyboard.tab_to("main a.button") == []
