"""Options that several commands have, and how they tell numbers."""

from datetime import UTC, datetime

import click


def options(*options):
    """Several options as one decorator."""

    def decorate(function):
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class Moment(click.ParamType):
    """A day, or a time, as ISO 8601 has it; UTC where it does not say."""

    name = "time"

    def convert(self, value, param, ctx):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; accepted: 2026-11-22, 2026-11-22T14:30:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
EXPORT = options(
    click.option("--since", type=Moment(), help="From this day or moment on (ISO 8601; UTC)."),
    click.option("--until", type=Moment(), help="The first day or moment that is left out."),
    JSON,
    click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
)


def counted(number, what):
    """`1 record`, `2 records`."""
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def csv_cell(value):
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"); numbers are as they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
