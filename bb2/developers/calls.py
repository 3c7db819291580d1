"""How often did an app call each endpoint on a day, and what came of it?

A day that is over is summed up once, when somebody first looks: to count a year of a busy app anew takes seconds.
"""

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import distinct, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from bb2.audit.days import Period
from bb2.clock import EASTERN
from bb2.db import reader
from bb2.models import AuditEvent, CallsOfDay

MOST = 365  # days that can be looked at
LATE = timedelta(hours=1)  # after which no call is still on its way to the trail


class Calls(NamedTuple):
    """What is summed up of a day."""

    day: date
    kind: str
    interaction: str
    outcome: int
    calls: int
    people: int


def calls(engine, client_id, period):
    """[Calls] of the days of a Period."""
    kept = select(*(getattr(CallsOfDay, name) for name in Calls._fields)).where(CallsOfDay.client_id == client_id)
    kept = kept.where(CallsOfDay.day >= period.days[0], CallsOfDay.day <= period.days[-1])
    last = select(func.max(CallsOfDay.day)).where(CallsOfDay.client_id == client_id)
    with reader(engine).connect() as connection:
        fresh = _counted(connection, client_id, _since(connection.scalar(last), period.until))
        found = {row[:4]: Calls(*row) for row in connection.execute(kept)}
    _keep(engine, client_id, [row for row in fresh if row.day < (period.until - LATE).astimezone(EASTERN).date()])
    found |= {row[:4]: row for row in fresh if row.day >= period.days[0]}
    return list(found.values())


def _since(last, until):
    """The Period of the days that are not summed up; None where there are none.  `last`: the last that is, or None."""
    number = MOST if last is None else min((until.astimezone(EASTERN).date() - last).days, MOST)
    return Period.of(number, until) if number > 0 else None


def _counted(connection, client_id, period):
    """The Calls of a Period, from the trail."""
    if period is None:
        return []
    text = [AuditEvent.details[name].as_string().label(name) for name in ("kind", "interaction")]
    numbers = [AuditEvent.details[name].as_integer() for name in ("outcome", "count")]
    what = period.day(AuditEvent.at).label("day"), *text, numbers[0].label("outcome")
    counted = select(*what, func.sum(numbers[1]), func.count(distinct(AuditEvent.beneficiary_id)))
    counted = counted.where(AuditEvent.client_id == client_id, AuditEvent.event == "records.read")
    rows = connection.execute(counted.where(period.has(AuditEvent.at)).group_by(*what))
    return [Calls(date.fromisoformat(day), *what, int(times), people) for day, *what, times, people in rows]


def _keep(engine, client_id, rows):
    """If it can be: somebody else may have looked at the same moment and kept the same, or another writes just now."""
    try:
        if rows:
            with engine.begin() as connection:
                connection.execute(insert(CallsOfDay), [{"client_id": client_id, **row._asdict()} for row in rows])
    except (IntegrityError, OperationalError):
        return
