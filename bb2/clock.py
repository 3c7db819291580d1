"""What time is it?  By the database's clock, which is one for all workers, whatever their own clocks say.

Whether a code, token, consent, request or session is alive is decided against `now(db)`, or against a `DatabaseTime`
in a statement of its own; what they are given as times comes from the same clock.  Tests move the rows, not the clock.
"""

from calendar import monthrange
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Float, TypeDecorator, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

EASTERN = ZoneInfo("America/New_York")  #: in which days are told to people, as Medicare's offices count them


class UtcDateTime(TypeDecorator):
    """A time in UTC, aware in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value, dialect):
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DatabaseTime(FunctionElement):
    """SQL: the database's time, or some seconds after it (a negative number: before it)."""

    name = "database_time"
    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds=None):
        """`seconds`: a number, or a parameter of the statement."""
        shift = bindparam(None, float(seconds), Float) if isinstance(seconds, int | float) else seconds
        super().__init__(*([] if shift is None else [shift]))


@compiles(DatabaseTime, "postgresql")
def _on_postgresql(element, compiler, **kw):
    shift = f" + make_interval(secs => {compiler.process(element.clauses, **kw)})" if len(element.clauses) else ""
    return f"(clock_timestamp(){shift})"


@compiles(DatabaseTime, "sqlite")
def _on_sqlite(element, compiler, **kw):
    """As SQLAlchemy writes a DateTime there, so that the texts compare; SQLite's clock has milliseconds."""
    shift = f", {compiler.process(element.clauses, **kw)} || ' seconds'" if len(element.clauses) else ""
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now'{shift})"


def now(db):
    """The database's time, aware: asked once in a session, so that one request is decided at one moment."""
    if "now" not in db.info:
        remember(db, db.execute(select(DatabaseTime())).scalar_one())
    return db.info["now"]


def remember(db, moment):
    """A statement that was needed anyway brought the time along: `now` need not ask."""
    db.info["now"] = moment


def utcnow():
    """Now by this process's own clock, in UTC, aware: for what decides nothing."""
    return datetime.now(UTC)


def add_months(moment, months):
    """The same day and time some months later; the last day of the month where that day does not exist."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
