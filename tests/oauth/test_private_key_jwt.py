"""Apps that prove who they are with a key of their own (RFC 7521, RFC 7523; SMART App Launch 2.2)."""

import json
import socket
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPException
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from bb2.clock import utcnow
from bb2.oauth import client_checks, clients, fetch
from bb2.oauth.assertions import named_client
from bb2.oauth.client_keys import ALGORITHMS
from bb2.oauth.errors import ClientError
from bb2.oauth.fetch import Fetcher, FetchError, may_be_asked
from bb2.oauth.published_keys import PublishedKeys
from bb2.testing import code_of
from oauth.keyed import TOKEN_URL, Site, app_with_key, asserting, claims, key_for, proof, public, signed
from oauth.steps import another_app, at_once, change_app, opens, redeem

pytestmark = pytest.mark.either_database

HOUR = 3600


def refused(app, **changes):
    """The refusal of a token request; it is about the app, not about the code, which nobody has."""
    asked = {"grant_type": "authorization_code", "code": "x", "redirect_uri": app.redirect_uri}
    asked |= {"code_verifier": "v" * 43} | {name: value for name, value in changes.items() if value is not None}
    return app.post("/v2/o/token/", asked, status="*")


def proves(app, **changes):
    """True when the request gets past the client authentication: then it is the code that is wrong."""
    response = refused(app, **changes)
    assert (response.status_int, response.json["error"]) in ((400, "invalid_grant"), (401, "invalid_client"))
    return response.json["error"] == "invalid_grant"


class TestAnAppWithAKey:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_exchanges_its_code_and_refreshes(self, server, alg):
        app = app_with_key(server, alg)
        token = redeem(app, app.approve(app.consent_page("openid patient/Coverage.read")), **proof(app, alg))
        assert opens(app, token) == 200
        again = app.refresh(token, **proof(app, alg))
        assert opens(app, again) == 200

    def test_uses_it_wherever_apps_prove_who_they_are(self, server):
        app = app_with_key(server)
        token = redeem(app, app.approve(app.consent_page("openid patient/Coverage.read")), **proof(app))
        held = {"token": token["access_token"]}

        def post(name, asked):
            return app.post(f"/v2/o/{name}/", {k: v for k, v in asked.items() if v is not None})

        assert post("introspect", held | proof(app)).json["active"] is True
        assert post("par", app.authorization_request("openid") | proof(app)).status_int == 201
        post("revoke_token", held | proof(app))
        assert opens(app, token) == 401
        post("revoke", held | proof(app))

    @pytest.mark.parametrize(
        "aud",
        [
            "http://localhost",
            "http://localhost/",
            TOKEN_URL.rstrip("/"),
            "http://localhost/v1/o/token/",
            "http://localhost/v2/o/par/",
            ["http://localhost", TOKEN_URL],
        ],
    )
    def test_names_this_server_as_the_audience(self, server, aud):
        app = app_with_key(server)
        assert proves(app, **proof(app, aud=aud))

    def test_may_say_beside_it_who_it_is_but_not_another(self, server):
        app = app_with_key(server)
        assert proves(app, **proof(app) | {"client_id": app.client_id})
        assert not proves(app, **proof(app) | {"client_id": server.client_id})

    def test_is_refused_a_claim_that_is_wrong_and_told_which(self, server):
        app, now = app_with_key(server), int(time.time())
        for name, value in (
            ("aud", None),
            ("aud", "https://elsewhere.example/token"),
            ("aud", []),
            ("aud", 1),
            ("aud", [TOKEN_URL, "https://elsewhere.example"]),
            ("aud", [TOKEN_URL, {}]),
            ("exp", None),
            ("exp", now - 1),
            ("exp", "soon"),
            ("exp", True),
            ("exp", 1e300),
            ("exp", now + 24 * HOUR),
            ("nbf", now + HOUR),
            ("nbf", "x"),
            ("iat", now + HOUR),
            ("jti", None),
            ("jti", ""),
            ("jti", 7),
            ("jti", "x" * 513),
            ("sub", None),
            ("sub", "somebody"),
        ):
            response = refused(app, **proof(app, **{name: value}))
            assert (response.status_int, response.json["error"]) == (401, "invalid_client"), (name, value)
            assert name in response.json["error_description"], (name, value)
        for iss in (None, "somebody", 7, [], "\x00", "é", server.client_id):
            assert not proves(app, **proof(app, iss=iss, sub=iss)), iss

    def test_is_refused_an_id_of_half_a_character(self, server):
        app, key = app_with_key(server), key_for("ES384")
        said = json.dumps(claims(app, jti="\ud800")).encode()
        assertion = jws.serialize_compact({"alg": "ES384", "kid": key.kid}, said, key, algorithms=["ES384"])
        response = refused(app, **asserting(assertion))
        assert response.status_int == 401
        assert "jti must be" in response.json["error_description"]

    def test_may_have_a_clock_that_is_a_little_fast(self, server):
        app, now = app_with_key(server), int(time.time())
        assert proves(app, **proof(app, exp=now + 310, iat=now + 10, nbf=now + 10))

    def test_uses_each_assertion_once(self, server):
        app = app_with_key(server)
        once = proof(app)
        assert proves(app, **once)
        assert not proves(app, **once)
        assert "used before" in refused(app, **once).json["error_description"]

    def test_does_not_use_up_the_ids_of_another_app(self, server):
        for app in app_with_key(server), app_with_key(server):
            assert proves(app, **proof(app, jti="the same"))

    def test_proves_itself_once_of_many_times_at_the_same_moment(self, server):
        app = app_with_key(server)
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        form |= {k: v for k, v in proof(app).items() if v is not None}
        responses = at_once(app, [("/v2/o/token/", form)] * 12)
        assert Counter(r.json["error"] for r in responses) == {"invalid_grant": 1, "invalid_client": 11}

    def test_that_is_switched_off_proves_nothing(self, server):
        app = app_with_key(server)
        change_app(app, disabled_at=utcnow())
        assert not proves(app, **proof(app))

    def test_has_no_other_way_to_prove_it(self, server):
        app = another_app(server)
        secret = {"client_id": app.client_id, "client_secret": app.client_secret}
        assert proves(app, **secret)
        with app.db() as db:
            clients.set_keys(db.get(clients.Client, app.client_id), jwks=public(key_for("ES384")))
        assert proves(app, **proof(app))
        assert not proves(app, **secret)
        assert not proves(app, client_id=app.client_id)
        token = {"token": "x", "client_id": app.client_id}
        for endpoint in "introspect", "revoke_token", "par":
            app.post(f"/v2/o/{endpoint}", token, status=401)
        with app.db() as db, pytest.raises(ClientError, match="no secret, but its keys"):
            clients.rotate_secret(db, db.get(clients.Client, app.client_id))

    def test_is_not_public_so_it_may_not_use_any_port(self, server):
        app = app_with_key(server, redirect_uris=["http://127.0.0.1:7000/callback"])
        asked = app.authorization_request("openid", redirect_uri="http://127.0.0.1:7001/callback")
        app.get("/v2/o/authorize", asked, status=400)


class TestAForgedAssertion:
    def test_proves_nothing(self, server):
        app = app_with_key(server)
        said, key = claims(app), key_for("ES384")
        jwk = public(key)["keys"][0]
        other = ECKey.generate_key("P-384", parameters={"kid": key.kid})
        for assertion in (
            signed(said, other),
            signed(said, key, kid="another"),
            signed(said, key, kid=None),
            signed(said, key_for("RS384"), "RS384", kid=key.kid),
            signed(said, OctKey.import_key(json.dumps(jwk)), "HS256", kid=key.kid),
            signed(said, OctKey.import_key(json.dumps(jwk)), "HS384", kid=key.kid),
            unsigned({"alg": "none", "kid": key.kid}, said),
            unsigned({"alg": "ES384", "kid": key.kid}, said),
            signed(said, key)[:-4] + "AAAA",
            tampered(signed(said, key), claims(app, jti="another")),
        ):
            assert not proves(app, **asserting(assertion))
        assert proves(app, **asserting(signed(said, key)))

    def test_with_a_key_of_its_own_in_the_header_proves_nothing(self, server):
        app, other = app_with_key(server), ECKey.generate_key("P-384", parameters={"kid": "mine"})
        said = claims(app)
        assert not proves(app, **asserting(signed(said, other, jwk=other.as_dict(private=False))))
        assert not proves(app, **asserting(signed(said, other, jku="https://evil.example/jwks.json")))

    def test_of_another_algorithm_than_its_key_is_for_proves_nothing(self, server):
        key = key_for("RS384")
        app = another_app(server, jwks=public(key))
        same = RSAKey.import_key({k: v for k, v in key.as_dict(private=True).items() if k != "alg"})
        assert not proves(app, **asserting(signed(claims(app), same, "RS256", kid=key.kid)))

    @pytest.mark.parametrize("garbage", ["x", "..", "a.b.c", "é.é.é", "[" * 3000, "e30.e30.e30", "e30.W10.e30", " "])
    def test_that_is_garbage_is_refused(self, server, garbage):
        assert refused(server, **asserting(garbage)).status_int == 401

    def test_of_deep_json_is_refused(self, server):
        deep = urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")
        header = urlsafe_b64encode(b'{"alg": "ES384", "kid": "x"}').decode().rstrip("=")
        for assertion in f"{deep}.e30.e30", f"{header}.{deep}.e30":
            assert refused(server, **asserting(assertion)).status_int == 401

    @pytest.mark.parametrize("alg", [{}, [], 5, None])
    def test_whose_algorithm_is_no_text_is_refused(self, server, alg):
        said = unsigned({"alg": alg, "kid": "x"}, {"iss": server.client_id})
        assert refused(server, **asserting(f"{said}AAAA")).status_int == 401

    def test_whose_claims_nobody_can_read_names_nobody(self):
        good = {"alg": "ES384", "kid": "x"}
        for payload in b"[" * 5000, b"[]", b"{", b"\xff", b'{"iss": 5}', b"{}":
            claims_part = urlsafe_b64encode(payload).decode().rstrip("=")
            header, _claims, _signature = unsigned(good, {}).split(".")
            assert named_client(f"{header}.{claims_part}.AAAA") is None
        assert named_client(f"{unsigned(good, {'iss': 'the app'})}AAAA") == "the app"


class TestTheRequest:
    def test_names_the_type_of_the_assertion(self, server):
        app = app_with_key(server)
        for changes in (
            {"client_assertion_type": None},
            {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
            {"client_assertion": None},
        ):
            response = refused(app, **proof(app) | changes)
            assert (response.status_int, response.json["error"]) == (400, "invalid_request")

    def test_proves_who_sends_it_in_one_way(self, server):
        app = app_with_key(server)
        for changes in ({"client_secret": "x"}, {"client_id": app.client_id, "client_secret": "x"}):
            response = refused(app, **proof(app) | changes)
            assert (response.status_int, response.json["error"]) == (400, "invalid_request")
        form = {k: v for k, v in ({"grant_type": "refresh_token"} | proof(app)).items() if v}
        app.post("/v2/o/token/", form, headers={"Authorization": "Basic eDp5"}, status=400)

    def test_that_fails_for_another_reason_uses_the_assertion_up_but_not_the_code(self, server):
        app = app_with_key(server)
        code = code_of(app.approve(app.consent_page("openid patient/Coverage.read")))
        once = proof(app)
        assert redeem(app, code, **once, code_verifier="v" * 43, status=400)["error"] == "invalid_grant"
        assert redeem(app, code, **once, status=401)["error"] == "invalid_client"
        redeem(app, code, **proof(app))


class TestDiscovery:
    def test_says_how_apps_prove_who_they_are(self, server):
        document = server.get("/.well-known/openid-configuration").json
        for endpoint in "token", "revocation", "introspection":
            assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
            assert {"RS384", "ES384"} <= set(document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"])
        assert "none" in document["token_endpoint_auth_methods_supported"]
        assert "none" not in document["introspection_endpoint_auth_methods_supported"]
        smart = server.get("/v2/fhir/.well-known/smart-configuration").json
        assert "client-confidential-asymmetric" in smart["capabilities"]
        assert "private_key_jwt" in smart["token_endpoint_auth_methods_supported"]
        assert "RS384" in smart["token_endpoint_auth_signing_alg_values_supported"]


class TestARegistration:
    @pytest.mark.parametrize(
        ("key", "told"),
        [
            (lambda: key_for("ES384").as_dict(private=True), "private"),
            (lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "1"}, "private"),
            (lambda: RSAKey.generate_key(1024, parameters={"kid": "1"}, private=False).as_dict(private=False), "2048"),
            (lambda: ECKey.generate_key("P-521", parameters={"kid": "1"}).as_dict(private=False), "P-384"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"kid": ""}, "kid"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"use": "enc"}, "signatures"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"alg": "HS256"}, "alg"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"alg": []}, "alg"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"use": []}, "signatures"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"crv": {}}, "P-384"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"x": "\ud800"}, "not a JSON Web Key"),
            (lambda: public(key_for("ES384"))["keys"][0] | {"x": "AAAA"}, "not a JSON Web Key"),
            (lambda: public(key_for("RS384"))["keys"][0] | {"n": 7}, "not a JSON Web Key"),
            (lambda: public(key_for("RS384"))["keys"][0] | {"kty": []}, "RSA, or EC"),
            (lambda: "key", "not a JSON Web Key"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Key size should be")
    def test_takes_public_keys_that_are_long_enough(self, key, told):
        with pytest.raises(ClientError, match=told):
            clients.checked_jwks({"keys": [key()]})

    def test_takes_a_key_set_of_distinct_keys(self):
        key = public(key_for("ES384"))["keys"][0]
        for wrong in ({}, [], None, "x", {"keys": {}}, {"keys": []}, {"keys": [key] * 2}, {"keys": [key] * 21}, key):
            with pytest.raises(ClientError):
                clients.checked_jwks(wrong)
        assert clients.checked_jwks({"keys": [key], "more": 1}) == {"keys": [key]}

    @pytest.mark.parametrize(
        "uri",
        ["http://app.example/jwks", "ftp://app.example", "/jwks", "https://a:b@app.example", "https://x/#k", "a.b:/x"],
    )
    def test_takes_keys_from_an_https_url_only(self, uri):
        with pytest.raises(ClientError, match="jwks_uri") as refused:
            client_checks.checked_jwks_uri(uri)
        assert "private-use" not in str(refused.value)

    def test_is_of_one_kind(self, server):
        keys = {"jwks": public(key_for("ES384"))}
        for wrong in (keys | {"public": True}, keys | {"jwks_uri": "https://app.example/jwks"}):
            with pytest.raises(ClientError):
                another_app(server, **wrong)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture
def published(server):
    """The keys that the server has fetched: none, and with no pause between two fetches of the tests."""
    kept = server.app.registry["assertions"].published
    forget(kept)
    pause, kept.pause = kept.pause, 0
    yield kept
    kept.pause = pause


def forget(kept):
    """As if no URL had been asked yet."""
    kept.answers.clear()
    kept.tried.clear()


class SlowSites:
    """A fetcher whose sites answer `keys`, when `answers` is set."""

    def __init__(self):
        self.keys, self.asked, self.answers = [], [], threading.Event()

    def json(self, url):
        self.asked.append(url)
        assert self.answers.wait(10)
        return {"keys": self.keys}

    @contextmanager
    def waited_for(self, kept, *urls, anew=False):
        """Requests wait for the sites of these URLs."""
        self.answers.clear()
        with ThreadPoolExecutor(len(urls)) as pool:
            waiting = [pool.submit(kept.keys, url, anew) for url in urls]
            try:
                while len(kept.asking) < len(urls):
                    time.sleep(0.001)
                yield
            finally:
                self.answers.set()
                for request in waiting:
                    request.result()


class TestPublishedKeys:
    def test_are_fetched_once_and_again_when_the_app_has_a_new_one(self, server, site, published):
        app = another_app(server, jwks_uri=site.url)
        site.publish(key_for("ES384"))
        for _ in range(3):
            assert proves(app, **proof(app))
        assert site.asked == ["/keys"]
        new = key_for("ES384", "new")
        site.publish(new)
        assert proves(app, **asserting(signed(claims(app), new)))
        assert not proves(app, **proof(app))
        assert len(site.asked) == 3

    def test_are_fetched_again_after_a_while(self, server, site, published):
        app = another_app(server, jwks_uri=site.url)
        site.publish(key_for("ES384"))
        assert proves(app, **proof(app))
        site.publish(key_for("ES384", "new"))
        published.lifetime, kept = 0, published.lifetime
        assert not proves(app, **proof(app))
        published.lifetime = kept

    def test_are_not_asked_for_each_time_that_somebody_makes_up_a_key(self, server, site, published):
        published.pause = 60
        app, unknown = another_app(server, jwks_uri=site.url), key_for("ES384", "unknown")
        site.publish(key_for("ES384"))
        for _ in range(5):
            assert not proves(app, **asserting(signed(claims(app), unknown)))
        assert len(site.asked) == 1
        site.status = 500
        forget(published)
        for _ in range(5):
            assert not proves(app, **proof(app))
        assert len(site.asked) == 2

    def test_stay_good_when_somebody_makes_up_a_key_while_the_site_fails(self, server, site, published):
        app, unknown = another_app(server, jwks_uri=site.url), key_for("ES384", "unknown")
        site.publish(key_for("ES384"))
        assert proves(app, **proof(app))
        site.status = 503
        published.pause = 60
        published.tried.clear()
        for _ in range(2):
            assert not proves(app, **asserting(signed(claims(app), unknown)))
            assert proves(app, **proof(app))
        assert len(site.asked) == 2

    def test_that_are_kept_are_had_at_once_while_another_request_waits_for_the_site(self):
        sites = SlowSites()
        kept = PublishedKeys(sites)
        sites.keys = ["first"]
        sites.answers.set()
        assert kept.keys("a") == ["first"]
        kept.pause = 0
        sites.keys = ["second"]
        with sites.waited_for(kept, "a", anew=True):
            assert kept.keys("a") == ["first"]
            kept.lifetime = 0
            assert kept.keys("a") == ["first"]
            with pytest.raises(FetchError, match="try again"):
                kept.keys("a", anew=True)
        kept.lifetime = 600
        assert kept.keys("a") == ["second"]
        assert sites.asked == ["a", "a"]

    def test_are_waited_for_by_two_requests_at_a_time_and_the_others_are_told_to_try_again(self):
        sites = SlowSites()
        kept = PublishedKeys(sites)
        with sites.waited_for(kept, "a", "b"):
            for url in "a", "b", "c":
                with pytest.raises(FetchError, match="try again"):
                    kept.keys(url)
        assert kept.keys("c") == []
        assert sites.asked.count("a") == sites.asked.count("b") == sites.asked.count("c") == 1

    def test_that_are_private_or_of_no_use_are_passed_over(self, server, site, published):
        app, key = another_app(server, jwks_uri=site.url), key_for("ES384")
        others = [7, {"kty": "oct", "k": "c2VjcmV0", "kid": key.kid}, key_for("RS384").as_dict(private=True)]
        site.body = json.dumps({"keys": [*others, *public(key)["keys"]]}).encode()
        assert proves(app, **proof(app))
        assert not proves(app, **asserting(signed(claims(app), key_for("RS384"), "RS384")))

    @pytest.mark.parametrize(
        ("status", "body", "headers"),
        [
            (302, b"", {"Location": "/elsewhere"}),
            (404, b"{}", {}),
            (200, b" " * 70_000, {}),
            (200, b"{", {}),
            (200, b"[" * 60_000, {}),
            (200, b"\xff", {}),
            (200, b"[]", {}),
            (200, b"", {}),
        ],
    )
    def test_that_cannot_be_read_prove_nothing(self, server, site, published, status, body, headers):
        app = another_app(server, jwks_uri=site.url)
        site.status, site.body, site.headers = status, body, headers
        assert not proves(app, **proof(app))
        assert site.asked[:1] == ["/keys"]
        assert "/elsewhere" not in site.asked

    def test_that_drip_in_are_not_waited_for(self, server, site, published, monkeypatch):
        monkeypatch.setattr(fetch, "SECONDS", 0.3)
        app = another_app(server, jwks_uri=site.url)
        site.publish(key_for("ES384"))
        site.delay = 0.1
        before = time.monotonic()
        assert not proves(app, **proof(app))
        assert time.monotonic() - before < 2

    def test_are_fetched_while_the_database_waits_for_nobody(self, server, site, published, monkeypatch):
        app = another_app(server, jwks_uri=site.url)
        site.publish(key_for("ES384"))
        fetcher, others = published.fetcher.json, []

        def json_while_another_app_works(url):
            others.append(server.grant("openid", username="bob"))
            return fetcher(url)

        monkeypatch.setattr(published.fetcher, "json", json_while_another_app_works)
        assert proves(app, **proof(app))
        assert others


class TestAnAddress:
    @pytest.fixture(scope="class")
    @classmethod
    def fetcher(cls):
        """One for all: to read whom the machine trusts takes as long as all else."""
        return Fetcher()

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::7f00:1",
            "2001:db8::1",
            "192.0.0.9",
            "192.88.99.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "fec0::1",
            "5f00::1",
            "3fff::1",
        ],
    )
    def test_that_is_not_public_is_not_asked(self, monkeypatch, fetcher, address):
        connected = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: resolved("93.184.215.14", address))
        monkeypatch.setattr(socket, "create_connection", lambda *args, **_options: connected.append(args))
        with pytest.raises(FetchError):
            fetcher.json("https://app.example/jwks")
        assert connected == []

    def test_that_was_checked_is_the_one_that_is_asked(self, monkeypatch):
        """A name that is looked up again could mean another address by then."""
        looked_up, connected = [], []

        def getaddrinfo(host, *_args, **_options):
            looked_up.append(host)
            return resolved("93.184.215.14" if len(looked_up) == 1 else "127.0.0.1")

        def create_connection(address, *_args, **_options):
            connected.append(address)
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(socket, "create_connection", create_connection)
        with pytest.raises(FetchError):
            Fetcher().json("https://app.example/jwks")
        assert looked_up == ["app.example"]
        assert connected == [("93.184.215.14", 443)]

    def test_that_takes_no_connection_leaves_time_for_the_next(self, monkeypatch):
        waited = []

        def create_connection(address, timeout):
            waited.append((address[0], timeout))
            raise OSError

        addresses = "93.184.215.14", "93.184.215.15"
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: resolved(*addresses))
        monkeypatch.setattr(socket, "create_connection", create_connection)
        with pytest.raises(FetchError):
            Fetcher().json("https://app.example/jwks")
        assert [address for address, _timeout in waited] == list(addresses)
        assert waited[0][1] <= fetch.SECONDS / 2
        assert fetch.SECONDS / 2 < waited[1][1] <= fetch.SECONDS

    def test_that_took_the_connection_when_nobody_waited_any_more_is_not_asked(self, monkeypatch, site):
        connection, connect, wires = fetch.Connection(urlsplit(site.url), True, None), socket.create_connection, []

        def create_connection(address, timeout):
            connection.abort()
            wires.append(connect(address, timeout))
            return wires[0]

        monkeypatch.setattr(socket, "create_connection", create_connection)
        with pytest.raises(TimeoutError):
            connection.read()
        assert [wire.fileno() for wire in wires] == [-1]
        assert site.asked == []

    def test_is_not_tried_any_more_when_nobody_waits(self, monkeypatch):
        connection, tried = fetch.Connection(urlsplit("https://app.example/jwks"), False, None), []

        def create_connection(address, _timeout):
            tried.append(address)
            connection.abort()
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: resolved("93.184.215.14", "1.1.1.1"))
        monkeypatch.setattr(socket, "create_connection", create_connection)
        with pytest.raises(TimeoutError):
            connection.read()
        assert tried == [("93.184.215.14", 443)]

    def test_that_drips_is_read_until_the_deadline_and_no_longer(self, site):
        site.body, site.delay = b"x" * 1000, 0.05
        connection = fetch.Connection(urlsplit(site.url), True, None)
        connection.deadline = time.monotonic() + 0.3
        with pytest.raises(TimeoutError):
            connection.read()
        connection.abort()

    def test_that_waits_for_a_thread_is_forgotten_with_the_request(self, site, monkeypatch):
        monkeypatch.setattr(fetch, "SECONDS", 0.1)
        fetcher, release = Fetcher(loopback=True), threading.Event()
        busy = [fetcher.pool.submit(release.wait) for _ in range(fetch.AT_ONCE)]
        with pytest.raises(FetchError):
            fetcher.json(site.url)
        assert fetcher.pool._work_queue.get_nowait().future.cancelled()
        release.set()
        assert all(task.result() for task in busy)

    def test_whose_answer_is_no_http_is_logged_in_characters_that_do_nothing(self, monkeypatch, caplog):
        def read(_self):
            raise HTTPException("X\x1b[2K\r2026 INFO consent.given\x85\n" + "x" * 300)

        monkeypatch.setattr(fetch.Connection, "read", read)
        with pytest.raises(FetchError):
            Fetcher(loopback=True).json("http://127.0.0.1/keys")
        (told,) = [record.getMessage() for record in caplog.records if record.name == "bb2.oauth.fetch"]
        assert told.isprintable()
        assert len(told) < 300

    def test_on_this_machine_is_asked_by_a_developers_own_server_only(self, site):
        site.body = b"{}"
        assert Fetcher(loopback=True).json(site.url) == {}
        with pytest.raises(FetchError):
            Fetcher().json(site.url)

    def test_on_the_internet_is_asked_by_https_only(self, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: resolved("93.184.215.14"))
        for url in "http://app.example/", "ftp://app.example/", "file:///etc/passwd", "https:///x", "https://[", "x":
            with pytest.raises(FetchError):
                Fetcher(loopback=True).json(url)

    def test_that_answers_for_another_name_is_not_believed(self, tmp_path):
        """The connection is made to an address, and the certificate is still held against the name."""
        site, trusting = Site(tls=certified(tmp_path)), Fetcher(loopback=True)
        site.body = b"{}"
        trusting.tls.load_verify_locations(tmp_path / "certificate.pem")
        assert trusting.json(site.url) == {}
        for fetcher, url in (trusting, site.url.replace("localhost", "127.0.0.1")), (Fetcher(loopback=True), site.url):
            with pytest.raises(FetchError):
                fetcher.json(url)
        site.close()

    def test_of_the_public_internet_may_be_asked(self):
        assert may_be_asked(fetch.ip_address("93.184.215.14"), loopback=False)
        assert may_be_asked(fetch.ip_address("2606:2800:21f:cb07::1"), loopback=False)

    def test_that_fails_is_left_alone_for_a_while(self, site):
        kept = PublishedKeys(Fetcher(loopback=True))
        site.status = 500
        for _ in range(3):
            with pytest.raises(FetchError):
                kept.keys(site.url)
        assert len(site.asked) == 1


def certified(folder):
    """The TLS of a site that is called localhost, by a certificate that it has signed itself."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.DNSName("localhost"), utcnow()
    of = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name.value)])
    certificate = (
        x509.CertificateBuilder(of, of, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    folder.joinpath("certificate.pem").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.joinpath("site.pem").write_bytes(pem + private)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "site.pem")
    return tls


def resolved(*addresses):
    """What the resolver answers for a name with these addresses."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


def unsigned(header, said):
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, said)]
    return ".".join([*parts, ""])


def tampered(assertion, said):
    header, _, signature = assertion.split(".")
    return f"{header}.{urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip('=')}.{signature}"
