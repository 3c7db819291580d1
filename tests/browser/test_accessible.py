"""What the stories do not look at: each kind of page at 400 % zoom, with wide spacing, by its targets and its focus,
in forced colors, without motion, and on paper; and axe on the pages that no story comes to."""

import pytest
from measures import MEASURES, ZOOMED, measure

pytestmark = pytest.mark.long

NO_STORY = {
    "home": "/?lang=en",
    "people": "/sandbox/people?lang=en",
    "no-such-page": "/nothing/here?lang=en",
    "unreachable-app": "/v2/o/authorize?client_id=unknown&lang=en",
    "sign-out": "/v2/connect/logout?lang=en",
}
#: A page that has every fault that is measured, each once.
FAULTY = """() => {
    const main = document.querySelector("main");
    main.innerHTML = `<button>1</button><a class=button href=/>2</a>
        <div><p>A text that is cut off.</p></div><div>Fits</div>`;
    const [small, dark, [cut, spaced]] = [main.children[0], main.children[1], main.querySelectorAll("div")];
    Object.assign(small.style, { width: "20px", minHeight: 0, height: "20px", padding: 0, border: 0 });
    Object.assign(dark.style, { outline: "none" });
    Object.assign(cut.style, { overflow: "hidden", height: "10px" });
    Object.assign(spaced.style, { overflow: "hidden", lineHeight: "1", height: "1.1em" });
    small.style.transition = "color 1s";
}"""
MARKS = """() => [...document.querySelectorAll(".radio input")].map((e) =>
    [e.checked, getComputedStyle(e, "::before").visibility, getComputedStyle(e, "::before").backgroundColor])"""


@pytest.fixture
def person(make_person, server):
    return make_person(server, **ZOOMED)


def measure_both(person, name):
    """The page, and the same in the other language, to which its link leads."""
    faults, before, place = measure(person, name), (person.language, person.heading), person.page.url.split("?")[0]
    person.press("nav [lang]")
    assert person.page.url.split("?")[0] == place, name
    assert person.language != before[0], name
    assert person.heading != before[1], name
    return faults | measure(person, name)


def test_the_pages_that_no_story_comes_to_have_no_fault(person):
    faults = {}
    for name, path in NO_STORY.items():
        person.visit(path)
        person.look(name)
        faults |= measure_both(person, name)
    assert faults == {}


def test_what_is_measured_is_found(person):
    person.visit("/")
    assert measure(person, "home") == {}
    person.page.evaluate(FAULTY)
    found = {what: len(where) for what, where in person.page.evaluate(MEASURES).items()}
    assert found == {"too small": 1, "focus not seen": 1, "cut off": 1, "moves": 1, "cut off with wide spacing": 2}


def test_every_kind_of_page_can_be_read_and_used_at_400_percent_and_with_wide_spacing(person):
    faults = {}
    person.connect()
    faults |= measure_both(person, "sign in")
    person.sign_in(password="wrong")
    faults |= measure(person, "wrong password")
    person.sign_in()
    faults |= measure_both(person, "consent")
    person.answer("yes")
    faults |= measure(person, "callback")
    for path in "/connections", "/connections/receipts", "/account", "/account/email", "/account/passkeys":
        person.visit(path)
        faults |= measure_both(person, path)
    person.visit("/connections")
    person.press(".connection a.button >> nth=0")
    faults |= measure_both(person, "connection")
    person.press("a[href$='/less']")
    faults |= measure_both(person, "share less")
    for path in "/sign-in/trouble", "/account/create":
        person.visit(path)
        faults |= measure_both(person, path)
        person.press("main form[novalidate] .button >> nth=0")
        faults |= measure(person, f"{path} with mistakes")
    assert faults == {}


def test_in_forced_colors_what_is_chosen_and_what_has_the_focus_can_be_told(person):
    person.emulate(forced_colors="active")
    person.to_consent()
    assert measure(person, "consent") == {}
    person.choose("share")
    marks = person.page.evaluate(MARKS)
    ground = person.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert {checked for checked, _visibility, _color in marks} == {True, False}
    assert all((visibility == "visible") == checked for checked, visibility, _color in marks)
    assert all(color != ground for checked, _visibility, color in marks if checked)
    borders = "e => e.map(b => getComputedStyle(b).borderTopStyle + getComputedStyle(b).borderTopWidth)"
    assert set(person.page.locator(".button, fieldset.choice").evaluate_all(borders)) == {"solid2px"}


def test_a_receipt_on_paper_has_its_words_and_no_controls(person):
    person.to_consent()
    person.choose("withhold")
    person.answer("yes")
    person.visit("/connections")
    person.press(".connection a.button >> nth=0")
    connection = person.page.url
    person.visit("/connections/receipts")
    person.press(".calls a >> nth=0")
    person.emulate(media="print")
    for what in "nav", "footer", "button", "a.button", ".screen-only", ".skip":
        assert person.page.locator(what).and_(person.page.locator(":visible")).count() == 0, what
    printed = person.page.locator("body").inner_text()
    for words in ("Blue Button", "You said yes to Carely", "Receipt number", "The words on the page", "Eastern Time"):
        assert words in printed
    person.page.goto(connection)
    assert "At least four years" in person.page.locator("body").inner_text()  # what is folded on the screen
