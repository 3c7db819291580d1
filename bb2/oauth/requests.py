"""The authorization requests that wait for a person's answer: kept here, bound to one browser, answered once."""

from datetime import timedelta

from sqlalchemy import update

from bb2.clock import utcnow
from bb2.models import AuthorizationRequest
from bb2.oauth.secrets import new_secret


def keep(db, asked, *, session_hash, api_version, lifetime):
    """Keep what oauthlib has checked (`asked`, its request) for the person to answer."""
    now = utcnow()
    kept = AuthorizationRequest(
        id=new_secret(),
        session_hash=session_hash,
        client_id=asked.client_id,
        api_version=api_version,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        state=asked.state,
        code_challenge=asked.code_challenge,
        nonce=asked.nonce,
        created_at=now,
        expires_at=now + timedelta(seconds=lifetime),
    )
    db.add(kept)
    db.flush()
    return kept


def of_browser(db, id, session_hash):
    """The AuthorizationRequest of this id, if this browser brought it and it has not expired; else None."""
    kept = db.get(AuthorizationRequest, id)
    mine = kept is not None and session_hash is not None and kept.session_hash == session_hash
    return kept if mine and kept.expires_at > utcnow() else None


def claim_answer(db, kept, answer):
    """Write the one answer of a request.  False when another request was quicker: then nothing is written."""
    unanswered = (AuthorizationRequest.id == kept.id) & AuthorizationRequest.answered_at.is_(None)
    written = db.execute(
        update(AuthorizationRequest).where(unanswered).values(answer=answer, answered_at=utcnow())
    ).rowcount
    db.refresh(kept)
    return written == 1
