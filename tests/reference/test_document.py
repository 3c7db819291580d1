"""/openapi.json is OpenAPI 3.1, has every route that apps use, and says which scope opens what; the pages agree."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bb2.bounds import all_bounds, as_members
from bb2.scopes import API_VERSIONS, Endpoint, Parameter, Scope, hookimpl, openid
from bb2.testing import ConsentServer
from built_in import BUILT_IN

pytestmark = pytest.mark.either_database

#: Routes of pages for people, which no app calls.
PAGES = re.compile(
    r"/(account|apps|connections|consent|developer|docs|sandbox|sign-in|sign-out|static|testclient)?(/|$)|/postman"
)
CARD = Endpoint(
    path="insurance/card.{format}",
    summary="The insurance card",
    produces=("application/pdf", "image/png"),
    parameters=(
        Parameter(name="format", summary="Which of the two", values=("pdf", "png"), example="pdf"),
        Parameter(name="width", summary="In pixels"),
    ),
)


class Card:
    """A plugin whose view is not FHIR."""

    @hookimpl
    def register_scopes(self):
        return Scope(name="card", consent="Your insurance card", demographic=True, endpoints=(CARD,))

    @hookimpl
    def configure(self, config):
        config.add_protected_view(lambda request: {}, CARD)


@pytest.fixture(scope="module")
def server():
    return ConsentServer(*BUILT_IN)


@pytest.fixture(scope="module")
def document(server):
    return server.get("/openapi.json").json


def patterns(server):
    """The paths of the routes, each version, in the words of the document."""
    for entry in server.app.registry.introspector.get_category("routes"):
        pattern = entry["introspectable"]["pattern"]
        found = re.match(r"/\{version:([^}]*)\}", pattern)
        rest = re.sub(r"\{([^}:]+):[^}]*\}", r"{\1}", pattern[found.end() :] if found else pattern)
        yield from (f"/{version}{rest}" for version in (found[1].split("|") if found else ()))
        if not found:
            yield f"/{rest.lstrip('/')}"


def test_it_is_openapi_3_1(document):
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_that_apps_use_is_in_it(server, document):
    documented = {path.rstrip("/") for path in document["paths"]}
    routes = {path.rstrip("/") for path in patterns(server) if not PAGES.match(path)}
    other_spellings = {f"/{version}/connect/UserInfo" for version in API_VERSIONS}
    assert routes - documented == other_spellings
    assert documented - routes == set()


def test_an_operation_is_secured_by_the_scopes_that_open_it(server, document):
    for endpoint in server.scopes.endpoints:
        for version in endpoint.versions:
            operation = document["paths"][f"/{version}/{endpoint.path}"][endpoint.methods[0].lower()]
            named = {scope for way in operation["security"] for scopes in way.values() for scope in scopes}
            assert named == server.scopes.scopes_opening(endpoint)


def test_the_schemes_have_every_scope_in_the_words_of_the_page(server, document):
    for version in API_VERSIONS:
        flow = document["components"]["securitySchemes"][f"oauth2_{version}"]["flows"]["authorizationCode"]
        assert flow["scopes"] == {scope.name: str(scope.consent) for scope in server.scopes}


def test_each_operation_and_each_example_has_a_name_of_its_own_and_words(document):
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert all(response["description"].endswith(".") for response in operation["responses"].values())


def test_a_plugins_own_endpoint_is_in_it_with_its_media_types_and_parameters():
    server = ConsentServer(openid, Card())
    document = server.get("/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    operation = document["paths"]["/v2/insurance/card.{format}"]["get"]
    assert set(operation["responses"]["200"]["content"]) == {"application/pdf", "image/png"}
    assert {"oauth2_v2": ["card"]} in operation["security"]
    places = {each["name"]: (each["in"], each["required"]) for each in operation["parameters"]}
    assert places == {"format": ("path", True), "width": ("query", False)}
    assert not any("/fhir/Patient" in path for path in document["paths"])
    assert "card" in server.get("/docs/scopes").html.find(id="card").get_text()


def test_it_is_made_once_tagged_and_open_to_any_site(server):
    first = server.get("/openapi.json", headers={"Origin": "https://editor.example"})
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.cache_control.max_age == 300
    again = server.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]}, status=304)
    assert again.body == b""


def test_limits_stand_in_discovery_in_the_document_and_on_their_page(server, document):
    limits = as_members(server.settings)
    for path in "/.well-known/openid-configuration", "/v1/fhir/.well-known/smart-configuration":
        found = server.get(path).json
        assert found["limits"] == limits
        assert found["service_documentation"] == "http://localhost/docs"
    assert document["info"]["x-limits"] == json.loads(json.dumps(limits))
    page = server.get("/docs/limits").html.get_text(" ", strip=True)
    for bound in all_bounds(server.settings):
        assert bound.name in page
        assert bound.said in page


def test_limits_are_those_of_the_settings():
    changed = {"access_token_lifetime": "600", "limit_token_client": "7 per 2 minutes", "limit_par_client": "off"}
    server = ConsentServer(openid, settings={f"bb2.{name}": value for name, value in changed.items()})
    limits = server.get("/.well-known/openid-configuration").json["limits"]
    assert limits["access_token_seconds"] == 600
    assert limits["token_rate_of_app"] == "7 per 2 minutes"
    assert limits["par_rate_of_app"] is None
    assert "no limit" in server.get("/docs/limits").text


def test_the_page_of_scopes_has_each_scope_in_both_languages_with_its_plugin(server):
    page = server.get("/docs/scopes").html.get_text(" ", strip=True)
    for scope in server.scopes:
        assert scope.name in page
        assert server.scopes.plugin_of(scope.name) in page
        assert str(scope.consent) in page
        assert scope.consent.in_language("es") in page


def test_a_document_that_is_asked_for_by_another_method_says_which_will_do(server, document):
    for path, operations in document["paths"].items():
        if list(operations) == ["get"] and operations["get"]["tags"] == ["Documents"]:
            refused = server.request(path, method="DELETE", status=405)
            assert refused.headers["Allow"] == "GET"
    server.request("/.well-known/nothing", method="DELETE", status=404)
