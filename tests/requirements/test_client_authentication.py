"""How apps prove who they are at the token endpoint (RFC 6749, 2.3; RFC 7523; SMART App Launch 2.2).

The code or refresh token of a refused request is not spent, so most of these stories share one.
"""

import hmac
import json
import time
from base64 import b64encode, urlsafe_b64encode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from bb2.models import Client
from bb2.oauth.clients import rotate_secret
from bb2.oauth.secrets import new_secret
from bb2.scopes import openid
from bb2.testing import ConsentServer
from oauth.steps import another_app, change_app
from requirements.steps import (
    EVIL,
    basic,
    code_for_many_tests,
    exchange,
    grant,
    is_refused,
    new_code,
    post,
    refresh,
)

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_URL = "http://localhost/v2/o/token/"
REFUSED = {"status": (400, 401)}


@pytest.fixture(scope="module")
def unspent(one_server):
    """A confidential app and its code, which no refused request spends."""
    app = another_app(one_server[0])
    app.sign_in()
    yield from code_for_many_tests(app)


def redeem(unspent, **changes):
    app, code, verifier = unspent
    return exchange(app, code, **({"code_verifier": verifier} | changes))


class TestASecret:
    def test_cli_01_in_the_basic_header_is_good(self, app):
        """RFC 6749, 2.3.1"""
        header = basic(app.client_id, app.client_secret)
        response = exchange(app, new_code(app), client_id=None, client_secret=None, headers=header)
        assert response.status_int == 200

    def test_cli_02_in_the_body_is_good(self, app):
        assert exchange(app, new_code(app)).status_int == 200

    def test_cli_03_that_is_wrong_in_the_header_gets_a_challenge(self, unspent):
        """RFC 6749, 5.2"""
        header = basic(unspent[0].client_id, "wrong")
        response = redeem(unspent, client_id=None, client_secret=None, headers=header)
        assert is_refused(response, "invalid_client", status=(401,))
        assert response.headers["WWW-Authenticate"].startswith("Basic")

    def test_cli_04_that_is_wrong_in_the_body_is_refused(self, unspent):
        assert is_refused(redeem(unspent, client_secret="wrong"), "invalid_client", **REFUSED)

    def test_cli_05_of_an_unknown_app_is_refused(self, unspent):
        assert is_refused(redeem(unspent, client_id="unknown"), "invalid_client", status=(401,))
        header = basic("unknown", unspent[0].client_secret)
        response = redeem(unspent, client_id=None, client_secret=None, headers=header)
        assert is_refused(response, "invalid_client", status=(401,))

    @pytest.mark.parametrize("changes", [{"client_secret": None}, {"client_id": None, "client_secret": None}])
    def test_cli_06_cannot_be_left_out_by_a_confidential_app(self, unspent, changes):
        """RFC 6749, 3.2.1"""
        assert is_refused(redeem(unspent, **changes), "invalid_client", "invalid_request", **REFUSED)

    @pytest.mark.parametrize("secret", ["", " ", "\x00"])
    def test_cli_07_that_is_empty_is_refused(self, unspent, secret):
        assert is_refused(redeem(unspent, client_secret=secret), **REFUSED)
        header = basic(unspent[0].client_id, secret)
        assert is_refused(redeem(unspent, client_id=None, client_secret=None, headers=header), **REFUSED)

    def test_cli_08_comes_in_one_way_only(self, unspent):
        """RFC 6749, 2.3: "MUST NOT use more than one authentication method in each request" """
        app = unspent[0]
        header = basic(app.client_id, app.client_secret)
        assert is_refused(redeem(unspent, headers=header), "invalid_request")

    def test_cli_09_is_of_the_app_that_the_body_names(self, server, unspent):
        app, other = unspent[0], another_app(server)
        header = basic(app.client_id, app.client_secret)
        response = redeem(unspent, client_id=other.client_id, client_secret=None, headers=header)
        assert is_refused(response, **REFUSED)
        assert is_refused(redeem(unspent, client_id=other.client_id), **REFUSED)

    @pytest.mark.parametrize(
        "header",
        ["Basic", "Basic ", "Basic !", "Basic YQ==", "Basic w6k6w6k=", "Basic //8=", "Basic é", "x", ",", "Basic Og=="],
    )
    def test_cli_10_in_a_malformed_header_is_refused(self, unspent, header):
        """RFC 7617"""
        response = redeem(unspent, client_id=None, client_secret=None, headers={"Authorization": header})
        assert is_refused(response, **REFUSED)

    def test_cli_11_is_form_urlencoded_in_the_header(self, app):
        """RFC 6749, 2.3.1 and appendix B"""

        def encoded(value):  # every character, as the form encoding allows
            return "".join(f"%{octet:02X}" for octet in value.encode())

        header = basic(encoded(app.client_id), encoded(app.client_secret))
        response = exchange(app, new_code(app), client_id=None, client_secret=None, headers=header)
        assert response.status_int == 200

    def test_cli_12_comes_with_a_scheme_in_any_case(self, app):
        """RFC 9110, 11.1"""
        credentials = b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        header = {"Authorization": f"bAsIc {credentials}"}
        assert exchange(app, new_code(app), client_id=None, client_secret=None, headers=header).status_int == 200

    def test_cli_13_is_not_needed_by_a_public_app(self, public_app):
        """RFC 6749, 2.1 and 3.2.1; SMART's `client-public`"""
        assert exchange(public_app, new_code(public_app), client_secret=None).status_int == 200

    def test_cli_14_of_a_confidential_app_is_not_made_good_by_a_public_one(self, public_app, unspent):
        """RFC 6749, 10.2"""
        app = unspent[0]
        assert is_refused(redeem(unspent, client_id=public_app.client_id, client_secret=None), **REFUSED)
        response = redeem(unspent, client_id=public_app.client_id, client_secret=app.client_secret)
        assert is_refused(response, **REFUSED)

    def test_cli_15_is_not_another_apps(self, server, unspent):
        other = another_app(server)
        response = redeem(unspent, client_id=other.client_id, client_secret=unspent[0].client_secret)
        assert is_refused(response, "invalid_client", **REFUSED)
        header = basic(other.client_id, unspent[0].client_secret)
        response = redeem(unspent, client_id=None, client_secret=None, headers=header)
        assert is_refused(response, "invalid_client", **REFUSED)

    def test_cli_16_does_not_come_in_the_url(self, unspent):
        """RFC 6749, 2.3.1"""
        app, code, verifier = unspent
        form = app.token_request(code, code_verifier=verifier, client_id=None, client_secret=None)
        url = f"/v2/o/token/?client_id={app.client_id}&client_secret={app.client_secret}"
        assert is_refused(app.post(url, form, status="*"), **REFUSED)

    def test_m_20_that_was_replaced_is_refused_at_once(self, app):
        token, old = grant(app), app.client_secret
        with app.db() as db:
            new = rotate_secret(db, db.get(Client, app.client_id))
        assert is_refused(refresh(app, token, client_secret=old), "invalid_client", status=(401,))
        assert refresh(app, token, client_secret=new).status_int == 200


@pytest.fixture(scope="module")
def strict():
    """A server that allows few wrong secrets and passwords, and sees where requests come from."""
    settings = {"bb2.limit_token_client": "90 per minute", "bb2.limit_sign_in_account": "2 per 15 minutes"}
    server = ConsentServer(openid, settings=settings)
    server.extra_environ |= {"REMOTE_ADDR": "192.0.2.7"}
    return server


def test_m_22_many_wrong_secrets_make_an_app_wait(strict):
    """OWASP on brute force; RFC 6585, 4"""
    form = {"grant_type": "refresh_token", "refresh_token": "unknown"}
    responses = [post(strict, "token", form, client_secret="wrong") for _ in range(5)]
    assert responses[0].status_int == 401
    assert responses[-1].status_int == 429
    assert 0 < int(responses[-1].headers["Retry-After"]) <= 60
    assert responses[-1].json["error"]


def test_m_22_many_wrong_passwords_make_a_person_wait_and_say_nothing_of_the_account(strict):
    """OWASP on brute force and on account enumeration"""

    def wrong(username):
        strict.reset()
        form = next(form for form in strict.get("/sign-in").forms.values() if "password" in form.fields)
        form["username"], form["password"] = username, "wrong"
        return form.submit("answer", value="sign-in", status="*")

    for username in "alice", "nobody":
        first, second, third = [wrong(username) for _ in range(3)]
        assert first.status_int == second.status_int != 429
        assert third.status_int == 429
        assert 0 < int(third.headers["Retry-After"]) <= 900
    texts = {wrong(username).html.find("main").get_text() for username in ("alice", "nobody")}
    assert len(texts) == 1


@pytest.fixture(scope="module")
def keys():
    """{algorithm: a private key}"""
    return {
        "RS384": RSAKey.generate_key(2048, parameters={"kid": "rsa", "alg": "RS384", "use": "sig"}, auto_kid=False),
        "ES384": ECKey.generate_key("P-384", parameters={"kid": "ec", "alg": "ES384", "use": "sig"}, auto_kid=False),
    }


@pytest.fixture(scope="module")
def stranger():
    """A key that no app registered, under a name that one did."""
    return RSAKey.generate_key(2048, parameters={"kid": "rsa", "alg": "RS384", "use": "sig"}, auto_kid=False)


def another_app_with(server, keys):
    """An app with these keys and without a secret."""
    app = another_app(server)
    change_app(app, secret_hash=None, jwks={"keys": [key.as_dict(private=False) for key in keys.values()]})
    app.client_secret = None
    return app


@pytest.fixture
def signing_app(server, keys):
    return another_app_with(server, keys)


@pytest.fixture(scope="module")
def asymmetric(one_server, keys):
    """An app with keys, and its code, which no refused request spends."""
    app = another_app_with(one_server[0], keys)
    app.sign_in()
    yield from code_for_many_tests(app, lambda: signed(assertion(app, keys["RS384"])))


def assertion(app, key, alg="RS384", header=None, **changes):
    """A signed assertion as SMART has it, changed; a claim that is None is left out."""
    now = int(time.time())
    good = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN_URL, "exp": now + 240, "jti": new_secret()}
    claims = {name: value for name, value in (good | changes).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid} | (header or {}), claims, key, algorithms=[alg])


def signed(value):
    """The parameters with which a client_assertion comes."""
    return {"client_assertion": value, "client_assertion_type": JWT_BEARER, "client_id": None}


def with_assertion(asymmetric, value, **changes):
    """The response to the app's code with this client_assertion."""
    return redeem(asymmetric, **(signed(value) | changes))


def b64url(octets):
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def hmac_signed(app, secret):
    """An assertion that is signed with this secret (bytes) in place of a private key."""
    now = int(time.time())
    claims = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN_URL, "exp": now + 60, "jti": new_secret()}
    parts = [b64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims)]
    return ".".join([*parts, b64url(hmac.digest(secret, ".".join(parts).encode(), "sha256"))])


class TestASignedAssertion:
    @pytest.mark.parametrize("value", ["garbage", "a.b.c", "e30.e30.e30", "", "é.é.é", "x" * 9000, "\x00"])
    def test_cli_17_that_is_malformed_is_refused(self, asymmetric, value):
        """RFC 7523, 3.2"""
        assert is_refused(with_assertion(asymmetric, value), "invalid_client", "invalid_request", **REFUSED)

    def test_cli_18_that_is_forged_is_refused(self, asymmetric, stranger):
        """RFC 7523, 3; RFC 8725, 3.1"""
        app = asymmetric[0]
        _header, claims, _signature = assertion(app, stranger).split(".")
        header = b64url(b'{"alg":"none"}')
        unsigned = f"{header}.{claims}."
        for forged in unsigned, assertion(app, stranger), hmac_signed(app, b""):
            assert is_refused(with_assertion(asymmetric, forged), "invalid_client", **REFUSED)

    @pytest.mark.parametrize("alg", ["RS384", "ES384"])
    def test_cli_20_that_is_good_is_accepted(self, signing_app, keys, alg):
        """RFC 7523, 2.2"""
        good = signed(assertion(signing_app, keys[alg], alg))
        assert exchange(signing_app, new_code(signing_app), **good).status_int == 200

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": EVIL},
            {"aud": None},
            {"exp": None},
            {"exp": 1},
            {"jti": None},
            {"iss": None},
            {"iss": "another"},
            {"sub": None},
            {"sub": "another"},
            {"nbf": 9_999_999_999},
        ],
        ids=str,
    )
    def test_cli_21_that_lacks_a_claim_is_refused(self, asymmetric, keys, changes):
        """RFC 7523, 3"""
        bad = assertion(asymmetric[0], keys["RS384"], **changes)
        assert is_refused(with_assertion(asymmetric, bad), "invalid_client", **REFUSED)

    def test_cli_22_that_lives_too_long_is_refused(self, asymmetric, keys):
        """SMART App Launch 2.2: five minutes at most"""
        bad = assertion(asymmetric[0], keys["RS384"], exp=int(time.time()) + 86_400)
        assert is_refused(with_assertion(asymmetric, bad), "invalid_client", **REFUSED)

    def test_cli_23_counts_once(self, signing_app, keys):
        once = signed(assertion(signing_app, keys["RS384"]))
        token = exchange(signing_app, new_code(signing_app), **once).json
        assert is_refused(refresh(signing_app, token, **once), "invalid_client", **REFUSED)
        fresh = signed(assertion(signing_app, keys["RS384"]))
        assert refresh(signing_app, token, **fresh).status_int == 200

    def test_cli_24_that_is_signed_with_the_public_key_is_refused(self, asymmetric, keys, stranger):
        """RFC 8725, 3.1 and 3.2"""
        app = asymmetric[0]
        by_public_key = hmac_signed(app, keys["RS384"].as_pem(private=False))
        of_another_kind = assertion(app, keys["RS384"], header={"kid": "ec"})
        for bad in by_public_key, assertion(app, stranger), of_another_kind:
            assert is_refused(with_assertion(asymmetric, bad), "invalid_client", **REFUSED)

    @pytest.mark.parametrize("kind", [None, "", "jwt-bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
    def test_cli_25_names_its_type(self, asymmetric, keys, kind):
        """RFC 7521, 4.2"""
        good = assertion(asymmetric[0], keys["RS384"])
        response = with_assertion(asymmetric, good, client_assertion_type=kind)
        assert is_refused(response, "invalid_client", "invalid_request", **REFUSED)

    def test_cli_26_cannot_be_left_out(self, asymmetric):
        assert is_refused(redeem(asymmetric), "invalid_client", **REFUSED)
        assert is_refused(redeem(asymmetric, client_secret="any"), "invalid_client", **REFUSED)

    def test_cli_27_may_be_for_the_issuer(self, signing_app, keys):
        """RFC 7523bis"""
        good = signed(assertion(signing_app, keys["ES384"], "ES384", aud="http://localhost"))
        assert exchange(signing_app, new_code(signing_app), **good).status_int == 200

    def test_m_21_brings_no_token_without_a_person(self, asymmetric, keys, openid_configuration, smart_configuration):
        """SMART Backend Services are not offered: every token here has a beneficiary's consent."""
        app = asymmetric[0]
        form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
        response = post(app, "token", form | signed(assertion(app, keys["RS384"])))
        assert is_refused(response, "unsupported_grant_type", "unauthorized_client")
        for document in openid_configuration, smart_configuration:
            assert "client_credentials" not in document["grant_types_supported"]
            assert not any(scope.startswith("system/") for scope in document["scopes_supported"])
