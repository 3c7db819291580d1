"""bb2 keys: what signs id_tokens, now and next."""

import json
import time

import click

from bb2.cli.acts import record_act
from bb2.cli.options import JSON
from bb2.oauth import keys as signing_keys
from bb2.oauth.keys import ALGORITHMS, iso, signer, why_needed


def add_to(command):
    command.add_command(keys)


@click.group()
def keys():
    """Signing keys: list, make the next, retire."""


@keys.command("list")
@JSON
@click.pass_obj
def list_keys(state, as_json):
    """List every key that is published, and what each is for."""
    there, now = signing_keys.read_keys(state.settings.keys_folder), time.time()
    listed = [_described(there, key, now) for key in there]
    if as_json:
        click.echo(json.dumps(listed, indent=2))
        return
    for key in listed:
        click.echo(f"{key['kid']}  {key['alg']}  {key['status']}")


def _described(there, key, now):
    if key.signs_from > now and key is not signer(there, key.alg, now):
        status = f"is next, and signs id_tokens from {iso(key.signs_from)}"
    else:
        status = why_needed(there, key, now) or "may be retired"
    return {"kid": key.kid, "alg": key.alg, "signs_from": iso(key.signs_from), "status": status}


@keys.command()
@click.option("--alg", "algs", multiple=True, type=click.Choice(ALGORITHMS), help="Of this algorithm only.")
@click.pass_obj
def rotate(state, algs):
    """Make the next keys: published at once, and signing when every app has had the time to see them."""
    for alg in algs or ALGORITHMS:
        with state.transaction() as db:
            made = signing_keys.rotate(state.settings.keys_folder, alg, state.settings.key_publish_seconds)
            record_act(db, "key.made", kid=made.kid, alg=alg)
        click.echo(f"{made.kid}  {alg}  is published now, and signs id_tokens from {iso(made.signs_from)}")


@keys.command()
@click.argument("kid")
@click.option("--force", is_flag=True, help="Even if apps need it: a key that was stolen.")
@click.pass_obj
def retire(state, kid, force):
    """Publish a key no more.  Id_tokens that it signed are then refused by everybody."""
    with state.transaction() as db:
        signing_keys.retire(state.settings.keys_folder, kid, force)
        record_act(db, "key.retired", kid=kid, forced=force)
    click.echo(f"{kid} is retired.")
