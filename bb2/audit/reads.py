"""What did an app read under a consent, on which day, and when last?  Told to the person from the trail.

Only what was answered counts: a refused read has shown the app nothing.  Days are the person's: in US Eastern time.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bb2.clock import EASTERN, UtcDateTime
from bb2.models import AuditEvent

DAYS = 30  # that a picture shows
REFUSED = 400  # the least HTTP status of a request that was not answered


class Hour(FunctionElement):
    """SQL: the beginning of the hour of a time.  Every day in the United States begins with an hour."""

    name = "hour"
    type = UtcDateTime()
    inherit_cache = True


@compiles(Hour, "postgresql")
def _on_postgresql(element, compiler, **kw):
    return f"date_trunc('hour', {compiler.process(element.clauses, **kw)}, 'UTC')"


@compiles(Hour, "sqlite")
def _on_sqlite(element, compiler, **kw):
    return f"substr({compiler.process(element.clauses, **kw)}, 1, 13) || ':00:00.000000'"


@dataclass(frozen=True)
class Reads:
    """How often an app read each kind of record, by day."""

    days: tuple[date, ...]  #: every day, oldest first, with reads or without
    kinds: dict[str, Counter]  #: {kind of record, or path: {day: how often}}

    def total(self, kind):
        return self.kinds[kind].total()

    def on_days(self, kind):
        """On how many of the days."""
        return len(self.kinds[kind])

    @property
    def most(self):
        """The highest number for a kind on one day."""
        return max((count for counts in self.kinds.values() for count in counts.values()), default=0)

    @property
    def days_with_reads(self):
        """Newest first."""
        return [day for day in reversed(self.days) if any(counts[day] for counts in self.kinds.values())]


def reads(connection, beneficiary_id, consent_id, until):
    """The Reads of the DAYS that end with the moment `until`."""
    last = until.astimezone(EASTERN).date()
    days = tuple(last - timedelta(days=before) for before in reversed(range(DAYS)))
    begin = datetime.combine(days[0], time(), EASTERN)
    answered = select(
        Hour(AuditEvent.at).label("hour"),
        AuditEvent.details["kind"].as_string().label("kind"),
        AuditEvent.details["count"].as_integer().label("count"),
    ).where(*_answered(beneficiary_id), AuditEvent.consent_id == consent_id)
    answered = answered.where(AuditEvent.at >= begin, AuditEvent.at <= until).subquery()
    columns = answered.c.hour, answered.c.kind
    kinds = {}
    for hour, kind, count in connection.execute(select(*columns, func.sum(answered.c.count)).group_by(*columns)):
        kinds.setdefault(kind, Counter())[hour.astimezone(EASTERN).date()] += int(count)
    return Reads(days, dict(sorted(kinds.items())))


def last_read(beneficiary_id, consent_id):
    """SQL: when a consent was read under last; NULL: never.  Both ids may be columns."""
    answered = select(AuditEvent.at).where(*_answered(beneficiary_id), AuditEvent.consent_id == consent_id)
    return answered.order_by(AuditEvent.at.desc()).limit(1).scalar_subquery()


def _answered(beneficiary_id):
    return (
        AuditEvent.beneficiary_id == beneficiary_id,
        AuditEvent.event == "records.read",
        AuditEvent.details["outcome"].as_integer() < REFUSED,
    )
