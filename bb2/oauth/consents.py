"""When does a consent open records, and what ends it?  Every code and token hangs on one.

Whatever changes a beneficiary's consents or tokens holds that beneficiary's lock, so that of two requests at once one
comes first: a code or refresh token is used once, and nothing stays open that was closed.
"""

from datetime import timedelta

from sqlalchemy import inspect, or_, select, update
from sqlalchemy.orm import joinedload

from bb2 import audit
from bb2.audit.reads import last_read
from bb2.clock import DatabaseTime, add_months, now, remember
from bb2.models import AccessToken, AuthorizationCode, Beneficiary, Consent, RefreshToken
from bb2.oauth.secrets import hashed, new_secret

ONE_TIME = timedelta(hours=1)
#: Nobody has ended the consent, and no later answer has taken its place.
STANDING = (Consent.revoked_at.is_(None), Consent.replaced_at.is_(None))
#: Nor has its time run out.
LIVE = (*STANDING, or_(Consent.expires_at.is_(None), Consent.expires_at > DatabaseTime()))


def lock(db, beneficiary_id):
    """Wait until no other transaction changes this beneficiary's consents; on SQLite every transaction has waited.

    Returns whether the person's record is served: it stays so while the lock is held.  The statement brings the
    database's time along, so that what is decided under the lock costs no statement for it.
    """
    taken = select(DatabaseTime().label("moment"), Beneficiary.closed_at).where(Beneficiary.id == beneficiary_id)
    found = db.execute(taken.with_for_update(key_share=True)).one_or_none()
    if found is None:
        return False
    remember(db, found.moment)
    return found.closed_at is None


def lock_holder_of(db, model, secret_hash, client_id):
    """Take the lock of the beneficiary under whose consent this client got a code or token.  In one statement.

    Returns `id`, `beneficiary_id` and `correlation_id` of the Consent; None where there is no such code or token.
    """
    (key,) = inspect(model).primary_key
    columns = Consent.id, Consent.beneficiary_id, Consent.correlation_id, DatabaseTime().label("moment")
    of_secret = select(*columns).join(model.consent).join(Consent.beneficiary)
    of_secret = of_secret.where(key == secret_hash, Consent.client_id == client_id)
    found = db.execute(of_secret.with_for_update(key_share=True, of=Beneficiary)).one_or_none()
    if found is not None:
        remember(db, found.moment)
    return found


def expiry(access, granted_at, months):
    """When the access of this category ends; None: never."""
    if access == "one-time":
        return granted_at + ONE_TIME
    return add_months(granted_at, months) if access == "ongoing" else None


def why_closed(beneficiary):
    """Why nothing of this person's is served any more, in words for the app's developer; None while it is.

    `beneficiary` has the columns of the table: a Beneficiary, or a row.
    """
    if beneficiary.merged_into_id:
        return "the beneficiary's record was merged with another"
    return "the beneficiary's account was closed" if beneficiary.closed_at else None


def why_ended(consent, moment):
    """Why a consent opens nothing, in words for the app's developer; None while it does.

    `consent` has the columns of the table: a Consent, or a row.  `moment` is the database's time.
    """
    if consent.revoked_at:
        who = {"beneficiary": "the beneficiary", "client": "the app"}.get(consent.revoked_by, "this service")
        return f"the consent was ended by {who}"
    if consent.replaced_at:
        return "the beneficiary has answered anew, and the tokens of that answer replace these"
    if consent.expires_at and consent.expires_at <= moment:
        if consent.expires_at - consent.granted_at <= ONE_TIME:
            return "the one-time access of 1 hour that the beneficiary granted has expired"
        return f"the access that the beneficiary granted until {consent.expires_at:%Y-%m-%d} has expired"
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
            expires_at=now(db) + timedelta(seconds=lifetime),
        )
    )
    record(db, "code.issued", consent)
    return code


def activate(db, consent):
    """The consent opens records, and the earlier ones of the same app and beneficiary no more.  Needs the lock."""
    consent.activated_at = now(db)
    for earlier in db.scalars(_rivals(consent).where(Consent.id < consent.id)):
        _replace(db, earlier, consent)
    record(db, "consent.activated", consent)


def _replace(db, consent, by):
    """Another consent for the same app takes the place of this one."""
    consent.replaced_at = now(db)
    close_tokens(db, consent)
    record(db, "consent.replaced", consent, by=by.id)


def superseded(db, consent):
    """True when a later answer of the same beneficiary for the same app counts already."""
    later = select(Consent.id).where(*_of_app(consent), Consent.id > consent.id, Consent.activated_at.is_not(None))
    return consent.replaced_at is not None or db.scalars(later.limit(1)).first() is not None


def end(db, consent, by):
    """End a consent with every code and token under it.  `by`: `beneficiary`, `client`, `server`.  Needs the lock."""
    if consent.revoked_at is None:
        consent.revoked_at, consent.revoked_by = now(db), by
        record(db, "consent.revoked", consent, by=by)
    close_tokens(db, consent)


def end_all(db, beneficiary_id, by, client_id=None):
    """End every consent of a beneficiary, or those for one app, that is live or may be once its code is redeemed.

    Needs the lock.
    """
    theirs = select(Consent).where(Consent.beneficiary_id == beneficiary_id, *LIVE)
    for consent in db.scalars(theirs if client_id is None else theirs.where(Consent.client_id == client_id)):
        end(db, consent, by)


def end_all_of_app(db, client_id, by):
    """The same of every consent for one app, whoever gave it.  Takes the locks of these people, in one order."""
    theirs = Consent.client_id == client_id, *LIVE
    people = Beneficiary.id.in_(select(Consent.beneficiary_id).where(*theirs))
    db.execute(select(Beneficiary.id).where(people).order_by(Beneficiary.id).with_for_update(key_share=True)).all()
    ended = update(Consent).where(*theirs).values(revoked_at=now(db), revoked_by=by).returning(Consent)
    for consent in db.scalars(ended, execution_options={"populate_existing": True}):
        record(db, "consent.revoked", consent, by=by)
    under = select(Consent.id).where(Consent.client_id == client_id)
    for token in AccessToken, RefreshToken:
        live = update(token).where(token.consent_id.in_(under), token.revoked_at.is_(None))
        db.execute(live.values(revoked_at=now(db)), execution_options={"synchronize_session": False})


def close_tokens(db, consent):
    """Close every token under a consent; the consent stays.  Needs the lock."""
    for token in AccessToken, RefreshToken:
        live = update(token).where(token.consent_id == consent.id, token.revoked_at.is_(None))
        db.execute(live.values(revoked_at=now(db)))


def close_replayed(db, consent_id, event):
    """A code or refresh token came a second time: close what it had opened (RFC 6749, 4.1.2; RFC 9700, 4.14.2)."""
    consent = db.get(Consent, consent_id)
    lock(db, consent.beneficiary_id)
    close_tokens(db, consent)
    record(db, event, consent)


def has_consented(db, beneficiary_id):
    """True when the beneficiary has said Yes to an app before, whatever became of it."""
    return db.scalar(select(Consent.id).where(Consent.beneficiary_id == beneficiary_id).limit(1)) is not None


def narrow(db, consent, scopes, choice, covered, **told):
    """Share less under a consent that goes on, at once and for the tokens that are out.  Needs the lock.

    A Yes to the same app whose code is still out shares nothing any more: it would undo what is said now.

    `scopes`: those that the consent keeps; `choice`: what is chosen from now on (share_demographic, left_out,
    share_sensitive); `covered(name, names)`: do these scopes open all that this one opens?  `told`: for the trail.
    """
    consent.scopes = [name for name in consent.scopes if name in scopes]
    for chosen in "share_demographic", "left_out", "share_sensitive":
        setattr(consent, chosen, getattr(choice, chosen))
    consent.left_out = consent.left_out and list(consent.left_out)
    live = select(AccessToken).where(AccessToken.consent_id == consent.id, AccessToken.revoked_at.is_(None))
    for token in db.scalars(live):  # one that was refreshed for less may name a permission in its other spelling
        token.scopes = [name for name in token.scopes if name in consent.scopes or covered(name, consent.scopes)]
    for pending in db.scalars(select(Consent).where(*_of_app(consent), Consent.activated_at.is_(None), *STANDING)):
        _replace(db, pending, consent)
    left = {name: getattr(consent, name) for name in ("scopes", "share_demographic", "left_out", "share_sensitive")}
    record(db, "consent.narrowed", consent, **left, **told)


def connections(db, beneficiary_id):
    """[(Consent, when its app read last or None)] of a beneficiary's consents that are in force, newest first."""
    return db.execute(_connections(beneficiary_id).where(*LIVE)).all()


def ended_connections(db, beneficiary_id, *, before=None, most):
    """The same of so many that are in force no more; `before`: only those with smaller ids."""
    over = or_(Consent.revoked_at.is_not(None), Consent.replaced_at.is_not(None), Consent.expires_at <= DatabaseTime())
    ended = _connections(beneficiary_id).where(over, *([] if before is None else [Consent.id < before]))
    return db.execute(ended.limit(most)).all()


def connection(db, beneficiary_id, number):
    """The same of one of the beneficiary's consents that was ever in force; None for any other number."""
    return db.execute(_connections(beneficiary_id).where(Consent.id == number)).one_or_none()


def _connections(beneficiary_id):
    last = last_read(Consent.beneficiary_id, Consent.id).label("last_read")
    found = select(Consent, last).options(joinedload(Consent.client))
    mine = Consent.beneficiary_id == beneficiary_id, Consent.activated_at.is_not(None)
    return found.where(*mine).order_by(Consent.id.desc())


def is_live(consent, moment):
    """True while the consent opens records."""
    return why_ended(consent, moment) is None


def ended_at(consent, moment):
    """When a consent that was in force ended; None while it is."""
    expired = consent.expires_at if consent.expires_at and consent.expires_at <= moment else None
    return min(filter(None, (consent.revoked_at, consent.replaced_at, expired)), default=None)


def _rivals(consent):
    return select(Consent).where(*_of_app(consent), Consent.activated_at.is_not(None), *STANDING)


def _of_app(consent):
    """SQL: of the same app and beneficiary."""
    return Consent.client_id == consent.client_id, Consent.beneficiary_id == consent.beneficiary_id


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
