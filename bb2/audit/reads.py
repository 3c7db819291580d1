"""What did an app read under a consent, on which day, and when last?  Told to the person from the trail.

Only what was answered counts: a refused read has shown the app nothing.  Days are the person's: in US Eastern time.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from bb2.audit.days import Period
from bb2.models import AuditEvent

DAYS = 30  # that a picture shows
REFUSED = 400  # the least HTTP status of a request that was not answered


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
    period = Period.of(DAYS, until)
    answered = select(
        period.day(AuditEvent.at).label("day"),
        AuditEvent.details["kind"].as_string().label("kind"),
        AuditEvent.details["count"].as_integer().label("count"),
    ).where(*_answered(beneficiary_id), AuditEvent.consent_id == consent_id)
    answered = answered.where(period.has(AuditEvent.at)).subquery()
    columns = answered.c.day, answered.c.kind
    kinds = {}
    for day, kind, count in connection.execute(select(*columns, func.sum(answered.c.count)).group_by(*columns)):
        kinds.setdefault(kind, Counter())[date.fromisoformat(day)] = int(count)
    return Reads(period.days, dict(sorted(kinds.items())))


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
