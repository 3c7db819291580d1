"""`bb2 report choices`: who was asked, what they chose, and that no small number can be worked out."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from bb2 import cli
from bb2.audit.choices import choices
from bb2.audit.suppression import LEAST, published
from bb2.cli.options import csv_cell
from bb2.clock import utcnow
from bb2.db import make_engine, reader
from bb2.models import AuditEvent, Base
from oauth.steps import EVERYTHING, another_app, answer, ask

DAY = datetime(2026, 11, 1, tzinfo=UTC)


# What is counted


def counted(server, *by, **period):
    with reader(server.engine).connect() as connection:
        return {found.group: found.counts for found in choices(connection, by, **period)}


def people(server):
    with reader(server.engine).connect() as connection:
        return [found.people for found in choices(connection)]


def test_each_answer_counts_once_as_what_it_was(make_server):
    server = make_server()
    server.approve(server.consent_page(EVERYTHING), share_demographic=True)
    server.approve(server.consent_page(EVERYTHING), share_demographic=False)
    answer(server.consent_page(EVERYTHING), "no")
    page = server.consent_page(EVERYTHING)
    server.get(f"{page.request.path}?lang=es")  # the same page, seen again
    server.consent_page(EVERYTHING, lang="en")
    ask(server, EVERYTHING)  # left before the page was seen
    server.approve(server.consent_page("openid"))  # was not asked
    assert counted(server) == {(): (1, 1, 1, 2)}
    assert people(server) == [(1, 1, 1, 1)]
    assert counted(server, "language") == {("en",): (1, 1, 1, 1), ("es",): (0, 0, 0, 1)}
    assert counted(server, "beneficiary") == {("new",): (1, 0, 0, 0), ("returning",): (0, 1, 1, 2)}


def test_choices_are_told_apart_by_app_and_by_the_default_in_force(make_server):
    server = make_server(settings={"bb2.demographic_default": "withhold"})
    other = another_app(server, name="Another App")
    server.approve(server.consent_page(EVERYTHING), share_demographic=False)
    other.approve(other.consent_page(EVERYTHING), share_demographic=True)
    assert counted(server, "app", "default") == {
        ("Another App", "withhold"): (1, 0, 0, 0),
        ("The App", "withhold"): (0, 1, 0, 0),
    }


def showings(number, *answers, at=DAY, default="share", client_id="app", first=0, people=None):
    """Rows of the trail: so many requests (of so many people), and as many answers as there are."""
    shown = {"language": "en", "demographic_default": default}
    for n in range(first, first + number):
        of_one = {"at": at, "correlation_id": f"{client_id} {default} {n}", "client_id": client_id}
        of_one["beneficiary_id"] = n % (people or n + 1)
        details = {"shown": shown, "asks_demographic": True, "returning": False}
        yield of_one | {"event": "consent.shown", "details": details}
        if answers:
            event, shared = answers[(n - first) % len(answers)]
            details = {} if shared is None else {"share_demographic": shared}
            yield of_one | {"event": event, "at": at + timedelta(minutes=5), "details": details}


SHARES, WITHHOLDS, DECLINES = ("consent.given", True), ("consent.given", False), ("consent.declined", None)


def test_a_request_belongs_to_the_time_in_which_its_page_was_last_shown(make_server):
    server = make_server()
    midnight = DAY + timedelta(days=1)
    with server.engine.begin() as connection:
        rows = [*showings(3, SHARES, at=DAY), *showings(4, WITHHOLDS, at=midnight, first=10)]
        rows += showings(5, DECLINES, at=midnight - timedelta(minutes=1), first=20)  # answered after midnight
        connection.execute(insert(AuditEvent), rows)
    assert counted(server, until=midnight) == {(): (3, 0, 5, 0)}
    assert counted(server, since=midnight) == {(): (0, 4, 0, 0)}
    assert counted(server, since=midnight + timedelta(days=1)) == {}


# What is published


def of_as_many(table):
    """As it is published when each count is of as many people."""
    return published(table, table)


def test_many_requests_of_few_people_are_a_small_count(make_server):
    server = make_server()
    with server.engine.begin() as connection:
        connection.execute(insert(AuditEvent), [*showings(40, SHARES, WITHHOLDS, people=14)])
    assert counted(server) == {(): (20, 20, 0, 0)}
    assert people(server) == [(7, 7, 0, 0)]
    assert published([(20, 20)], [(11, 10)]) == [[20, None, None]] * 2


def test_a_large_table_is_published_as_it_is_with_its_sums():
    assert of_as_many([[20, 30], [40, 50]]) == [[20, 30, 50], [40, 50, 90], [60, 80, 140]]


def test_a_sum_gives_no_small_count_away():
    assert of_as_many([[500, 60], [700, 3], [800, 90]]) == [
        [500, 60, 560],
        [700, None, None],
        [800, 90, 890],
        [2000, None, None],
    ]


def test_nobody_is_a_small_count_too():
    assert of_as_many([[100, 0]]) == [[100, None, None]] * 2


TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(0, 15), st.integers(0, 300)), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_what_is_published_is_true_and_fits_every_other_value_of_what_is_hidden(table):
    """Were each hidden count any other small one, the same would be published: so nothing tells which it is."""
    shown = of_as_many(table)
    for small in 0, LEAST - 1:
        other = [[count if count >= LEAST else small for count in row] for row in table]
        assert of_as_many(other) == shown
    full = [[*row, sum(row)] for row in table]
    full.append([sum(column) for column in zip(*full, strict=True)])
    for count, told in zip(chain(*full), chain(*shown), strict=True):
        assert told is None or told == count >= LEAST


# The command


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The folder of a server with a trail of many people."""
    folder = tmp_path_factory.mktemp("report")
    engine = make_engine(f"sqlite:///{folder}/bb2.sqlite")
    Base.metadata.create_all(engine)
    rows = [*showings(90, SHARES, WITHHOLDS, DECLINES), *showings(50, default="ask")]
    rows += showings(100, SHARES, WITHHOLDS, default="ask", first=50)
    rows += showings(4, SHARES, default="withhold", client_id="small")
    with engine.begin() as connection:
        connection.execute(insert(AuditEvent), rows)
    engine.dispose()
    return folder


@pytest.fixture
def report(state, monkeypatch, capsys):
    """A function that runs `bb2 report choices`, and returns what it printed."""
    monkeypatch.setenv("VAR", str(state))
    monkeypatch.chdir(state)

    def run(*options):
        monkeypatch.setattr("sys.argv", ["bb2", "report", "choices", *options])
        cli.main()
        return capsys.readouterr().out

    return run


def test_choices_are_reported_by_the_default_in_force(report):
    found = json.loads(report("--json"))
    assert [row["default"] for row in found] == ["ask", "share", "withhold", "total"]
    ask_first, share, withhold, total = found
    answers = ("asked", "shared", "withheld", "declined", "unanswered")
    assert [ask_first[answer] for answer in answers] == [None, 50, 50, None, 50]
    assert [share[answer] for answer in answers] == [None, 30, 30, 30, None]
    assert [withhold[answer] for answer in answers] == [None] * 5  # they are four
    assert [total[answer] for answer in answers] == [None] * 5  # less the others, a total would tell of the four


def test_the_same_is_told_as_a_table_and_as_csv(report):
    rows = json.loads(report("--by", "app", "--by", "default", "--json"))
    as_csv = list(csv.DictReader(io.StringIO(report("--by", "app", "--by", "default", "--csv"))))
    assert as_csv == [{name: "*" if value is None else str(value) for name, value in row.items()} for row in rows]
    heading, *lines = report("--by", "app", "--by", "default").splitlines()
    assert heading.split() == list(rows[0])
    assert [line.split() for line in lines[: len(rows)]] == [list(row.values()) for row in as_csv]
    assert lines[-2].startswith("Counted are requests")
    assert lines[-1].startswith("* of fewer than 11 people")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(text):
    assert csv_cell(text) == f"'{text}"
    assert [csv_cell(value) for value in ("an app", -1, None, "")] == ["an app", -1, None, ""]


def test_the_name_of_an_app_is_no_formula_in_the_csv(state, report):
    engine = make_engine(f"sqlite:///{state}/bb2.sqlite")
    with engine.begin() as connection:
        connection.execute(insert(AuditEvent), [*showings(1, client_id="=1+1", at=datetime(2019, 1, 1, tzinfo=UTC))])
    engine.dispose()
    row, _total = csv.DictReader(io.StringIO(report("--by", "app", "--csv", "--until", "2019-02-01")))
    assert row["app"] == "'=1+1"


def test_a_time_in_which_nobody_was_asked_is_told_so(report):
    assert report("--since", utcnow().isoformat()) == "Nobody was asked in this time.\n"
    assert json.loads(report("--until", "2018-01-01", "--json")) == []
