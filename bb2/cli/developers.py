"""bb2 developer: what an operator does for an app developer who called."""

import click

from bb2.cli.acts import record_act
from bb2.developers import accounts, second_factor
from bb2.developers.sessions import end_sessions


def add_to(command):
    command.add_command(developer)


@click.group()
def developer():
    """App developers with an account of their own."""


@developer.command("remove-factors")
@click.argument("email")
@click.pass_obj
def remove_factors(state, email):
    """Take off the second factor of who lost it, and sign them out; the password stays, and they are told by mail."""
    with state.transaction() as db:
        found = accounts.find(db, email)
        if found is None or accounts.lock(db, found.id) is None:
            raise click.ClickException("there is no developer with this e-mail address")
        second_factor.remove_all(db, found)
        end_sessions(db, found.id)
        record_act(db, "developer.factor_removed", developer_id=found.id, factor="all")
    click.echo("The password alone opens the account again.")
