"""Which stretch of time does a FHIR date, of any precision, mean?  (FHIR, "Data types" and "Search: date")"""

import re
from calendar import isleap, monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache

MICROSECOND = timedelta(microseconds=1)
# Every datetime here is naive: zones are taken off in microseconds, which do not overflow.
EPOCH = datetime(1970, 1, 1)
START_OF_TIME = (datetime.min - EPOCH) // MICROSECOND
END_OF_TIME = (datetime.max - EPOCH) // MICROSECOND + 1  #: the microsecond after the year 9999

FHIR_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>[0-5]\d|60)(\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(10_000)  # a file of claims names the same days again and again
def interval(text):
    """(first microsecond, the microsecond after the last) since 1970.  ValueError for what is not a FHIR date.

    Without a time zone it is taken as UTC.  A space stands for the `+` that a client forgot to encode in a URL.
    """
    match = FHIR_DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a FHIR date")
    parts = match.groupdict()
    start, ahead = _start(parts), _ahead_of_utc(parts["zone"])
    return _microseconds(start) - ahead, _end(start, parts) - ahead


def instant(text):
    """A FHIR instant (date, time, zone) in microseconds since 1970.  ValueError for what is none."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a FHIR instant")
    return _instant(text)


@lru_cache(10_000)
def _instant(text):
    match = FHIR_DATE.fullmatch(text)
    if not match or not match["second"] or not match["zone"]:
        raise ValueError(f"{text!r} is not a FHIR instant")
    return _microseconds(_start(match.groupdict())) - _ahead_of_utc(match["zone"])


def to_instant(microseconds):
    """Microseconds since 1970 as a FHIR instant in UTC; a moment outside the years 1 to 9999 as the nearest in them."""
    known = min(max(microseconds, START_OF_TIME), END_OF_TIME - 1)
    return (EPOCH + known * MICROSECOND).replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _start(parts):
    numbers = [int(parts[name] or default) for name, default in (("year", 1), ("month", 1), ("day", 1))]
    clock = [int(parts[name] or 0) for name in ("hour", "minute", "second")]
    clock[2] = min(clock[2], 59)  # a leap second is the end of its minute
    return datetime(*numbers, *clock, int((parts["fraction"] or "0")[:6].ljust(6, "0")))


def _ahead_of_utc(zone):
    """How far the clocks of a time zone are ahead of UTC, in microseconds."""
    if zone in (None, "Z"):
        return 0
    minutes, rest = int(zone[1:3]) * 60, int(zone[4:6])
    if rest > 59 or minutes + rest > 14 * 60:
        raise ValueError(f"{zone!r} is not a time zone")
    return timedelta(minutes=minutes + rest) // MICROSECOND * (-1 if zone[0] == "-" else 1)


def _end(start, parts):
    """The moment after the last that the date means: its precision is that of its last part."""
    try:
        return _microseconds(start + _length(start, parts))
    except OverflowError:
        return END_OF_TIME


def _length(start, parts):
    if parts["month"] is None:
        return timedelta(days=366 if isleap(start.year) else 365)
    if parts["day"] is None:
        return timedelta(days=monthrange(start.year, start.month)[1])
    if parts["fraction"] is not None:
        return timedelta(microseconds=10 ** max(0, 6 - len(parts["fraction"])))
    for part, length in (("second", "seconds"), ("minute", "minutes")):
        if parts[part] is not None:
            return timedelta(**{length: 1})
    return timedelta(days=1)


def _microseconds(moment):
    return (moment - EPOCH) // MICROSECOND
