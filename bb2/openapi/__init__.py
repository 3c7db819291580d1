"""Which requests does an app send, and what is it answered?  The OpenAPI 3.1 document, made from what is installed."""

from bb2.bounds import as_members
from bb2.discovery import oauth_urls
from bb2.openapi import documents, oauth
from bb2.openapi.records import Records
from bb2.openapi.schemas import SCHEMAS
from bb2.scopes import API_VERSIONS

ABOUT = """\
How apps ask people for access to their Medicare records, and read them.

Two versions are served by the same code: v1 answers FHIR STU3, v2 FHIR R4.
Every path answers with and without a slash at its end.

* [The error index]({base}/docs/errors): each code, why, and what to do
* [Limits and lifetimes]({base}/docs/limits)
* [Scopes]({base}/docs/scopes)
"""


def document(settings, scopes, routes):
    """The OpenAPI document (dict) of these settings, the ScopeRegistry and {name: ProtectedRoute}."""
    paths = {}
    for version in reversed(API_VERSIONS):  # the newest first
        paths |= oauth.operations(settings, scopes, version)
        paths |= Records(settings, scopes, routes, version).operations()
    paths |= documents.operations(settings, scopes)
    base = settings.base_url
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.site_name} for apps",
            "version": "1",
            "description": ABOUT.format(base=base),
            "x-limits": as_members(settings),
        },
        "externalDocs": {"description": "Documentation", "url": f"{base}/docs"},
        "servers": [{"url": base}],
        "tags": _tags(paths),
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": _security_schemes(base, scopes)},
    }


def _tags(paths):
    """Those of the operations, in their order."""
    found = {tag: None for path in paths.values() for operation in path.values() for tag in operation["tags"]}
    return [{"name": name} for name in found]


def _security_schemes(base, scopes):
    """How a request shows whose it is."""
    words = {scope.name: str(scope.consent) for scope in scopes}
    flows = {version: oauth_urls(base, version) for version in API_VERSIONS}
    schemes = {
        f"oauth2_{version}": {
            "type": "oauth2",
            "description": f"A person lets the app see their records, through the pages of {version}.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": urls["authorization_endpoint"],
                    "tokenUrl": urls["token_endpoint"],
                    "refreshUrl": urls["token_endpoint"],
                    "scopes": words,
                }
            },
        }
        for version, urls in reversed(flows.items())
    }
    return schemes | {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token that you have already, such as one of the test client.",
        },
        "clientBasic": {
            "type": "http",
            "scheme": "basic",
            "description": "client_id and client_secret, each form-urlencoded (RFC 6749, 2.3.1). Or both in the body; "
            "or a client_assertion (RFC 7523); or, for an app without a secret, client_id alone.",
        },
        "openId": {"type": "openIdConnect", "openIdConnectUrl": f"{base}/.well-known/openid-configuration"},
    }
