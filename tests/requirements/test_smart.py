"""SMART App Launch 2.2: what each FHIR base says of itself."""

import pytest

from bb2.scopes import coverage
from bb2.testing import ConsentServer
from oauth.steps import another_app, another_browser, newest_connection, opens, stop_form
from requirements.steps import grant, is_absolute, oauth_uris

BASES = ("/v1/fhir", "/v2/fhir")
SMART = "/.well-known/smart-configuration"
CARIN = {  # CARIN Blue Button 2.0.0, "Security"
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "sso-openid-connect",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
}


@pytest.fixture(scope="module")
def without_openid():
    """The configuration of a server without the scope `openid`."""
    return ConsentServer(coverage).get(f"/v2/fhir{SMART}").json


@pytest.mark.parametrize("base", BASES)
def test_smart_01_the_configuration_is_below_the_fhir_base(server, base):
    assert server.get(f"{base}{SMART}", status=200).content_type == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+json", "*/*", "application/fhir+xml"])
def test_smart_02_the_configuration_is_json_whatever_is_accepted(server, accept):
    for base in BASES:
        response = server.get(f"{base}{SMART}", headers={"Accept": accept}, status=200)
        assert response.content_type == "application/json"
        assert response.json["capabilities"]


def test_smart_03_the_required_members_have_their_types(smart_configuration):
    for name in "authorization_endpoint", "token_endpoint":
        assert isinstance(smart_configuration[name], str)
    for name in "capabilities", "grant_types_supported", "code_challenge_methods_supported":
        assert isinstance(smart_configuration[name], list)
        assert all(isinstance(value, str) for value in smart_configuration[name])


def test_smart_04_the_code_grant_is_supported(smart_configuration):
    assert "authorization_code" in smart_configuration["grant_types_supported"]


def test_smart_05_pkce_is_s256_and_not_plain(smart_configuration):
    assert smart_configuration["code_challenge_methods_supported"] == ["S256"]


def test_smart_06_single_sign_on_names_issuer_and_keys(smart_configuration):
    assert "sso-openid-connect" in smart_configuration["capabilities"]
    assert isinstance(smart_configuration["issuer"], str)
    assert isinstance(smart_configuration["jwks_uri"], str)


def test_smart_07_every_endpoint_is_an_absolute_url(smart_configuration):
    urls = {name: url for name, url in smart_configuration.items() if name.endswith("_endpoint")}
    assert len(urls) >= 4
    assert [name for name, url in urls.items() if not is_absolute(url)] == []


def test_smart_08_the_capabilities_are_distinct_words(smart_configuration):
    capabilities = smart_configuration["capabilities"]
    assert len(set(capabilities)) == len(capabilities)
    assert all(isinstance(name, str) and name.strip() for name in capabilities)


def test_smart_09_the_recommended_members_are_there(smart_configuration):
    for name in "scopes_supported", "response_types_supported", "revocation_endpoint", "introspection_endpoint":
        assert smart_configuration[name]


def test_smart_10_an_app_can_be_launched_by_the_patient(smart_configuration):
    assert {
        "launch-standalone",
        "context-standalone-patient",
        "permission-patient",
        "client-confidential-symmetric",
    } <= set(smart_configuration["capabilities"])


def test_smart_11_carins_capabilities_are_there_but_the_one_that_would_not_be_true(smart_configuration):
    """`permission-user` would promise scopes such as user/Coverage.read, which are not offered."""
    offers_user_scopes = any(name.startswith("user/") for name in smart_configuration["scopes_supported"])
    missing = CARIN - set(smart_configuration["capabilities"])
    assert not offers_user_scopes
    assert missing == {"permission-user"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_smart_12_the_capability_statement_names_the_endpoints(server, version):
    assert {"authorize", "token"} <= set(oauth_uris(server, version))


@pytest.mark.parametrize("base", BASES)
def test_smart_13_browsers_of_any_origin_may_read_what_the_server_can_do(server, base):
    for path in f"{base}{SMART}", f"{base}/metadata":
        response = server.get(path, headers={"Origin": "https://app.example"})
        assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        preflight = server.options(path, headers=asked, status="*")
        assert preflight.status_int in (200, 204)
        assert preflight.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")


def test_smart_14_the_permission_capabilities_follow_from_the_scopes(smart_configuration):
    scopes = [name for name in smart_configuration["scopes_supported"] if name.startswith("patient/")]
    capabilities = smart_configuration["capabilities"]
    assert ("permission-v1" in capabilities) is any(name.endswith(".read") for name in scopes)
    assert ("permission-v2" in capabilities) is any(name.endswith((".rs", ".r", ".s")) for name in scopes)


def test_smart_15_apps_with_a_key_are_told_how_to_sign(smart_configuration):
    assert "client-confidential-asymmetric" in smart_configuration["capabilities"]
    assert "private_key_jwt" in smart_configuration["token_endpoint_auth_methods_supported"]
    algorithms = set(smart_configuration["token_endpoint_auth_signing_alg_values_supported"])
    assert {"RS384", "ES384"} <= algorithms
    assert "none" not in algorithms
    assert not any(name.startswith("HS") for name in algorithms)


def test_smart_16_the_capabilities_are_backed_by_scopes(smart_configuration):
    scopes, capabilities = smart_configuration["scopes_supported"], smart_configuration["capabilities"]
    assert {"sso-openid-connect", "context-standalone-patient", "permission-offline"} <= set(capabilities)
    assert {"openid", "fhirUser", "launch/patient", "offline_access"} <= set(scopes)


def test_smart_17_a_bad_token_does_not_close_the_configuration(server):
    for path in f"/v2/fhir{SMART}", "/v2/fhir/metadata", "/.well-known/openid-configuration":
        server.get(path, headers={"Authorization": "Bearer unknown"}, status=200)


def test_smart_18_without_single_sign_on_there_is_no_issuer(without_openid):
    assert "sso-openid-connect" not in without_openid["capabilities"]
    assert "issuer" not in without_openid
    assert "jwks_uri" not in without_openid


def test_m_39_no_brand_bundle_is_promised(smart_configuration):
    """Medicare is one brand, which apps do not choose from a list."""
    assert "user_access_brand_bundle" not in smart_configuration
    assert "user_access_brand_identifier" not in smart_configuration


def test_m_40_the_management_page_shows_the_apps_and_ends_their_access(server, smart_configuration):
    app = another_app(another_browser(server), name="The app to leave")
    app.sign_in("bob")
    token = grant(app)
    page = app.get(smart_configuration["management_endpoint"], status=200)
    assert page.content_type == "text/html"
    assert "The app to leave" in page.text
    stop_form(app.get(f"{newest_connection(app)}/stop")).submit(status=303)
    assert opens(app, token) == 401
