"""Userinfo (OpenID Connect Core 5.3), which scope `profile` opens."""

import pytest

from bb2.testing import ALICE, BOB
from oauth.steps import another_app, another_browser
from requirements.steps import FORM, bearer, claims_of, grant, is_refused_by_the_api, revoke

USERINFO = "/v2/connect/userinfo"
PERSONAL = {"name", "given_name", "family_name", "email", "address", "phone_number", "birthdate", "patient"}


@pytest.fixture(scope="module")
def told(granted):
    """The response to the token of all scopes."""
    return granted.app.get(USERINFO, headers=granted.bearer)


def test_ui_01_a_token_gets_json_with_a_sub(told):
    """OpenID Connect Core 5.3.2"""
    assert told.status_int == 200
    assert told.content_type == "application/json"
    assert isinstance(told.json["sub"], str)


def test_ui_02_post_is_as_good_as_get(server, told, granted):
    """OpenID Connect Core 5.3"""
    assert server.post(USERINFO, "", headers=granted.bearer | FORM, status=200).json == told.json


def test_ui_03_the_sub_is_the_one_of_the_id_token(told, granted):
    """OpenID Connect Core 5.3.2"""
    assert told.json["sub"] == claims_of(granted.token)["sub"]


def test_ui_04_without_a_token_there_is_a_challenge(server):
    """RFC 6750, 3; OpenID Connect Core 5.3.3"""
    assert is_refused_by_the_api(server.get(USERINFO, status="*"), 401, None)


@pytest.mark.parametrize("value", ["unknown", "a.b.c", "x" * 5000])
def test_ui_05_an_unknown_token_is_invalid(server, value):
    """RFC 6750, 3.1"""
    assert is_refused_by_the_api(server.get(USERINFO, headers=bearer(value), status="*"), 401, "invalid_token")


def test_ui_06_a_token_without_profile_is_not_enough(app):
    token = grant(app, "patient/Coverage.read")
    assert is_refused_by_the_api(app.api("connect/userinfo", token, status="*"), 403, "insufficient_scope")


def test_ui_07_openid_alone_tells_nothing_personal(app):
    """OpenID Connect Core 5.4.  By this server's contract: 403."""
    response = app.api("connect/userinfo", grant(app, "openid"), status="*")
    assert is_refused_by_the_api(response, 403, "insufficient_scope")
    assert not PERSONAL & set(response.json)


def test_ui_08_a_revoked_token_is_invalid(app):
    token = grant(app, "openid profile")
    revoke(app, token["access_token"])
    assert is_refused_by_the_api(app.api("connect/userinfo", token, status="*"), 401, "invalid_token")


def test_ui_09_a_token_in_the_url_is_refused(server, granted):
    """RFC 9700, 4.3.2"""
    response = server.get(f"{USERINFO}?access_token={granted.token['access_token']}", status="*")
    assert is_refused_by_the_api(response, 400, "invalid_request")


def test_ui_10_a_token_in_a_form_is_refused_cleanly(server, granted):
    """RFC 6750, 2.2, which a server need not support"""
    response = server.post(USERINFO, {"access_token": granted.token["access_token"]}, status="*")
    assert is_refused_by_the_api(response, 401, None)
    assert "sub" not in response.json


def test_ui_11_the_answer_is_kept_out_of_caches(told):
    assert "no-store" in told.headers["Cache-Control"]


def test_ui_12_profile_tells_the_name(told):
    """CMS, "UserInfo" """
    assert {name: told.json[name] for name in ("name", "given_name", "family_name", "patient")} == {
        "name": "Alice Doe",
        "given_name": "Alice",
        "family_name": "Doe",
        "patient": ALICE,
    }
    assert told.json["sub"]


def test_ui_13_a_person_keeps_their_sub(app, told):
    """OpenID Connect Core 2 and 5.7"""
    for _ in range(2):
        assert app.api("connect/userinfo", grant(app, "openid profile")).json["sub"] == told.json["sub"]


def test_ui_14_two_people_differ(server, told):
    bob = another_app(another_browser(server))
    bob.sign_in("bob")
    other = bob.api("connect/userinfo", grant(bob, "openid profile")).json
    assert other["sub"] != told.json["sub"]
    assert (other["patient"], told.json["patient"]) == (BOB, ALICE)


def test_m_41_no_signed_userinfo_is_promised(openid_configuration, told):
    """OpenID Connect Core 5.3.2"""
    assert "userinfo_signing_alg_values_supported" not in openid_configuration
    assert told.content_type == "application/json"
