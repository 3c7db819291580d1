"""How is an app used?  Connections, what people chose, calls, refused token requests: counted, as they can be shown.

Where people are real, `whole` is False: then no number stands here that fewer than 11 people are behind, nor one that
would give such a number away; None stands for it.  Days are in US Eastern time, as in bb2.audit.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from json import loads

from sqlalchemy import Text, cast, distinct, func, literal, select, union_all

from bb2.audit.choices import OUTCOMES_OF_ALL, choices
from bb2.audit.suppression import LEAST, both, published
from bb2.db import reader
from bb2.developers.calls import calls
from bb2.models import AuditEvent, Consent
from bb2.oauth.consents import LIVE

DAYS = (7, 30, 90, 365)  #: the periods that can be looked at
BY = {"beneficiary": "stopped", "client": "ended by the app", "server": "ended by this service"}
ENDS = ("replaced", *BY.values(), "ran out")  #: how a connection ends
TIMES = func.coalesce(AuditEvent.details["count"].as_integer(), 1)


@dataclass(frozen=True)
class OverTime:
    """Counts by what was counted, in the whole period and by day; None: left out."""

    days: tuple[date, ...]
    total: dict  #: {what: how many, or None}
    by_day: dict | None  #: {what: {day: how many}}; None: of some day it would tell of too few people

    @classmethod
    def of(cls, period, rows, whole, people=None):
        """Of rows (what, day, how many, people).

        `people`: {what: how many in the whole period}; None: at least as many as on the fullest day.  Days are told
        all or not at all: one that is left out could be worked out from the others and the total.
        """
        by_day, at_least = defaultdict(Counter), Counter()
        for what, day, number, behind in rows:
            by_day[what][day] += number
            at_least[what] = max(at_least[what], behind)
        people = at_least if people is None else people
        total = {
            what: counts.total() if whole or people[what] >= LEAST else None for what, counts in sorted(by_day.items())
        }
        telling = whole or all(behind >= LEAST for *_what, behind in rows)
        return cls(period.days, total, dict(by_day) if telling else None)

    @property
    def days_with_any(self):
        """Newest first."""
        return [day for day in reversed(self.days) if any(counts[day] for counts in (self.by_day or {}).values())]


@dataclass(frozen=True)
class Usage:
    """What is told of one app and one period."""

    connections: OverTime  #: of "given" and of ENDS
    active: int | None  #: connections, now
    pages: dict  #: {one of OUTCOMES_OF_ALL, or "seen": of how many authorization pages, or None}
    cancelled: int  #: how often somebody went back to the app without signing in
    sharing: list  #: [(kind, which, how many share it, how many leave it out)], as `_sharing` has it
    calls: OverTime  #: of (endpoint, HTTP status)
    refused: list  #: [(error, endpoint, how often, when last)] of token requests, the most frequent first

    @classmethod
    def of(cls, engine, client, period, whole):
        """Of a Client and a Period."""
        calls = _calls(engine, client, period, whole)
        with reader(engine).connect() as connection:
            of_app = connection, client, period
            return cls(
                *_connections(*of_app, whole),
                pages=_pages(*of_app, whole),
                cancelled=_cancelled(*of_app),
                sharing=_sharing(connection, client, whole),
                calls=calls,
                refused=_refused(*of_app),
            )


# Connections


def _connections(connection, client, period, whole):
    people = {what: behind for what, _number, behind in connection.execute(_turns(client, period))}
    rows = [
        (what, date.fromisoformat(day), *counts)
        for what, day, *counts in connection.execute(_turns(client, period, by_day=True))
    ]
    found = OverTime.of(period, rows, whole, people)
    what = ("given", *ENDS)
    total = {each: found.total.get(each, 0 if whole else None) for each in what}
    by_day = None if found.by_day is None else {each: found.by_day.get(each, Counter()) for each in what}
    behind = func.count(distinct(Consent.beneficiary_id))
    active, active_people = connection.execute(select(func.count(), behind).where(*_live(client))).one()
    # Of an app that is no older than the period: what was given, less what ended, is what is active.
    gives_away = client.created_at >= period.begins and None in (total[each] for each in ENDS)
    shown = whole or (active_people >= LEAST and not gives_away)
    return OverTime(found.days, total, by_day), active if shown else None


def _live(client):
    return Consent.client_id == client.client_id, Consent.activated_at.is_not(None), *LIVE


def _turns(client, period, by_day=False):
    """SQL: (what became of connections, on which day if that is asked, how many, people)."""
    standing = Consent.revoked_at.is_(None), Consent.replaced_at.is_(None)
    turns = (
        ("given", Consent.activated_at),
        ("replaced", Consent.replaced_at),
        *((what, Consent.revoked_at, Consent.revoked_by == by) for by, what in BY.items()),
        ("ran out", Consent.expires_at, *standing),
    )
    return union_all(*(_turn(client, period, by_day, *turn) for turn in turns))


def _turn(client, period, by_day, what, at, *conditions):
    day = [period.day(at).label("day")] if by_day else []
    found = select(literal(what), *day, func.count(), func.count(distinct(Consent.beneficiary_id)))
    of_app = Consent.client_id == client.client_id, Consent.activated_at.is_not(None)
    return found.where(*of_app, *conditions, period.has(at)).group_by(*day)


# What people chose


def _pages(connection, client, period, whole):
    of_app = {"since": period.begins, "client_id": client.client_id, "outcomes": OUTCOMES_OF_ALL}
    found = choices(connection, **of_app)
    nothing = (0,) * len(OUTCOMES_OF_ALL)
    counts, people = (found[0].counts, found[0].people) if found else (nothing, nothing)
    shown = [*counts, sum(counts)] if whole else published([counts], [people])[0]
    return dict(zip((*OUTCOMES_OF_ALL, "seen"), shown, strict=True))


def _cancelled(connection, client, period):
    """Of those of whom nobody knows who it was, so nothing is left out."""
    often = _events(client, period, "consent.declined", func.sum(TIMES)).where(AuditEvent.beneficiary_id.is_(None))
    return int(connection.scalar(often.where(AuditEvent.details["answer"].as_string() == "cancel")) or 0)


def _sharing(connection, client, whole):
    """Of the connections that are active.  A person has one active connection with an app, so these are people.

    Who shares what is sensitive no app is told; it could look before and after somebody connects, and subtract.
    `kind`: "demographic"; "line", of a family of scopes; "sensitive", of a sensitivity.
    """
    texts = [cast(each, Text) for each in (Consent.left_out, Consent.share_sensitive)]
    alike = select(Consent.share_demographic, *texts, func.count()).where(*_live(client))
    found, left, chose = defaultdict(lambda: [0, 0]), Counter(), 0
    for demographic, left_out, sensitive, people in connection.execute(
        alike.group_by(Consent.share_demographic, *texts)
    ):
        if demographic is not None:
            found["demographic", ""][not demographic] += people
        for key, shared in (loads(sensitive or "null") or {}).items():
            found["sensitive", key][shared is not True] += people
        families = loads(left_out or "null")
        chose += people * (families is not None)
        left.update(dict.fromkeys(families or (), people))
    found |= {("line", family): [chose - people, people] for family, people in left.items()}
    hidden = (None, None)
    told = {what: whole or (what[0] != "sensitive" and both(*pair)) for what, pair in found.items()}
    return [(*what, *(pair if told[what] else hidden)) for what, pair in sorted(found.items())]


# Calls


def _calls(engine, client, period, whole):
    """No sums stand beside the numbers, so none has to be left out."""
    rows = calls(engine, client.client_id, period)
    return OverTime.of(period, [(_named(row), row.day, row.calls, row.people) for row in rows], whole)


def _named(row):
    """(endpoint, status)"""
    endpoint = row.kind if "/" in row.kind else f"{row.kind} {row.interaction.removesuffix('-type')}"
    return endpoint, row.outcome


def _refused(connection, client, period):
    """They tell what the app did, which has had each answer, and nothing of people: none is left out."""
    what = [AuditEvent.details[name].as_string().label(name) for name in ("error", "endpoint")]
    found = _events(client, period, "token.refused", *what, func.sum(TIMES), func.max(AuditEvent.at)).group_by(*what)
    rows = [(error, endpoint, int(times), last) for error, endpoint, times, last in connection.execute(found)]
    return sorted(rows, key=lambda row: (-row[2], row[:2]))


def _events(client, period, event, *columns):
    found = select(*columns).select_from(AuditEvent).where(AuditEvent.client_id == client.client_id)
    return found.where(AuditEvent.event == event, period.has(AuditEvent.at))
