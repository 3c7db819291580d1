"""bb2 personas, bb2 sandbox: who there is to sign in as; a person made anew; time that goes by."""

import json
from collections import Counter
from itertools import islice

import click
from sqlalchemy import select

from bb2.cli.acts import record_act
from bb2.cli.options import JSON, counted
from bb2.models import Sandbox, SandboxPerson
from bb2.sandbox import PERSONAS
from bb2.sandbox.fill import SandboxError, recipe, reset_person, synthetic
from bb2.sandbox.identifiers import username_of
from bb2.sandbox.weeks import advance as advance_person

NO_ACCOUNT = "--------"  #: in the place of a password
TOGETHER = 5  #: people who are brought on in one transaction: while it is open, nobody can sign in on SQLite


def add_to(command):
    command.add_command(personas)
    command.add_command(sandbox)


@click.command()
@JSON
@click.pass_obj
def personas(state, as_json):
    """List the synthetic people who were made to show one thing or another, and how to sign in as them."""
    _only_in_a_sandbox(state)
    rows = [
        {"name": name, "username": persona.username, "password": persona.password, "shows": persona.shows}
        for name, persona in PERSONAS.items()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['username']}  {row['password'] or NO_ACCOUNT}  {row['shows']}")


@click.group()
def sandbox():
    """What can be done with synthetic people, and with nobody else."""


@sandbox.command()
@click.argument("username")
@click.pass_obj
def reset(state, username):
    """Make a synthetic person anew: records, password, and no connected app, as at first."""
    _only_in_a_sandbox(state)
    with state.transaction() as db:
        person = synthetic(db, username)
        beneficiary_id = person.beneficiary_id
        records = reset_person(db, _recipe(db), person, state.registry.resources, state.sensitivities)
        record_act(db, "beneficiary.reset", beneficiary_id=beneficiary_id)
    click.echo(f"{username} is as new: {records} records, and no connected app.")


@sandbox.command()
@click.option("--weeks", type=click.IntRange(1, 52), default=1, show_default=True, help="How many weeks go by.")
@click.option("--person", "username", metavar="USERNAME", help="For one person only.  Default: for everyone.")
@click.pass_obj
def advance(state, weeks, username):
    """Let time go by: new claims come, and some earlier ones are processed anew."""
    _only_in_a_sandbox(state)
    with state.transaction() as db:
        of = _recipe(db)
        listed = select(SandboxPerson.number).order_by(SandboxPerson.number)
        numbers = [synthetic(db, username).number] if username else db.scalars(listed).all()
    came, people = Counter(), []
    with click.progressbar(length=len(numbers), label=f"{counted(weeks, 'week')} go by", hidden=bool(username)) as bar:
        for together in _some(numbers):
            with state.transaction() as db:
                for number in together:
                    person = db.get(SandboxPerson, number)
                    brought = advance_person(db, of, person, weeks, state.registry.resources, state.sensitivities)
                    came += brought
                    people += [number] if brought.total() else []
            bar.update(len(together))
    click.echo(f"{counted(came['new'], 'new claim')}, {came['adjusted']} processed anew, of {_told(people)}.")


def _some(numbers):
    numbers = iter(numbers)
    return iter(lambda: list(islice(numbers, TOGETHER)), [])


def _told(people):
    """How many people, and a few of them by name, for whoever wants to look."""
    names = ", ".join(username_of(number) for number in people[:3])
    more = ", …" if len(people) > 3 else ""
    many = "1 person" if len(people) == 1 else f"{len(people)} people"
    return f"{many} ({names}{more})" if people else "nobody: more weeks bring more"


def _only_in_a_sandbox(state):
    if not state.settings.sandbox:
        raise SandboxError("this server is no sandbox (bb2.sandbox): nobody in it is made up")


def _recipe(db):
    if db.get(Sandbox, 1) is None:
        raise SandboxError("there are no synthetic people yet: `bb2 init` makes them")
    return recipe(db)
