"""Which languages do the pages and mails speak, and how do they write a day and a time?  In Eastern Time."""

from datetime import datetime

from babel.dates import format_date, format_time

from bb2.clock import EASTERN

LANGUAGES = ("en", "es")


def long_date(moment, language, form="long"):
    """`December 21, 2027`, `21 de diciembre de 2027`.  `moment` is a datetime or its ISO 8601 text, or a date.

    `form="medium"`: `Dec 21, 2027`, `21 dic 2027`.
    """
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    day = moment.astimezone(EASTERN) if isinstance(moment, datetime) else moment
    return format_date(day, form, locale=language)


def time_of_day(moment, language):
    """`3:05 PM`, `3:05 p. m.`"""
    return format_time(moment, "short", tzinfo=EASTERN, locale=f"{language}_US")
