"""bb2 beneficiary: sign-ins for people whose records are loaded."""

import json
import sys

import click
from sqlalchemy import select

from bb2.identity.builtin import DirectoryError, add_account
from bb2.models import Record


def add_to(command):
    command.add_command(beneficiary)


@click.group()
def beneficiary():
    """Beneficiaries of the built-in account directory."""


@beneficiary.command()
@click.option("--patient", required=True, help="FHIR Patient.id of a loaded record.")
@click.option("--username", required=True)
@click.pass_obj
def add(state, patient, username):
    """Give a loaded person a sign-in.  Asks for the password, or takes it from standard input."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with state.transaction() as db:
        given_name, family_name = _name(db, patient)
        add_account(
            db,
            username=username,
            password=password,
            patient=patient,
            given_name=given_name,
            family_name=family_name,
        )
    click.echo(f"{username} can sign in.")


def _name(db, patient):
    """(given name, family name) of the person whose own record is loaded, in either version."""
    own = select(Record.body).where(Record.id == patient, Record.patient == patient).order_by(Record.version.desc())
    body = db.scalars(own).first()
    if body is None:
        raise DirectoryError(f"there is no Patient record {patient}: load it first, with `bb2 load`")
    names = json.loads(body).get("name")
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], dict) else {}
    given = name.get("given")
    given = given[0] if isinstance(given, list) and given else ""
    return _text(given), _text(name.get("family"))


def _text(value):
    return value if isinstance(value, str) else ""
