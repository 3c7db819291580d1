"""The documents that tell clients what this server offers, derived from the registry and the settings."""

from bb2.bounds import as_members
from bb2.fhir.search import parameters
from bb2.oauth import keys
from bb2.oauth.client_keys import ALGORITHMS
from bb2.oauth.id_tokens import ID_TOKEN_CLAIMS
from bb2.oauth.server import PROMPTS
from bb2.scopes import API_VERSIONS
from bb2.settings import fhir_base

DEFAULT_VERSION = "v2"  # of the documents at the root; each version advertises its own URLs besides
SMART_SECURITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = {
    "v1": "http://hl7.org/fhir/restful-security-service",
    "v2": "http://terminology.hl7.org/CodeSystem/restful-security-service",
}
#: SMART App Launch 2.2, "Conformance": what holds whatever scopes are installed.
SMART_CAPABILITIES = (
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "context-standalone-patient",
    "permission-patient",
)
#: SMART App Launch 1.0, "Capabilities: Conformance": the parts of the extension, and the members of discovery.
OAUTH_URIS = (
    ("authorize", "authorization"),
    ("token", "token"),
    ("introspect", "introspection"),
    ("revoke", "revocation"),
)
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")


def oauth_urls(base_url, version):
    """The endpoints as one API version advertises them."""
    return {
        "authorization_endpoint": f"{base_url}/{version}/o/authorize/",
        "token_endpoint": f"{base_url}/{version}/o/token/",
        "revocation_endpoint": f"{base_url}/{version}/o/revoke_token/",
        "introspection_endpoint": f"{base_url}/{version}/o/introspect/",
        "pushed_authorization_request_endpoint": f"{base_url}/{version}/o/par/",
    }


def openid_configuration(settings, version, registry):
    """OpenID Connect Discovery 1.0, 3; RFC 8414, 2, which lets a server add members of its own: `limits`."""
    base_url = settings.base_url
    return {
        "issuer": base_url,
        **oauth_urls(base_url, version),
        "userinfo_endpoint": f"{base_url}/{version}/connect/userinfo",
        "jwks_uri": f"{base_url}/.well-known/jwks.json",
        "end_session_endpoint": f"{base_url}/{version}/connect/logout",
        "scopes_supported": [scope.name for scope in registry.offered],
        "claims_supported": sorted({*registry.claims, *ID_TOKEN_CLAIMS}),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(keys.ALGORITHMS),
        **_client_authentication("token", *AUTHENTICATION_METHODS, "none"),
        **_client_authentication("revocation", *AUTHENTICATION_METHODS, "none"),
        **_client_authentication("introspection", *AUTHENTICATION_METHODS),
        "require_pushed_authorization_requests": False,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "prompt_values_supported": list(PROMPTS),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["en", "es"],
        "service_documentation": f"{base_url}/docs",
        "limits": as_members(settings),
    }


def _client_authentication(endpoint, *methods):
    """How clients prove who they are at this endpoint (RFC 8414, 2)."""
    return {
        f"{endpoint}_endpoint_auth_methods_supported": list(methods),
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def smart_configuration(settings, version, registry):
    """SMART App Launch 2.2, "Conformance"."""
    document = openid_configuration(settings, version, registry)
    # Without single sign-on there is no issuer to be told of.
    signs_on = ("issuer", "jwks_uri") if _signs_on(registry) else ()
    kept = (
        *signs_on,
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "scopes_supported",
        "response_types_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "code_challenge_methods_supported",
        "service_documentation",
        "limits",
    )
    return {name: document[name] for name in kept} | {
        "management_endpoint": f"{settings.base_url}/connections",
        "capabilities": [*SMART_CAPABILITIES, *_capabilities_of_scopes(registry)],
    }


def _signs_on(registry):
    """True where an app can learn who the person is, by an id_token."""
    return any(scope.id_token for scope in registry.offered)


def _capabilities_of_scopes(registry):
    """The capabilities that hold only while a scope that carries them is installed."""
    if _signs_on(registry):
        yield "sso-openid-connect"
    if any(scope.offline for scope in registry.offered):
        yield "permission-offline"
    if any(scope.name.endswith(".read") for scope in registry.offered if scope.opens_records):
        yield "permission-v1"
    if any(not scope.name.endswith(".read") for scope in registry.offered if scope.opens_records):
        yield "permission-v2"


def capability_statement(base_url, version, registry, date):
    """FHIR CapabilityStatement: one rest.resource for each resource type that a scope opens in this version.

    `date` is a FHIR dateTime (text): since when it is so.
    """
    release, number = API_VERSIONS[version]
    security = {
        "cors": True,
        "extension": [{"url": SMART_SECURITY, "extension": _oauth_uris(base_url, version)}],
        "service": [{"coding": [{"system": SECURITY_SERVICE[version], "code": "SMART-on-FHIR"}]}],
    }
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "implementation": {"description": f"bb2, FHIR {release}", "url": fhir_base(base_url, version)},
        "fhirVersion": number,
        "format": ["application/fhir+json", "json"],
        "rest": [{"mode": "server", "security": security, "resource": _resources(version, registry)}],
    }
    if version == "v1":
        statement["acceptUnknown"] = "no"
    return statement


def _oauth_uris(base_url, version):
    urls = oauth_urls(base_url, version)
    return [{"url": name, "valueUri": urls[f"{document}_endpoint"]} for name, document in OAUTH_URIS]


def _resources(version, registry):
    entries = {}
    for endpoint in registry.endpoints:
        if endpoint.resource and version in endpoint.versions:
            entry = entries.setdefault(endpoint.resource.type, _resource(version, endpoint.resource))
            entry["interaction"].append({"code": endpoint.interaction})
            if endpoint.interaction == "read":
                entry["conditionalRead"] = "full-support"  # by If-None-Match and If-Modified-Since
    for entry in entries.values():
        entry["interaction"].sort(key=lambda interaction: interaction["code"])
    return [entries[name] for name in sorted(entries)]


def _resource(version, resource):
    entry = {"type": resource.type, "interaction": [], "versioning": "no-version"}
    if version == "v2" and resource.profiles:
        entry["supportedProfile"] = list(resource.profiles)
    entry["searchParam"] = [
        {"name": name} | ({"definition": definition} if definition else {}) | {"type": kind}
        for name, (kind, definition) in parameters(resource).items()
    ]
    if resource.includes:
        entry["searchInclude"] = resource.include_values
    return entry
