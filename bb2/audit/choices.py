"""What did people choose when they were asked to share who they are?  Counted from the trail."""

from dataclasses import dataclass

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import aliased

from bb2.models import AuditEvent, Client

ANSWERS = ("consent.given", "consent.declined")
#: What became of a page that asked; together they are all that were asked.
OUTCOMES = ("shared", "withheld", "declined", "unanswered")
#: What became of any page: with `approved`, a Yes to a page that had no such question.
OUTCOMES_OF_ALL = ("shared", "withheld", "approved", "declined", "unanswered")

Shown, Answer = aliased(AuditEvent, name="shown"), aliased(AuditEvent, name="answer")
_GIVEN, _SHARED = Answer.event == "consent.given", Answer.details["share_demographic"].as_boolean()
_IS = {
    "shared": _GIVEN & _SHARED,
    "withheld": _GIVEN & ~_SHARED,
    "approved": _GIVEN & _SHARED.is_(None),
    "declined": Answer.event == "consent.declined",
    "unanswered": Answer.id.is_(None),
}
#: By what the counts may be broken down.
DIMENSIONS = {
    "app": func.coalesce(Client.name, Shown.client_id),
    "language": Shown.details["shown", "language"].as_string(),
    "default": Shown.details["shown", "demographic_default"].as_string(),
    "beneficiary": case((Shown.details["returning"].as_boolean(), "returning"), else_="new"),
}


@dataclass(frozen=True)
class Choices:
    """The requests of one group that asked, and what became of how many, in the order of OUTCOMES."""

    group: tuple[str, ...]
    counts: tuple[int, ...]
    people: tuple[int, ...]  #: how many different people are behind each count


def choices(connection, by=(), since=None, until=None, *, client_id=None, outcomes=OUTCOMES):
    """[Choices], in one query; `by` names DIMENSIONS; `client_id`: of one app.

    An authorization request counts once, as the page stood that was shown last; it belongs to the period in which that
    was.  Pages without a choice about personal information count only among OUTCOMES_OF_ALL.
    """
    groups = [DIMENSIONS[name] for name in by]
    shown, answer = _last(["consent.shown"], since, client_id), _last(ANSWERS, since, client_id)
    counted = (
        select(
            *groups,
            *(func.sum(case((_IS[outcome], 1), else_=0)) for outcome in outcomes),
            *(func.count(distinct(case((_IS[outcome], Shown.beneficiary_id)))) for outcome in outcomes),
        )
        .select_from(shown)
        .join(Shown, Shown.id == shown.c.id)
        .outerjoin(answer, answer.c.correlation_id == shown.c.correlation_id)
        .outerjoin(Answer, Answer.id == answer.c.id)
        .outerjoin(Client, Client.client_id == Shown.client_id)
        .group_by(*groups)
        .order_by(*groups)
    )
    if outcomes == OUTCOMES:
        counted = counted.where(Shown.details["asks_demographic"].as_boolean())
    if until is not None:
        counted = counted.where(Shown.at < until)
    rows = connection.execute(counted).all()
    first, last = len(by), len(by) + len(outcomes)
    return [Choices(*map(tuple, (row[:first], row[first:last], row[last:]))) for row in rows if any(row[first:last])]


def _last(events, since, client_id):
    """The last of these events in each authorization request: its `correlation_id` and `id`, as a table.

    As one to join: to look for each id in a list of them, as `IN` has it, takes the square of their number.
    """
    found = select(AuditEvent.correlation_id, func.max(AuditEvent.id).label("id")).where(AuditEvent.event.in_(events))
    found = found.where(AuditEvent.correlation_id.is_not(None)).group_by(AuditEvent.correlation_id)
    if client_id is not None:
        found = found.where(AuditEvent.client_id == client_id)
    return (found if since is None else found.where(AuditEvent.at >= since)).subquery()
