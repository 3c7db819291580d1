"""Refresh tokens: used once, in turn; one that comes again closes the family (RFC 6749, 6; RFC 9700, 4.14)."""

import pytest

from bb2.models import Consent
from bb2.testing import ALICE
from oauth.steps import another_app, at_once, earlier, opens
from requirements.steps import (
    EVERYTHING,
    bearer,
    claims_of,
    credentials,
    grant,
    is_refused,
    is_refused_by_the_api,
    refresh,
)

SMALL = "openid patient/Coverage.read"


@pytest.fixture(scope="module")
def refreshed(one_server):
    """(the app, the first token response, the response to a refresh of it)"""
    app = another_app(one_server[0])
    app.sign_in()
    token = grant(app, EVERYTHING)
    return app, token, refresh(app, token)


@pytest.fixture(scope="module")
def unspent(one_server):
    """(an app, a token response), whose refresh token no refused request spends"""
    app = another_app(one_server[0])
    app.sign_in()
    return app, grant(app, SMALL)


def test_ref_01_an_ongoing_app_gets_a_refresh_token(granted, openid_configuration):
    assert "refresh_token" in openid_configuration["grant_types_supported"]
    assert granted.token["refresh_token"]


def test_ref_02_a_refresh_brings_a_new_access_token_that_works(refreshed):
    app, token, response = refreshed
    assert response.status_int == 200
    assert {"access_token", "token_type", "expires_in", "scope"} <= set(response.json)
    assert response.json["access_token"] != token["access_token"]
    assert opens(app, response.json) == 200


def test_ref_03_the_scope_stays_as_it_was(refreshed):
    _app, token, response = refreshed
    assert response.json["scope"] == token["scope"]


def test_ref_04_the_answer_is_kept_out_of_caches(refreshed):
    """RFC 6749, 5.1"""
    assert "no-store" in refreshed[2].headers["Cache-Control"]
    assert refreshed[2].headers["Pragma"] == "no-cache"


def test_ref_05_the_patient_stays(refreshed):
    _app, token, response = refreshed
    assert response.json["patient"] == token["patient"] == ALICE


def test_ref_06_another_apps_credentials_are_refused(server, unspent):
    """RFC 6749, 6 and 10.4"""
    response = refresh(unspent[0], unspent[1], **credentials(another_app(server)))
    assert is_refused(response, "invalid_grant", "invalid_client", status=(400, 401))


@pytest.mark.parametrize(
    "changes", [{"client_secret": None}, {"client_id": None, "client_secret": None}, {"client_secret": "wrong"}]
)
def test_ref_07_a_confidential_app_must_authenticate(unspent, changes):
    """RFC 6749, 3.2.1"""
    response = refresh(*unspent, **changes)
    assert is_refused(response, "invalid_client", "invalid_request", status=(400, 401))


def test_ref_08_a_smaller_scope_is_given_and_enforced(app):
    token = grant(app, f"{SMALL} patient/ExplanationOfBenefit.read")
    narrow = refresh(app, token, scope="patient/Coverage.read").json
    assert narrow["scope"] == "patient/Coverage.read"
    assert opens(app, narrow, "fhir/Coverage") == 200
    assert opens(app, narrow, "fhir/ExplanationOfBenefit") == 403


def test_ref_09_after_a_smaller_scope_the_next_refresh_is_whole_again(app):
    """RFC 6749, 6"""
    token = grant(app, SMALL)
    narrow = refresh(app, token, scope="patient/Coverage.read").json
    assert set(refresh(app, narrow).json["scope"].split()) == set(SMALL.split())


@pytest.mark.parametrize("scope", ["profile", f"{SMALL} patient/Patient.read", "nonsense", "patient/*.read"])
def test_ref_10_a_scope_that_was_never_granted_is_refused(unspent, scope):
    """RFC 6749, 6"""
    assert is_refused(refresh(*unspent, scope=scope), "invalid_scope")


@pytest.mark.parametrize("value", [None, "", "unknown", "é\n", "nul\x00", "a b", "x" * 5120])
def test_ref_11_a_missing_or_odd_refresh_token_is_refused(unspent, value):
    assert is_refused(refresh(*unspent, refresh_token=value), "invalid_request", "invalid_grant")


def test_ref_12_each_token_is_of_one_kind(server, granted):
    """RFC 6749, 1.5"""
    for kind in "access_token", "id_token":
        assert is_refused(refresh(granted.app, {"refresh_token": granted.token[kind]}), "invalid_grant")
    response = server.get("/v2/fhir/Coverage", headers=bearer(granted.token["refresh_token"]), status=401)
    assert is_refused_by_the_api(response, 401, "invalid_token")


def test_ref_13_each_refresh_brings_a_new_refresh_token_that_works(app):
    """RFC 9700, 4.14.2"""
    token = grant(app)
    second = refresh(app, token).json
    assert second["refresh_token"] != token["refresh_token"]
    assert refresh(app, second).status_int == 200


def test_ref_14_an_old_refresh_token_is_refused(app):
    token = grant(app)
    refresh(app, token)
    assert is_refused(refresh(app, token), "invalid_grant")


def test_ref_15_an_old_refresh_token_closes_the_family(app):
    """RFC 9700, 4.14.2"""
    first = grant(app)
    third = refresh(app, refresh(app, first).json).json
    assert is_refused(refresh(app, first), "invalid_grant")
    assert is_refused(refresh(app, third), "invalid_grant")


def test_ref_16_an_old_refresh_token_closes_the_access_tokens_too(app):
    token = grant(app)
    newest = refresh(app, token).json
    refresh(app, token)
    assert opens(app, newest) == 401


def test_ref_17_of_four_refreshes_at_the_same_moment_one_is_served_at_most(app):
    form = {"grant_type": "refresh_token", "refresh_token": grant(app)["refresh_token"]} | credentials(app)
    statuses = [response.status_int for response in at_once(app, [("/v2/o/token/", form)] * 4)]
    assert statuses.count(200) <= 1
    assert set(statuses) <= {200, 400}


def test_ref_18_a_public_apps_refresh_token_is_used_once(public_app):
    """RFC 9700, 2.2.2"""
    token = grant(public_app)
    new = refresh(public_app, token).json
    assert new["refresh_token"] != token["refresh_token"]
    assert is_refused(refresh(public_app, token), "invalid_grant")
    assert is_refused(refresh(public_app, new), "invalid_grant")


def test_ref_19_the_id_token_of_a_refresh_is_of_the_same_sign_in(refreshed):
    """OpenID Connect Core 12.2"""
    _app, token, response = refreshed
    before, after = claims_of(token), claims_of(response.json)
    for name in "iss", "sub", "aud", "auth_time":
        assert after[name] == before[name]
    assert after["iat"] >= before["iat"]


def test_ref_20_five_refreshes_leave_the_scope_as_it_was(app):
    token = first = grant(app, EVERYTHING)
    for _ in range(5):
        token = refresh(app, token).json
    assert token["scope"] == first["scope"]


def test_m_03_a_refresh_after_the_consent_has_expired_says_so(app):
    """CMS, "Expired Data Access Grant" """
    token = grant(app)
    earlier(app, Consent, "expires_at", days=400)
    response = refresh(app, token)
    assert is_refused(response, "invalid_grant")
    assert "has expired" in response.json["error_description"]


def test_m_04_a_one_time_app_gets_no_refresh_token(server):
    """CMS, "Token response" """
    token = grant(another_app(server, access="one-time"), EVERYTHING)
    assert "refresh_token" not in token
    assert token["expires_in"] <= 3600
