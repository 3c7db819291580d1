"""The id_token, as an app verifies it with the published keys (OpenID Connect Core 3.1.3.7)."""

import base64
import hashlib
import time

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from bb2.models import BrowserSession
from oauth.steps import EVERYTHING, earlier, opens, redeem

pytestmark = pytest.mark.either_database


def verified(server, token):
    """The claims, after the signature was checked against the keys that discovery names."""
    about = server.get("/.well-known/openid-configuration").json
    keys = KeySet.import_key_set(server.get(about["jwks_uri"]).json)
    read = jwt.decode(token["id_token"], keys, algorithms=about["id_token_signing_alg_values_supported"])
    assert set(read.header) == {"alg", "kid", "typ"} - ({"typ"} - set(read.header))
    assert read.claims["iss"] == about["issuer"]
    return read.claims


def test_says_who_for_whom_and_when(server):
    begun = int(time.time())
    nonce = "a nonce of sixty-four characters, as long as apps like to make it"
    token = redeem(server, server.approve(server.consent_page(EVERYTHING, nonce=nonce)))
    claims = verified(server, token)
    digest = hashlib.sha256(token["access_token"].encode()).digest()
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "at_hash", "nonce"}
    assert claims["iss"] == "http://localhost"
    assert claims["aud"] == server.client_id
    assert claims["nonce"] == nonce
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    assert begun <= claims["auth_time"] <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 3600
    assert claims["sub"] == server.api("connect/userinfo", token).json["sub"]


@pytest.mark.parametrize("nonce", ["é — 状態", "<script>&\"'", "x"])
def test_holds_the_nonce_to_the_letter(server, nonce):
    token = redeem(server, server.approve(server.consent_page("openid", nonce=nonce)))
    assert verified(server, token)["nonce"] == nonce


def test_has_no_nonce_when_none_was_sent(server):
    assert "nonce" not in verified(server, server.grant("openid"))


def test_says_nothing_of_who_the_person_is(server):
    claims = verified(server, server.grant("openid", share_demographic=False))
    assert not {"alice", "doe", "-1001"} & {str(value).lower() for value in claims.values()}


def test_of_a_refresh_is_of_the_same_sign_in(server):
    token = redeem(server, server.approve(server.consent_page(EVERYTHING, nonce="n" * 16)))
    first, second = verified(server, token), verified(server, server.refresh(token))
    kept = "iss", "sub", "aud", "auth_time"
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert second["iat"] >= first["iat"]
    assert second["at_hash"] != first["at_hash"]


def test_is_left_out_when_a_refresh_narrows_openid_away(server):
    assert "id_token" not in server.refresh(server.grant(EVERYTHING), scope="patient/Coverage.read")


def test_says_when_the_person_signed_in_not_when_they_agreed(make_server):
    server = make_server()
    server.sign_in()
    earlier(server, BrowserSession, "authenticated_at", minutes=10)
    old = verified(server, redeem(server, server.approve(server.consent_page("openid", username=None))))
    assert 600 <= time.time() - old["auth_time"] < 660
    page = server.get("/v2/o/authorize", server.authorization_request("openid", max_age="60")).follow().follow()
    page.forms[0]["username"], page.forms[0]["password"] = "alice", "correct horse"
    page = page.forms[0].submit("answer", value="sign-in").follow()
    assert time.time() - verified(server, redeem(server, server.approve(page)))["auth_time"] < 60


def test_that_was_changed_is_not_believed(server):
    token = server.grant("openid")
    header, payload, signature = token["id_token"].split(".")
    forged = base64.urlsafe_b64encode(b'{"sub": "bob"}').rstrip(b"=").decode()
    with pytest.raises(BadSignatureError):
        verified(server, {"id_token": f"{header}.{forged}.{signature}"})
    assert payload


def test_is_no_bearer_token(server):
    assert opens(server, {"access_token": server.grant(EVERYTHING)["id_token"]}) == 401


def test_has_the_same_sub_each_time_and_another_for_each_person(server):
    subs = [verified(server, server.grant("openid", username=name))["sub"] for name in ("alice", "alice", "bob")]
    assert subs[0] == subs[1] != subs[2]
    assert all(len(sub) <= 255 and sub.isascii() for sub in subs)


def test_keys_are_public_halves_only(server):
    rsa, ec = sorted(server.get("/.well-known/jwks.json").json["keys"], key=lambda key: key["alg"], reverse=True)
    assert set(rsa) == {"kty", "n", "e", "kid", "use", "alg"}
    assert set(ec) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
