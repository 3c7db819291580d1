"""Which sign-ins are under way at the OpenID Connect provider?  Each belongs to one browser, and is finished once.

What the provider sends back with the person, `state`, is kept as a hash; `nonce` and the PKCE verifier follow from it
and from the cookie of the browser's session, and are not kept at all.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, select, update

from bb2.clock import now
from bb2.models import ProviderSignIn
from bb2.oauth.secrets import hashed, new_secret

LIFETIME = 1800  # seconds


@dataclass(frozen=True)
class Secrets:
    """What a sign-in is known by, to the provider and to nobody else."""

    state: str
    nonce: str
    verifier: str


def begin(db, browser, request_id, earliest):
    """The Secrets of a new sign-in of this Browser.  `earliest`: the person must not have signed in before that."""
    secrets, moment = secrets_of(browser, new_secret()), now(db)
    begun = ProviderSignIn(
        state_hash=hashed(secrets.state),
        session_hash=browser.session_hash,
        request_id=request_id,
        earliest_authenticated_at=earliest,
        expires_at=moment + timedelta(seconds=LIFETIME),
    )
    db.add(begun)
    db.flush()
    return secrets


def secrets_of(browser, state):
    """The Secrets that belong to a state, in the session in which it was made."""
    return Secrets(state, browser.secret_for(f"nonce {state}"), browser.secret_for(f"verifier {state}"))


def of_browser(db, state, session_hash):
    """The ProviderSignIn with this state, if this browser has begun it; however long ago, finished or not."""
    found = db.get(ProviderSignIn, hashed(state)) if state and session_hash else None
    return found if found and found.session_hash == session_hash else None


def claim(db, begun):
    """Whoever gets True finishes it; nobody gets it twice."""
    unused = (ProviderSignIn.state_hash == begun.state_hash) & ProviderSignIn.used_at.is_(None)
    written = db.execute(update(ProviderSignIn).where(unused).values(used_at=now(db))).rowcount
    db.refresh(begun)
    return written == 1


def move(db, earlier, session_hash):
    """The browser has a new session: what it had begun in the earlier one is over, and knows the way on."""
    values = {"session_hash": session_hash, "used_at": now(db)}
    theirs = (ProviderSignIn.session_hash == earlier) & ProviderSignIn.problem.is_(None)
    db.execute(update(ProviderSignIn).where(theirs).values(values))


def failed(db, session_hash, problems):
    """True when one of these problems met a sign-in of this session."""
    theirs = (ProviderSignIn.session_hash == session_hash) & ProviderSignIn.problem.in_(problems)
    return session_hash is not None and db.execute(select(exists().where(theirs))).scalar_one()
