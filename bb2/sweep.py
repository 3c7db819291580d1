"""What may be forgotten?  Rows that no check needs any more, taken out in small batches.

Consents, the audit trail and records are never swept: they are a person's history.
"""

import logging
from dataclasses import dataclass
from secrets import randbelow
from threading import Event, Thread
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bb2.clock import DatabaseTime
from bb2.models import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    ClientTrial,
    Consent,
    Developer,
    DeveloperLink,
    DeveloperSession,
    EnrollmentDraft,
    Notice,
    PasskeyChallenge,
    ProviderSignIn,
    PushedRequest,
    RateLimit,
    Recovery,
    RefreshToken,
    UsedAssertion,
)

log = logging.getLogger(__name__)
DAY = 86_400
#: Seconds that what has ended is kept, so that an app's developer is told how it ended, and a replay is seen as one.
KEPT = 30 * DAY
SOON = 300  # seconds that is kept what anybody can fill the database with
UNCONFIRMED = 7 * DAY  # an account of a developer who never confirmed the address
UNSENT = 7 * DAY  # a mail that nobody sends, as no mail server is set up: it has no news any more
BATCH = 500  # rows of a transaction: SQLite's one writer is soon free again
EVERY = 600  # seconds between two sweeps of a server
FIRST, SPREAD = 60, 540  # seconds after its start, and how far workers that start together are spread


@dataclass(frozen=True)
class Kind:
    """A table, and which of its rows nobody needs."""

    model: type
    past: Any  #: the SQL condition

    @property
    def key(self):
        """The column of its primary key."""
        (column,) = self.model.__table__.primary_key
        return column


def kinds(settings):
    """Every Kind, in the order in which they are swept."""
    idle, whole_life = DatabaseTime(-settings.session_idle), DatabaseTime(-settings.session_lifetime)
    long_ago = DatabaseTime(-KEPT)
    request, code, access, refresh = AuthorizationRequest, AuthorizationCode, AccessToken, RefreshToken
    # While its consent may be in force, a used refresh token is needed: who brings it again closes the family.
    consent_over = exists().where(
        Consent.id == refresh.consent_id,
        or_(Consent.revoked_at <= long_ago, Consent.replaced_at <= long_ago, Consent.expires_at <= long_ago),
    )
    return (
        Kind(RateLimit, RateLimit.expires_at <= DatabaseTime()),
        Kind(UsedAssertion, UsedAssertion.expires_at <= DatabaseTime(-DAY)),
        Kind(PasskeyChallenge, PasskeyChallenge.expires_at <= DatabaseTime()),
        Kind(ProviderSignIn, ProviderSignIn.expires_at <= DatabaseTime(-SOON)),
        Kind(PushedRequest, PushedRequest.expires_at <= DatabaseTime(-SOON)),
        Kind(EnrollmentDraft, EnrollmentDraft.expires_at <= DatabaseTime()),
        Kind(Recovery, Recovery.expires_at <= DatabaseTime()),
        Kind(BrowserSession, or_(BrowserSession.seen_at <= idle, BrowserSession.created_at <= whole_life)),
        Kind(ClientTrial, or_(ClientTrial.seen_at <= idle, ClientTrial.created_at <= whole_life)),
        Kind(DeveloperSession, or_(DeveloperSession.seen_at <= idle, DeveloperSession.created_at <= whole_life)),
        Kind(DeveloperLink, DeveloperLink.expires_at <= DatabaseTime()),
        Kind(
            Developer,
            and_(Developer.email_verified_at.is_(None), Developer.created_at <= DatabaseTime(-UNCONFIRMED)),
        ),
        # One that was answered says so to whoever comes back to it, and takes a later No.
        Kind(request, and_(request.answered_at.is_(None), request.expires_at <= DatabaseTime())),
        Kind(request, request.answered_at <= long_ago),
        Kind(request, and_(request.shown_to.is_(None), request.answered_at <= DatabaseTime(-SOON))),  # Cancel
        Kind(code, code.expires_at <= long_ago),
        Kind(access, access.expires_at <= long_ago),
        Kind(Notice, Notice.created_at <= DatabaseTime(-UNSENT)),
        Kind(refresh, or_(refresh.revoked_at <= long_ago, consent_over)),
    )


def sweep(engine, settings):
    """Take out what may be forgotten.  Returns {table name: how many rows}."""
    swept = {}
    for kind in kinds(settings):
        name = kind.model.__tablename__
        swept[name] = swept.get(name, 0) + _sweep(engine, kind)
    return swept


def _sweep(engine, kind):
    batch = delete(kind.model).where(kind.key.in_(select(kind.key).where(kind.past).limit(BATCH)))
    swept = 0
    while True:
        with engine.begin() as connection:
            gone = connection.execute(batch).rowcount
        swept += gone
        if gone < BATCH:
            return swept


class Sweeper:
    """Sweeps while a server runs: soon after its start, at a moment of each worker's own, then every ten minutes."""

    def __init__(self, engine, settings, first=None, every=EVERY):
        self.engine, self.settings = engine, settings
        self.first, self.every = FIRST + randbelow(SPREAD) if first is None else first, every  #: seconds
        self._stopped = Event()

    def start(self):
        """Returns its thread."""
        thread = Thread(target=self._run, name="sweeper", daemon=True)
        thread.start()
        return thread

    def stop(self):
        self._stopped.set()

    def _run(self):
        delay = self.first
        while not self._stopped.wait(delay):
            delay = self.every
            try:
                swept = sweep(self.engine, self.settings)
                log.info("swept %s", {name: rows for name, rows in swept.items() if rows})
            except SQLAlchemyError:
                log.warning("the database could not be swept; it is tried again in ten minutes", exc_info=True)
