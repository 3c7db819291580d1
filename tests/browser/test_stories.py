"""The beneficiary's journey in a real browser, from an app to an app."""

import re

from playwright.sync_api import expect

REQUESTS = ("connect/userinfo", "fhir/Patient", "fhir/Coverage", "fhir/ExplanationOfBenefit")
SHARED = dict.fromkeys(REQUESTS, 200)
DECLINED = SHARED | {"connect/userinfo": 403, "fhir/Patient": 403}
CLOSED = dict.fromkeys(REQUESTS, 401)


def test_sharing_everything_opens_everything(person):
    person.to_consent(version="v1")
    person.picture("consent")
    person.answer("yes")
    assert person.statuses() == SHARED


def test_personal_information_that_is_left_out_stays_closed(person):
    person.to_consent(version="v2")
    person.choose("withhold")
    person.answer("yes")
    assert person.statuses() == DECLINED


def test_no_brings_the_person_back_to_the_app_which_gets_nothing(person):
    person.to_consent()
    person.answer("no")
    assert "access_denied" in person.page.locator("main").inner_text()
    assert person.page.locator("pre").count() == 0


def test_cancel_at_sign_in_brings_the_person_back_to_the_app(person):
    person.connect()
    person.answer("cancel")
    assert "/testclient/callback" in person.page.url
    assert "access_denied" in person.page.locator("main").inner_text()


def test_a_wrong_password_is_told_and_the_right_one_goes_on(person):
    person.connect()
    person.sign_in(password="wrong")
    assert person.page.title().startswith("Problem: Sign in")
    assert person.focused.get_attribute("role") == "alert"
    assert "could not sign you in" in person.focused.inner_text()
    assert person.page.locator("#username").input_value() == "BBUser00000"
    person.sign_in()
    person.answer("yes")
    assert person.statuses() == SHARED


def test_a_request_in_spanish_is_spanish_all_the_way(person):
    person.connect(lang="es")
    assert (person.language, person.heading) == ("es", "Iniciar sesión")
    person.sign_in(password="wrong")
    assert person.language == "es"
    person.sign_in()
    assert (person.language, person.heading) == ("es", "¿Compartir su información de Medicare con Carely?")
    person.picture("consent-es")
    person.answer("yes")
    assert (person.language, person.heading) == ("es", "Cliente de prueba: la respuesta")
    person.visit("/connections")
    assert (person.language, person.heading) == ("es", "Mis aplicaciones conectadas")
    assert "Sus reclamos de Medicare" in person.page.locator("main").inner_text()


def test_the_language_can_be_changed_at_every_step_without_losing_the_request(person):
    def change():
        person.press("nav a")

    person.connect(lang="en")
    change()
    person.sign_in(password="wrong")
    change()
    assert person.language == "en"
    person.sign_in()
    change()
    assert (person.language, person.heading) == ("es", "¿Compartir su información de Medicare con Carely?")
    person.choose("withhold")
    person.answer("yes")
    change()
    assert (person.language, person.statuses()) == ("en", DECLINED)


def test_two_tabs_are_two_requests_with_an_answer_each(person):
    person.to_consent()
    second = person.context.new_page()
    second.goto(f"{person.url}/testclient")
    person.press("main a.button", second)
    person.answer("no")
    second.locator("#withhold").check()
    person.press("button[value=yes]", second)
    person.page = second
    assert person.statuses() == DECLINED


def test_a_no_in_one_tab_is_not_a_yes_in_its_copy(person):
    person.to_consent()
    copy = person.context.new_page()
    copy.goto(person.page.url)
    person.answer("no")
    person.press("button[value=yes]", copy)
    person.page = copy
    assert person.heading == "You have already said no"


def test_back_after_approval_says_that_the_answer_was_given(person):
    person.to_consent()
    person.answer("yes")
    callback = person.page.url
    while "/consent/" not in person.page.url:
        person.page.go_back()
    assert person.heading == "You have already said yes"
    person.page.goto(callback)
    assert person.statuses() == SHARED


def test_a_no_after_a_yes_ends_the_connection(person):
    person.to_consent()
    copy = person.context.new_page()
    copy.goto(person.page.url)
    person.answer("yes")
    assert person.statuses() == SHARED
    person.press("button[value=no]", copy)
    assert copy.locator("h1").inner_text() == "Carely no longer has access"
    person.page.reload()
    assert person.statuses() == CLOSED


def test_a_session_that_is_gone_shares_nothing_and_says_how_to_go_on(person):
    person.to_consent(number=1)
    person.context.clear_cookies()
    person.answer("yes")
    assert person.heading == "This page is no longer open"
    assert "Nothing was shared" in person.page.locator("main").inner_text()
    person.press("main a.button")
    assert person.heading == "Your Medicare information, where you want it"
    person.visit("/connections")
    person.sign_in(number=1)
    assert "No app can see your Medicare information." in person.page.locator("main").inner_text()


def test_a_choice_without_default_must_be_made(make_person, asking_server):
    person = make_person(asking_server)
    person.to_consent()
    assert person.page.locator("input[name=demographic]:checked").count() == 0
    person.answer("yes")
    assert "/consent/" in person.page.url
    expect(person.page).to_have_title(re.compile("^Problem:"))
    assert "One more answer is needed" in person.focused.inner_text()
    person.picture("choose")
    person.page.locator(".problem a").click()
    assert person.focused.get_attribute("id") == "share"
    person.choose("withhold")
    person.answer("yes")
    assert person.statuses() == DECLINED


def test_a_choice_without_default_is_not_needed_for_a_no(make_person, asking_server):
    person = make_person(asking_server)
    person.to_consent()
    person.answer("no")
    assert "access_denied" in person.page.locator("main").inner_text()


def test_stopping_under_my_connected_apps_closes_the_tokens_at_once(person):
    person.to_consent(number=2)
    person.choose("withhold")
    person.answer("yes")
    callback = person.page.url
    person.visit("/connections")
    connection = person.page.locator(".connection").inner_text()
    assert "Your personal information is left out." in connection
    assert "birth date" not in connection
    person.picture("connections")
    person.press("role=button[name='Stop sharing with Carely']")
    assert "Carely no longer has access" in person.focused.inner_text()
    assert person.page.locator(".connection").count() == 0
    person.page.goto(callback)
    assert person.statuses() == CLOSED


def test_not_you_leads_to_the_same_request_of_another_person(person):
    person.to_consent(number=1)
    first = person.page.locator(".person b").inner_text()
    person.press(".person button")
    assert person.heading == "Sign in"
    person.sign_in(number=0)
    assert person.heading == "Share your Medicare information with Carely?"
    assert person.page.locator(".person b").inner_text() != first
    person.answer("yes")
    assert person.statuses() == SHARED


class Keyboard:
    """A person who has nothing but a keyboard."""

    def __init__(self, person):
        self.person, self.keys = person, person.page.keyboard

    def tab_to(self, selector):
        """Press Tab until this element has the focus; returns the names of what had it on the way."""
        passed = []
        for _ in range(30):
            self.keys.press("Tab")
            focused = self.person.focused
            if focused.count() and focused.and_(self.person.page.locator(selector)).count():
                return passed
            passed.append(focused.inner_text() if focused.count() else "")
        raise AssertionError(f"Tab does not reach {selector}: {passed}")


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
    assert keyboard.tab_to("button[value=yes]") == ["How the connection works", "My connected apps", "1-800-633-4227"]
    keyboard.keys.press("Enter")
    person.page.wait_for_url("**/testclient/callback")
    assert person.statuses() == DECLINED


def test_the_skip_link_leads_to_the_main_content(person):
    keyboard = Keyboard(person)
    person.visit("/")
    keyboard.keys.press("Tab")
    keyboard.keys.press("Enter")
    assert keyboard.tab_to("main a.button") == []
