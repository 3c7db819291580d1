"""bb2 beneficiary: sign-ins for people whose records are loaded, and what ends them."""

import sys

import click
import orjson

from bb2 import records_source
from bb2.cli.acts import record_act
from bb2.db import reader
from bb2.fhir.patients import name_of
from bb2.identity import closing
from bb2.identity.builtin import DirectoryError, add_account, has_account


def add_to(command):
    command.add_command(beneficiary)


@click.group()
def beneficiary():
    """Beneficiaries of the built-in account directory."""


@beneficiary.command()
@click.option("--patient", required=True, help="FHIR Patient.id of a loaded record.")
@click.option("--username", required=True)
@click.option("--another", is_flag=True, help="Also where the person has a sign-in already.")
@click.pass_obj
def add(state, patient, username, another):
    """Give a loaded person a sign-in.  Asks for the password, or takes it from standard input."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    given_name, family_name = name_of(_own_record(state, patient))
    with state.transaction() as db:
        if not another and has_account(db, patient):
            raise DirectoryError(f"the person {patient} has a sign-in already; --another gives them a second one")
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


def _own_record(state, patient):
    """The person's own record (a dict) from where the records are, of the newest version that has one."""
    source = records_source(state.settings, reader(state.engine))
    own = [resource for resource in state.registry.resources.values() if resource.patient_element == "id"]
    for version in reversed(state.settings.record_versions):
        for resource in own:
            if record := source.read(version, resource, patient, patient):
                return orjson.loads(record.body)
    hint = "`bb2 load` loads it" if state.settings.fhir_source == "sql" else "the other server does not have it"
    raise DirectoryError(f"there is no Patient record {patient}: {hint}")
