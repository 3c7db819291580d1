"""Which shapes do bodies have?  The JSON Schemas (2020-12) that the operations point to."""

TEXT = {"type": "string"}
URI = {"type": "string", "format": "uri"}
NAMES = {"type": "array", "items": TEXT}
WHOLE = {"type": "integer", "minimum": 0}


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required, optional=None, **more):
    """An object whose members are these; others may be beside them."""
    return {"type": "object", "required": list(required), "properties": required | (optional or {})} | more


SCHEMAS = {
    "OAuthError": _object(
        {"error": TEXT, "error_description": TEXT, "error_uri": URI},
        description="RFC 6749, 5.2. What each error means, and what to do: error_uri.",
        additionalProperties=False,
    ),
    "OperationOutcome": _object(
        {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": _object(
                    {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": TEXT,
                        "diagnostics": TEXT,
                    },
                    {
                        "details": _object(
                            {"coding": {"type": "array", "items": _object({"system": URI, "code": TEXT})}}
                        )
                    },
                ),
            },
        },
        description="FHIR's error. details.coding names the entry of the error index: system, # and code.",
    ),
    "TokenResponse": _object(
        {
            "access_token": TEXT,
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer", "minimum": 1},
            "scope": TEXT,
            "patient": TEXT,
        },
        {
            "refresh_token": {"type": "string", "description": "Not for apps with one-time access. It counts once."},
            "access_grant_expiration": {
                "type": "string",
                "format": "date-time",
                "description": "Until when the person lets the app see their data; not for research apps.",
            },
            "id_token": {"type": "string", "description": "With the scope openid."},
        },
        description="RFC 6749, 5.1; SMART App Launch 2.2. patient is the Patient.id whose records the token opens.",
    ),
    "Introspection": _object(
        {"active": {"type": "boolean"}},
        {
            "scope": TEXT,
            "client_id": TEXT,
            "token_type": {"const": "Bearer"},
            "exp": WHOLE,
            "iat": WHOLE,
            "iss": URI,
            "sub": TEXT,
            "aud": NAMES,
            "patient": TEXT,
        },
        description="RFC 7662, 2.2. Of what is closed, unknown or another app's, nothing but active: false.",
    ),
    "PushedRequest": _object(
        {"request_uri": TEXT, "expires_in": {"type": "integer", "minimum": 1}}, description="RFC 9126, 2.2."
    ),
    "UserInfo": _object({"sub": TEXT}, description="OpenID Connect Core 5.3.2: the claims of the granted scopes."),
    "OpenIDConfiguration": _object(
        {
            "issuer": URI,
            "authorization_endpoint": URI,
            "token_endpoint": URI,
            "userinfo_endpoint": URI,
            "jwks_uri": URI,
            "scopes_supported": NAMES,
            "response_types_supported": NAMES,
            "limits": {"type": "object", "description": "Every limit and lifetime, by name."},
        },
        description="OpenID Connect Discovery 1.0, 3; RFC 8414, 2.",
    ),
    "SmartConfiguration": _object(
        {
            "authorization_endpoint": URI,
            "token_endpoint": URI,
            "capabilities": NAMES,
            "code_challenge_methods_supported": NAMES,
            "grant_types_supported": NAMES,
            "scopes_supported": NAMES,
        },
        description="SMART App Launch 2.2, Conformance.",
    ),
    "JsonWebKeys": _object(
        {"keys": {"type": "array", "items": _object({"kty": TEXT, "kid": TEXT, "alg": TEXT})}},
        description="RFC 7517, 5: the keys that sign id_tokens.",
    ),
    "Applications": {
        "type": "array",
        "description": "The apps that are switched on.",
        "items": _object(
            {
                "name": TEXT,
                "website": {"type": ["string", "null"]},
                "privacy_policy": {"type": ["string", "null"]},
                "terms": {"type": ["string", "null"]},
                "asks_demographic": {"type": "boolean"},
                "access": {"enum": ["one-time", "ongoing", "research"]},
            }
        ),
    },
    "Health": _object({"message": TEXT}),
    "CapabilityStatement": _object(
        {
            "resourceType": {"const": "CapabilityStatement"},
            "status": TEXT,
            "fhirVersion": TEXT,
            "rest": {"type": "array", "minItems": 1},
        },
        description="FHIR, CapabilityStatement.",
    ),
}


def record_schema(resource):
    """Of the records of a FhirResource; what else they have, FHIR's own definitions say."""
    return _object(
        {"resourceType": {"const": resource.type}, "id": TEXT}, description=f"FHIR, {resource.type}: one record."
    )


def bundle_schema(resource):
    """Of a search of a FhirResource (FHIR, Bundle)."""
    entry = _object(
        {
            "fullUrl": URI,
            "resource": _object({"resourceType": TEXT, "id": TEXT}),
            "search": _object({"mode": {"enum": ["match", "include"]}}),
        }
    )
    return _object(
        {
            "resourceType": {"const": "Bundle"},
            "type": {"const": "searchset"},
            "total": WHOLE,
            "link": {"type": "array", "items": _object({"relation": TEXT, "url": URI})},
        },
        {"id": TEXT, "meta": {"type": "object"}, "entry": {"type": "array", "items": entry}},
        description=f"A page of {resource.type} records, and links to the others.",
    )
