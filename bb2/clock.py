"""What time is it, and what day is it some months later?"""

from calendar import monthrange
from datetime import UTC, datetime


def utcnow():
    """Now, in UTC, aware."""
    return datetime.now(UTC)


def add_months(moment, months):
    """The same day and time some months later; the last day of the month where that day does not exist."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
