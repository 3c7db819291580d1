"""What do the pages for app developers have in common?  Their look, their language, and a way on from each mistake."""

import pytest

import developer_form
from bb2.oauth.clients import add_client
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import statements
from developing import developer_of

pytestmark = pytest.mark.either_database

LAYOUT = "developer.css"
#: {page: statements at most, however many apps there are}
MOST = {"/developer": 3, "/developer/account": 4, "/developer/apps": 2, "/developer/apps/new": 2, "/testclient": 6}


@pytest.fixture(scope="module")
def server():
    return ConsentServer(*BUILT_IN, developer_form)


@pytest.mark.parametrize(
    "path", ["/developer/nothing", "/docs/nothing-here", "/testclient/nothing", "/docs/%ff", "/developer/%ff"]
)
def test_a_page_that_is_not_there_leads_developers_back_to_where_they_begin(server, path):
    page = server.get(path, status=404, headers={"Accept-Language": "es"})
    assert LAYOUT in page.text
    assert page.html.find("html")["lang"] == "en"
    assert page.html.find("main").find("a")["href"] == "/developer"


def test_a_form_of_another_session_is_told_in_the_developers_own_words(server):
    page = server.post("/developer/form", {"csrf_token": "old"}, status=400)
    assert LAYOUT in page.text
    assert "Nothing was changed." in page.html.find("main").text
    assert "shared" not in page.html.find("main").text
    assert page.html.find("main").find("a")["href"].endswith("/developer")


def test_a_page_for_beneficiaries_keeps_their_look(server):
    page = server.get("/nothing", status=404)
    assert LAYOUT not in page.text
    assert page.html.find("main").find("a")["href"].endswith("/")


def test_where_no_developers_are_let_in_their_errors_lead_to_the_documentation():
    server = ConsentServer(*BUILT_IN, settings={"bb2.developers": "false"})
    page = server.get("/docs/nothing-here", status=404)
    assert page.html.find("main").find("a")["href"] == "/docs"
    assert [link["href"] for link in page.html.find("nav").find_all("a") if "/developer" in link["href"]] == []


@pytest.mark.parametrize(
    ("language", "words"), [("en", "For app developers"), ("es", "Para desarrolladores de aplicaciones")]
)
def test_the_home_page_of_beneficiaries_has_a_way_for_developers(server, language, words):
    link = server.get("/", {"lang": language}).html.find("a", string=words)
    assert link["href"] == "/developer"


def test_the_page_where_one_is_is_marked_in_the_navigation(server):
    links = server.get("/docs/nothing-here", status=404).html.find("nav").find_all("a")
    assert {link["href"]: link.get("aria-current") for link in links}["/docs"] == "true"
    assert [link["href"] for link in links if link.get("aria-current")] == ["/docs"]


def test_a_page_costs_few_statements_however_many_apps_a_developer_has():
    server, sent = ConsentServer(*BUILT_IN), {}
    developer = developer_of(server)
    with server.db() as db:
        for name in ("One", "Two", "Three", "Four", "Five", "Six", "Seven"):
            uris = ["http://localhost/testclient/callback"]
            add_client(db, server.scopes, name=name, redirect_uris=uris, developer_id=developer.id)
    for path in MOST:
        server.get(path)
        with statements(server.engine) as sent[path]:
            assert "Seven" in server.get(path).text or path.endswith(("account", "new"))
    assert {path: found for path, found in sent.items() if len(found) > MOST[path]} == {}
