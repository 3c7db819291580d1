"""Discovery: OpenID Connect Discovery 1.0, RFC 8414, and the published keys."""

import time
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from bb2.oauth.keys import SigningKeys, new_key
from requirements.steps import EVIL, grant, is_absolute, oauth_uris

OPENID = "/.well-known/openid-configuration"
RFC_8414 = "/.well-known/oauth-authorization-server"
DOCUMENTS = (
    OPENID,
    RFC_8414,
    "/v1/connect/.well-known/openid-configuration",
    "/v2/connect/.well-known/openid-configuration",
    "/v1/fhir/.well-known/smart-configuration",
    "/v2/fhir/.well-known/smart-configuration",
    "/v1/fhir/metadata",
    "/v2/fhir/metadata",
)
ENDPOINTS = ("authorization", "token", "revocation", "introspection")
OAUTH_URIS = {"authorize": "authorization", "token": "token", "revoke": "revocation", "introspect": "introspection"}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}  # RFC 7518, 6.2.2, 6.3.2 and 6.4.1


def test_disc_01_the_openid_configuration_is_json(server):
    """OpenID Connect Discovery 1.0, 4.2"""
    assert server.get(OPENID, status=200).content_type == "application/json"


@pytest.mark.parametrize("path", DOCUMENTS[:4])
def test_disc_02_the_issuer_leads_to_the_document(server, path):
    """OpenID Connect Discovery 1.0, 4.3; RFC 8414, 3.3"""
    issuer = server.get(path).json["issuer"]
    for place in OPENID, RFC_8414:
        assert server.get(f"{issuer}{place}", status=200).json["issuer"] == issuer


def test_disc_03_the_issuer_is_a_url_without_query_and_fragment(openid_configuration):
    """RFC 8414, 2"""
    issuer = openid_configuration["issuer"]
    assert is_absolute(issuer)
    assert "?" not in issuer


def test_disc_04_the_required_members_are_there(openid_configuration):
    """OpenID Connect Discovery 1.0, 3"""
    assert {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    } <= set(openid_configuration)


def test_disc_05_response_type_code_is_supported(openid_configuration):
    assert "code" in openid_configuration["response_types_supported"]


def test_disc_06_nothing_implicit_is_supported(openid_configuration):
    """RFC 9700, 2.1.2"""
    assert openid_configuration["response_types_supported"] == ["code"]
    assert "implicit" not in openid_configuration["grant_types_supported"]


def test_disc_07_id_tokens_are_signed_with_rs256(openid_configuration):
    assert "RS256" in openid_configuration["id_token_signing_alg_values_supported"]


def test_disc_08_no_id_token_is_unsigned(openid_configuration):
    """RFC 8725, 3.2"""
    assert "none" not in openid_configuration["id_token_signing_alg_values_supported"]


def test_disc_09_subject_types_are_those_of_openid_connect(openid_configuration):
    types = openid_configuration["subject_types_supported"]
    assert types
    assert set(types) <= {"public", "pairwise"}


def test_disc_10_openid_is_a_supported_scope(openid_configuration):
    assert "openid" in openid_configuration["scopes_supported"]


def test_disc_11_pkce_is_s256_and_not_plain(openid_configuration):
    """RFC 9700, 2.1.1"""
    assert openid_configuration["code_challenge_methods_supported"] == ["S256"]


def test_disc_12_the_code_grant_is_supported_and_passwords_are_not(openid_configuration):
    """RFC 9700, 2.4"""
    assert "authorization_code" in openid_configuration["grant_types_supported"]
    assert "password" not in openid_configuration["grant_types_supported"]


@pytest.mark.parametrize("path", DOCUMENTS[:6])
def test_disc_13_every_endpoint_is_an_absolute_url(server, path):
    urls = {name: url for name, url in server.get(path).json.items() if name.endswith(("_endpoint", "_uri"))}
    assert len(urls) >= 4
    assert [name for name, url in urls.items() if not is_absolute(url)] == []


def test_disc_14_the_keys_are_public_halves_with_names_of_their_own(server, openid_configuration):
    """RFC 7517, 4 and 5"""
    response = server.get(openid_configuration["jwks_uri"], status=200)
    keys = response.json["keys"]
    assert response.content_type.endswith("json")
    assert any(key["kty"] == "RSA" and key["n"] and key["e"] for key in keys)
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(key["kty"] in ("RSA", "EC") and not PRIVATE & set(key) for key in keys)


def test_disc_15_userinfo_is_advertised_and_answers(server, openid_configuration):
    server.get(openid_configuration["userinfo_endpoint"], status=401)


def test_disc_16_the_advertised_ways_of_client_authentication_are_those_that_work(openid_configuration):
    """RFC 8414, 2.  test_client_authentication.py uses each of them."""
    methods = {"client_secret_basic", "client_secret_post", "none", "private_key_jwt"}
    assert set(openid_configuration["token_endpoint_auth_methods_supported"]) == methods


@pytest.mark.parametrize("path", DOCUMENTS[:6])
def test_disc_18_no_member_is_empty(server, path):
    """RFC 8414, 3.2"""
    document = server.get(path).json
    assert [name for name, value in document.items() if value in (None, "", [], {})] == []
    supported = {name: value for name, value in document.items() if name.endswith("_supported")}
    assert [name for name, value in supported.items() if not isinstance(value, list | bool)] == []


def test_disc_19_rfc_8414s_document_agrees(server, openid_configuration):
    """RFC 8414, 3"""
    assert server.get(RFC_8414, status=200).json == openid_configuration


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_disc_20_the_documents_are_read_only(server, method):
    for path in DOCUMENTS:
        assert server.request(path, method=method, status="*").status_int in (404, 405)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_disc_21_browsers_of_other_origins_may_read_the_documents(server, path):
    """SMART App Launch 2.2, "CORS considerations" """
    response = server.get(path, headers={"Origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_disc_22_the_documents_name_the_same_endpoints(server, version):
    openid = server.get(f"/{version}/connect/.well-known/openid-configuration").json
    smart = server.get(f"/{version}/fhir/.well-known/smart-configuration").json
    for name in ENDPOINTS:
        assert openid[f"{name}_endpoint"] == smart[f"{name}_endpoint"]
        assert f"/{version}/o/" in openid[f"{name}_endpoint"]
    named = {OAUTH_URIS[name]: url for name, url in oauth_uris(server, version).items() if name in OAUTH_URIS}
    assert named == {name: openid[f"{name}_endpoint"] for name in named}
    assert {"authorization", "token", "revocation", "introspection"} == set(named)


def test_disc_23_the_documents_name_the_same_issuer_and_keys(openid_configuration, smart_configuration):
    for name in "issuer", "jwks_uri":
        assert smart_configuration[name] == openid_configuration[name]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_disc_24_a_forged_host_is_never_repeated(server, path):
    """RFC 8414, 6.2"""
    forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Host": "evil.example"}
    response = server.get(path, headers=forged, status="*")
    assert "evil.example" not in response.text
    assert not any("evil.example" in value for value in response.headers.values())


@pytest.fixture
def with_keys(app):
    """A function that gives the server other signing keys, as a restart would, until the test ends."""
    registry = app.app.registry
    before = registry["signing_keys"]
    yield lambda *keys: registry.update(signing_keys=SigningKeys(keys))
    registry.update(signing_keys=before)


def test_m_16_a_new_key_is_published_before_it_signs_and_the_old_one_while_it_is_needed(app, with_keys):
    """OpenID Connect Core 10.1.1"""
    moment = int(time.time())
    old, new = new_key("RS256", 0), new_key("RS256", moment + 3600)

    def published():
        return KeySet.import_key_set(app.get("/.well-known/jwks.json").json)

    with_keys(old)
    of_before = grant(app, "openid")["id_token"]
    with_keys(old, new)
    assert {key.kid for key in published().keys} == {old.kid, new.kid}
    assert jwt.decode(grant(app, "openid")["id_token"], published()).header["kid"] == old.kid
    with_keys(old, replace(new, signs_from=moment))
    assert jwt.decode(grant(app, "openid")["id_token"], published()).header["kid"] == new.kid
    assert jwt.decode(of_before, published()).header["kid"] == old.kid


def test_m_17_nobody_registers_an_app_over_http(server, openid_configuration):
    """RFC 7591 is not offered: apps are registered by the operator."""
    assert "registration_endpoint" not in openid_configuration
    app = {"redirect_uris": [f"{EVIL}/callback"], "client_name": "Evil"}
    for path in "/register", "/v2/o/register", "/v2/o/register/", "/v2/connect/register":
        assert server.post_json(path, app, status="*").status_int in (401, 403, 404)
