"""Which stretch of time does a FHIR date mean?"""

from calendar import isleap, monthrange
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bb2.fhir.dates import END_OF_TIME, instant, interval, to_instant

SECOND, MINUTE, DAY = 10**6, 60 * 10**6, 86_400 * 10**6


def at(*parts):
    return (datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", at(2024, 1, 1), at(2025, 1, 1)),
        ("2024-02", at(2024, 2, 1), at(2024, 3, 1)),
        ("2023-02", at(2023, 2, 1), at(2023, 3, 1)),
        ("2024-12", at(2024, 12, 1), at(2025, 1, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2024-06-30T12:30", at(2024, 6, 30, 12, 30), at(2024, 6, 30, 12, 31)),
        ("2024-06-30T12:30Z", at(2024, 6, 30, 12, 30), at(2024, 6, 30, 12, 31)),
        ("2024-06-30T12:30:15Z", at(2024, 6, 30, 12, 30, 15), at(2024, 6, 30, 12, 30, 16)),
        ("2024-06-30T12:30:15.5Z", at(2024, 6, 30, 12, 30, 15, 500_000), at(2024, 6, 30, 12, 30, 15, 600_000)),
        ("2024-06-30T12:30:15.123Z", at(2024, 6, 30, 12, 30, 15, 123_000), at(2024, 6, 30, 12, 30, 15, 124_000)),
        ("2024-06-30T12:30:15.123456789Z", at(2024, 6, 30, 12, 30, 15, 123_456), at(2024, 6, 30, 12, 30, 15, 123_457)),
        ("2024-06-30T12:30:15+02:00", at(2024, 6, 30, 10, 30, 15), at(2024, 6, 30, 10, 30, 16)),
        ("2024-06-30T12:30:15-05:30", at(2024, 6, 30, 18, 0, 15), at(2024, 6, 30, 18, 0, 16)),
        ("2024-06-30T12:30:15 02:00", at(2024, 6, 30, 10, 30, 15), at(2024, 6, 30, 10, 30, 16)),
        ("2016-12-31T23:59:60Z", at(2016, 12, 31, 23, 59, 59), at(2017, 1, 1)),
        ("1900", at(1900, 1, 1), at(1901, 1, 1)),
        ("0001", at(1, 1, 1), at(2, 1, 1)),
        ("9999", at(9999, 1, 1), END_OF_TIME),
        ("9999-12", at(9999, 12, 1), END_OF_TIME),
        ("9999-12-31", at(9999, 12, 31), END_OF_TIME),
        ("9999-12-31T23:59:59Z", at(9999, 12, 31, 23, 59, 59), END_OF_TIME),
        ("9999-12-31T23:59:59.999999Z", END_OF_TIME - 1, END_OF_TIME),
    ],
)
def test_a_date_is_as_long_as_its_precision(text, low, high):
    assert interval(text) == (low, high)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_zone_may_lead_out_of_the_calendar(text):
    low, high = interval(text)
    assert high - low == SECOND
    assert instant(text) == low


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-1",
        "2024-13",
        "2024-00",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-06-30T",
        "2024-06-30T12",
        "2024-06-30T24:00",
        "2024-06-30T12:60",
        "2024-06-30T12:30:61Z",
        "2024-06-30T12:30:75Z",
        "2024-06-30T12:30:15.Z",
        "2024-06-30T12:30:15+14:01",
        "2024-06-30T12:30:15+15:00",
        "2024-06-30T12:30:15+02",
        "2024-06-30T12:30:15z",
        "2024-06-30 12:30",
        "2024-06-30Z",
        "0000",
        "-2024",
        "20240630",
        "06/30/2024",
        "2024-06-30\n",
        "٢٠٢٤",  # digits, but not those of FHIR
        "now",
    ],
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        interval(text)


@pytest.mark.parametrize("text", ["2024", "2024-06-30", "2024-06-30T12:30Z", "2024-06-30T12:30:15", None, 5, ["2024"]])
def test_an_instant_needs_seconds_and_a_zone(text):
    with pytest.raises(ValueError):
        instant(text)


@given(st.dates())
def test_days_months_and_years_follow_each_other_without_a_gap(day):
    low, high = interval(day.isoformat())
    assert high - low == DAY
    month, year = f"{day.year:04}-{day.month:02}", f"{day.year:04}"
    first_of_month, after_month = interval(month)
    first_of_year, after_year = interval(year)
    assert first_of_year <= first_of_month <= low < high <= after_month <= after_year
    assert (after_month - first_of_month) == monthrange(day.year, day.month)[1] * DAY
    assert (after_year - first_of_year) == (366 if isleap(day.year) else 365) * DAY
    if day.year < 9999:
        assert interval(f"{day.year + 1:04}")[0] == after_year


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones))
def test_an_instant_is_the_same_moment_in_every_zone(moment):
    known = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    text = moment.isoformat(timespec="microseconds")
    assert instant(text) == known
    assert interval(text) == (known, known + 1)
    assert interval(moment.isoformat(timespec="minutes")) == (
        known - moment.second * SECOND - moment.microsecond,
        known - moment.second * SECOND - moment.microsecond + MINUTE,
    )


@given(st.integers(-(2**70), 2**70))
def test_any_moment_is_written_as_an_instant(microseconds):
    written = instant(to_instant(microseconds))
    within = min(max(microseconds, instant("0001-01-01T00:00:00Z")), END_OF_TIME - 1)
    assert 0 <= within - written < 1000  # an instant has milliseconds


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text):
    try:
        low, high = interval(text)
    except ValueError:
        return
    assert low < high
