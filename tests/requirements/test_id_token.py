"""The id_token, as an app checks it (OpenID Connect Core 2 and 3.1.3.7), and signing out."""

import base64
import hashlib
import json
import re
import time
from urllib.parse import urlsplit

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from bb2.testing import ALICE
from oauth.steps import another_app, another_browser, change_app
from requirements.steps import EVIL, NONCE, bearer, claims_of, grant, is_refused_by_the_api

MEDICARE_NUMBER = re.compile(r"[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}")  # CMS, "MBI format"
SOCIAL_SECURITY_NUMBER = re.compile(r"\d{3}-?\d{2}-?\d{4}")
PERSONAL = {"name", "given_name", "family_name", "email", "address", "phone_number", "birthdate", "patient", "mbi"}
HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@pytest.fixture(scope="module")
def keys(one_server, openid_configuration):
    return KeySet.import_key_set(one_server[0].get(openid_configuration["jwks_uri"]).json)


@pytest.fixture(scope="module")
def claims(granted):
    return claims_of(granted.token)


@pytest.fixture(scope="module")
def header(granted):
    encoded = granted.token["id_token"].split(".")[0]
    return json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


def test_idt_01_the_signature_is_of_a_published_key(granted, keys, openid_configuration):
    """OpenID Connect Core 3.1.3.7 (6)"""
    algorithms = openid_configuration["id_token_signing_alg_values_supported"]
    token = granted.token["id_token"]
    assert json.loads(jws.deserialize_compact(token, keys, algorithms=algorithms).payload)["sub"]
    start, _payload, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims_of(granted.token) | {"sub": "bob"}).encode()).decode()
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(f"{start}.{forged.rstrip('=')}.{signature}", keys, algorithms=algorithms)


def test_idt_02_the_header_names_algorithm_and_key_and_brings_no_key(header, keys, openid_configuration):
    """SMART App Launch 2.2: RS256"""
    assert header["alg"] == "RS256"
    assert header["alg"] in openid_configuration["id_token_signing_alg_values_supported"]
    assert header["kid"] in {key.kid for key in keys.keys}
    assert not {"jku", "jwk", "x5u", "x5c"} & set(header)


def test_idt_03_the_required_claims_have_their_types(claims):
    """OpenID Connect Core 2"""
    assert {"iss", "sub", "aud", "exp", "iat"} <= set(claims)
    assert 1 <= len(claims["sub"]) <= 255
    assert claims["sub"].isascii()
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["iat"], int)


def test_idt_04_the_issuer_is_the_one_of_discovery(claims, openid_configuration):
    """OpenID Connect Core 3.1.3.7 (2)"""
    assert claims["iss"] == openid_configuration["issuer"]


def test_idt_05_the_audience_is_the_app(claims, granted):
    """OpenID Connect Core 3.1.3.7 (3 to 5)"""
    assert claims["aud"] in (granted.app.client_id, [granted.app.client_id])
    assert claims.get("azp", granted.app.client_id) == granted.app.client_id


def test_idt_06_it_is_of_its_moment_and_ends_later(claims, granted):
    """OpenID Connect Core 3.1.3.7 (9 and 10)"""
    assert abs(claims["iat"] - granted.at) <= 5
    assert granted.at < claims["exp"] <= granted.at + 86_400
    assert claims.get("nbf", 0) <= granted.at + 5


def test_idt_07_the_nonce_is_the_one_that_was_sent(claims):
    """OpenID Connect Core 3.1.3.7 (11)"""
    assert claims["nonce"] == NONCE


@pytest.mark.parametrize("nonce", ["n" * 64, "<é>&\"' 状", None])
def test_idt_08_any_nonce_comes_back_and_none_is_invented(app, nonce):
    assert claims_of(grant(app, "openid", nonce=nonce)).get("nonce") == nonce


def test_idt_09_at_hash_is_of_the_access_token(claims, header, granted):
    """OpenID Connect Core 3.1.3.6"""
    digest = HASHES[header["alg"][-3:]](granted.token["access_token"].encode()).digest()
    half = digest[: len(digest) // 2]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_idt_10_max_age_brings_the_time_of_the_sign_in(app):
    """OpenID Connect Core 2"""
    claims = claims_of(grant(app, "openid", max_age="10000"))
    assert isinstance(claims["auth_time"], int)
    assert time.time() - 10_000 <= claims["auth_time"] <= claims["iat"]


def test_idt_11_fhir_user_is_the_persons_own_record(app):
    """SMART App Launch 2.2, "fhirUser" """
    token = grant(app, "openid fhirUser launch/patient patient/Patient.read")
    user = claims_of(token)["fhirUser"]
    assert user.endswith(f"Patient/{ALICE}")
    path = urlsplit(user).path if "://" in user else f"/v2/fhir/{user}"
    assert app.get(path, headers=bearer(token["access_token"]), status=200).json["id"] == token["patient"]


def test_idt_12_it_is_no_access_token(server, granted):
    """OpenID Connect Core 2: its audience is the app"""
    response = server.get("/v2/fhir/Coverage", headers=bearer(granted.token["id_token"]), status="*")
    assert is_refused_by_the_api(response, 401, "invalid_token")


def test_idt_13_it_says_nothing_of_who_the_person_is(claims):
    """OpenID Connect Core 5.4: in the code flow, claims come from userinfo."""
    assert not PERSONAL & set(claims)
    assert not any(word in json.dumps(claims).lower() for word in ("alice", "doe"))


def test_idt_14_the_sub_is_no_number_of_the_person(claims):
    assert not MEDICARE_NUMBER.search(claims["sub"])
    assert not SOCIAL_SECURITY_NUMBER.fullmatch(claims["sub"])
    assert ALICE not in claims["sub"]


def test_idt_15_the_published_keys_stay(server, keys, openid_configuration):
    """OpenID Connect Core 10.1.1"""
    again = server.get(openid_configuration["jwks_uri"]).json["keys"]
    assert {key["kid"] for key in again} == {key.kid for key in keys.keys}


def test_m_18_one_person_is_the_same_to_every_app(app, claims, openid_configuration):
    """OpenID Connect Core 8.1: pairwise subjects are not offered."""
    assert openid_configuration["subject_types_supported"] == ["public"]
    assert claims_of(grant(app, "openid"))["sub"] == claims["sub"]


def browser_and_token(server):
    """A browser of Alice's with an app that has a page for afterwards, and the app's token."""
    app = another_app(another_browser(server))
    change_app(app, post_logout_redirect_uris=["https://app.example/bye"])
    app.sign_in()
    return app, grant(app, "openid")


@pytest.fixture
def leaving(server):
    return browser_and_token(server)


@pytest.fixture(scope="module")
def staying(one_server):
    """The same, for requests that are refused, and so end nothing."""
    return browser_and_token(one_server[0])


def is_signed_out(app):
    return app.get("/connections", status="*").status_int == 303


def test_m_19_a_good_hint_signs_out_and_leads_to_the_registered_page(leaving, openid_configuration):
    """OpenID Connect RP-Initiated Logout 1.0, 2 and 3"""
    app, token = leaving
    asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": "https://app.example/bye", "state": "back"}
    response = app.get(openid_configuration["end_session_endpoint"], asked, status=303)
    assert response.location == "https://app.example/bye?state=back"
    assert is_signed_out(app)


def test_m_19_without_a_hint_the_person_is_asked(leaving, openid_configuration):
    """OpenID Connect RP-Initiated Logout 1.0, 2: otherwise any page could sign the person out."""
    app, _token = leaving
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": "https://app.example/bye"}
    page = app.get(openid_configuration["end_session_endpoint"], asked, status=200)
    assert not is_signed_out(app)
    form = next(form for form in page.forms.values() if "answer" in form.fields and "csrf_token" in form.fields)
    assert form.submit("answer", value="sign-out").location == "https://app.example/bye"
    assert is_signed_out(app)


@pytest.mark.parametrize("hint", ["good", "garbage", None])
@pytest.mark.parametrize("uri", [f"{EVIL}/bye", "https://app.example/bye/", "//evil.example", "javascript:alert(1)"])
def test_m_19_it_never_leads_to_a_page_that_is_not_registered(staying, openid_configuration, uri, hint):
    """OpenID Connect RP-Initiated Logout 1.0, 3"""
    app, token = staying
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": uri}
    if hint:
        asked["id_token_hint"] = token["id_token"] if hint == "good" else hint
    response = app.get(openid_configuration["end_session_endpoint"], asked, status=400)
    assert "Location" not in response.headers
    links = [element.get("href") or element.get("action") for element in response.html.find_all(["a", "form"])]
    assert not any("evil.example" in urlsplit(link).netloc or link.startswith("javascript:") for link in links)
    assert not is_signed_out(app)
