"""bb2 audit: search and export the audit trail."""

import csv
import json
import sys

import click
from sqlalchemy import select

from bb2.audit import EVENTS, UNTOLD
from bb2.audit.search import search
from bb2.cli.options import EXPORT, csv_cell
from bb2.db import reader
from bb2.models import Beneficiary

COLUMNS = ("id", "at", "event", "correlation_id", "client_id", "beneficiary_id", "consent_id", "details")


def add_to(command):
    command.add_command(audit)


@click.command()
@click.option("--client", "client_id", help="Client id of an app.")
@click.option("--patient", help="FHIR Patient.id of a beneficiary.")
@click.option("--event", type=click.Choice(sorted(EVENTS)), metavar="EVENT", help="Such as consent.given.")
@click.option("--correlation", "correlation_id", help="All that came of one authorization request.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest so many.")
@EXPORT
@click.pass_obj
def audit(state, patient, limit, as_json, as_csv, **asked):
    """Search the audit trail, or export it: oldest first."""
    with reader(state.engine).connect() as connection:
        person = _beneficiary_id(connection, patient) if patient is not None else None
        found = search(connection, beneficiary_id=person, newest=limit, **asked)
        (_print_json if as_json else _print_csv if as_csv else _print_table)(found)


def _beneficiary_id(connection, patient):
    found = connection.scalar(select(Beneficiary.id).where(Beneficiary.patient == patient))
    if found is None:
        raise click.ClickException(f"there is no beneficiary with the Patient.id {patient}")
    return found


def _print_table(rows):
    for row in rows:
        ids = {"client": row.client_id, "beneficiary": row.beneficiary_id, "consent": row.consent_id}
        told = {name: value for name, value in ids.items() if value is not None}
        told |= {name: value for name, value in row.details.items() if name not in UNTOLD}
        words = " ".join(f"{name}={_cell(value)}" for name, value in told.items())
        click.echo(f"{row.at:%Y-%m-%dT%H:%M:%SZ}  {row.event:21}  {row.correlation_id or '-':32}  {words}".rstrip())


def _cell(value):
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _print_json(rows):
    """An array, an event a line, however many there are."""
    before = "["
    for row in rows:
        click.echo(before + "\n" + json.dumps(row._asdict() | {"at": _text(row.at)}), nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


def _print_csv(rows):
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    for row in rows:
        out.writerow([row.id, _text(row.at), *map(csv_cell, row[2:-1]), json.dumps(row.details)])


def _text(moment):
    return moment.isoformat().replace("+00:00", "Z")
