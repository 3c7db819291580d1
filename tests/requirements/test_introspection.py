"""Introspection (RFC 7662): what an app may ask of its own tokens."""

import json

import pytest

from bb2.oauth.errors import ClientError
from oauth.steps import another_app
from requirements.steps import (
    basic,
    claims_of,
    credentials,
    grant,
    introspect,
    is_refused,
    refresh,
)


@pytest.fixture(scope="module")
def told(granted):
    """The response about a live access token."""
    return introspect(granted.app, granted.token["access_token"])


def test_int_01_a_live_token_is_active(told):
    """RFC 7662, 2.2"""
    assert told.status_int == 200
    assert told.content_type == "application/json"
    assert told.json["active"] is True


def test_int_02_client_scope_and_expiry_are_those_of_the_token_response(told, granted):
    """SMART App Launch 2.2, "Token introspection" """
    assert told.json["client_id"] == granted.app.client_id
    assert set(told.json["scope"].split()) == set(granted.token["scope"].split())
    assert isinstance(told.json["exp"], int)
    issued = claims_of(granted.token)["iat"]
    assert abs(told.json["exp"] - issued - granted.token["expires_in"]) <= 5


def test_int_03_patient_issuer_and_subject_are_those_of_the_token_response(told, granted):
    assert told.json["patient"] == granted.token["patient"]
    for name in "iss", "sub":
        assert told.json[name] == claims_of(granted.token)[name]


def test_int_04_fhir_user_is_the_one_of_the_id_token(app):
    token = grant(app, "openid fhirUser patient/Patient.read")
    assert introspect(app, token["access_token"]).json["fhirUser"] == claims_of(token)["fhirUser"]


@pytest.mark.parametrize("value", ["unknown", "a.b.c", "é\n", "' OR 1=1 --", "x" * 5000])
def test_int_05_an_unknown_token_is_not_active_and_nothing_more(server, value):
    """RFC 7662, 2.2"""
    response = introspect(server, value)
    assert response.status_int == 200
    assert response.json == {"active": False}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None, "client_secret": None},
        {"client_secret": None},
        {"client_secret": "wrong"},
        {"client_id": "unknown"},
    ],
)
def test_int_06_the_app_must_authenticate(granted, changes):
    """RFC 7662, 2.1 and 2.3"""
    response = introspect(granted.app, granted.token["access_token"], **changes)
    assert is_refused(response, status=(401,) if changes.get("client_secret") else (400, 401, 403))
    assert "active" not in response.json


def test_int_06_the_app_may_authenticate_in_the_header(granted):
    app = granted.app
    header = basic(app.client_id, app.client_secret)
    response = introspect(app, granted.token["access_token"], headers=header, client_id=None, client_secret=None)
    assert response.json["active"] is True


def test_int_06_an_app_that_can_prove_nothing_learns_nothing(public_app):
    response = introspect(public_app, grant(public_app)["access_token"])
    assert is_refused(response, "invalid_client", "invalid_request", status=(400, 401, 403))


def test_int_07_the_token_must_be_named(server):
    for value in None, "":
        assert is_refused(introspect(server, value), "invalid_request")


def test_int_08_a_token_in_the_url_is_refused(granted):
    """RFC 7662, 4"""
    app = granted.app
    asked = credentials(app) | {"token": granted.token["access_token"]}
    assert is_refused(app.get("/v2/o/introspect/", asked, status="*"), status=(400, 401, 405))
    url = f"/v2/o/introspect/?token={granted.token['access_token']}"
    assert is_refused(app.post(url, credentials(app), status="*"))


def test_int_09_another_apps_token_is_not_active(server, public_app, granted):
    """RFC 7662, 4"""
    assert introspect(another_app(server), granted.token["access_token"]).json == {"active": False}
    response = introspect(public_app, granted.token["access_token"])
    assert response.json.get("active") is not True
    assert not {"sub", "patient", "scope"} & set(response.json)


def test_int_10_the_answer_is_kept_out_of_caches(told):
    assert "no-store" in told.headers["Cache-Control"]


def test_int_11_after_a_refresh_the_old_refresh_token_is_not_active(app):
    """RFC 9700, 4.14.2"""
    token = grant(app)
    new = refresh(app, token).json
    assert introspect(app, token["refresh_token"]).json == {"active": False}
    assert introspect(app, new["access_token"]).json["active"] is True
    assert introspect(app, new["refresh_token"]).json["active"] is True


def test_int_12_the_answer_holds_no_secret_and_no_number_of_the_person(told, granted):
    """RFC 7662, 5"""
    text = json.dumps(told.json)
    for secret in granted.token["access_token"], granted.token["refresh_token"], granted.app.client_secret:
        assert secret not in text
    assert not {"mbi", "ssn", "name", "given_name", "family_name", "email"} & {name.lower() for name in told.json}
    assert "alice" not in text.lower()


def test_m_23_no_client_sees_the_tokens_of_all(server, granted):
    """RFC 7662, 2.1: there is no client that is a resource server only, as the records are served here."""
    with pytest.raises(ClientError, match="redirect URI"):
        another_app(server, redirect_uris=[])
    for kind in "access_token", "refresh_token":
        assert introspect(another_app(server), granted.token[kind]).json == {"active": False}
