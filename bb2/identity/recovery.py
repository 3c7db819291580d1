"""How does a person come back who cannot sign in?  By what stands on their Medicare card, and a secret answer.

Nobody learns on the way whether such a person exists, or has an account.  Who is not found is asked a question too,
always the same for the same words, and the same work is done before their answer is refused.
"""

import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import joinedload

from bb2.clock import now
from bb2.fhir.index import values_at
from bb2.identity.cards import SUFFIXES, cards_with, family_name
from bb2.identity.questions import QUESTIONS, normalized
from bb2.identity.sessions import end_sessions
from bb2.models import Account, Beneficiary, BrowserSession, Recovery, ServerSecret
from bb2.oauth import consents
from bb2.oauth.secrets import new_secret

MINUTES = 15  #: that a person has, from who they are to their new password
OURS = "recovery"  #: the name of the server's secret; it is drawn when it is first needed


@dataclass(frozen=True)
class Told:
    """Who somebody says that they are, as it stands on the Medicare card."""

    number: str  #: as bb2.identity.cards.medicare_number has it
    last_name: str
    suffix: str  #: "": none
    born: date

    @property
    def counts(self):
        """What people are found by, a tuple of texts: however it is written.

        A suffix is not among them: people forget it.  Where it is wrong, the question is the same, and has no answer.
        """
        return self.number, family_name(self.last_name), self.born.isoformat()


def begin(db, told, session_hash):
    """Ask a browser's person a question; what the browser had begun before is over.  Returns the Recovery."""
    cards, fingerprint = _cards(db, told), _fingerprint(db, told)
    account = _account(db, [patient for patient, _card in cards])
    own = account is not None and account.secret_question in QUESTIONS
    # Of two forms at once, from a button that was pressed twice, one waits for the other.
    db.execute(select(BrowserSession.id_hash).where(BrowserSession.id_hash == session_hash).with_for_update()).all()
    db.execute(delete(Recovery).where(Recovery.session_hash == session_hash))
    recovery = Recovery(
        id=new_secret(),
        session_hash=session_hash,
        username=account.username if own and all(_has_suffix(card, told.suffix) for _patient, card in cards) else None,
        question=account.secret_question if own else _any_question(fingerprint),
        fingerprint=fingerprint,
        expires_at=now(db) + timedelta(minutes=MINUTES),
    )
    db.add(recovery)
    return recovery


def of_browser(db, session_hash):
    """The Recovery that this browser has begun; None too when its time is over.

    Its account comes along, or none: no statement more tells the one from the other.
    """
    ours = select(Recovery).where(Recovery.session_hash == session_hash, Recovery.expires_at > now(db))
    return db.scalars(ours.options(joinedload(Recovery.account))).one_or_none()


def answer_hash(recovery):
    """The hash of the answer to the question that was asked; None: nobody has it."""
    account = recovery.account
    return account.secret_answer_hash if account and account.secret_question == recovery.question else None


def recognize(db, recovery):
    """Write down that the answer was right.  False where the person's record was closed, or another was quicker."""
    if not consents.lock(db, recovery.account.beneficiary_id):
        return False
    open_ = (Recovery.id == recovery.id) & Recovery.answered_at.is_(None)
    return db.execute(update(Recovery).where(open_).values(answered_at=now(db))).rowcount == 1


def choose_password(db, recovery, password_hash):
    """Give the recognized person a new password, once; they are signed out everywhere.  Returns the Account."""
    account = recovery.account
    if not consents.lock(db, account.beneficiary_id):
        return None
    used = delete(Recovery).where(Recovery.id == recovery.id, Recovery.answered_at.is_not(None))
    if db.execute(used).rowcount != 1:
        return None
    change_password(db, account, password_hash)
    return account


def change_password(db, account, password_hash, but=None):
    """Sessions of the person end, `but` the one of this hash, and so does any other way back that was begun.

    No browser is known to the person any more: bb2.identity.known goes by the password's hash.
    """
    account.password_hash = password_hash
    db.execute(delete(Recovery).where(Recovery.username == account.username))
    end_sessions(db, account.beneficiary_id, but)


def change_question(db, account, question, answer_hash):
    account.secret_question, account.secret_answer_hash = question, answer_hash
    db.execute(delete(Recovery).where(Recovery.username == account.username))


def _account(db, patients):
    """The Account of a person, one with a secret question before others; None where there is none."""
    theirs = select(Account).join(Account.beneficiary)
    theirs = theirs.where(Beneficiary.patient.in_(patients), Beneficiary.closed_at.is_(None))
    return db.scalars(theirs.order_by(Account.secret_question.is_(None), Account.username).limit(1)).one_or_none()


def _cards(db, told):
    """[(Patient.id, Card)] of the people whose own records say the same."""
    today = now(db).date().isoformat()
    return [(patient, card) for patient, card in cards_with(db, told.number) if card.is_of(told, today)]


def _has_suffix(card, typed):
    """Is it the suffix of the person's name?  Any will do where the record has none, and so does none."""
    families = (text.split() for text in values_at(card.own, ["name", "family"]) if isinstance(text, str))
    parts = [*(words[-1] for words in families if len(words) > 1), *values_at(card.own, ["name", "suffix"])]
    suffixes = {normalized(part) for part in parts if isinstance(part, str)} & SUFFIXES
    return not normalized(typed) or not suffixes or normalized(typed) in suffixes


def _fingerprint(db, told):
    """What stands for all that was told: nobody can work it out who does not have the server's secret."""
    return hmac.new(_secret(db), "\0".join(told.counts).encode(), sha256).hexdigest()


def _any_question(fingerprint):
    return list(QUESTIONS)[int(fingerprint, 16) % len(QUESTIONS)]


def _secret(db):
    """The server's secret.  Of two workers that draw it at once, the one that comes second takes the first one's."""
    kept = select(ServerSecret.value).where(ServerSecret.name == OURS)
    if (value := db.scalar(kept)) is None:
        first = text("INSERT INTO server_secret (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")
        db.execute(first, {"name": OURS, "value": new_secret()})
        value = db.scalar(kept)
    return value.encode()
