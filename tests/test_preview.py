"""The preview of an authorization page: it is the page that people get, and nothing on it does anything."""

import re

import pytest
from PIL import Image
from sqlalchemy import event

from bb2 import cli
from bb2.models import Client
from bb2.oauth.logos import set_logo
from bb2.scopes import Scope, hookimpl
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from pictures import picture

pytestmark = pytest.mark.either_database


@pytest.fixture(scope="module")
def server():
    return ConsentServer(*BUILT_IN)


def shown(server, **asked):
    return server.get("/developer/preview", asked)


def text_of(page):
    """Its words but for who is signed in."""
    main = page.html.find("main")
    main.select_one("form.person b").decompose()
    return list(main.stripped_strings)


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("scope", ["patient/Coverage.read profile openid", "patient/ExplanationOfBenefit.r", "profile"])
def test_the_preview_has_the_words_of_the_page_that_people_get(server, scope, lang):
    real = text_of(server.consent_page(scope, lang=lang))
    note, *words = text_of(shown(server, scope=scope, name="The App", lang=lang))
    assert ("preview" if lang == "en" else "vista previa") in note
    assert words == real
    assert len(words) > 20


def test_all_installed_scopes_are_shown_unless_some_are_named(server):
    lines = {str(scope.consent) for scope in server.scopes.offered}
    page = shown(server)
    assert [line for line in lines if line not in page.html.get_text()] == []
    page = shown(server, scope="profile")
    assert [line for line in lines if line in page.html.get_text()] == [str(server.scopes["profile"].consent)]


def test_an_app_without_demographic_information_gets_no_such_question(server):
    page = shown(server, asks_demographic="no")
    assert 'name="demographic"' not in page
    assert "coverage" in page


def test_a_one_time_app_is_not_shown_to_come_back(server):
    page = shown(server, access="one-time")
    assert "For one hour" in page
    assert str(server.scopes["offline_access"].consent) not in page


def test_nothing_on_a_preview_can_be_pressed_or_leads_anywhere(server):
    app = {"website": "https://app.example/x", "privacy_policy": "https://app.example/p", "terms": "https://a.example"}
    page = shown(server, **app).html
    assert "app.example" in page.find("main").get_text()
    assert {link.get("href") for link in page.find_all("a")} == {None, "#main"}
    assert all(button.has_attr("disabled") for button in page.find_all("button"))
    assert not [form.attrs for form in page.find_all("form") if form.get("action") or form.get("method")]


def test_a_preview_asks_no_database_and_begins_no_session(server):
    statements = []
    event.listen(server.engine, "before_cursor_execute", lambda *_: statements.append(_))
    server.reset()
    answer = shown(server, lang="es")
    assert (statements, answer.headers.getall("Set-Cookie")) == ([], [])


def test_only_the_preview_may_be_framed_and_only_by_our_own_pages(server):
    page = shown(server)
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "form-action 'none'" in page.headers["Content-Security-Policy"]
    for path in ("/developer", "/sign-in", "/developer/previews"):
        other = server.get(path, expect_errors=True)
        assert other.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in server.get("/developer").headers["Content-Security-Policy"]


def test_an_apps_picture_is_shown(server):
    with server.db() as db:
        client = db.get(Client, server.client_id)
        set_logo(db, client, picture())
        logo = client.logo
    (image,) = shown(server, client_id=server.client_id, logo=logo).html.select("main img")
    assert server.get(image["src"]).content_type == "image/png"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"scope": "patient/Nonsense.read"}, "it has no such resource type"),
        ({"scope": "<b>"}, "<b> is not a scope of this server"),
        ({"scope": ""}, "choose at least one scope"),
        ({"scope": "profile", "asks_demographic": "no"}, "it asks for no demographic information"),
        ({"scope": "offline_access", "access": "one-time"}, "its access is for one time"),
        ({"access": "for ever"}, "accepted: one-time, ongoing, research"),
    ],
)
def test_where_there_is_no_page_the_preview_says_why(server, asked, told):
    page = server.get("/developer/preview", asked, status=400)
    assert told in page.html.get_text()
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "asked",
    [
        {"website": "https://[", "terms": "javascript:alert(1)", "privacy_policy": "//x"},
        {"name": "\u202e\x07 <script>alert(1)</script>" * 30, "logo": "../../x", "client_id": "../x"},
        {"lang": "xx"},
    ],
)
def test_whatever_is_asked_the_preview_stays_a_page_of_ours(server, asked):
    page = shown(server, **asked)
    assert "javascript:" not in page
    assert [script["src"] for script in page.html.find_all("script")] == [page.html.script["src"]]
    assert page.html.h1.get_text()


class Old:
    """A plugin whose scope nobody is asked for any more."""

    @hookimpl
    def register_scopes(self):
        return Scope(name="old", consent="Old things", demographic=False, deprecated=True)


def test_a_deprecated_scope_is_not_shown_as_if_it_were_asked_for():
    server = ConsentServer(*BUILT_IN, Old())
    assert "Old things" not in shown(server)
    assert "deprecated" in server.get("/developer/preview", {"scope": "old"}, status=400)


# bb2 preview


@pytest.fixture
def bb2(tmp_path, monkeypatch, capsys):
    """A function that runs `bb2 preview` in an empty folder, and returns what it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["bb2", "preview", *arguments])
        try:
            cli.main()
        except SystemExit as end:
            return f"{''.join(capsys.readouterr())}{end.code}"
        return "".join(capsys.readouterr())

    return run


def test_the_command_writes_one_file_that_needs_no_other_and_no_database(bb2, tmp_path):
    bb2("--scope", "patient/Coverage.read profile", "--lang", "es", "--app-name", "Mi App", "--html", "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    page = tmp_path.joinpath("page.html").read_text(encoding="utf-8")
    assert '<html lang="es">' in page
    assert "con Mi App" in page
    assert {url[:5] for url in re.findall(r'(?:src|href)="([^"]*)"', page)} == {"data:", "#main"}


def test_the_command_draws_the_page_as_wide_as_is_asked_and_as_tall_as_it_is(bb2, tmp_path):
    bb2("--scope", "profile", "--png", "small.png", "--width", "375")
    with Image.open(tmp_path / "small.png") as drawn:
        assert drawn.width == 375
        assert 800 < drawn.height < 2000


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--scope", "nonsense"), "nonsense is not a scope of this server"),
        (("--png", "page.png", "--browser", "/nowhere/chrome"), "there is no program /nowhere/chrome"),
        (("--png", "page.png", "--browser", "true"), "true drew no picture"),
        (("--html", "nowhere/page.html"), "nowhere/page.html"),
    ],
)
def test_the_command_says_what_is_wrong(bb2, tmp_path, typed, told):
    assert told in bb2(*typed)
    assert list(tmp_path.iterdir()) == []
