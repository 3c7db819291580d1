"""One clock for all workers, the database's: one that is an hour wrong neither extends nor shortens anything."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from bb2.clock import DatabaseTime, now, utcnow
from bb2.models import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    Consent,
    PushedRequest,
    RateLimit,
    RefreshToken,
)
from oauth.steps import answer, consents_of, earlier, opens, redeem
from test_sign_in import sign_in

WRONG = [timedelta(hours=1), timedelta(hours=-1)]
SOON = timedelta(minutes=2)
SCOPES = "openid offline_access patient/Coverage.read"


@pytest.fixture
def server(make_server):
    return make_server()


@contextmanager
def a_worker_wrong_by(error):
    """Python's clock is wrong meanwhile; the database's is not."""
    with time_machine.travel(utcnow() + error):
        yield


def rows(server, model):
    with server.db() as db:
        return db.scalars(select(model)).all()


@pytest.mark.parametrize("error", WRONG, ids=str)
def test_a_worker_with_a_wrong_clock_writes_the_right_times(server, error):
    begun = utcnow()
    with a_worker_wrong_by(error):
        sign_in(server)
        token = server.refresh(server.grant(SCOPES, username=None))
    written = [
        (AccessToken, "issued_at", timedelta(0)),
        (AccessToken, "expires_at", timedelta(hours=1)),
        (RefreshToken, "issued_at", timedelta(0)),
        (AuthorizationCode, "authenticated_at", timedelta(0)),
        (AuthorizationCode, "expires_at", timedelta(minutes=1)),
        (AuthorizationCode, "redeemed_at", timedelta(0)),
        (AuthorizationRequest, "created_at", timedelta(0)),
        (AuthorizationRequest, "answered_at", timedelta(0)),
        (AuthorizationRequest, "expires_at", timedelta(hours=1)),
        (BrowserSession, "created_at", timedelta(0)),
        (BrowserSession, "seen_at", timedelta(0)),
        (BrowserSession, "authenticated_at", timedelta(0)),
        (Consent, "granted_at", timedelta(0)),
        (Consent, "activated_at", timedelta(0)),
    ]
    assert all(timedelta(0) < row.expires_at - begun < timedelta(hours=1) + SOON for row in rows(server, RateLimit))
    for model, column, after in written:
        found = [getattr(row, column) for row in rows(server, model)]
        assert found
        for moment in found:
            assert moment is None or abs(moment - begun - after) < SOON, (model, column)
    assert timedelta(days=380) < consents_of(server)[0].expires_at - begun < timedelta(days=405)
    assert token["expires_in"] == 3600


@pytest.mark.parametrize("error", WRONG, ids=str)
def test_a_worker_with_a_wrong_clock_ends_nothing_early(server, error):
    token = server.grant(SCOPES)
    page = server.consent_page(SCOPES)
    redirect = answer(server.consent_page(SCOPES, username=None))
    with a_worker_wrong_by(error):
        assert opens(server, token) == 200
        assert server.get("/connections").status_int == 200
        assert "The App" in server.get("/connections").text
        new = redeem(server, redirect)
        new = server.refresh(new)
        assert opens(server, new) == 200
        assert introspected(server, new)["active"] is True
        assert answer(page).status_int == 303


@pytest.mark.parametrize("error", WRONG, ids=str)
def test_a_worker_with_a_wrong_clock_keeps_nothing_alive(server, error):
    token = server.grant(SCOPES)
    page = server.consent_page(SCOPES)
    redirect = answer(server.consent_page(SCOPES, username=None))
    earlier(server, AccessToken, "expires_at", hours=1, seconds=1)
    earlier(server, AuthorizationCode, "expires_at", seconds=61)
    earlier(server, AuthorizationRequest, "expires_at", hours=1, seconds=1)
    with a_worker_wrong_by(error):
        assert opens(server, token) == 401
        assert introspected(server, token) == {"active": False}
        assert "has expired" in redeem(server, redirect, status=400)["error_description"]
        assert answer(page).status_int == 400
        assert server.refresh(token)["scope"]
    earlier(server, Consent, "expires_at", days=400)
    earlier(server, BrowserSession, "seen_at", minutes=31)
    with a_worker_wrong_by(error):
        assert "has expired" in server.refresh(token, status=400)["error_description"]
        assert server.get("/connections").location.endswith("/sign-in")


@pytest.mark.parametrize("error", WRONG, ids=str)
def test_a_pushed_request_lives_by_the_same_clock(server, error):
    def push():
        asked = server.authorization_request(SCOPES) | {"client_secret": server.client_secret}
        return server.post("/v2/o/par/", asked, status=201).json["request_uri"]

    def authorize(uri):
        asked = {"client_id": server.client_id, "request_uri": uri}
        return server.get("/v2/o/authorize/", asked, status="*").status_int

    with a_worker_wrong_by(error):
        alive, over = push(), push()
        assert authorize(alive) == 303
        earlier(server, PushedRequest, "expires_at", minutes=2)
        assert authorize(over) == 400


def test_a_fresh_sign_in_is_measured_by_the_same_clock(server):
    with a_worker_wrong_by(timedelta(hours=1)):
        sign_in(server)
        asked = server.authorization_request(SCOPES, max_age="1800")
        assert server.get("/v2/o/authorize/", asked).follow().status_int == 200
        earlier(server, BrowserSession, "authenticated_at", minutes=31)
        assert "/sign-in" in server.get("/v2/o/authorize/", asked).follow(status=303).location


def test_one_request_is_decided_at_one_moment_and_asks_once(server):
    with Session(server.engine) as db:
        assert now(db) == now(db)
        assert abs(now(db) - utcnow()) < SOON
        later, moment, sooner = db.execute(select(DatabaseTime(90), DatabaseTime(), DatabaseTime(-0.5))).one()
        assert timedelta(seconds=89) < later - moment < timedelta(seconds=91)
        assert timedelta(seconds=0.4) < moment - sooner < timedelta(seconds=1.5)


def introspected(server, token):
    form = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    return server.post("/v2/o/introspect/", form).json
