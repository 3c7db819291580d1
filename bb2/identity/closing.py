"""What becomes of a person's sign-in, consents and sessions when their record is closed, or merged with another?

Everything ends at once, and for good: when a record is opened again its person can sign in, and apps must ask anew.
"""

from sqlalchemy import select

from bb2.clock import now
from bb2.identity.builtin import DirectoryError
from bb2.identity.sessions import end_sessions
from bb2.models import Beneficiary
from bb2.oauth import consents


def close(db, patient):
    """Serve nothing more of the person with this Patient.id.  Returns the Beneficiary."""
    (person,) = _locked(db, patient)
    if person.closed_at:
        raise DirectoryError(f"the record of {patient} is closed already")
    _close(db, person)
    return person


def merge(db, patient, into):
    """The same, because the record of Patient.id `into` is this person's too.  Returns both Beneficiaries."""
    if patient == into:
        raise DirectoryError("a record cannot be merged with itself")
    person, other = _locked(db, patient, into)
    if person.merged_into_id:
        raise DirectoryError(f"the record of {patient} was merged already")
    if other.closed_at:
        raise DirectoryError(f"the record of {into} is closed: open it again first")
    _close(db, person)
    person.merged_into_id = other.id
    return person, other


def reopen(db, patient):
    """Let a person sign in again, whose record was closed or merged.  Returns the Beneficiary."""
    (person,) = _locked(db, patient)
    if person.closed_at is None:
        raise DirectoryError(f"the record of {patient} is not closed")
    person.closed_at = person.merged_into_id = None
    end_sessions(db, person.id)
    return person


def _locked(db, *patients):
    """The Beneficiaries of these Patient.ids, as they are once nobody else is changing their consents."""
    people = [_found(db, patient) for patient in patients]
    for person in sorted(people, key=lambda person: person.id):  # in one order: two merges do not block each other
        consents.lock(db, person.id)
        db.refresh(person)
    return people


def _found(db, patient):
    person = db.scalars(select(Beneficiary).where(Beneficiary.patient == patient)).one_or_none()
    if person is None:
        raise DirectoryError(f"there is no beneficiary with the Patient.id {patient}")
    return person


def _close(db, person):
    person.closed_at = person.closed_at or now(db)
    consents.end_all(db, person.id, by="server")
    end_sessions(db, person.id)
