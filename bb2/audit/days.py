"""On which day was it?  In US Eastern time, as days are told to people."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import String, case, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bb2.clock import EASTERN, UtcDateTime


@dataclass(frozen=True)
class Period:
    """Days, oldest first, up to a moment of the last."""

    days: tuple[date, ...]
    until: datetime

    @classmethod
    def of(cls, number, until):
        """So many days, with that of the moment `until`."""
        last = until.astimezone(EASTERN).date()
        return cls(tuple(last - timedelta(days=before) for before in reversed(range(number))), until)

    @property
    def begins(self):
        return datetime.combine(self.days[0], time(), EASTERN)

    def has(self, at):
        """SQL: is this time, a column, in the period?"""
        return (at >= self.begins) & (at <= self.until)

    def day(self, at):
        """SQL: the day of a time, as `2026-11-22`."""
        return Day(at, self._behind_utc(at))

    def _behind_utc(self, at):
        """SQL: by how much clocks are behind UTC, for SQLite, which knows no time zones.

        Clocks change in the night; told at noon, each half of that day still falls on the day.
        """
        days = (self.days[0] - timedelta(days=1), *self.days)
        noons = [datetime.combine(day, time(12), EASTERN) for day in days]
        behind = [f"{noon.utcoffset().total_seconds():.0f} seconds" for noon in noons]
        changes = [n for n in range(1, len(noons)) if behind[n] != behind[n - 1]]
        before = [(at < literal(noons[n], UtcDateTime), behind[n - 1]) for n in changes]
        return case(*before, else_=behind[-1]) if before else literal(behind[-1])


class Day(FunctionElement):
    name = "day"
    type = String()
    inherit_cache = True


@compiles(Day, "postgresql")
def _on_postgresql(element, compiler, **kw):
    at, _behind = element.clauses
    return f"to_char({compiler.process(at, **kw)} AT TIME ZONE '{EASTERN.key}', 'YYYY-MM-DD')"


@compiles(Day, "sqlite")
def _on_sqlite(element, compiler, **kw):
    return f"date({compiler.process(element.clauses, **kw)})"
