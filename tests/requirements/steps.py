"""What the tests of the requirements have in common."""

import json
from base64 import b64encode, urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

from bb2.models import AuthorizationCode
from bb2.testing import STATE, answer_of, code_of
from oauth.steps import ask, earlier

EVERYTHING = (
    "openid profile launch/patient offline_access "
    "patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
)
RECORD_SCOPES = "patient/Coverage.read patient/ExplanationOfBenefit.read"
TYPES = {"Patient": "-1001", "Coverage": "coverage-of-alice", "ExplanationOfBenefit": "eob-of-alice"}  #: and a record
NONCE = "a nonce of sixty-four characters, as long as apps like to make it"
EVIL = "https://evil.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def new_code(app, scope=RECORD_SCOPES, **changes):
    """An authorization code, from whoever is signed in."""
    return code_of(app.approve(app.consent_page(scope, username=None, **changes)))


def code_for_many_tests(app, proof=dict):
    """For a fixture: (app, code, verifier), for requests that are refused; at last, none of them has spent the code.

    The code lives on, so that its age is not the reason.  `proof()`: how the app authenticates, if not by its secret.
    """
    code, verifier = new_code(app), app.verifier
    earlier(app, AuthorizationCode, "expires_at", hours=-1)
    yield app, code, verifier
    assert exchange(app, code, code_verifier=verifier, **proof()).status_int == 200


def exchange(app, code, *, headers=None, **changes):
    """The token endpoint's response to a code; a parameter that is None is left out."""
    return app.post("/v2/o/token/", app.token_request(code, **changes), headers=headers, status="*")


def grant(app, scope=RECORD_SCOPES, **changes):
    """The token response to a new consent."""
    response = exchange(app, new_code(app, scope, **changes))
    assert response.status_int == 200
    return response.json


def credentials(app):
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def post(app, path, form, *, headers=None, **changes):
    """The response to a form that an app sends with its own credentials; a parameter that is None is left out."""
    sent = {name: value for name, value in (credentials(app) | form | changes).items() if value is not None}
    return app.post(f"/v2/o/{path}/", sent, headers=headers, status="*")


def refresh(app, token, **changes):
    """The token endpoint's response to a refresh."""
    return post(app, "token", {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}, **changes)


def revoke(app, value, *, path="revoke_token", **changes):
    return post(app, path, {"token": value}, **changes)


def introspect(app, value, **changes):
    return post(app, "introspect", {"token": value}, **changes)


def basic(client_id, secret):
    """The header of HTTP Basic credentials (RFC 7617)."""
    return {"Authorization": f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def claims_of(token):
    """What the id_token of a token response says, unverified: test_id_token.py verifies."""
    payload = token["id_token"].split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


def is_refused(response, *errors, status=(400,)):
    """A refusal of the token endpoint in RFC 6749's shape (5.2), with one of these errors if any are named."""
    assert response.status_int in status, response.text
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert set(response.json) <= {"error", "error_description", "error_uri"}
    assert not errors or response.json["error"] in errors, response.json
    return True


def is_told_to_the_person(response):
    """A page, and no redirect anywhere (RFC 6749, 4.1.2.1)."""
    assert 400 <= response.status_int < 500
    assert response.content_type == "text/html"
    assert "Location" not in response.headers
    assert "consent" not in response.request.path
    return True


def is_told_to_the_app(response, *errors, state=STATE):
    """A redirect to the app with one of these errors and its state, and no code (RFC 6749, 4.1.2.1)."""
    assert response.status_int in (302, 303)
    assert response.location.startswith("https://app.example/callback?")
    told = answer_of(response)
    assert set(told) <= {"error", "error_description", "error_uri", "state", "iss"}
    assert told["error"] in errors, told
    assert told.get("state") == state
    return True


def asks_the_person(server, scope="openid", **changes):
    """True when an authorization request leads to sign-in or to the authorization page."""
    response = ask(server, scope, **changes)
    return response.status_int in (302, 303) and urlsplit(response.location).path.startswith("/consent/")


def is_refused_by_the_api(response, status, error):
    """RFC 6750, 3: the challenge names the error, or none where no token came."""
    assert response.status_int == status, response.text
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer")
    assert f'error="{error}"' in challenge if error else "error=" not in challenge
    return True


def parameters(response):
    """The parameters of a redirect, {name: [values]}."""
    return parse_qs(urlsplit(response.location).query, keep_blank_values=True)


def oauth_uris(server, version="v2"):
    """{name: URL} of the CapabilityStatement's SMART extension."""
    (rest,) = server.get(f"/{version}/fhir/metadata").json["rest"]
    (extension,) = rest["security"]["extension"]
    return {part["url"]: part["valueUri"] for part in extension["extension"]}


def is_absolute(url):
    """https, or http on loopback; no fragment."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local)) and "#" not in url
