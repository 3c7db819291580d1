"""Scopes in SMART's two grammars: granted to the letter, enforced, and never silently widened."""

import pytest

from bb2.testing import ALICE, BOB
from oauth.steps import another_app, ask, opens
from requirements.steps import TYPES, bearer, grant, is_told_to_the_app

#: What is no scope here: malformed, reordered, in another case, with another interaction or another person's.
NO_SCOPES = (
    "patient/Coverage.sr",
    "patient/Coverage.READ",
    "Patient/Coverage.read",
    "patient/coverage.read",
    "patient/Coverage.",
    "patient/Coverage",
    "patient/Nothing.read",
    "PATIENT/COVERAGE.READ",
    "OPENID",
    'openid"',
    "open\\id",
    "é",
    "openid\tprofile",
    "openid,profile",
    "nul\x00",
)


@pytest.mark.parametrize("name", TYPES)
def test_sc_01_version_1_is_granted_to_the_letter_and_opens_its_type(app, name):
    """SMART App Launch 2.2, "Scopes for requesting FHIR Resources" """
    token = grant(app, f"patient/{name}.read")
    assert token["scope"] == f"patient/{name}.read"
    assert opens(app, token, f"fhir/{name}") == 200
    assert opens(app, token, f"fhir/{name}/{TYPES[name]}") == 200


@pytest.mark.parametrize("name", TYPES)
def test_sc_02_version_2_is_granted_to_the_letter_and_opens_its_type(app, name):
    token = grant(app, f"patient/{name}.rs")
    assert token["scope"] == f"patient/{name}.rs"
    assert opens(app, token, f"fhir/{name}") == 200
    assert opens(app, token, f"fhir/{name}/{TYPES[name]}") == 200


@pytest.mark.parametrize("name", TYPES)
def test_sc_03_one_type_opens_no_other(app, name):
    token = grant(app, f"patient/{name}.rs")
    for other, id in TYPES.items():
        expected = 200 if other == name else 403
        assert opens(app, token, f"fhir/{other}") == expected
        assert opens(app, token, f"fhir/{other}/{id}") == expected


def test_sc_04_reading_and_searching_are_two_permissions(server):
    reader, searcher = another_app(server), another_app(server)
    read, search = grant(reader, "patient/Coverage.r"), grant(searcher, "patient/Coverage.s")
    path = f"fhir/Coverage/{TYPES['Coverage']}"
    assert (opens(reader, read, path), opens(reader, read, "fhir/Coverage")) == (200, 403)
    assert (opens(searcher, search, path), opens(searcher, search, "fhir/Coverage")) == (403, 200)


@pytest.mark.parametrize("scope", NO_SCOPES)
def test_sc_05_what_is_no_scope_is_not_granted(server, scope):
    """RFC 6749, 3.3"""
    assert is_told_to_the_app(ask(server, f"openid {scope}"), "invalid_scope")


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Coverage.write",
        "patient/Coverage.*",
        "patient/Coverage.cruds",
        "patient/Coverage.u",
        "user/Coverage.read",
        "user/Coverage.rs",
        "system/Coverage.rs",
        "user/*.cruds",
    ],
)
def test_sc_06_nothing_is_granted_that_policy_does_not_allow(server, openid_configuration, scope):
    assert scope not in openid_configuration["scopes_supported"]
    assert is_told_to_the_app(ask(server, scope), "invalid_scope")
    assert is_told_to_the_app(ask(server, f"openid {scope}"), "invalid_scope")


@pytest.mark.parametrize("scope", ["patient/*.rs", "patient/*.read", "patient/*.r"])
def test_sc_07_a_wildcard_is_refused(server, scope):
    assert is_told_to_the_app(ask(server, scope), "invalid_scope")


def test_sc_08_no_scope_means_what_the_app_is_registered_for_and_the_token_says_so(server):
    """RFC 6749, 3.3"""
    app = another_app(server, scopes=["openid", "patient/Coverage.read"])
    assert set(grant(app, None)["scope"].split()) == {"openid", "patient/Coverage.read"}


def test_sc_09_launch_patient_brings_the_patient(app):
    token = grant(app, "launch/patient patient/Coverage.read")
    assert token["patient"] == ALICE
    assert "launch/patient" in token["scope"].split()


def test_sc_10_a_finer_grained_scope_is_enforced_or_refused_never_widened(server):
    """SMART App Launch 2.2, "Finer-grained resource constraints using search parameters" """
    response = ask(server, "patient/ExplanationOfBenefit.rs?type=pde")
    assert is_told_to_the_app(response, "invalid_scope")


def test_sc_11_a_scope_that_is_named_twice_is_returned_once(app):
    token = grant(app, "openid patient/Coverage.read openid patient/Coverage.read")
    assert sorted(token["scope"].split()) == ["openid", "patient/Coverage.read"]


def test_sc_12_every_advertised_scope_is_granted(server, openid_configuration):
    """SMART App Launch 2.2: "the server SHALL support all scopes listed" """
    scopes = openid_configuration["scopes_supported"]
    app = another_app(server, scopes=scopes)
    assert set(grant(app, " ".join(scopes))["scope"].split()) == set(scopes)


def test_sc_13_openid_alone_opens_no_record(app):
    token = grant(app, "openid")
    for name, id in TYPES.items():
        assert opens(app, token, f"fhir/{name}") == 403
        assert opens(app, token, f"fhir/{name}/{id}") == 403


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_m_24_a_batch_is_refused_whole(server, granted, kind):
    """SMART App Launch 2.2: each entry would have to be checked."""
    entries = [{"request": {"method": "GET", "url": f"{name}/{id}"}} for name, id in TYPES.items()]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    for path in "/v2/fhir", "/v2/fhir/", "/v2/fhir/Bundle":
        response = server.post_json(path, bundle, headers=granted.bearer, status="*")
        assert response.status_int in (404, 405)
        assert response.json["resourceType"] == "OperationOutcome"


def test_m_25_a_link_to_another_patient_opens_nothing(server, granted):
    """SMART App Launch 2.2 on Patient.link: the token is for one Patient.id, and for what points at it."""
    own = server.get(f"/v2/fhir/Patient/{ALICE}", headers=granted.bearer, status=200).json
    assert own["link"][0]["other"]["reference"] == f"Patient/{BOB}"
    server.get(f"/v2/fhir/Patient/{BOB}", headers=granted.bearer, status=404)
    for path in f"Coverage?beneficiary=Patient/{BOB}", f"ExplanationOfBenefit?patient={BOB}":
        server.get(f"/v2/fhir/{path}", headers=granted.bearer, status=403)
    found = server.get("/v2/fhir/Patient", headers=bearer(granted.token["access_token"]), status=200).json
    assert [entry["resource"]["id"] for entry in found["entry"]] == [ALICE]
