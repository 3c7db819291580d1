"""When does a consent open records, and what ends it?  Every code and token hangs on one.

Whatever changes a beneficiary's consents or tokens holds that beneficiary's lock, so that of two requests at once one
comes first: a code or refresh token is used once, and nothing stays open that was closed.
"""

from datetime import timedelta

from sqlalchemy import or_, select, update

from bb2 import audit
from bb2.clock import add_months, utcnow
from bb2.models import AccessToken, AuthorizationCode, Beneficiary, Consent, RefreshToken
from bb2.oauth.secrets import hashed, new_secret

ONE_TIME = timedelta(hours=1)


def lock(db, beneficiary_id):
    """Wait until no other transaction changes this beneficiary's consents; on SQLite every transaction has waited."""
    db.execute(select(Beneficiary.id).where(Beneficiary.id == beneficiary_id).with_for_update(key_share=True))


def expiry(access, granted_at, months):
    """When the access of this category ends; None: never."""
    if access == "one-time":
        return granted_at + ONE_TIME
    return add_months(granted_at, months) if access == "ongoing" else None


def why_ended(consent, now):
    """Why a consent opens nothing, in words for the app's developer; None while it does.

    `consent` has the columns of the table: a Consent, or a row.
    """
    if consent.revoked_at:
        who = {"beneficiary": "the beneficiary", "client": "the app"}.get(consent.revoked_by, "this service")
        return f"the consent was ended by {who}"
    if consent.replaced_at:
        return "the beneficiary has answered anew, and the tokens of that answer replace these"
    if consent.expires_at and consent.expires_at <= now:
        return "the access that the beneficiary granted has expired"
    if not consent.activated_at:
        return "the authorization code of this consent was never redeemed"
    return None


def issue_code(db, consent, request, authenticated_at, lifetime):
    """A new authorization code for a consent and its AuthorizationRequest; only its hash is kept."""
    code = new_secret()
    db.add(
        AuthorizationCode(
            code_hash=hashed(code),
            consent=consent,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            authenticated_at=authenticated_at,
            expires_at=utcnow() + timedelta(seconds=lifetime),
        )
    )
    return code


def activate(db, consent):
    """The consent opens records, and the earlier ones of the same app and beneficiary no more.  Needs the lock."""
    now = utcnow()
    consent.activated_at = now
    for earlier in db.scalars(_rivals(consent).where(Consent.id < consent.id)):
        earlier.replaced_at = now
        close_tokens(db, earlier)
        record(db, "consent.replaced", earlier, by=consent.id)
    record(db, "consent.activated", consent)


def superseded(db, consent):
    """True when a later answer of the same beneficiary for the same app is in force already."""
    later = select(Consent.id).where(
        Consent.client_id == consent.client_id,
        Consent.beneficiary_id == consent.beneficiary_id,
        Consent.id > consent.id,
        Consent.activated_at.is_not(None),
    )
    return db.scalars(later.limit(1)).first() is not None


def end(db, consent, by):
    """End a consent with every code and token under it.  `by`: `beneficiary`, `client`, `server`.  Needs the lock."""
    if consent.revoked_at is None:
        consent.revoked_at, consent.revoked_by = utcnow(), by
        record(db, "consent.revoked", consent, by=by)
    close_tokens(db, consent)


def close_tokens(db, consent):
    """Close every token under a consent; the consent stays.  Needs the lock."""
    now = utcnow()
    for token in AccessToken, RefreshToken:
        db.execute(
            update(token).where(token.consent_id == consent.id, token.revoked_at.is_(None)).values(revoked_at=now)
        )


def close_replayed(db, consent_id, event):
    """A code or refresh token came a second time: close what it had opened (RFC 6749, 4.1.2; RFC 9700, 4.14.2)."""
    consent = db.get(Consent, consent_id)
    lock(db, consent.beneficiary_id)
    close_tokens(db, consent)
    record(db, event, consent)


def connections(db, beneficiary_id):
    """The consents of a beneficiary that are in force, newest first."""
    now = utcnow()
    in_force = (
        select(Consent)
        .where(
            Consent.beneficiary_id == beneficiary_id,
            Consent.activated_at.is_not(None),
            Consent.revoked_at.is_(None),
            Consent.replaced_at.is_(None),
            or_(Consent.expires_at.is_(None), Consent.expires_at > now),
        )
        .order_by(Consent.id.desc())
    )
    return db.scalars(in_force).all()


def _rivals(consent):
    return select(Consent).where(
        Consent.client_id == consent.client_id,
        Consent.beneficiary_id == consent.beneficiary_id,
        Consent.activated_at.is_not(None),
        Consent.replaced_at.is_(None),
        Consent.revoked_at.is_(None),
    )


def record(db, event, consent, **details):
    """Write down what became of a consent."""
    audit.record(
        db,
        event,
        correlation_id=consent.correlation_id,
        client_id=consent.client_id,
        beneficiary_id=consent.beneficiary_id,
        consent_id=consent.id,
        **details,
    )
