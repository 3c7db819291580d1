"""What does the trail have?  Events by app, person, kind, time and correlation id, oldest first."""

from sqlalchemy import select

from bb2.models import AuditEvent

PAGE = 1000  # rows that are fetched at once: a trail of any length is read in little memory, and no lock is held


def search(connection, *, newest=None, since=None, until=None, **asked):
    """The rows of a search, one after the other; what is None does not count.

    `asked`: `client_id`, `beneficiary_id`, `event`, `correlation_id`.  `until` is the first moment that is left out.
    `newest`: only the last so many.
    """
    where = _conditions(since, until, **asked)
    columns = select(*AuditEvent.__table__.columns).where(*where).order_by(AuditEvent.id).limit(PAGE)
    after = _before_newest(connection, where, newest) if newest is not None else 0
    while rows := connection.execute(columns.where(AuditEvent.id > after)).all():
        yield from rows
        after = rows[-1].id


def _conditions(since, until, *, client_id=None, beneficiary_id=None, event=None, correlation_id=None):
    asked = {
        AuditEvent.client_id: client_id,
        AuditEvent.beneficiary_id: beneficiary_id,
        AuditEvent.event: event,
        AuditEvent.correlation_id: correlation_id,
    }
    found = [column == value for column, value in asked.items() if value is not None]
    if since is not None:
        found.append(AuditEvent.at >= since)
    if until is not None:
        found.append(AuditEvent.at < until)
    return found


def _before_newest(connection, where, number):
    """The id of the last row that is too old."""
    newest_first = select(AuditEvent.id).where(*where).order_by(AuditEvent.id.desc())
    return connection.scalar(newest_first.offset(number).limit(1)) or 0
