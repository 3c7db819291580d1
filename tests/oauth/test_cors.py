"""Which other sites' scripts may read what the server answers?  (Fetch; RFC 9700, 2.6; SMART App Launch 2.2)"""

import pytest

from bb2.clock import utcnow
from bb2.testing import code_of
from bb2.views.cors import origin_of
from databases import statements
from oauth.steps import another_app, change_app, redeem

pytestmark = pytest.mark.either_database

EVIL = "https://evil.example"
ORIGIN = "https://spa.example:8443"
DOCUMENTS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/smart-configuration",
    "/.well-known/jwks.json",
    "/v1/connect/.well-known/openid-configuration",
    "/v2/fhir/.well-known/smart-configuration",
    "/v1/fhir/metadata",
    "/v2/fhir/metadata/",
)
ENDPOINTS = (
    "/v1/o/token",
    "/v2/o/token/",
    "/v2/o/revoke_token/",
    "/v2/o/revoke/",
    "/v2/o/par/",
    "/v2/connect/userinfo",
    "/v1/connect/UserInfo",
    "/v2/fhir/Coverage",
    "/v1/fhir/Patient/-1001",
    "/v2/fhir/ExplanationOfBenefit/_search",
)
CLOSED = ("/v2/o/authorize/", "/v2/o/introspect/", "/", "/sign-in", "/connections", "/testclient", "/health")


@pytest.fixture
def spa(server):
    """A public app that runs in browsers, at ORIGIN."""
    app = another_app(server, public=True, redirect_uris=[f"{ORIGIN}/callback"])
    yield app
    change_app(app, disabled_at=utcnow())


def allowed(response):
    """The origin whose scripts may read it, or None; never with cookies."""
    assert "Access-Control-Allow-Credentials" not in response.headers
    return response.headers.get("Access-Control-Allow-Origin")


def preflight(server, path, origin, method="POST", headers="authorization,content-type"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return server.options(path, headers=asked, status="*")


@pytest.mark.parametrize("path", DOCUMENTS)
def test_what_every_app_may_know_every_site_may_read(server, path):
    for origin in EVIL, ORIGIN, "null":
        assert allowed(server.get(path, headers={"Origin": origin})) == "*"
    answered = preflight(server, path, EVIL, "GET", "accept")
    assert (answered.status_int, allowed(answered)) == (204, "*")
    assert "GET" in answered.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_what_apps_use_is_open_to_the_sites_that_they_registered(server, spa, path):
    answered = preflight(server, path, ORIGIN)
    assert (answered.status_int, allowed(answered), answered.body) == (204, ORIGIN, b"")
    assert "Authorization" in answered.headers["Access-Control-Allow-Headers"]
    assert answered.headers["Access-Control-Allow-Methods"] == "GET, POST"
    for origin in EVIL, "null", "", "https://spa.example", "http://spa.example:8443", ORIGIN[:-1], f"{ORIGIN}/callback":
        answered = preflight(server, path, origin)
        assert allowed(answered) is None, origin
        assert answered.status_int < 500
        assert allowed(server.post(path, headers={"Origin": origin}, status="*")) is None
        assert "Origin" in answered.headers["Vary"]


@pytest.mark.parametrize("path", CLOSED)
def test_pages_and_what_servers_use_are_open_to_no_site(server, spa, path):
    for origin in EVIL, ORIGIN, "http://localhost":
        for response in (
            server.get(path, headers={"Origin": origin}, status="*"),
            server.post(path, headers={"Origin": origin}, status="*"),
            preflight(server, path, origin),
        ):
            assert allowed(response) is None


def test_a_browsers_app_gets_its_token_and_reads_with_it(server, spa):
    headers = {"Origin": ORIGIN}
    code = code_of(spa.approve(spa.consent_page("openid patient/Coverage.read")))
    answered = spa.post("/v2/o/token/", spa.token_request(code), headers=headers)
    assert allowed(answered) == ORIGIN
    assert "Origin" in answered.headers["Vary"]
    bearer = {"Authorization": f"Bearer {answered.json['access_token']}"}
    for path, status in ("fhir/Coverage", 200), ("fhir/Patient/-1001", 403), ("fhir/Nothing", 404):
        read = spa.get(f"/v2/{path}", headers=headers | bearer, status=status)
        assert allowed(read) == ORIGIN
        assert "WWW-Authenticate" in read.headers["Access-Control-Expose-Headers"]
        assert "Retry-After" in read.headers["Access-Control-Expose-Headers"]


def test_a_browsers_app_can_read_why_it_is_refused(server, spa):
    headers = {"Origin": ORIGIN}
    assert allowed(spa.post("/v2/o/token/", {"grant_type": "x"}, headers=headers, status=400)) == ORIGIN
    assert allowed(spa.post("/v2/o/token/", {}, headers=headers, status=400)) == ORIGIN
    unknown = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "unknown"}
    assert allowed(spa.post("/v2/o/token/", unknown, headers=headers, status=401)) == ORIGIN
    for token in {}, {"Authorization": "Bearer unknown"}:
        assert allowed(spa.get("/v2/fhir/Coverage", headers=headers | token, status=401)) == ORIGIN


def test_what_one_app_gets_another_apps_site_may_not_read(server, spa):
    token = server.grant("openid patient/Coverage.read")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert allowed(server.get("/v2/fhir/Coverage", headers=bearer | {"Origin": ORIGIN})) is None
    assert allowed(server.get("/v2/fhir/Coverage", headers=bearer | {"Origin": "https://app.example"})) is not None
    form = {"token": "x", "client_id": server.client_id, "client_secret": server.client_secret}
    assert allowed(server.post("/v2/o/revoke_token/", form, headers={"Origin": ORIGIN})) is None


def test_an_app_that_is_switched_off_has_no_site(server, spa):
    assert allowed(preflight(server, "/v2/o/token/", ORIGIN)) == ORIGIN
    change_app(spa, disabled_at=utcnow())
    assert allowed(preflight(server, "/v2/o/token/", ORIGIN)) is None


def test_a_request_without_an_origin_costs_no_statement_more(server, spa):
    token = redeem(spa, spa.approve(spa.consent_page("openid patient/Coverage.read")))
    counts = []
    for headers in {}, {"Origin": ORIGIN}:
        with statements(server.engine) as sent:
            spa.get("/v2/fhir/Coverage", headers=headers | {"Authorization": f"Bearer {token['access_token']}"})
        counts.append(len(sent))
    assert counts[1] == counts[0] + 1


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://App.example/cb?a=b", "https://app.example"),
        ("https://app.example:443/cb", "https://app.example"),
        ("http://localhost:3000/cb", "http://localhost:3000"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("org.example.app:/callback", None),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(uri, origin):
    assert origin_of(uri) == origin
