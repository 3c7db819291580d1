"""bb2 report: numbers that a decision can be made with, and no person be recognized by."""

import csv
import json
import sys

import click

from bb2.audit.choices import DIMENSIONS, OUTCOMES, choices
from bb2.audit.suppression import LEAST, published
from bb2.cli.options import EXPORT, csv_cell
from bb2.db import reader

HIDDEN = "*"


def add_to(command):
    command.add_command(report)


@click.group()
def report():
    """Numbers from the audit trail."""


@report.command("choices")
@click.option(
    "--by",
    type=click.Choice(list(DIMENSIONS)),
    multiple=True,
    default=("default",),
    show_default=True,
    help="May be given several times.",
)
@EXPORT
@click.pass_obj
def report_choices(state, by, since, until, as_json, as_csv):
    """Count the requests that asked people for personal information, and what they chose.

    Each request counts once, so a person may count several times.  What fewer than 11 people are behind is left out.
    """
    by = tuple(dict.fromkeys(by))
    with reader(state.engine).connect() as connection:
        found = choices(connection, by, since, until)
    rows = _named(by, found)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif as_csv:
        out = csv.DictWriter(sys.stdout, [*by, "asked", *OUTCOMES])
        out.writeheader()
        out.writerows([{name: csv_cell(_cell(value)) for name, value in row.items()} for row in rows])
    else:
        _print_table(by, rows)


def _named(by, found):
    """[{group …, "asked", each outcome}], the totals last; None for a count that is not published."""
    if not found:
        return []
    groups = [dict(zip(by, row.group, strict=True)) for row in found] + [dict.fromkeys(by, "total")]
    counts = published([row.counts for row in found], [row.people for row in found])
    return [
        group | {"asked": asked} | dict(zip(OUTCOMES, outcomes, strict=True))
        for group, (*outcomes, asked) in zip(groups, counts, strict=True)
    ]


def _cell(value):
    return HIDDEN if value is None else value


def _print_table(by, rows):
    if not rows:
        click.echo("Nobody was asked in this time.")
        return
    lines = [[*by, "asked", *OUTCOMES], *([str(_cell(value)) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        click.echo("  ".join(cell.ljust(w) if i < len(by) else cell.rjust(w) for i, (cell, w) in enumerate(cells)))
    click.echo("\nCounted are requests, each once, as its page stood last; a person may have had several.")
    if any(None in row.values() for row in rows):
        click.echo(f"{HIDDEN} of fewer than {LEAST} people, or a sum that has such a number in it")
