"""Which mail goes next, and what becomes of it?

A worker takes a mail by putting it off: for a while nobody else sees it.  If the worker dies, another sends it then,
perhaps for the second time.  That is better than never for every kind: a notice that comes twice, with one Message-ID,
is a nuisance; one that never comes leaves a stranger unnoticed.
"""

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from bb2 import audit
from bb2.clock import DatabaseTime
from bb2.models import Beneficiary, Client, Consent, Developer, DeveloperLink, Notice

TAKEN = 900  # seconds: longer than a mail server can be silent at every step of one mail
#: Seconds until the next try, after the first, the second …; then always the last.
PAUSES = (60, 300, 900, 3_600, 14_400)
GIVEN_UP = 4 * 86_400  #: seconds after which a mail that cannot be sent is given up (RFC 5321, 4.5.4.1)

DUE = Notice.due_at <= DatabaseTime()


def anything_due(reader):
    """True where a mail waits; it takes no lock."""
    with reader.connect() as connection:
        return connection.scalar(select(exists().where(DUE)))


def take(engine):
    """The id of the mail that waits longest, which is this worker's for a while; None where none is due."""
    first = select(Notice.id).where(DUE).order_by(Notice.due_at, Notice.id).limit(1)
    first = first.with_for_update(skip_locked=True).cte("first")
    taken = update(Notice).where(Notice.id.in_(select(first.c.id)))
    taken = taken.values(due_at=DatabaseTime(TAKEN), tries=Notice.tries + 1).returning(Notice.id)
    with engine.begin() as connection:
        return connection.scalar(taken)


def facts(engine, id):
    """All that the mail is made from, as a row; None where the mail or the person's record is gone."""
    columns = (
        *(Notice.id, Notice.kind, Notice.beneficiary_id, Notice.consent_id, Notice.address, Notice.created_at),
        *(Notice.tries, Notice.developer_id, Beneficiary.language, Beneficiary.closed_at),
        func.coalesce(Beneficiary.email, DeveloperLink.email, Developer.email).label("email"),
        *(Notice.developer_link_id, DeveloperLink.purpose, _is_used().label("link_over")),
        *(Consent.granted_at, Consent.expires_at, Consent.revoked_at, Consent.replaced_at, Consent.revoked_by),
        *(Consent.client_id, Client.name.label("app"), Client.access),
    )
    found = select(*columns).outerjoin(Beneficiary, Beneficiary.id == Notice.beneficiary_id)
    found = found.outerjoin(Developer, Developer.id == Notice.developer_id)
    found = found.outerjoin(DeveloperLink, DeveloperLink.id == Notice.developer_link_id)
    found = found.outerjoin(Consent, Consent.id == Notice.consent_id)
    found = found.outerjoin(Client, Client.client_id == Consent.client_id).where(Notice.id == id)
    with engine.connect() as connection:
        return connection.execute(found).one_or_none()


def _is_used():
    """SQL: the link that the mail would bring opens nothing any more; NULL where it brings none."""
    return or_(DeveloperLink.used_at.is_not(None), DeveloperLink.expires_at <= DatabaseTime())


def close(engine, mail, event=None):
    """The mail waits no more.  `event`: `notice.sent` or `notice.failed`; None: there was nobody to tell."""
    with Session(engine) as db, db.begin():
        db.execute(delete(Notice).where(Notice.id == mail.id))
        if event:
            ids = {"client_id": mail.client_id, "beneficiary_id": mail.beneficiary_id, "consent_id": mail.consent_id}
            of_developer = {"developer_id": mail.developer_id} if mail.developer_id else {}
            audit.record(db, event, **ids, kind=mail.kind, **of_developer)


def put_off(engine, mail):
    """Try again later.  False where it was tried for days: then it waits no more."""
    pause = PAUSES[min(mail.tries, len(PAUSES)) - 1]
    later = update(Notice).where(Notice.id == mail.id, Notice.created_at > DatabaseTime(-GIVEN_UP))
    with engine.begin() as connection:
        kept = connection.execute(later.values(due_at=DatabaseTime(pause))).rowcount
    if not kept:
        close(engine, mail, "notice.failed")
    return bool(kept)
