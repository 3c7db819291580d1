"""Every view is public by decision, or protected by an Endpoint that a scope opens; every path takes a slash."""

import re

import pytest
from pyramid.security import NO_PERMISSION_REQUIRED

from bb2.models import Client
from bb2.oauth.logos import set_logo
from bb2.plugins import installed_plugins
from bb2.sandbox.demo import ensure_demo_client
from bb2.scopes import Endpoint
from bb2.testing import ALICE, ConsentServer, record
from pictures import picture

pytestmark = pytest.mark.either_database

VERSIONS = ("v1", "v2")
#: The routes that answer without an access token: pages with a session of their own, and what every client may know.
PUBLIC = {
    "__static/VERSION/",
    "account",
    "account_created",
    "account_email",
    "account_password",
    "account_question",
    "applications",
    "authorize",
    "connection",
    "connections",
    "consent",
    "developer",
    "docs",
    "docs_page",
    "docs_search",
    "docs_static",
    "developer_about",
    "developer_account",
    "developer_address",
    "developer_app",
    "developer_app_delete",
    "developer_app_disable",
    "developer_app_edit",
    "developer_app_logo",
    "developer_app_new",
    "developer_app_secret",
    "developer_app_usage",
    "developer_app_usage_file",
    "developer_apps",
    "developer_authenticator",
    "developer_authenticator_picture",
    "developer_authenticator_remove",
    "developer_close",
    "developer_codes",
    "developer_email",
    "developer_mailed",
    "developer_passkey_creation_options",
    "developer_passkey_remove",
    "developer_passkey_request_options",
    "developer_passkey_sign_in",
    "developer_passkeys",
    "developer_password",
    "developer_recover",
    "developer_second_factor",
    "developer_sign_in",
    "developer_sign_out",
    "developer_sign_out_everywhere",
    "developer_sign_up",
    "developer_trouble",
    "developer_verify",
    "developer_preview",
    "create_account",
    "create_account_step",
    "docs_api",
    "docs_api_signed_in",
    "docs_errors",
    "docs_limits",
    "docs_scopes",
    "end_session",
    "health",
    "health_db",
    "health_fhir",
    "home",
    "introspect",
    "jwks",
    "logo",
    "metadata",
    "oauth_authorization_server",
    "openapi",
    "openid_configuration",
    "openid_configuration_of_version",
    "passkey_creation_options",
    "passkey_request_options",
    "passkey_sign_in",
    "passkeys",
    "personas",
    "postman",
    "pushed_request",
    "receipt",
    "receipt_fhir",
    "receipt_json",
    "receipts",
    "revoke",
    "revoke_token",
    "share_less",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "smart_configuration",
    "smart_configuration_of_version",
    "static_of_another_version",
    "stop_all",
    "stop_sharing",
    "testclient",
    "testclient_act",
    "testclient_call",
    "testclient_callback",
    "testclient_open",
    "token",
    "trouble",
    "trouble_done",
    "trouble_password",
    "trouble_question",
}
#: Of these, what takes a form that no page of ours has made: from an app, or from its page on the way here.
SENT_BY_PROGRAMS = {"authorize", "end_session", "introspect", "pushed_request", "revoke", "revoke_token", "token"}
#: What stands for a part of a path; {version} in it is the version in turn.
GAPS = {"{page}": "beneficiaries", "{path:.*}": "{version}/fhir/Coverage"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    built_in = [module for name, module in installed_plugins().items() if name.startswith("bb2:")]
    var = tmp_path_factory.mktemp("var")
    server = ConsentServer(*built_in, settings={"bb2.var": str(var)})
    with server.db() as db:
        ensure_demo_client(db, server.scopes, var, server.settings.base_url)
        server.load(db, [record(resource, "a-1", ALICE) for resource in server.scopes.resources.values()])
        set_logo(db, db.get(Client, server.client_id), picture())
    return server


@pytest.fixture(scope="module")
def token(server):
    return server.grant()


def views(server):
    """(route name, permission) of every view; exception views have no route."""
    introspector, version = server.app.registry.introspector, server.app.registry["static_version"]
    for entry in introspector.get_category("views"):
        view = entry["introspectable"]
        permissions = [other["value"] for other in entry["related"] if other.category_name == "permissions"]
        if view["context"] is None:
            yield view["route_name"].replace(version, "VERSION"), permissions[0] if permissions else None


def routes(server):
    """{name: pattern}"""
    version = server.app.registry["static_version"]
    return {
        entry["introspectable"]["name"].replace(version, "VERSION"): entry["introspectable"]["pattern"]
        for entry in server.app.registry.introspector.get_category("routes")
    }


def test_every_view_is_public_by_decision_or_opened_by_a_scope(server):
    for route, permission in views(server):
        if permission == NO_PERMISSION_REQUIRED:
            assert route in PUBLIC, f"{route} is public"
        else:
            assert isinstance(permission, Endpoint), f"{route} has the permission {permission}"
            assert server.scopes.scopes_opening(permission), f"no scope opens {route}"


def test_only_what_other_programs_send_needs_no_csrf_token(server):
    entries = server.app.registry.introspector.get_category("views")
    unprotected = [entry["introspectable"] for entry in entries if entry["introspectable"].get("require_csrf") is False]
    assert {view["route_name"] for view in unprotected if view["context"] is None} & PUBLIC == SENT_BY_PROGRAMS


def test_what_is_listed_as_public_is_there_and_is_public(server):
    found = dict(views(server))
    assert {route for route in PUBLIC if found.get(route) == NO_PERMISSION_REQUIRED} == PUBLIC


def test_every_route_has_a_view(server):
    assert set(routes(server)) == {route for route, _permission in views(server)}


def test_every_fhir_route_but_metadata_and_smart_configuration_is_protected(server):
    fhir = {name for name, pattern in routes(server).items() if "}/fhir/" in pattern}
    assert fhir & PUBLIC == {"metadata", "smart_configuration_of_version"}
    assert len(fhir - PUBLIC) == 3 * 3  # read, search, _search; of three types


def paths(server):
    """A path of every route, in each version that it has, without a trailing slash."""
    found = set()
    for name, pattern in routes(server).items():
        for version in VERSIONS if "static" not in name else ():
            path = pattern.replace("{version:v1|v2}", version).replace(f"{{version:{version}}}", version)
            if "{version" not in path:  # the route of the other version
                for gap, filled in GAPS.items():
                    path = path.replace(gap, filled.format(version=version))
                path = path.replace("{client_id}", server.client_id)
                found.add(path.replace("{id}", ALICE if "Patient" in path else "a-1").rstrip("/") or "/")
    return sorted(found)


def answer(server, method, path, token):
    """What a request is answered, but for what differs from one time to the next."""
    server.reset()
    headers = {"Authorization": f"Bearer {token['access_token']}"} if re.search("/fhir|/userinfo", path, re.I) else {}
    found = server.request(path, method=method, headers=headers, expect_errors=True)
    return found.status_int, found.content_type


def test_every_path_answers_to_a_method_and_with_and_without_a_trailing_slash(server, token):
    for path in paths(server):
        found = set()
        for method in "GET", "POST":
            bare = answer(server, method, path, token)
            slashed = answer(server, method, f"{path.rstrip('/')}/", token)
            assert slashed == bare, f"{method} {path}"
            found.add(bare[0])
        assert found - {404}, path


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["connect/userinfo", "connect/UserInfo", "fhir/Coverage", "fhir/Coverage/a-1"])
def test_a_protected_path_with_a_slash_gives_the_same_as_without(server, token, version, path):
    bare, slashed = (server.api(f"{path}{end}", token, version=version).json for end in ("", "/"))
    for changing in ("id", "meta"):  # of a Bundle
        bare.pop(changing, None)
        slashed.pop(changing, None)
    assert slashed == bare


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_post_is_not_redirected(server, slash):
    for path in ("/v1/o/token", "/v2/o/token", "/v1/o/revoke_token", "/v2/o/revoke"):
        found = server.post(path + slash, {}, expect_errors=True)
        assert 400 <= found.status_int < 500
        assert "error" in found.json


def test_a_folder_of_static_files_is_no_address(make_server):
    server = make_server()
    for path in (
        "..",
        "%2e%2e",
        "..%2f..",
        "x/../",
        "x",
        "x/cms",
        "x/cms/",
        "x/..",
        "x/../__init__.py",
        "x/%2e%2e/db.py",
    ):
        server.get(f"/static/{path}?code=secret", status=404)
