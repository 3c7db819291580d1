"""Whose access ends soon?  Each consent is told of once, whichever worker looks first."""

from sqlalchemy import insert, select, update

from bb2.clock import DatabaseTime
from bb2.models import Beneficiary, Client, Consent, Notice
from bb2.notices import ENDING

DAYS = 30 * 86_400  #: seconds before its end that a person is told
BATCH = 500  # rows of a transaction: SQLite's one writer is soon free again


def soon():
    """The consents that are live, end within 30 days, and of which nobody was told.

    Whoever said yes within the last 30 days knows when it ends, and is not told: so one-time access never is.
    """
    ending = select(Consent.id).join(Consent.beneficiary).join(Consent.client)
    return ending.where(
        Consent.end_told_at.is_(None),
        Consent.activated_at.is_not(None),
        Consent.revoked_at.is_(None),
        Consent.replaced_at.is_(None),
        Consent.expires_at > DatabaseTime(),
        Consent.expires_at <= DatabaseTime(DAYS),
        Consent.granted_at <= DatabaseTime(-DAYS),
        Beneficiary.email.is_not(None),
        Beneficiary.closed_at.is_(None),
        Client.disabled_at.is_(None),
    )


def write_ends(engine):
    """Write a notice for each of them.  Returns how many."""
    # Two workers each take what the other has not locked; SQLite has one writer.
    batch = soon().limit(BATCH).with_for_update(of=Consent, skip_locked=True).cte("soon")
    told = update(Consent).where(Consent.id.in_(select(batch.c.id))).values(end_told_at=DatabaseTime())
    told = told.returning(Consent.id, Consent.beneficiary_id, Consent.end_told_at)
    written = 0
    while True:
        with engine.begin() as connection:
            rows = [
                {"kind": ENDING, "consent_id": id, "beneficiary_id": whose, "created_at": moment, "due_at": moment}
                for id, whose, moment in connection.execute(told)
            ]
            if rows:
                connection.execute(insert(Notice), rows)
        written += len(rows)
        if len(rows) < BATCH:
            return written
