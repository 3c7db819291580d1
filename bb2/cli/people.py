"""bb2 beneficiary: sign-ins for people whose records are loaded, and what ends them."""

import json
import sys

import click
from sqlalchemy import select

from bb2.cli.acts import record_act
from bb2.identity import closing
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
        added = add_account(
            db,
            username=username,
            password=password,
            patient=patient,
            given_name=given_name,
            family_name=family_name,
        )
        record_act(db, "beneficiary.added", beneficiary_id=added.beneficiary_id)
    click.echo(f"{username} can sign in.")


PATIENT = click.option("--patient", required=True, help="FHIR Patient.id of the person.")


@beneficiary.command()
@PATIENT
@click.pass_obj
def close(state, patient):
    """Serve nothing more of a person: sign-in, sessions, consents and tokens end at once."""
    with state.transaction() as db:
        closed = closing.close(db, patient)
        record_act(db, "beneficiary.closed", beneficiary_id=closed.id)
    click.echo(f"The record of {patient} is closed.")


@beneficiary.command()
@PATIENT
@click.option("--into", required=True, help="FHIR Patient.id of the record that stays.")
@click.pass_obj
def merge(state, patient, into):
    """Close a person's record, as another one is theirs too: apps must ask anew, and get that one."""
    with state.transaction() as db:
        closed, stays = closing.merge(db, patient, into)
        record_act(db, "beneficiary.merged", beneficiary_id=closed.id, into=stays.id)
    click.echo(f"The record of {patient} was merged into {into}.")


@beneficiary.command()
@PATIENT
@click.pass_obj
def reopen(state, patient):
    """Let a person sign in again whose record was closed or merged; apps must ask anew."""
    with state.transaction() as db:
        opened = closing.reopen(db, patient)
        record_act(db, "beneficiary.reopened", beneficiary_id=opened.id)
    click.echo(f"The record of {patient} is open again.")


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
