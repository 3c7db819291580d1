"""Which app makes a request, and how is that proved?  (RFC 6749, 2.3; RFC 7617)"""

import hmac
from base64 import b64encode

import pytest

from bb2.oauth import authentication
from bb2.oauth.secrets import hashed
from oauth.steps import EVERYTHING, another_app, change_app, redeem

pytestmark = pytest.mark.either_database

#: Every endpoint at which an app proves or names itself.
ENDPOINTS = ("token", "revoke_token", "revoke", "introspect", "par")


def post(server, endpoint="token", headers=None, **form):
    asked = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"} | form
    return server.post(f"/v2/o/{endpoint}/", asked, headers=headers or {}, status="*")


def basic(credentials, scheme="Basic"):
    value = credentials if isinstance(credentials, bytes) else credentials.encode()
    return {"Authorization": f"{scheme} {b64encode(value).decode()}"}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_wrong_credentials_are_refused_everywhere_in_the_same_words(server, endpoint):
    mine, told = server.client_id, set()
    for form, headers in (
        ({"client_id": mine, "client_secret": "wrong"}, None),
        ({"client_id": "unknown", "client_secret": server.client_secret}, None),
        ({"client_id": "unknown"}, None),
        ({"client_id": mine}, None),
        ({"client_id": mine, "client_secret": ""}, None),
        ({"client_id": mine, "client_secret": " "}, None),
        ({}, None),
        ({}, basic(f"{mine}:wrong")),
        ({}, basic(f"{mine}:")),
        ({}, basic(f"unknown:{server.client_secret}")),
        ({}, basic(f"{mine}:{server.client_secret}\x00")),
        ({"client_id": "another"}, basic(f"{mine}:{server.client_secret}")),
    ):
        refused = post(server, endpoint, headers, **form)
        assert (refused.status_int, refused.json["error"]) == (401, "invalid_client"), (form, headers)
        assert refused.headers["WWW-Authenticate"] == 'Basic realm="bb2"'
        assert refused.headers["Cache-Control"] == "no-store"
        told.add(refused.json["error_description"])
    assert len(told) == 1


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ==",
        "Basic Og==",
        "Basic w6k6w6k=",
        "Basic //8=",
        "Basic YTpi YTpi",
        "Basic YTpi, Basic YTpi",
        "Negotiate YTpi",
        "Digest username=x",
        ",",
        ":",
    ],
)
def test_a_malformed_header_is_refused(server, header):
    for endpoint in "token", "introspect":
        assert post(server, endpoint, {"Authorization": header}).json["error"] == "invalid_client"


def test_good_credentials_are_taken_in_the_header_as_in_the_body(server):
    secret = server.client_secret.replace("-", "%2D").replace("_", "%5F")
    for form, headers in (
        ({"client_id": server.client_id, "client_secret": server.client_secret}, None),
        ({}, basic(f"{server.client_id}:{server.client_secret}")),
        ({"client_id": server.client_id}, basic(f"{server.client_id}:{secret}", "bAsIc")),
    ):
        assert post(server, "introspect", headers, **form).json == {"active": False}


def test_two_ways_at_once_are_refused(server):
    headers = basic(f"{server.client_id}:{server.client_secret}")
    for form in ({"client_secret": server.client_secret}, {"client_assertion": "x"}):
        for endpoint in ENDPOINTS:
            refused = post(server, endpoint, headers, **form)
            assert (refused.status_int, refused.json["error"]) == (400, "invalid_request")


def test_an_unknown_app_is_compared_like_a_known_one(server, monkeypatch):
    """Nobody learns from the time whether an app is registered."""
    compared = []

    def compare_digest(mine, stored):
        compared.append((mine, stored))
        return hmac.compare_digest(mine, stored)

    monkeypatch.setattr("bb2.oauth.secrets.hmac", type("Watched", (), {"compare_digest": staticmethod(compare_digest)}))
    public = another_app(server, public=True)
    for client_id in ("unknown", server.client_id, public.client_id):
        post(server, "introspect", client_id=client_id, client_secret="wrong")
    # Each with the secret, and with the one before.
    assert [mine for mine, _stored in compared] == [hashed("wrong")] * 6
    stored = [stored for _mine, stored in compared]
    nobodys = authentication.NOBODYS
    assert stored[:2] == stored[4:] == [nobodys, nobodys]
    assert stored[2] not in (nobodys, stored[3])


def test_a_public_app_names_itself_and_may_prove_nothing(server):
    app = another_app(server, public=True)
    answered = app.approve(app.consent_page(EVERYTHING))
    for wrong in ({"client_secret": "any"}, {"client_id": server.client_id}, {"client_id": None}):
        redeem(app, answered, status=401, **wrong)
    redeem(app, answered, client_id=server.client_id, client_secret=app.client_secret or "any", status=401)
    redeem(app, answered)


def test_an_app_that_gets_a_secret_or_keys_is_public_no_more(server):
    app = another_app(server, public=True)
    for column in ({"secret_hash": hashed("s")}, {"jwks": {"keys": [{}]}}, {"jwks_uri": "https://app.example/jwks"}):
        change_app(app, **column)
        assert post(app, client_id=app.client_id).status_int == 401
        change_app(app, secret_hash=None, jwks=None, jwks_uri=None)
        assert post(app, client_id=app.client_id).status_int == 400


def test_credentials_in_the_url_are_refused(server):
    query = f"client_id={server.client_id}&client_secret={server.client_secret}"
    for endpoint in ENDPOINTS:
        refused = server.post(f"/v2/o/{endpoint}/?{query}", {"token": "x"}, status=400)
        assert refused.json["error"] == "invalid_request"
