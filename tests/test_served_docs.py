"""The documentation as it is served: every page, link and picture, its search, and where it is missing."""

import re
from urllib.parse import urldefrag, urljoin

import pytest

import build_docs
from bb2.documentation import ROOT, Documentation
from bb2.sandbox.demo import ensure_demo_client
from bb2.testing import ConsentServer
from built_in import BUILT_IN

pytestmark = pytest.mark.either_database


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    build_docs.build()
    server = ConsentServer(*BUILT_IN, settings={"bb2.var": str(tmp_path_factory.mktemp("var"))})
    server.app.registry["documentation"] = Documentation()
    with server.db() as db:
        ensure_demo_client(db, server.scopes, server.settings.var, server.settings.base_url)
    return server


@pytest.fixture(scope="module")
def pages(server):
    """{path: the page}"""
    return {page.path: server.get(page.path) for page in server.app.registry["documentation"].pages.values()}


def targets(path, page):
    """What a page refers to, by addresses that begin here."""
    named = [(e.get("href") or e.get("src")) for e in page.html.main.find_all(["a", "img"])]
    return {urljoin(path, target) for target in named if not re.match(r"\w+:", target)}


def test_what_is_built_is_what_is_written():
    build_docs.build()
    assert build_docs.there()


def test_every_page_has_its_title_its_contents_and_no_style_of_its_own(pages):
    for path, page in pages.items():
        assert page.html.title.get_text().endswith("for developers"), path
        assert len(page.html.find_all("h1")) == 1, path
        assert page.html.main.nav.find_all(attrs={"aria-current": "page"})[0]["href"] == path, path
        assert not page.html.find_all(lambda element: element.has_attr("style")), path
        assert not page.html.find_all(["style", "iframe"]), path


def test_every_written_page_is_in_the_contents(server, pages):
    listed = [path for _caption, part in server.app.registry["documentation"].contents for path, _title in part]
    assert len(listed) == len(set(listed))
    assert set(pages) - {ROOT} <= set(listed)


def test_every_link_and_every_picture_leads_somewhere(server, pages):
    found = {}
    for path, page in pages.items():
        for target in targets(path, page):
            place, fragment = urldefrag(target)
            if place not in found:
                found[place] = pages.get(place) or server.get(place, status="*")
            answer = found[place]
            assert answer.status_int in (200, 303), f"{path}: {target}"
            if fragment and place in pages:
                assert answer.html.find(id=fragment), f"{path}: {target}"


def test_where_there_is_no_sandbox_nothing_leads_to_one(pages):
    server = ConsentServer(*BUILT_IN, settings={"bb2.sandbox": "false", "bb2.developers": "false"})
    server.app.registry["documentation"] = Documentation()
    targets_there = {target for path in pages for target in targets(path, server.get(path))}
    missing = [t for t in targets_there if server.get(urldefrag(t)[0], status="*").status_int == 404]
    assert missing == []
    assert "/testclient" not in targets_there
    assert "/testclient" in targets("/docs/getting-started", pages["/docs/getting-started"])


def test_the_first_page_has_one_address(server):
    assert server.get("/docs/index", status=303).location.endswith("/docs")


def test_from_the_first_page_to_the_last_each_leads_to_the_next(server):
    documentation = server.app.registry["documentation"]
    order = [ROOT, *(path for _caption, part in documentation.contents for path, _title in part)]
    for name, page in documentation.pages.items():
        before, after = documentation.neighbours(name)
        at = order.index(page.path)
        assert (before and before[0]) == (order[at - 1] if at else None)
        assert (after and after[0]) == (order[at + 1] if at + 1 < len(order) else None)


def test_a_search_finds_a_page_by_its_title_first(server):
    documentation = server.app.registry["documentation"]
    for page in documentation.pages.values():
        assert documentation.search(page.title.upper())[0].page == page
    answer = server.get("/docs/search", {"q": "beneficiaries"})
    assert answer.html.find("h2").a["href"] == "/docs/beneficiaries"
    assert server.get("/docs/search").html.find("h1")


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", "x" * 5000, "%%%", "\x00", "Ñandú qqqqq"])
def test_a_search_for_what_is_nowhere_says_so(server, query):
    answer = server.get("/docs/search", {"q": query})
    assert "No page has" in answer.html.main.get_text()
    assert "<script>alert" not in answer.text


def test_nothing_but_what_was_built_is_served(server):
    for path in (
        "_images/../index.fjson",
        "_images/%2e%2e/index.fjson",
        "_images/",
        "_images",
        "index.fjson",
        "..",
        "%00",
    ):
        server.get(f"/docs/{path}", status=404)
    picture = server.get("/docs/_images/sign-in.png")
    assert picture.content_type == "image/png"
    assert "max-age" in picture.headers["Cache-Control"]


def test_a_server_without_the_documentation_says_so_and_what_to_run(tmp_path):
    server = ConsentServer(*BUILT_IN)
    server.app.registry["documentation"] = Documentation(tmp_path)
    answer = server.get("/docs", status=503)
    assert "python build_docs.py" in answer.html.main.get_text()
    assert server.get("/docs/search", {"q": "scope"}).status_int == 200
    assert server.get("/v2/fhir/metadata").status_int == 200


def test_a_fault_in_what_is_written_is_an_error(tmp_path, capfd):
    sources = tmp_path / "docs"
    sources.mkdir()
    (sources / "conf.py").write_text((build_docs.SOURCES / "conf.py").read_text())
    (sources / "index.md").write_text("# Title\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(SystemExit, match="faults"):
        build_docs.build(tmp_path / "built", sources)
    assert "nowhere" in capfd.readouterr().err
    assert not build_docs.there(tmp_path / "built", sources)


def test_a_change_of_what_is_written_is_built_anew(tmp_path):
    sources = tmp_path / "docs"
    sources.mkdir()
    before = build_docs.fingerprint(sources)
    (sources / "index.md").write_text("# Title\n")
    assert build_docs.fingerprint(sources) != before
