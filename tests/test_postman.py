"""The collection for Postman: read by Postman's own library, and each of its requests sent."""

import json
import subprocess

import pytest

from bb2.testing import ALICE, ConsentServer, code_of, record
from built_in import BUILT_IN
from clients.node_app import FOLDER, NODE

pytestmark = pytest.mark.either_database

PAGES = ("authorize", "logout")  # of a person's browser


@pytest.fixture(scope="module")
def server():
    server = ConsentServer(*BUILT_IN)
    with server.db() as db:
        server.load(db, [record(resource, "example-1", ALICE) for resource in server.scopes.resources.values()])
    return server


@pytest.fixture(scope="module")
def collection(server):
    return server.get("/postman.json").json


def read(collection, **variables):
    """What Postman would send: [{"folder", "name", "method", "url", "body", "auth"}]."""
    told = json.dumps({"collection": collection, "variables": variables})
    order = [str(NODE), FOLDER / "postman.mjs"]
    return json.loads(subprocess.run(order, input=told, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def told(server):
    """What a developer writes into the variables: tokens of alice, and a code of bob."""
    token = server.grant()
    code = code_of(server.approve(server.consent_page(username="bob")))
    return {
        "base_url": server.settings.base_url,
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "redirect_uri": server.redirect_uri,
        "state": "of-sixteen-characters-or-more",
        "code": code,
        "code_verifier": server.verifier,
        "token": token["access_token"],
        "refresh_token": token["refresh_token"],
    }


@pytest.fixture(scope="module")
def requests(collection, told):
    return read(collection, **told)


def test_every_operation_of_the_openapi_document_has_a_request(server, collection):
    names = {item["name"].partition(": ")[0] for item in leaves(collection)}
    document = server.get("/openapi.json").json
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {operation["summary"] for operation in operations} == names
    assert len(leaves(collection)) >= len(operations)


def leaves(folder):
    """Every request below a folder."""
    found = [leaves(item) if "item" in item else [item] for item in folder["item"]]
    return [item for items in found for item in items]


def test_a_version_has_the_settings_to_get_a_token(server, collection):
    for version, folder in zip(("v2", "v1"), collection["item"], strict=False):
        auth = {each["key"]: each["value"] for each in folder["auth"]["oauth2"]}
        discovered = server.get(f"/{version}/connect/.well-known/openid-configuration").json
        assert auth["grant_type"] == "authorization_code_with_pkce"
        assert auth["challengeAlgorithm"] == "S256"
        for key, endpoint in (("authUrl", "authorization"), ("accessTokenUrl", "token")):
            assert auth[key].replace("{{base_url}}", server.settings.base_url) == discovered[f"{endpoint}_endpoint"]
        variables = {variable["key"]: variable["value"] for variable in collection["variable"]}
        assert auth["redirect_uri"] == variables["redirect_uri"]
        assert len(variables["state"]) >= 16


def test_postman_reads_it_as_it_is_meant(requests):
    assert len(requests) > 50
    assert not [each for each in requests if "{{" in each["url"] + each["body"] or "/:" in each["url"]]
    (found,) = [r for r in requests if r["folder"] == "Coverage" and r["url"].endswith("/v2/fhir/Coverage/example-1")]
    assert (found["method"], found["auth"]) == ("GET", "oauth2")
    assert {each["auth"] for each in requests if "/o/" in each["url"] or ".well-known" in each["url"]} == {"noauth"}


def send(server, told, asked):
    """The status that a request is answered with; one that inherits the folder's authorization brings the token."""
    headers = {"Authorization": f"Bearer {told['token']}"} if asked["auth"] == "oauth2" else {}
    if asked["body"]:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    options = {"method": asked["method"], "headers": headers, "body": asked["body"].encode(), "expect_errors": True}
    return server.request(asked["url"], **options).status_int


def test_every_request_is_answered_as_documented(server, told, requests):
    reads = {r["url"]: send(server, told, r) for r in requests if r["auth"] == "oauth2" and r["method"] == "GET"}
    unread = [url for url, status in reads.items() if status != 200]
    assert all("/fhir/Patient/" in url for url in unread)  # the example is another person
    assert len(reads) - len(unread) == 12
    forms = [r for r in requests if r["method"] == "POST" and r["auth"] == "oauth2"]
    assert {send(server, told, r) for r in forms} == {200}
    documents = [r for r in requests if r["folder"] in ("Documents", "Of both versions")]
    assert {send(server, told, r) for r in documents} == {200}
    of_v2 = {r["name"]: r for r in requests if "/v2/" in r["url"]}
    for ending in ("still opens", ": refresh_token", ": authorization_code"):
        (found,) = [r for name, r in of_v2.items() if name.endswith(ending)]
        assert send(server, told, found) == 200, ending
    rest = [r for r in requests if r["auth"] != "oauth2" and not any(page in r["url"] for page in PAGES)]
    assert {send(server, told, r) // 100 for r in rest} <= {2, 4}
