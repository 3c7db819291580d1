"""Every page and every error page: its language, its words, its way on, and what it lets the browser do."""

import ast
import gettext
import re
from copy import copy
from datetime import date
from pathlib import Path

import pytest

import bb2.views
import broken_pages
from bb2.clock import utcnow
from bb2.identity import closing
from bb2.identity.builtin import ensure_beneficiary
from bb2.models import Beneficiary, Client, SandboxPerson
from bb2.sandbox.demo import ensure_demo_client
from bb2.sandbox.personas import PERSONAS
from bb2.testing import ALICE, BOB, PASSWORD, ConsentServer, consent_form
from built_in import BUILT_IN
from oauth.steps import newest_connection, share_less, stop_form

pytestmark = pytest.mark.either_database

FAMILIES = ("patient/ExplanationOfBenefit", "patient/Coverage", "patient/Patient", "profile")
ALL_LINES = [f"line-{family}" for family in FAMILIES]
LOCALE = Path(bb2.views.__file__).parents[1] / "locale"

# Words that a page in the one language cannot do without, and a page in the other cannot have.
ENGLISH = {"the", "you", "your", "and", "of", "with", "to", "can", "is", "was", "not", "for", "this", "it", "please"}
SPANISH = {"usted", "su", "de", "la", "el", "que", "los", "las", "para", "una", "por", "puede", "aplicación", "está"}
FOREIGN = {"en": SPANISH, "es": ENGLISH}


def start(make_server, var):
    """A server on which every page can be reached."""
    settings = {"bb2.var": str(var), "bb2.demographic_default": "ask"}
    return make_server(*BUILT_IN, broken_pages, client={"name": "Carely"}, settings=settings)


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """A folder for the servers of all tests that write nothing there: their settings are the same."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def server(make_server, var):
    return start(make_server, var)


@pytest.fixture(scope="module", params=["en", "es"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def pages(language, tmp_path_factory):
    """{name: page} of every page, for a browser that prefers the language."""
    return Walk(start(ConsentServer, tmp_path_factory.mktemp("var")), language).pages


def change(server, model, key, **values):
    """Set columns of a row behind the server's back, as an operator may."""
    with server.db() as db:
        row = db.get(model, key) if model is Client else db.query(model).filter_by(patient=key).one()
        for name, value in values.items():
            setattr(row, name, value)


def change_client(server, **values):
    change(server, Client, server.client_id, **values)


class Walk:
    """Goes to every page there is; keeps each with a name."""

    def __init__(self, server, language):
        self.server, self.pages = server, {}
        server.extra_environ["HTTP_ACCEPT_LANGUAGE"] = language
        for part in (self.sign_in, self.consent, self.connections, self.testclient, self.sign_out, self.errors):
            part()

    def see(self, name, page):
        self.pages[name] = page
        return page

    def get(self, name, path, *arguments, **options):
        return self.see(name, self.server.get(path, *arguments, status="*", **options))

    def sign_in(self):
        self.get("home", "/")
        form = self.get("sign in", "/sign-in").forms[0]
        form["username"], form["password"] = "alice", "wrong"
        self.see("wrong password", form.submit("answer", value="sign-in", status=403))
        page = self.server.get("/v2/o/authorize", self.server.authorization_request()).follow().follow()
        self.see("sign in for an app", page)

    def consent(self):
        server = self.server
        page = self.see("consent", server.consent_page())
        form = consent_form(page)
        self.see("no choice", form.submit("answer", value="yes"))
        self.see("no answer", form.submit("answer", value=""))
        form["screen"], form["demographic"] = "another", "share"
        self.see("changed", form.submit("answer", value="yes"))
        for access in ("one-time", "research"):
            change_client(server, access=access, website="https://carely.example", terms="https://carely.example/t")
            self.see(access, server.consent_page())
        self.see("personal information only", server.consent_page("patient/Patient.read"))
        self.see("no records", server.consent_page("openid"))
        change_client(server, access="ongoing")

    def connections(self):
        server = self.server
        token = server.grant(share_demographic=True)
        self.get("connected", "/connections")
        self.get("home signed in", "/")
        path = newest_connection(server)
        self.get("a connection, nothing read", path)
        server.fhir("Coverage", token)
        server.app.registry["tally"].flush()
        self.get("a connection", path)
        for change in "less", "stop":
            self.get(f"a connection, {change}?", f"{path}/{change}")
        self.see("everything taken out", share_less(server, *ALL_LINES).follow())
        self.see("nothing taken out", share_less(server).follow())
        self.see("shares less", share_less(server, "line-patient/Patient").follow())
        change_client(server, disabled_at=utcnow(), access="research")
        for name in "/connections", path:
            self.get(f"switched off, {name}", name)
        change_client(server, disabled_at=None, access="ongoing")
        self.see("ended", stop_form(server.get(f"{path}/stop")).submit().follow())
        self.get("a connection, ended", path)
        self.receipts()
        server.grant()
        self.see("all ended", stop_form(self.get("stop all?", "/connections/stop")).submit().follow())
        self.get("connection not found", "/connections/999999")

    def receipts(self):
        """One of each decision."""
        page = self.get("receipts", "/connections/receipts")
        for link in page.html.select(".calls a"):
            self.get(f"receipt, {link.get_text()}", link["href"])
        self.server.sign_in("bob")
        self.get("no receipts", "/connections/receipts")
        self.server.sign_in()

    def testclient(self):
        server, settings = self.server, self.server.settings
        self.get("no demo client", "/testclient")
        with server.db() as db:
            ensure_demo_client(db, server.scopes, settings.var, settings.base_url)
        self.get("test client, version 1", "/testclient?version=v1")
        form = consent_form(self.get("test client", "/testclient").click(href="/o/authorize").follow())
        form["demographic"] = "withhold"
        self.see("callback", form.submit("answer", value="yes").follow().follow())
        form = consent_form(server.get("/testclient").click(href="/o/authorize").follow())
        self.see("callback of a no", form.submit("answer", value="no").follow())
        self.get("another test", "/testclient/callback?code=of-another&state=test")
        self.get("nobody to sign in as", "/sandbox/people")
        with server.db() as db:
            for number in 0, 1, 40:  # two personas and somebody else
                person = ensure_beneficiary(db, f"-10{number}", "Ada", "Lovelace")
                db.add(SandboxPerson(number=number, beneficiary=person, day=date(2026, 11, 1)))
        self.get("people to sign in as", "/sandbox/people")

    def sign_out(self):
        """As an app asks for it."""
        self.server.sign_in()
        form = next(f for f in self.get("sign out?", "/v2/connect/logout").forms.values() if "connect" in f.action)
        self.get("sign out, by a wrong link", "/v2/connect/logout", {"client_id": "unknown"})
        self.see("signed out", form.submit("answer", value="sign-out"))

    def errors(self):
        server = self.server
        self.get("nothing there", "/nothing/there")
        self.get("refused", "/refused")
        self.get("broken", "/broken")
        self.get("busy", "/busy")
        self.see("no session", server.post("/sign-in", status=400))
        self.get("no such request", "/consent/unknown")
        for redirect_uri in ("https://elsewhere.example/", None):
            asked = server.authorization_request(redirect_uri=redirect_uri, client_id=redirect_uri and server.client_id)
            self.get(f"unreachable {redirect_uri}", "/v2/o/authorize", asked)
        for first, second in (("no", "yes"), ("yes", "yes"), ("yes", "no")):
            form = consent_form(server.consent_page())
            form["demographic"] = "share"
            form.submit("answer", value=first, status=303)
            self.see(f"{first}, then {second}", form.submit("answer", value=second, status=409))
        page = server.consent_page()
        change_client(server, disabled_at=utcnow())
        self.see("switched off meanwhile", consent_form(page).submit("answer", value="yes", status=400))
        self.get("switched off", "/v2/o/authorize", server.authorization_request())
        self.refused_sign_ins()

    def refused_sign_ins(self):
        for act, name in ((lambda db: closing.close(db, BOB), "closed"), (merge_bob, "merged")):
            with self.server.db() as db:
                act(db)
            self.see(f"sign in, {name}", self.sign_in_as("bob", PASSWORD))
        tries = [self.sign_in_as("alice", "wrong") for _ in range(11)]
        self.see("too many wrong passwords", tries[-1])

    def sign_in_as(self, username, password):
        form = self.server.get("/sign-in").forms[0]
        form["username"], form["password"] = username, password
        return form.submit("answer", value="sign-in", status="*")


def merge_bob(db):
    closing.merge(db, BOB, ALICE)


def words(page):
    """The words of a page that are in its own language: its texts, and the names that only a screen reader says."""
    html = copy(page.html)  # which WebTest keeps
    foreign = [e for e in html.find_all(lang=True) if e.name != "html" and e["lang"] != html.html["lang"]]
    foreign += html.find_all("pre")  # what goes over the wire, tokens among it
    for element in foreign:
        element.decompose()
    texts = [html.get_text(" "), *(e["aria-label"] for e in html.find_all(attrs={"aria-label": True}))]
    return set(re.findall(r"\b[^\W\d_]+\b", " ".join(texts).lower()))


def titles_in_the_sources():
    """The title of every PageError that a view can raise."""
    titles = set()
    for path in Path(bb2.views.__file__).parent.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        raised = [call for call in calls if getattr(call.func, "id", "") == "PageError"]
        titles |= {call.args[1].args[0].value for call in raised if len(call.args) > 1}
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
        assert words(page) & FOREIGN[language] == set(), name
        assert words(page) & FOREIGN[other] != set(), name


def test_every_page_links_to_itself_in_the_other_language(pages, language):
    other = {"en": ("es", "Español"), "es": ("en", "English")}[language]
    for name, page in pages.items():
        link = page.html.find("nav").find("a")
        assert (link["lang"], link.get_text()) == other, name
        assert re.match(r"/(?!/)", link["href"]), name


def test_every_error_page_is_walked_to(pages, language):
    headings = {page.html.find("h1").get_text() for page in pages.values()}
    translate = gettext.translation("bb2", LOCALE, [language], fallback=language == "en").gettext
    titles = {translate(title).replace("${app}", "Carely") for title in titles_in_the_sources()}
    assert titles - headings == set()


def test_every_error_page_says_what_happened_and_shows_a_way_on(pages):
    for name, page in pages.items():
        if page.status_int >= 400 and name != "wrong password":
            main = page.html.find("main")
            assert len(main.find_all("p")) >= 2, name
            assert main.find("a", class_="button")["href"].startswith("/"), name
            assert "Traceback" not in page.text, name
            assert "a secret" not in page.text, name


def test_no_page_needs_or_allows_a_script_or_a_style_of_its_own(pages):
    for name, page in pages.items():
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'"), name
        assert "unsafe" not in policy, name
        html = page.html
        assert html.find_all(["script", "style", "iframe"]) == [], name
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
def test_the_browsers_preferred_language_is_spoken(server, preferred, spoken):
    assert server.get("/", headers={"Accept-Language": preferred}).html.html["lang"] == spoken


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


def test_a_language_that_is_not_spoken_is_no_choice(server):
    page = server.get("/?lang=xx", headers={"Accept-Language": "es"})
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
    page = form.submit("answer", value="sign-in").follow().click("Español")
    assert page.html.find("h1").get_text() == "¿Compartir su información de Medicare con Carely?"


def test_the_language_link_of_an_error_keeps_the_app_that_it_names(server):
    asked = server.authorization_request(redirect_uri="https://elsewhere.example/")
    link = server.get("/v2/o/authorize", asked, status=400).html.find("nav").find("a")["href"]
    assert "La aplicación “Carely”" in server.get(link, status=400).html.find("main").get_text()


def test_the_language_link_never_leads_to_another_host(server):
    page = server.get("//elsewhere.example/page", status=404)
    assert page.html.find("nav").find("a")["href"] == "/elsewhere.example/page?lang=es"


@pytest.mark.parametrize("path", ["/?x=%ff", "/%ff", "/?lang=%ff", "/sign-in?request=%ff", "/v2/o/authorize?state=%ff"])
def test_an_address_that_is_not_utf_8_gets_a_page(server, path):
    page = server.get(path, headers={"Accept-Language": "es"}, status="*")
    assert page.status_int in (400, 404)
    assert page.html.html["lang"] == "es"


# What the authorization page shows


@pytest.mark.parametrize(
    ("given", "family", "shown"),
    [
        ("Yolanda", "de la Cruz", "You are signed in as Yolanda de la Cruz."),
        ("Cher", "", "You are signed in as Cher."),
        ("", "O'Brien", "You are signed in as O'Brien."),
        ("", "", "You are signed in."),
        ("<b>", "%(x)s ${y}", "You are signed in as <b> %(x)s ${y}."),
    ],
)
def test_the_person_is_called_by_their_whole_name(server, given, family, shown):
    change(server, Beneficiary, ALICE, given_name=given, family_name=family)
    person = server.consent_page().html.find(class_="person").get_text()
    assert " ".join(person.split()) == f"{shown} Not you? Sign in as somebody else"


@pytest.mark.parametrize(
    ("name", "letter"),
    [("Carely", "C"), ("carely", "C"), ("🩺 my health", "M"), ("“Ñandú”", "Ñ"), ("3 Apples", "3"), ("🩺🏽", None)],
)
def test_an_app_is_shown_with_the_first_letter_of_its_name(server, name, letter):
    change_client(server, name=name)
    page = server.consent_page()
    logo = page.html.find(class_="logo")
    assert (logo and logo.get_text()) == letter
    assert page.html.find("h1").get_text() == f"Share your Medicare information with {name}?"


@pytest.mark.parametrize("problem", ["changed", "answer"])
def test_a_choice_survives_a_problem(make_server, problem):
    server = make_server()
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


# The test client


def test_the_answer_of_the_test_client_can_be_read_again(make_server, tmp_path):
    server = start(make_server, tmp_path)
    with server.db() as db:
        ensure_demo_client(db, server.scopes, server.settings.var, server.settings.base_url)
    server.sign_in()
    form = consent_form(server.get("/testclient").click(href="/o/authorize").follow())
    form["demographic"] = "withhold"
    page = form.submit("answer", value="yes").follow().follow()
    for again in (page, server.get("/testclient/callback"), page.click("Español")):
        answered = [call.get_text() for call in again.html.find(class_="calls").find_all("b")]
        assert answered == ["403 Forbidden", "200 OK", "200 OK", "403 Forbidden"]
        assert "code" not in again.request.GET


# The people of a sandbox


def test_the_page_of_people_tells_of_those_who_are_there(server):
    with server.db() as db:
        for number in 0, 1:
            person = ensure_beneficiary(db, f"-10{number}", "Ada", "Lovelace")
            db.add(SandboxPerson(number=number, beneficiary=person, day=date(2026, 11, 1)))
    listed = [item.get_text(" ", strip=True) for item in server.get("/sandbox/people").html.select(".calls li")]
    assert listed == [
        f"{persona.shows} User name {persona.username}, password {persona.password}"
        for persona in list(PERSONAS.values())[:2]
    ]


def test_outside_a_sandbox_there_is_no_page_of_people():
    server = ConsentServer(*BUILT_IN, settings={"bb2.sandbox": "false"})
    assert server.get("/sandbox/people", status=404)
