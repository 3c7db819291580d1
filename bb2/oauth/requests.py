"""The authorization requests that wait for a person's answer: kept here, bound to one browser, answered once."""

from datetime import timedelta
from secrets import token_hex
from urllib.parse import urlencode

from sqlalchemy import update
from sqlalchemy.orm import joinedload

from bb2.clock import now
from bb2.db import can_be_known
from bb2.models import AuthorizationRequest
from bb2.oauth.secrets import new_secret

MOST_USERNAME = 100  # characters


def earliest_sign_in(asked, moment):
    """How fresh a sign-in the app asks for, by `prompt` or `max_age` (OpenID Connect Core 3.1.2.1), or None.

    Whoever shall select an account does so by signing in.
    """
    if {"login", "select_account"} & set((asked.prompt or "").split()):
        return moment
    return moment - timedelta(seconds=int(asked.max_age)) if asked.max_age else None


def keep(db, asked, *, session_hash, api_version, lifetime):
    """Keep what oauthlib has checked (`asked`, its request) for the person to answer."""
    moment = now(db)
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
        audience=asked.audience,
        correlation_id=token_hex(16),
        claims=asked.wanted_claims,
        login_hint=login_hint(asked),
        named_beneficiary_id=asked.named_beneficiary_id,
        earliest_authenticated_at=earliest_sign_in(asked, moment),
        created_at=moment,
        expires_at=moment + timedelta(seconds=lifetime),
    )
    db.add(kept)
    db.flush()
    return kept


def login_hint(asked):
    """The user name that the app expects, if it can be one; a hint is no reason to refuse a request."""
    hint = (asked.login_hint or "").strip()
    return hint if hint.isprintable() and 0 < len(hint) <= MOST_USERNAME else None


def of_browser(db, id, session_hash):
    """The AuthorizationRequest of this id, if this browser brought it; None too when it expired unanswered."""
    loaded = [joinedload(AuthorizationRequest.client)]
    kept = db.get(AuthorizationRequest, id, options=loaded) if can_be_known(id) else None
    mine = kept is not None and session_hash is not None and kept.session_hash == session_hash
    return kept if mine and (kept.answered_at or kept.expires_at > now(db)) else None


def claim_answer(db, kept, answer):
    """Write the one answer of a request.  False when another request was quicker: then nothing is written."""
    unanswered = (AuthorizationRequest.id == kept.id) & AuthorizationRequest.answered_at.is_(None)
    written = db.execute(
        update(AuthorizationRequest).where(unanswered).values(answer=answer, answered_at=now(db))
    ).rowcount
    if not written:
        db.refresh(kept)
    return written == 1


def answer_uri(redirect_uri, answer):
    """Where the browser goes with the answer, [(name, value)]: the redirect_uri to the letter, its query kept.

    RFC 6749, 3.1.2.  Registered redirect URIs have no fragment.
    """
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"
