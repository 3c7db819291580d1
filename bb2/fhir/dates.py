"""Which stretch of time does a FHIR date, of any precision, mean?  (FHIR, "Data types" and "Search: date")"""

import re
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)

FHIR_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?"
)


def interval(text):
    """(first microsecond, the microsecond after the last) since 1970.  ValueError for what is not a FHIR date.

    Without a time zone it is taken as UTC.  A space stands for the `+` that a client forgot to encode in a URL.
    """
    match = FHIR_DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a FHIR date")
    parts = match.groupdict()
    start = _start(parts)
    return _microseconds(start), _microseconds(_end(start, parts))


def instant(text):
    """A FHIR instant (date, time, zone) in microseconds since 1970.  ValueError for what is none."""
    match = FHIR_DATE.fullmatch(text) if isinstance(text, str) else None
    if not match or not match["second"] or not match["zone"]:
        raise ValueError(f"{text!r} is not a FHIR instant")
    return _microseconds(_start(match.groupdict()))


def to_instant(microseconds):
    """Microseconds since 1970 as a FHIR instant in UTC."""
    return (EPOCH + microseconds * MICROSECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _start(parts):
    numbers = [int(parts[name] or default) for name, default in (("year", 1), ("month", 1), ("day", 1))]
    clock = [int(parts[name] or 0) for name in ("hour", "minute", "second")]
    clock[2] = min(clock[2], 59)  # a leap second is the end of its minute
    micro = int((parts["fraction"] or "0")[:6].ljust(6, "0"))
    zone = _offset(parts["zone"])
    try:
        return (datetime(*numbers, *clock, micro) - zone).replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _offset(zone):
    if zone in (None, "Z"):
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        raise ValueError(f"{zone!r} is not a time zone")
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _end(start, parts):
    """The moment after the last that the date means: its precision is that of its last part."""
    try:
        if parts["month"] is None:
            return start.replace(year=start.year + 1)
        if parts["day"] is None:
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        if parts["fraction"] is not None:
            return start + timedelta(microseconds=10 ** max(0, 6 - len(parts["fraction"])))
        for part, length in (("second", "seconds"), ("minute", "minutes"), ("day", "days")):
            if parts[part] is not None:
                return start + timedelta(**{length: 1})
    except (OverflowError, ValueError):
        pass
    return END_OF_TIME


def _microseconds(moment):
    return (moment - EPOCH) // MICROSECOND
