"""Revocation by the app (RFC 7009) and by the person."""

import pytest

from oauth.steps import another_app, another_browser, newest_connection, opens, stop_form
from requirements.steps import (
    RECORD_SCOPES,
    bearer,
    credentials,
    grant,
    introspect,
    is_refused,
    is_refused_by_the_api,
    refresh,
    revoke,
)


@pytest.fixture
def token(app):
    return grant(app)


@pytest.fixture(scope="module")
def kept(one_server):
    """(an app, its token response), which no refused request revokes"""
    app = another_app(one_server[0])
    app.sign_in()
    return app, grant(app)


def is_alive(kept):
    return opens(*kept) == 200


def test_rev_01_a_revoked_access_token_opens_nothing(app, token):
    """RFC 7009, 2.1 and 2.2"""
    assert revoke(app, token["access_token"]).status_int == 200
    assert is_refused_by_the_api(app.fhir("Coverage", token, status=401), 401, "invalid_token")


def test_rev_02_a_revoked_refresh_token_refreshes_nothing(app, token):
    assert revoke(app, token["refresh_token"]).status_int == 200
    assert is_refused(refresh(app, token), "invalid_grant")


def test_rev_03_revoking_the_refresh_token_closes_its_access_tokens(app, token):
    revoke(app, token["refresh_token"])
    assert opens(app, token) == 401


@pytest.mark.parametrize("value", ["unknown", "é\n", "x" * 5000])
def test_rev_04_an_unknown_token_is_as_good_as_revoked(server, value):
    """RFC 7009, 2.2"""
    assert revoke(server, value).status_int == 200


def test_rev_05_revoking_twice_is_as_good(app, token):
    for _ in range(2):
        assert revoke(app, token["access_token"]).status_int == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None, "client_secret": None},
        {"client_secret": None},
        {"client_id": None},
        {"client_secret": "wrong"},
    ],
)
def test_rev_06_the_app_must_authenticate(kept, changes):
    """RFC 7009, 2.1"""
    app, token = kept
    assert is_refused(revoke(app, token["access_token"], **changes), status=(400, 401))
    assert is_alive(kept)


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_rev_07_another_app_revokes_nothing(server, public_app, kept, kind):
    """RFC 7009, 2.1"""
    for other in another_app(server), public_app:
        revoke(other, kept[1][kind])
    assert is_alive(kept)


def test_rev_08_the_token_must_be_named(kept):
    """RFC 7009, 2.1"""
    for value in None, "":
        assert is_refused(revoke(kept[0], value), "invalid_request")


@pytest.mark.parametrize("hint", ["refresh_token", "nonsense", ""])
def test_rev_09_a_wrong_hint_changes_nothing(app, token, hint):
    """RFC 7009, 2.1"""
    assert revoke(app, token["access_token"], token_type_hint=hint).status_int == 200
    assert opens(app, token) == 401


def test_rev_10_a_token_in_the_url_is_refused(kept):
    app, token = kept
    asked = credentials(app) | {"token": token["access_token"]}
    assert is_refused(app.get("/v2/o/revoke_token/", asked, status="*"), status=(400, 401, 405))
    url = f"/v2/o/revoke_token/?token={token['access_token']}"
    assert is_refused(app.post(url, credentials(app), status="*"))
    assert is_alive(kept)


def test_rev_11_a_revoked_token_is_not_active(app, token):
    """RFC 7662, 2.2"""
    assert introspect(app, token["access_token"]).json["active"] is True
    revoke(app, token["access_token"])
    for kind in "access_token", "refresh_token":
        assert introspect(app, token[kind]).json == {"active": False}


def test_rev_12_ending_the_consent_ends_the_refresh_too(app, token):
    """CMS, "Revoking tokens" """
    assert revoke(app, token["access_token"], path="revoke").status_int == 200
    assert opens(app, token) == 401
    assert is_refused(refresh(app, token), "invalid_grant")


def test_rev_13_another_apps_tokens_of_the_same_person_stay(kept, app, token):
    for path in "revoke_token", "revoke":
        revoke(app, token["access_token"], path=path)
    assert opens(app, token) == 401
    assert is_alive(kept)


def test_rev_14_a_public_app_names_itself(public_app):
    """RFC 7009, 5"""
    token = grant(public_app, RECORD_SCOPES)
    assert revoke(public_app, token["access_token"]).status_int == 200
    assert opens(public_app, token) == 401


def test_m_05_the_person_ends_the_access(app):
    """CMS, "Revoked access" """
    app = another_browser(app)
    app.sign_in("bob")
    token = grant(app)
    stop_form(app.get(newest_connection(app) + "/stop")).submit(status=303)
    assert is_refused_by_the_api(app.fhir("Coverage", token, status=401), 401, "invalid_token")
    assert is_refused(refresh(app, token), "invalid_grant")


def test_m_06_no_app_expires_a_persons_sign_in(server, kept):
    """CMS's `expire_authenticated_user` is not offered: `revoke` ends the consent, and a session is the person's."""
    app, token = kept
    for method in app.post, app.get:
        response = method(f"/v2/o/expire_authenticated_user/{token['patient']}/", headers=bearer("x"), status="*")
        assert response.status_int == 404
    assert is_alive(kept)
