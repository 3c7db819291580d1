"""The access token at the FHIR API (RFC 6750), and what a refusal says."""

import pytest

from requirements.steps import FORM, basic, bearer, credentials, grant, is_refused_by_the_api

COVERAGE = "/v2/fhir/Coverage"
PROTECTED = (COVERAGE, "/v1/fhir/Patient", "/v2/fhir/ExplanationOfBenefit/any", "/v2/connect/userinfo")


@pytest.mark.parametrize("path", PROTECTED)
def test_br_01_without_a_token_there_is_a_challenge(server, path):
    """RFC 6750, 3; RFC 9110, 11.6.1"""
    response = server.get(path, status=401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PROTECTED)
def test_br_02_without_a_token_the_challenge_names_no_error(server, path):
    """RFC 6750, 3.1"""
    assert is_refused_by_the_api(server.get(path, status="*"), 401, None)


@pytest.mark.parametrize(
    "value", ["unknown", "x" * 8192, "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "%00", "' OR 1=1 --", "x;DROP", "\x7f"]
)
def test_br_03_an_odd_token_is_invalid(server, value):
    """RFC 6750, 3.1"""
    for path in PROTECTED:
        assert is_refused_by_the_api(server.get(path, headers=bearer(value), status="*"), 401, "invalid_token")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", "Token x", "", " ", "é"])
def test_br_04_a_malformed_header_is_refused(server, header):
    """RFC 6750, 3.1"""
    response = server.get(COVERAGE, headers={"Authorization": header}, status="*")
    assert response.status_int in (400, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_br_05_the_scheme_may_have_any_case(server, granted, scheme):
    """RFC 9110, 11.1"""
    server.get(COVERAGE, headers={"Authorization": f"{scheme} {granted.token['access_token']}"}, status=200)


def test_br_06_the_apps_own_credentials_are_no_token(server, granted):
    app = granted.app
    response = server.get(COVERAGE, headers=basic(app.client_id, app.client_secret), status="*")
    assert is_refused_by_the_api(response, 401, None)


def test_br_07_a_token_in_the_url_is_refused(server, granted):
    """RFC 9700, 4.3.2"""
    url = f"{COVERAGE}?access_token={granted.token['access_token']}"
    assert is_refused_by_the_api(server.get(url, status="*"), 400, "invalid_request")


def test_br_08_a_token_that_was_changed_is_invalid(server, granted):
    """RFC 6750, 5.1"""
    value = granted.token["access_token"]
    flipped = ("B" if value[0] == "A" else "A") + value[1:]
    for changed in flipped, value[:-1], f"{value}A", f"{value}=", value.swapcase():
        assert is_refused_by_the_api(server.get(COVERAGE, headers=bearer(changed), status="*"), 401, "invalid_token")


def test_br_09_a_token_comes_in_one_way_only(server, granted):
    """RFC 6750, 2 and 3.1"""
    url = f"{COVERAGE}?access_token={granted.token['access_token']}"
    assert is_refused_by_the_api(server.get(url, headers=granted.bearer, status="*"), 400, "invalid_request")


def test_br_10_a_missing_scope_is_named(app):
    """RFC 6750, 3.1"""
    token = grant(app, "patient/Coverage.read")
    response = app.fhir("ExplanationOfBenefit", token, status="*")
    assert is_refused_by_the_api(response, 403, "insufficient_scope")
    assert "patient/ExplanationOfBenefit.read" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("headers", [{}, bearer("unknown")], ids=["none", "unknown"])
def test_br_11_the_refusal_of_the_fhir_api_is_an_operation_outcome(server, headers):
    """FHIR R4, "http", 3.1.0.1.4"""
    response = server.get(COVERAGE, headers=headers, status=401)
    assert response.content_type == "application/fhir+json"
    assert response.json["resourceType"] == "OperationOutcome"
    assert response.json["issue"][0]["severity"] == "error"


def test_br_12_the_persons_browser_opens_nothing(server):
    """RFC 6750, 5.3; OWASP on CSRF"""
    assert server.cookies
    for path in PROTECTED:
        assert is_refused_by_the_api(server.get(path, status="*"), 401, None)
    response = server.post(f"{COVERAGE}/_search", credentials(server), headers=FORM, status="*")
    assert is_refused_by_the_api(response, 401, None)
