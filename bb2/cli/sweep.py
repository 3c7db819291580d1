"""bb2 sweep: take out what no check needs any more."""

import json

import click

from bb2.cli.options import JSON
from bb2.sweep import sweep as take_out


def add_to(command):
    command.add_command(sweep)


@click.command()
@JSON
@click.pass_obj
def sweep(state, as_json):
    """Take out expired sessions, requests, codes, tokens and counts, as a running server does every ten minutes."""
    swept = take_out(state.engine, state.settings)
    if as_json:
        click.echo(json.dumps(swept, indent=2))
        return
    for name, rows in swept.items():
        click.echo(f"{name:24}{rows}")
