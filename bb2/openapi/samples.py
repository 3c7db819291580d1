"""With which values are the examples written?  One app, one person, one record; the tests send them as they are.

The codes and tokens here open nothing anywhere.
"""

CLIENT_ID = "example-app"
CLIENT_SECRET = "only-this-app-and-the-server-know-it"
REDIRECT_URI = "https://app.example/callback"
STATE = "hV6Jq0bXw2nPzR4s"
#: RFC 7636, Appendix B.
CODE_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CODE_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CODE = "SplxlOBeZQQYbYS6WxSbIA4uKqL7mN"
ACCESS_TOKEN = "2YotnFZFEjr1zCsicMWpAAh8WcQv3e"
REFRESH_TOKEN = "tGzv3JOkF0XG5Qx2TlKWIAy6RbNf9d"
ID_TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImV4YW1wbGUifQ.e30.c2lnbmF0dXJl"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
PATIENT = "-20140000008325"
SUB = "8f14e45fceea167a5a36dedd4bea2543"
RECORD = "example-1"
LAST_UPDATED = "2026-01-15T09:30:00.000+00:00"


def record_of(resource):
    """The least record of a FhirResource: what every one has.  A dict."""
    if resource.patient_element == "id":
        return {"resourceType": resource.type, "id": PATIENT, "meta": {"lastUpdated": LAST_UPDATED}}
    return {
        "resourceType": resource.type,
        "id": RECORD,
        "meta": {"lastUpdated": LAST_UPDATED},
        resource.patient_element: {"reference": f"Patient/{PATIENT}"},
    }


def id_of(resource):
    return record_of(resource)["id"]


def scopes_of(registry):
    """What the app of the examples asks for: of each family the widest that is offered."""
    return " ".join(registry.one_of_each_family())
