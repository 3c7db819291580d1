"""The pages on which a developer registers and keeps apps."""

import pytest

from app_pages import app_called, developer, edit, register

pytestmark = pytest.mark.either_database


@pytest.fixture
def server(make_server):
    server = make_server()
    developer(server)
    return server


def test_smoke(server):
    p = register(server)
    print(p.html.find("main").get_text())
    c = app_called(server, "Mine")
    for path in ("", "/edit", "/secret", "/disable", "/delete", "/logo"):
        print(server.get(f"/developer/apps/{c.client_id}{path}").html.find("main").get_text()[:3000])
    print(server.get("/developer/apps").html.find("main").get_text())
    print(edit(server, c, website="https://x.example/%zz*", status=422).html.find("main").get_text()[:300])
