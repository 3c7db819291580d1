"""A developer at the test client, in a browser, on a phone.  (What the way to the first claim shows is looked at in
test_developer_story.)
"""


def test_a_developer_comes_to_the_first_claim_pages_through_the_claims_and_ends_it(person):
    person.visit("/testclient")
    person.press("button[value=show]")
    person.look("testclient-request")
    person.press("main a.button")
    person.page.locator("#password").fill("PW00000!")  # the user name is there already
    person.press("button[value=sign-in]")
    person.answer("yes")
    person.press("a[href$='/v2/fhir/ExplanationOfBenefit']")
    assert "records in all" in person.text
    person.unfold()  # the form of the search
    person.page.locator("#search-_count").fill("2")
    person.press("form.search button")
    person.press("text=Next page")
    person.press("main li a[href*='ExplanationOfBenefit/'] >> nth=0")
    assert person.heading.startswith("GET /v2/fhir/ExplanationOfBenefit/")
    person.press("text=Back to the tokens")
    person.press("button[value=refresh]")
    person.look("testclient-refreshed")
    person.press("button[value=end]")
    person.press("a[href$='/v2/fhir/Patient']")
    person.look("testclient-closed")


def test_an_app_that_is_told_no_hears_what_to_do(person):
    person.to_consent()
    person.answer("no")
    assert person.heading == "The app got no tokens"
    person.look("testclient-no")


def test_without_scripts_the_same_buttons_work(spanish_person):
    spanish_person.visit("/testclient?language=es")
    spanish_person.press("button[value=connect]")
    spanish_person.sign_in()
    assert spanish_person.heading == "¿Compartir su información de Medicare con Carely?"
    spanish_person.answer("yes")
    assert set(spanish_person.statuses().values()) == {200}


def test_at_another_name_of_this_machine_the_trial_goes_on_where_the_app_is_answered(person):
    person.page.goto(person.url.replace("localhost", "127.0.0.1") + "/testclient?version=v1")
    assert person.page.url == f"{person.url}/testclient?version=v1"
