"""Who agreed to what, in which words, in which language; and what became of it."""

import logging

from bb2.clock import utcnow
from bb2.models import AuditEvent

log = logging.getLogger("bb2.audit")

#: Every event, and when it is written.
EVENTS = {
    "account.signed_in": "a beneficiary signed in",
    "account.refused": "a user name or password was wrong",
    "account.signed_out": "a beneficiary signed out",
    "consent.given": "Yes",
    "consent.declined": "No, or Cancel at sign-in",
    "consent.activated": "the code was redeemed: the consent opens records from now on",
    "consent.replaced": "a newer consent for the same app took its place",
    "consent.revoked": "the beneficiary, the app or the server ended it",
    "code.replayed": "a code was used twice; what it had opened was closed",
    "token.refreshed": "a refresh token was used",
    "token.replayed": "a refresh token was used twice; its family was closed",
    "token.revoked": "the app ended a token and its siblings",
}


def record(db, event, *, correlation_id=None, client_id=None, beneficiary_id=None, consent_id=None, **details):
    """Add an event to the trail, in the caller's transaction, and a line without personal data to the log.

    `details` may hold anything JSON can, but no code, token, secret, name or Medicare number.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is not an audit event")
    db.add(
        AuditEvent(
            at=utcnow(),
            event=event,
            correlation_id=correlation_id,
            client_id=client_id,
            beneficiary_id=beneficiary_id,
            consent_id=consent_id,
            details=details,
        )
    )
    log.info("%s client=%s beneficiary=%s consent=%s", event, client_id, beneficiary_id, consent_id)
