"""Style sheets, fonts and scripts: sent once, packed, whole; and a server that has none says what to run."""

import gzip
import re
import shutil
import sys
from pathlib import Path

import pytest
from webob import Request

import design_system
from bb2.testing import ConsentServer
from bb2.views import static
from built_in import BUILT_IN


@pytest.fixture(scope="module")
def server():
    return ConsentServer(*BUILT_IN)


def addresses(server):
    """What the home page asks for, without the fonts."""
    html = server.get("/").html
    links = [link["href"] for link in html.find_all("link") if link.get("as") != "font"]
    return [*links, *(script["src"] for script in html.find_all("script"))]


def get(server, address, accepted="gzip, br", **headers):
    """WebTest would unpack what is packed; WebOb leaves it."""
    return Request.blank(address, headers={"Accept-Encoding": accepted, **headers}).get_response(server.app)


def test_what_a_page_asks_for_is_packed_and_kept_for_a_year(server):
    for address in addresses(server):
        found = get(server, address)
        assert found.cache_control.max_age == static.ONE_YEAR
        assert found.headers["Vary"] == "Accept-Encoding"
        assert found.content_encoding == "gzip"
        plain = get(server, address, accepted="identity")
        assert plain.content_encoding is None
        assert gzip.decompress(found.body) == plain.body
        assert get(server, address, **{"If-None-Match": found.headers["ETag"]}).status_int == 304


def test_the_address_changes_with_whatever_is_in_a_file(server):
    files = static.contents()
    changed = files | {"bb2.css": files["bb2.css"] + b" "}
    renamed = {name.replace("bb2.js", "bb2.mjs"): content for name, content in files.items()}
    assert len({static.fingerprint(some) for some in (files, changed, renamed)}) == 3
    assert all(f"/static/{static.fingerprint(files)}/" in address for address in addresses(server))


def test_an_address_of_another_version_is_answered_but_not_kept(server):
    found = server.get("/static/0123456789abcdef/bb2.css")
    assert found.cache_control.no_cache


def test_every_file_that_a_style_sheet_names_is_there(server):
    sheet = next(address for address in addresses(server) if address.endswith("bb2.css"))
    fonts = re.findall(r'url\("([^"]+)"\)', server.get(sheet).text)
    early = [link["href"] for link in server.get("/").html.find_all("link", rel="preload")]
    assert [f"{sheet.rpartition('/')[0]}/{font}" for font in fonts] == early
    for font in fonts:
        found = get(server, f"{sheet.rpartition('/')[0]}/{font}")
        assert (found.content_type, found.body[:4]) == ("font/woff2", b"wOF2")
        assert found.content_encoding is None  # it is packed in itself


def test_every_token_that_the_style_names_is_the_design_systems_or_its_own():
    style, system = (static.FOLDER.joinpath(name).read_text() for name in ("bb2.css", "cms/core-theme.css"))
    declared = set(re.findall(r"(--[\w-]+)\s*:", style + system))
    assert set(re.findall(r"var\((--[\w-]+)", style)) - declared == set()


def test_no_color_stands_beside_the_design_systems():
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", static.FOLDER.joinpath("bb2.css").read_text()) == []


def test_pages_are_never_packed(server):
    assert get(server, "/sign-in").content_encoding is None


def test_a_server_without_the_design_system_says_what_to_run(tmp_path):
    with pytest.raises(static.NoDesignSystemError, match=Path(design_system.__file__).name):
        static.refuse_naked(tmp_path)
    static.refuse_naked()


def test_what_is_there_already_is_used_and_what_is_half_there_is_not(tmp_path):
    assert design_system.missing(tmp_path) == list(design_system.PACKAGES)
    for package in design_system.PACKAGES:
        shutil.copytree(design_system.STATIC / package.folder, tmp_path / package.folder)
    assert design_system.missing(tmp_path) == []
    design_system.fetch(tmp_path)  # asks nobody
    tmp_path.joinpath("cms", "core-theme.css").unlink()
    assert [package.folder for package in design_system.missing(tmp_path)] == ["cms"]


@pytest.mark.parametrize("package", design_system.PACKAGES, ids=lambda package: package.folder)
def test_a_package_with_another_checksum_is_not_used(package, tmp_path):
    brought = tmp_path / "package.tgz"
    brought.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="not used"):
        design_system.unpack(package, brought, tmp_path)
    assert not tmp_path.joinpath(package.folder).exists()


def test_where_there_is_no_npm_a_build_asks_for_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert design_system.build_requires(tmp_path) == [design_system.NODE]
    with pytest.raises(SystemExit, match="npm"):
        design_system.fetch(tmp_path)
    assert design_system.build_requires() == []  # everything is there already
