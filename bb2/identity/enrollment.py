"""May this person make an account, and what comes of it?  Whoever knows what stands on their Medicare card may.

Whether somebody is not known, is not whom they say, has an account, or is not served any more, is one answer: nobody
can ask here who exists, or who has an account.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from bb2.clock import now
from bb2.identity.builtin import ensure_beneficiary, find_account, plain
from bb2.identity.cards import Card, cards_with, medicare_number
from bb2.models import Account, Beneficiary, EnrollmentDraft
from bb2.oauth import consents
from bb2.oauth.secrets import new_secret

LIFETIME = timedelta(hours=1)  #: since the last page that was sent: what was typed is not kept longer
USERNAME = re.compile(r"(?=.*[a-z])[a-z0-9._-]{6,64}")
NINE_DIGITS = re.compile(r"\d{9}")  # as a Social Security number has, and a Medicare number of before 2018
SUGGESTIONS, SUGGESTED_BELOW = 3, 1000


class NotPossible(Exception):
    """This person cannot make an account, or not any more; nobody is told why."""


class UsernameTaken(Exception):
    """Somebody has this user name."""


@dataclass(frozen=True)
class Claim:
    """Who somebody says that they are."""

    number: str  #: as bb2.identity.cards.medicare_number has it
    last_name: str
    born: date
    sex: str  #: `male` or `female`
    started: date  #: the day on which Part A or Part B began


def find(db, claim):
    """The Patient.id of the person who can make an account, or None.  The same work, whoever it is."""
    today = now(db).date().isoformat()
    found = [
        patient
        for patient, card in cards_with(db, claim.number)
        if all((_agrees(card, claim, today), may_enroll(db, patient)))
    ]
    return found[0] if len(found) == 1 else None


def may_enroll(db, patient):
    """False for a person who has an account, or whose record is closed or was merged."""
    theirs = select(Beneficiary.closed_at, Account.username).join(Account, isouter=True)
    found = db.execute(theirs.where(Beneficiary.patient == patient)).all()
    return all(closed_at is None and username is None for closed_at, username in found)


def _agrees(card, claim, today):
    """Do the records say the same?  A sex that they do not tell is any."""
    return all(
        (
            card.is_of(claim, today),
            claim.sex in (card.sexes or {claim.sex}),
            claim.started.isoformat() in card.starts,
            not card.has_died,
        )
    )


# What was typed so far


def keep(db, session_hash, patient):
    """A new EnrollmentDraft of a browser, for the person who was found."""
    draft = EnrollmentDraft(id=new_secret(), session_hash=session_hash, patient=patient, typed={}, reached=0)
    prolong(db, draft)
    db.add(draft)
    return draft


def prolong(db, draft):
    """The person is at it."""
    draft.expires_at = now(db) + LIFETIME


def of_browser(db, id, session_hash):
    """The EnrollmentDraft of this id, if this browser has begun it and it has not expired; else None."""
    known = isinstance(id, str) and id.isascii() and id.isprintable()  # no database looks for what it cannot hold
    draft = db.get(EnrollmentDraft, id) if known and session_hash else None
    mine = draft is not None and draft.session_hash == session_hash
    return draft if mine and draft.expires_at > now(db) else None


# The account


def is_username(typed):
    """Can it be a user name?  Not an e-mail address, nor with a Medicare or Social Security number in it."""
    name = plain(typed)
    together = "".join(c for c in name if c.isalnum())
    return bool(USERNAME.fullmatch(name)) and medicare_number(name) is None and not NINE_DIGITS.search(together)


def suggestions(db, username):
    """Some user names like this one that nobody has."""
    stem = plain(username)[:60]
    names = (f"{stem}{count}" for count in range(2, SUGGESTED_BELOW))
    free = (name for name in names if find_account(db, name) is None)
    return [name for name, _turn in zip(free, range(SUGGESTIONS), strict=False)]


def create(db, patient, *, username, email, **secrets):
    """Make the account of the person of a draft, and forget every draft of theirs.  Returns the Account.

    `secrets`: `password_hash`, `secret_question`, `secret_answer_hash`.  Raises NotPossible where the person has an
    account by now, or the draft is used; UsernameTaken where another was quicker.
    """
    if not db.execute(delete(EnrollmentDraft).where(EnrollmentDraft.patient == patient)).rowcount:
        raise NotPossible
    beneficiary = _beneficiary(db, patient)
    if not consents.lock(db, beneficiary.id) or not may_enroll(db, patient):  # nobody else is at it now
        raise NotPossible
    beneficiary.email = email
    account = Account(username=plain(username), beneficiary=beneficiary, created_at=now(db), **secrets)
    try:
        with db.begin_nested():
            db.add(account)
            db.flush()
    except IntegrityError:
        raise UsernameTaken from None
    return account


def _beneficiary(db, patient):
    """Of two who make the same person at once, the second takes the first one's."""
    given_name, family_name = Card.of(db, patient).name
    try:
        with db.begin_nested():
            return ensure_beneficiary(db, patient, given_name, family_name)
    except IntegrityError:
        return ensure_beneficiary(db, patient, given_name, family_name)
