"""How is this app used?  A page of numbers for its developer, and each of its tables as a file."""

import csv
from collections import Counter
from io import StringIO

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.audit.days import Period
from bb2.clock import now
from bb2.developers.usage import DAYS, ENDS, Usage
from bb2.language import long_date
from bb2.openapi.fhir_errors import FHIR_ERRORS
from bb2.views.consent import screen_of
from bb2.views.developer.own_app import AppPage

USUAL = 30  # days
REFUSED = 400  # the least HTTP status of a call that was not answered
HIDDEN = "*"
ANSWERS = {
    "shared": "Yes, with who they are",
    "withheld": "Yes, without who they are",
    "approved": "Yes, on a page that did not ask for who they are",
    "declined": "No",
    "unanswered": "No answer",
}
ENDED = {
    "replaced": "The person connected anew",
    "stopped": "The person stopped it",
    "ended by the app": "Ended by the app",
    "ended by this service": "Ended by this service",
    "ran out": "Its time ran out",
}


@view_defaults(permission=NO_PERMISSION_REQUIRED, request_method=("GET", "HEAD"))
class UsagePage(AppPage):
    def __init__(self, request):
        super().__init__(request)
        asked = request.GET.get("days", "")
        self.period = Period.of(int(asked) if asked in map(str, DAYS) else USUAL, now(self.db))
        self.whole = request.registry["settings"].sandbox  # its people are synthetic

    @view_config(route_name="developer_app_usage")
    def show(self):
        usage, days = self.usage(), self.period.days
        found = series(usage.calls)
        return self.page(
            "usage",
            **vars(usage) | {"sharing": self.in_words(usage.sharing)},
            whole=self.whole,
            days=days,
            periods=DAYS,
            ends=ENDED,
            answers=ANSWERS,
            rate=rate,
            days_with_connections=usage.connections.days_with_any,
            series=found,
            most_calls=max((sum(parts[day] for parts in each) for each in found.values() for day in days), default=0),
            failed=failed(usage.calls),
        )

    @view_config(route_name="developer_app_usage_file")
    def file(self):
        table = self.request.matchdict["table"]
        rows = {"connections": self.connections, "choices": self.choices, "calls": self.calls, "errors": self.errors}
        if table not in rows:
            raise HTTPNotFound
        written = StringIO()
        for row in rows[table](self.usage()):
            csv.writer(written).writerow([HIDDEN if cell is None else cell for cell in row])
        name = f"{table}-{self.period.days[0]}-{self.period.days[-1]}.csv"
        disposition = f'attachment; filename="{name}"'
        return Response(written.getvalue(), content_type="text/csv", content_disposition=disposition)

    def usage(self):
        """Read on connections of its own: it may take a while, and SQLite's one writer is not kept from its work."""
        self.db.expunge_all()
        self.db.rollback()
        return Usage.of(self.request.registry["engine"], self.client, self.period, self.whole)

    def in_words(self, sharing):
        """[(what, in the words of the page that the app has now, how many share it, how many leave it out)]"""
        screen = screen_of(self.request, self.client, self.client.scopes, self.period.until)
        words = {("demographic", ""): "Who they are"}
        words |= {("line", line.family): line.consent for line in screen.lines}
        words |= {("sensitive", question.key): question.name for question in screen.questions}
        return [(words.get((kind, which), which), *counts) for kind, which, *counts in sharing]

    # The rows of the files

    def connections(self, usage):
        found = usage.connections
        what = ["given", *ENDS]
        yield ["day", *what, "active now"]
        yield ["all", *(found.total[each] for each in what), usage.active]
        if found.by_day is not None:
            yield from ([day, *(found.by_day[each][day] for each in what), ""] for day in found.days)

    def choices(self, usage):
        yield ["about", "answer", "number"]
        yield ["authorization pages", "all", usage.pages["seen"]]
        yield from (["authorization pages", answer, usage.pages[what]] for what, answer in ANSWERS.items())
        yield ["authorization requests", "went back without signing in", usage.cancelled]
        for what, shared, left_out in self.in_words(usage.sharing):
            yield [f"active connections: {what}", "shared", shared]
            yield [f"active connections: {what}", "left out", left_out]

    def calls(self, usage):
        found = usage.calls
        yield ["day", "endpoint", "status", "calls"]
        yield from (["all", *what, number] for what, number in found.total.items())
        for day in found.days if found.by_day is not None else ():
            yield from ([day, *what, counts[day]] for what, counts in sorted(found.by_day.items()) if counts[day])

    def errors(self, usage):
        yield ["error", "where", "times", "last day"]
        yield from ([f"{status} {code}", where, number, ""] for where, status, code, number in failed(usage.calls))
        for error, where, times, last in usage.refused:
            yield [error, where, times, long_date(last, "en", "medium")]


def failed(calls):
    """[(endpoint, status, its code in the error index, how often or None)] of calls that were not answered."""
    return [
        (endpoint, status, next((code.code for code in FHIR_ERRORS if status in code.statuses), ""), number)
        for (endpoint, status), number in calls.total.items()
        if status >= REFUSED
    ]


def series(calls):
    """{endpoint: [{day: calls that were answered}, {day: calls that were not}]}"""
    found = {}
    for (endpoint, status), counts in (calls.by_day or {}).items():
        found.setdefault(endpoint, [Counter(), Counter()])[status >= REFUSED].update(counts)
    return dict(sorted(found.items()))


def rate(part, *others):
    """`85 %`; "" where a number is left out, or there is none."""
    if None in (part, *others) or not sum((part, *others)):
        return ""
    return f"{round(100 * part / sum((part, *others)))} %"
