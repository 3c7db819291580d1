"""Which documents may anybody read?  Discovery, keys, the directory of apps, metadata and health."""

from bb2.discovery import DEFAULT_VERSION, openid_configuration, smart_configuration
from bb2.openapi.answers import FHIR_JSON, JSON, answer, fhir_problems, oauth_problems
from bb2.openapi.records import SHAPING
from bb2.openapi.schemas import ref
from bb2.scopes import API_VERSIONS

WELL = {"message": "all's well"}


def operations(settings, scopes):
    """{path: {method: Operation}}"""
    base = settings.base_url
    found = {
        "/.well-known/jwks.json": _public(base, "jwks", "The keys that sign id_tokens", "JsonWebKeys"),
        "/.well-known/applications": _public(base, "applications", "The apps that are switched on", "Applications"),
        "/openapi.json": _public(base, "openapi", "This document", None),
        "/health": _public(base, "health", "Does the server answer?", "Health", WELL),
    }
    for part, what in (("db", "the database"), ("fhir", "the store of FHIR records")):
        path = found[f"/health/{part}"] = _public(base, f"health_{part}", f"Does {what} answer?", "Health", WELL)
        unwell = {"message": f"{what} does not answer"}
        path["get"]["responses"]["503"] = answer("It does not.", JSON, ref("Health"), {"unwell": unwell})
    found["/.well-known/openid-configuration"] = _openid(settings, scopes, "openid_configuration", DEFAULT_VERSION)
    found["/.well-known/oauth-authorization-server"] = _openid(
        settings, scopes, "oauth_authorization_server", DEFAULT_VERSION
    )
    found["/.well-known/smart-configuration"] = _smart(settings, scopes, "smart_configuration", DEFAULT_VERSION)
    for version in API_VERSIONS:
        found[f"/{version}/connect/.well-known/openid-configuration"] = _openid(
            settings, scopes, f"{version}_openid_configuration", version
        )
        found[f"/{version}/fhir/.well-known/smart-configuration"] = _smart(
            settings, scopes, f"{version}_smart_configuration", version, fhir=True
        )
        found[f"/{version}/fhir/metadata"] = _metadata(base, version)
    return found


def _openid(settings, scopes, name, version):
    document = openid_configuration(settings, version, scopes)
    return _public(settings.base_url, name, "What this server offers to apps", "OpenIDConfiguration", document)


def _smart(settings, scopes, name, version, *, fhir=False):
    document = smart_configuration(settings, version, scopes)
    made = _public(settings.base_url, name, "The same, as SMART App Launch has it", "SmartConfiguration", document)
    if fhir:
        made["get"]["responses"] |= fhir_problems(settings.base_url, "", 400, 413)
    return made


def _public(base, name, summary, schema, example=None):
    """A document in JSON that anybody may read, from any site."""
    examples = {} if example is None else {"document": example}
    good = answer("The document.", JSON, ref(schema) if schema else {"type": "object"}, examples)
    operation = {
        "operationId": name,
        "tags": ["Documents"],
        "summary": summary,
        "security": [],
        "responses": {"200": good} | oauth_problems(base, "document", 400, 413),
    }
    if name == "applications":
        operation["responses"] |= oauth_problems(base, "", 500, 503)
    if name == "openapi":
        operation["responses"]["304"] = answer("It is the same still.")
    return {"get": operation}


def _metadata(base, version):
    words, schema, example = SHAPING["_format"]
    asked = {"name": "_format", "in": "query", "description": words, "schema": schema, "example": example}
    good = {"200": answer("The CapabilityStatement.", FHIR_JSON, ref("CapabilityStatement"))}
    return {
        "get": {
            "operationId": f"{version}_metadata",
            "tags": ["Documents"],
            "summary": "What the FHIR server can do",
            "security": [],
            "parameters": [asked],
            "responses": good | fhir_problems(base, "metadata", 400, 406, 413),
        }
    }
