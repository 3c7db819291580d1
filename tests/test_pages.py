"""Every page and every error page: its language, its words, its way on, and what it lets the browser do."""

import ast
import gettext
import re
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import bb2.views
from bb2.identity.builtin import ensure_beneficiary
from bb2.models import Beneficiary, SandboxPerson
from bb2.sandbox.fill import ensure_recipe
from bb2.sandbox.personas import PERSONAS
from bb2.testing import ALICE, ConsentServer, consent_form
from bb2.views.provider_problems import PROBLEMS
from built_in import BUILT_IN
from oauth.steps import answer
from reading import grade, sentences, untranslated, words
from walk import change, change_client, start, walked

pytestmark = pytest.mark.either_database

LOCALE = Path(bb2.views.__file__).parents[1] / "locale"

# Words that a page in the one language cannot do without, and a page in the other cannot have.
ENGLISH = {"the", "you", "your", "and", "of", "with", "to", "can", "is", "was", "not", "for", "this", "it", "please"}
SPANISH = {"usted", "su", "de", "la", "el", "que", "los", "las", "para", "una", "por", "puede", "aplicación", "está"}
FOREIGN = {"en": SPANISH, "es": ENGLISH}

#: Those of the developer of an app, who tries it in a sandbox.
FOR_DEVELOPERS = ("test client", "callback", "another test", "no demo client", "people to sign in as", "nobody to sign")
EASY = 7  #: The highest grade of a page: its sentences together are read by who has ended that one.
HARDEST = 10  # of one sentence
LONGEST = 25  # words of one sentence


@pytest.fixture
def server(make_server):
    return start(make_server)


@pytest.fixture(scope="module")
def unchanged():
    """A server on which no test changes anything."""
    return start(ConsentServer)


@pytest.fixture
def newcomer(unchanged):
    """A browser that was never there before, on that server."""
    unchanged.reset()
    return unchanged


@pytest.fixture(scope="module", params=["en", "es"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def pages(language):
    """{name: page} of every page, for a browser that prefers the language."""
    return walked(language).pages


def titles_in_the_sources():
    """The title of every PageError that a view can raise; those in English alone are told to developers."""
    titles = set()
    for path in Path(bb2.views.__file__).parent.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        raised = [call for call in calls if getattr(call.func, "id", "") == "PageError"]
        told = [call.args[1] for call in raised if len(call.args) > 1]
        titles |= {title.args[0].value for title in told if isinstance(title, ast.Call)}
    return titles


def test_every_page_is_whole_in_its_language(pages, language):
    other = {"en": "es", "es": "en"}[language]
    for name, page in pages.items():
        assert page.content_type == "text/html", name
        html = page.html
        assert html.html["lang"] == language, name
        assert len(html.find_all("h1")) == 1, name
        assert html.find("main").find("h1"), name
        assert re.fullmatch(r"\S.* – Blue Button", html.title.get_text()), name
        said = words(page)
        assert said & FOREIGN[language] == set(), name
        assert said & FOREIGN[other] != set(), name
        assert "${" not in page.text, name


def test_no_text_of_any_page_is_the_same_in_both_languages():
    english, spanish = walked("en").pages, walked("es").pages
    assert list(english) == list(spanish)
    found = {name: untranslated(page.html, spanish[name].html) for name, page in english.items()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_every_template_is_part_of_a_page_that_is_walked_to():
    templates = {path.name for path in (Path(bb2.views.__file__).parents[1] / "templates").glob("*.jinja2")}
    assert templates - walked("en").templates == set()


@pytest.mark.parametrize(
    "planted",
    [
        "<p>Stop sharing</p>",
        "<p>Until <b>{date}</b></p>",
        "<p>Shared since {date}, by Alice Doe</p>",
        '<img alt="A picture">',
        '<a aria-label="Stop sharing" href="/">1</a>',
        '<input placeholder="Name">',
        '<input type="submit" value="Send">',
        "<title>Home – Blue Button</title>",
    ],
)
def test_the_finder_finds_a_text_that_is_not_translated(planted):
    pages = {"en": "<p>Hello, Carely</p><p lang='es'>Hola</p>", "es": "<p>Hola, Carely</p><p lang='en'>Hello</p>"}
    dates = {"en": "November 22, 2026", "es": "22 de noviembre de 2026"}
    pages = {language: f"<html lang={language}><p>Alice Doe: 1-800</p>{page}" for language, page in pages.items()}
    assert untranslated(*(BeautifulSoup(page, "html.parser") for page in pages.values())) == []
    planted = [page + planted.format(date=dates[language]) for language, page in pages.items()]
    assert len(untranslated(*(BeautifulSoup(page, "html.parser") for page in planted))) == 1


# How easy the pages are to read


def hard(said):
    """What is too hard of these sentences: each that is, and all of them together."""
    alone = [one for one in said if len(one.split()) > LONGEST or (len(one.split()) > 7 and grade(one) > HARDEST)]
    return alone + ([f"grade {grade(' '.join(said)):.1f}"] if said and grade(" ".join(said)) > EASY else [])


def test_every_page_for_beneficiaries_is_easy_to_read():
    pages = {name: page for name, page in walked("en").pages.items() if not name.startswith(FOR_DEVELOPERS)}
    said = {name: sentences(page) for name, page in pages.items()}
    assert {name: found for name, page in said.items() if (found := hard(page))} == {}
    assert len({sentence for page in said.values() for sentence in page}) > 250


def test_what_is_hard_to_read_is_found():
    easy = "You can stop sharing at any time. No app can see your claims then."
    legal = "Authorization terminates automatically upon expiration of the aforementioned period."
    endless = "You go on " + "and on " * 12
    assert hard(easy.split(". ")) == []
    assert hard([easy, legal])[0] == legal
    assert hard([easy, f"{endless}."])[0] == f"{endless}."


def test_every_page_links_to_itself_in_the_other_language(pages, language):
    other = {"en": ("es", "Español"), "es": ("en", "English")}[language]
    for name, page in pages.items():
        link = page.html.find("nav").find(["a", "button"], lang=True)
        assert (link["lang"], link.contents[0].strip()) == other, name
        if link.name == "button":  # which keeps what was chosen
            assert (link["name"], link["value"]) == ("lang", other[0]), name
            assert page.html.find("form", id=link["form"]), name
            continue
        assert re.match(r"/(?!/)", link["href"]), name
        filled_in = page.request.method == "POST" and page.html.main.select(":is(input, select):not([type=hidden])")
        assert bool(filled_in) == (link.find("span") is not None), name  # which says that the page starts over


def test_every_error_page_is_walked_to(pages, language):
    headings = {page.html.find("h1").get_text() for page in pages.values()}
    translate = gettext.translation("bb2", LOCALE, [language], fallback=language == "en").gettext
    titles = {translate(title).replace("${app}", "Carely") for title in titles_in_the_sources()}
    assert titles - headings == set()


def test_every_error_page_says_what_happened_and_shows_a_way_on(pages):
    for name, page in pages.items():
        has_form = name.startswith("wrong password") or name == "nothing chosen"
        if page.status_int >= 400 and not has_form:
            main = page.html.find("main")
            assert len(main.find_all("p")) >= 2, name
            assert main.find("a", class_="button")["href"].startswith("/"), name
            assert "Traceback" not in page.text, name
            assert "a secret of the server" not in page.text, name


def test_every_problem_at_a_provider_has_another_try_and_a_way_back_to_the_app(pages, language):
    for problem in (*PROBLEMS, "not there"):
        page = pages[f"provider: {problem}"]
        assert page.html.main.find("a", class_="button")["href"].startswith("/sign-in?request="), problem
        assert "Carely" in page.html.main.find("button").get_text(), problem
        assert page.html.title.get_text().startswith({"en": "Problem:", "es": "Problema:"}[language])


def test_no_form_around_a_sign_in_elsewhere_is_held_back_on_its_way_to_the_app(pages):
    for name in (*PROBLEMS, "sign in"):
        assert "form-action" not in pages[f"provider: {name}"].headers["Content-Security-Policy"], name


def test_no_page_has_a_script_or_a_style_written_into_it(pages):
    for name, page in pages.items():
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; "), name
        allowed = {word for directive in policy.split(";") for word in directive.split()[1:]}
        assert allowed == {"'none'", "'self'"}, name
        html = page.html
        assert html.find_all(["style", "iframe"]) == [], name
        assert all(s["src"].startswith("/static/") and s.has_attr("defer") for s in html.find_all("script")), name
        attributes = {attribute for element in html.find_all() for attribute in element.attrs}
        assert not {a for a in attributes if a.startswith("on") or a == "style"}, name


# The language that is spoken


@pytest.mark.parametrize(
    ("preferred", "spoken"),
    [
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.5", "es"),
        ("ES-us", "es"),
        ("en-US,en;q=0.9,es;q=0.5", "en"),
        ("fr-FR,es;q=0.5", "es"),
        ("fr", "en"),
        ("es;q=0", "en"),
        ("", "en"),
        ("\x00;;", "en"),
    ],
)
def test_the_browsers_preferred_language_is_spoken(newcomer, preferred, spoken):
    assert newcomer.get("/", headers={"Accept-Language": preferred}).html.html["lang"] == spoken


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_request_that_names_spanish_is_answered_in_spanish_to_the_end(server, method):
    asked = server.authorization_request(lang="es")
    page = getattr(server, method)("/v2/o/authorize", asked).maybe_follow()
    assert page.html.find("h1").get_text() == "Iniciar sesión"
    form = page.forms[0]
    form["username"], form["password"] = "alice", "wrong"
    page = form.submit("answer", value="sign-in", status=403)
    form = page.forms[0]
    form["password"] = "correct horse"
    page = form.submit("answer", value="sign-in").follow()
    assert page.html.find("h1").get_text() == "¿Compartir su información de Medicare con Carely?"
    assert re.search(r"Hasta el \d{1,2} de [a-z]+ de \d{4}\.", page.html.get_text())
    form = consent_form(page)
    form["demographic"] = "withhold"
    form.submit("answer", value="yes", status=303)
    assert server.get("/connections").html.html["lang"] == "es"


def test_a_language_that_is_not_spoken_is_no_choice(newcomer):
    page = newcomer.get("/?lang=xx", headers={"Accept-Language": "es"})
    assert page.html.html["lang"] == "es"
    assert "Set-Cookie" not in page.headers


def test_the_language_link_keeps_the_authorization_request(server):
    page = server.get("/v2/o/authorize", server.authorization_request()).follow().follow()
    page = page.click("Español")
    form = page.forms[0]
    form["username"], form["password"] = "alice", "wrong"
    page = form.submit("answer", value="sign-in", status=403).click("English")
    form = page.forms[0]
    form["username"], form["password"] = "alice", "correct horse"
    page = answer(form.submit("answer", value="sign-in").follow(), None, lang="es")
    assert page.html.find("h1").get_text() == "¿Compartir su información de Medicare con Carely?"


def test_the_language_link_of_an_error_keeps_the_app_that_it_names(newcomer):
    asked = newcomer.authorization_request(redirect_uri="https://elsewhere.example/")
    link = newcomer.get("/v2/o/authorize", asked, status=400).html.find("nav").find("a")["href"]
    assert "La aplicación “Carely”" in newcomer.get(link, status=400).html.find("main").get_text()


def test_the_language_link_never_leads_to_another_host(newcomer):
    page = newcomer.get("//elsewhere.example/page", status=404)
    assert page.html.find("nav").find("a")["href"] == "/elsewhere.example/page?lang=es"


@pytest.mark.parametrize("path", ["/?x=%ff", "/%ff", "/?lang=%ff", "/sign-in?request=%ff", "/v2/o/authorize?state=%ff"])
def test_an_address_that_is_not_utf_8_gets_a_page(newcomer, path):
    page = newcomer.get(path, headers={"Accept-Language": "es"}, status="*")
    assert page.status_int in (400, 404)
    assert page.html.html["lang"] == "es"


# What the authorization page shows


NAMES = (
    ("Yolanda", "de la Cruz", "You are signed in as Yolanda de la Cruz."),
    ("Cher", "", "You are signed in as Cher."),
    ("", "O'Brien", "You are signed in as O'Brien."),
    ("", "", "You are signed in."),
    ("<b>", "%(x)s ${y}", "You are signed in as <b> %(x)s ${y}."),
)


def test_the_person_is_called_by_their_whole_name(server):
    for given, family, shown in NAMES:
        change(server, Beneficiary, ALICE, given_name=given, family_name=family)
        person = server.consent_page().html.find(class_="person").get_text()
        assert " ".join(person.split()) == f"{shown} Not you? Sign in as somebody else"


APPS = [("Carely", "C"), ("carely", "C"), ("🩺 my health", "M"), ("“Ñandú”", "Ñ"), ("3 Apples", "3"), ("🩺🏽", None)]


def test_an_app_is_shown_with_the_first_letter_of_its_name(server):
    for name, letter in APPS:
        change_client(server, name=name)
        page = server.consent_page()
        logo = page.html.find(class_="logo")
        assert (logo and logo.get_text()) == letter, name
        assert page.html.find("h1").get_text() == f"Share your Medicare information with {name}?"


@pytest.mark.parametrize("problem", ["changed", "answer"])
def test_a_choice_survives_a_problem(server, problem):
    form = consent_form(server.consent_page())
    form["demographic"] = "withhold"
    if problem == "changed":
        form["screen"] = "another"
    page = form.submit("answer", value="yes" if problem == "changed" else "")
    assert page.html.find(class_="problem").find("h2")
    assert consent_form(page)["demographic"].value == "withhold"


def test_the_problem_is_the_first_thing_in_the_page_and_has_the_focus(server):
    page = consent_form(server.consent_page()).submit("answer", value="yes")
    problem = page.html.find("main").find(True)
    assert problem["role"] == "alert"
    assert problem.has_attr("autofocus")
    assert problem["tabindex"] == "-1"
    assert page.html.find(id=problem.find("a")["href"].lstrip("#"))["type"] == "radio"
    assert page.html.title.get_text().startswith("Problem:")


# The people of a sandbox


def test_the_page_of_people_tells_of_those_who_are_there(server):
    with server.db() as db:
        ensure_recipe(db, {})
        for number in 0, 1:
            person = ensure_beneficiary(db, f"-10{number}", "Ada", "Lovelace")
            db.add(SandboxPerson(number=number, beneficiary=person, day=date(2026, 11, 1)))
    listed = server.get("/sandbox/people").html.select(".calls li")
    assert [" ".join(part.get_text() for part in item.find_all(["b", "p"])) for item in listed] == [
        f"{persona.shows} User name {persona.username}, password {persona.password} "
        f"Try {persona.username} with the test client"
        for persona in list(PERSONAS.values())[:2]
    ]
    assert "Answer00001" in listed[1].get_text()


def test_outside_a_sandbox_there_is_no_page_of_people():
    server = ConsentServer(*BUILT_IN, settings={"bb2.sandbox": "false"})
    assert server.get("/sandbox/people", status=404)
