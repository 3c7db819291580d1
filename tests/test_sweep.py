"""What nobody needs any more goes, in small batches; what tells a story stays."""

import time

import pytest
from sqlalchemy import func, select

from bb2 import sweep as sweeping
from bb2.db import make_engine
from bb2.models import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    Consent,
    PushedRequest,
    RateLimit,
    RefreshToken,
    UsedAssertion,
)
from bb2.sweep import Sweeper, kinds, sweep
from oauth.steps import answer, consents_of, earlier, opens, redeem

SCOPES = "openid offline_access patient/Coverage.read"
TIMES = {
    AuthorizationRequest: ("created_at", "expires_at", "answered_at"),
    BrowserSession: ("created_at", "seen_at"),
    AuthorizationCode: ("authenticated_at", "expires_at", "redeemed_at"),
    AccessToken: ("issued_at", "expires_at", "revoked_at"),
    RefreshToken: ("issued_at", "used_at", "revoked_at"),
    RateLimit: ("expires_at",),
}


@pytest.fixture
def server(make_server):
    return make_server()


def later(server, **duration):
    """Let so much time pass for all that is swept; consents have their own time."""
    for model, columns in TIMES.items():
        earlier(server, model, *columns, **duration)


def count(server, model):
    with server.db() as db:
        return db.scalar(select(func.count()).select_from(model))


def swept(server):
    return {name: rows for name, rows in sweep(server.engine, server.settings).items() if rows}


def test_nothing_goes_that_is_alive(server):
    token = server.refresh(server.grant(SCOPES))
    page = server.consent_page(SCOPES)
    assert swept(server) == {}
    assert opens(server, token) == 200
    server.refresh(token)
    assert answer(page).status_int == 303


def test_a_month_later_only_what_a_check_or_the_history_needs_is_there(server):
    token = server.refresh(server.grant(SCOPES))
    server.consent_page(SCOPES)  # a request that nobody answers
    events = count(server, AuditEvent)
    later(server, days=31, hours=2)
    gone = swept(server)
    assert {name: rows for name, rows in gone.items() if name not in ("browser_session", "rate_limit")} == {
        "access_token": 2,
        "authorization_code": 1,
        "authorization_request": 2,
    }
    assert gone["browser_session"] >= 1
    assert count(server, AccessToken) == count(server, AuthorizationCode) == count(server, BrowserSession) == 0
    (consent,) = consents_of(server)
    assert consent.request_id is None
    assert consent.shown["lines"]
    assert count(server, AuditEvent) == events
    # The connection goes on, and the app as well.
    new = server.refresh(token)
    assert opens(server, new) == 200
    server.sign_in()
    assert "The App" in server.get("/connections").text


def test_a_used_refresh_token_closes_its_family_however_old_it_is(server):
    token = server.grant(SCOPES)
    new = server.refresh(token)
    later(server, days=300)
    swept(server)
    assert count(server, RefreshToken) == 2
    assert "used before" in server.refresh(token, status=400)["error_description"]
    server.refresh(new, status=400)


@pytest.mark.parametrize("column", ["revoked_at", "replaced_at", "expires_at"])
def test_refresh_tokens_go_a_month_after_their_consent_has_ended(server, column):
    server.refresh(server.grant(SCOPES))
    with server.db() as db:
        (consent,) = db.scalars(select(Consent))
        setattr(consent, column, consent.granted_at)
    earlier(server, Consent, column, days=29)
    assert swept(server) == {}
    earlier(server, Consent, column, days=1, seconds=1)
    assert swept(server) == {"refresh_token": 2}


def test_a_code_is_known_as_used_for_a_month(server):
    redirect = answer(server.consent_page(SCOPES))
    token = redeem(server, redirect)
    earlier(server, AuthorizationCode, "expires_at", "redeemed_at", days=29)
    swept(server)
    assert "used before" in redeem(server, redirect, status=400)["error_description"]
    assert opens(server, token) == 401


def test_an_expired_token_is_known_as_expired_for_a_month(server):
    token = server.grant(SCOPES)
    earlier(server, AccessToken, "expires_at", days=29)
    swept(server)
    refused = server.api("connect/userinfo", token, status=401)
    assert "has expired" in refused.json["error_description"]


def test_an_answered_request_says_so_for_a_month_and_then_takes_nothing_with_it(server):
    page = server.consent_page(SCOPES)
    token = redeem(server, answer(page))
    earlier(server, AuthorizationRequest, "expires_at", "answered_at", days=29)
    swept(server)
    assert "You have already said yes" in server.get(page.request.path, status=409).text
    earlier(server, AuthorizationRequest, "answered_at", days=2)
    assert swept(server) == {"authorization_request": 1}
    assert opens(server, token) == 200


def test_counts_assertions_and_pushed_requests_go_when_they_have_expired(server):
    moment = sweeping.DatabaseTime
    with server.db() as db:
        for age in (-60, 60):
            db.add(RateLimit(key=f"{age}", hits=1, expires_at=moment(age)))
        for age in (-25 * 3600, -60, 60):
            db.add(UsedAssertion(jti_hash=f"{age}", expires_at=moment(age)))
        for age in (-301, -60, 60):
            db.add(PushedRequest(uri_hash=f"{age}", client_id=server.client_id, parameters={}, expires_at=moment(age)))
    assert swept(server) == {"rate_limit": 1, "used_assertion": 1, "pushed_request": 1}


def test_a_request_that_was_cancelled_before_anybody_signed_in_goes_in_minutes(server):
    page = server.get("/v2/o/authorize", server.authorization_request(SCOPES)).follow().follow()
    page.forms[0].submit("answer", value="cancel", status=303)
    assert answer(server.consent_page(SCOPES), "no").status_int == 303
    earlier(server, AuthorizationRequest, "answered_at", minutes=4)
    assert swept(server) == {}
    earlier(server, AuthorizationRequest, "answered_at", minutes=2)
    assert swept(server) == {"authorization_request": 1}


def test_many_rows_go_in_batches(server, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 3)
    with server.db() as db:
        for number in range(10):
            db.add(RateLimit(key=f"{number}", hits=1, expires_at=sweeping.DatabaseTime(-1)))
    assert swept(server) == {"rate_limit": 10}


def test_no_consent_event_or_record_is_ever_swept(server):
    history = {"consent", "audit_event", "record", "record_index", "beneficiary", "account", "client"}
    assert not history & {kind.model.__tablename__ for kind in kinds(server.settings)}


def test_a_running_server_sweeps_now_and_then_and_outlives_a_database_that_fails(server, tmp_path):
    def until_swept():
        with server.db() as db:
            db.add(RateLimit(key="old", hits=1, expires_at=sweeping.DatabaseTime(-1)))
        for _ in range(6000):  # a minute, where a machine is slow
            if count(server, RateLimit) == 0:
                return True
            time.sleep(0.01)
        return False

    sweeper = Sweeper(make_engine(f"sqlite:///{tmp_path}/empty.sqlite"), server.settings, first=0, every=0.01)
    thread = sweeper.start()
    time.sleep(0.05)
    sweeper.engine = server.engine
    assert until_swept()
    assert until_swept()
    sweeper.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_workers_that_start_together_do_not_sweep_together(server):
    assert len({Sweeper(server.engine, server.settings).first for _ in range(20)}) > 1
