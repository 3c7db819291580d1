"""bb2 client: the apps that may ask beneficiaries for their data."""

import json
from datetime import timedelta

import click
from sqlalchemy import select

from bb2.cli.acts import record_act
from bb2.cli.options import JSON, options
from bb2.models import Client
from bb2.oauth import client_checks, client_ends, clients, keys
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import MOST_READ, set_logo


def add_to(command):
    command.add_command(client)


@click.group()
def client():
    """Apps: register, list, change, switch off and on, delete."""


REGISTRATION = options(
    click.option("--name"),
    click.option("--redirect-uri", "redirect_uris", multiple=True, help="May be given several times."),
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        help="One or several; `set` replaces what it had.  Without, `add` takes one of each family, as .read.",
    ),
    click.option(
        "--demographic/--no-demographic", "asks_demographic", default=None, help="May it ask who the person is?"
    ),
    click.option("--access", type=click.Choice(client_checks.ACCESS_CATEGORIES), help="How long its access lasts."),
    click.option(
        "--post-logout-redirect-uri",
        "post_logout_redirect_uris",
        multiple=True,
        help="Where it may send people whose session it has ended.  May be given several times.",
    ),
    click.option("--id-token-alg", type=click.Choice(keys.ALGORITHMS), help="How its id_tokens are signed."),
    click.option("--jwks", type=click.File("rb"), help="The public keys with which it proves who it is: a JWK Set."),
    click.option("--jwks-uri", help="Or the URL where it publishes them."),
    click.option("--logo", type=click.File("rb"), help="A PNG or JPEG file: the picture that people see."),
    click.option("--website"),
    click.option("--privacy-policy"),
    click.option("--terms"),
    click.option("--description", help="What people read of the app, in its own words."),
    click.option("--support-email", help="Where people reach those who make it."),
    click.option("--support-phone"),
    JSON,
)


@client.command()
@REGISTRATION
@click.option("--public", is_flag=True, help="An app that cannot keep a secret.")
@click.pass_obj
def add(state, name, redirect_uris, scopes, asks_demographic, public, jwks, jwks_uri, logo, as_json, **details):
    """Register an app.  Its secret is printed here, once."""
    with state.transaction() as db:
        added, secret = clients.add_client(
            db,
            state.registry,
            name=name or "",
            redirect_uris=redirect_uris,
            scopes=_names(scopes) or None,
            asks_demographic=asks_demographic is not False,
            public=public,
            jwks=_read(jwks),
            jwks_uri=jwks_uri,
            **_given(details),
        )
        if logo:
            set_logo(db, added, logo.read(MOST_READ + 1))
        record_act(db, "client.registered", client_id=added.client_id)
    _show(added, as_json, secret)


@client.command("list")
@JSON
@click.pass_obj
def list_clients(state, as_json):
    """List every app."""
    with state.transaction() as db:
        there = select(Client).where(Client.deleted_at.is_(None)).order_by(Client.name)
        listed = [clients.described(found) for found in db.scalars(there)]
    if as_json:
        click.echo(json.dumps(listed, indent=2))
        return
    for found in listed:
        switched = "on" if found["active"] else "OFF"
        click.echo(f"{found['client_id']}  {switched:3}  {found['access']:9}  {found['name']}")


@client.command("set")
@click.argument("client_id")
@REGISTRATION
@click.option("--add-scope", "added", multiple=True, help="One or several, beside what it has.")
@click.option("--no-logo", is_flag=True, help="Take its picture away.")
@click.option("--remove-scope", "removed", multiple=True, help="One or several of what it has.")
@click.pass_obj
def change(
    state,
    client_id,
    scopes,
    added,
    removed,
    no_logo,
    jwks,
    jwks_uri,
    logo,
    as_json,
    name,
    asks_demographic,
    **details,
):
    """Change an app.  What is taken away holds at once, for the tokens that it has too; what is added needs people's
    new consent."""
    with state.transaction() as db:
        found = _find(db, client_id)
        before = clients.described(found)
        wanted = [*(_names(scopes) or found.scopes), *_names(added)]
        wanted = [scope for scope in wanted if scope not in _names(removed)]
        changes = {"name": name, "scopes": wanted, "asks_demographic": asks_demographic} | _given(details)
        clients.change_client(db, state.registry, found, **changes)
        if jwks or jwks_uri:
            clients.set_keys(found, jwks=_read(jwks), jwks_uri=jwks_uri)
        if logo and no_logo:
            raise ClientError("--logo and --no-logo: give one of the two")
        if logo or no_logo:
            set_logo(db, found, None if no_logo else logo.read(MOST_READ + 1))
        if changed := clients.changed(before, found):
            record_act(db, "client.changed", client_id=client_id, changed=changed)
    _show(found, as_json)


@client.command()
@click.argument("client_id")
@click.pass_obj
def disable(state, client_id):
    """Switch an app off: from now on it is refused everywhere."""
    with state.transaction() as db:
        found = _find(db, client_id)
        client_ends.switch_off(db, found, client_ends.OPERATOR)
        record_act(db, "client.disabled", client_id=client_id)
    click.echo(f"{found.name} is switched off.")


@client.command()
@click.argument("client_id")
@click.pass_obj
def enable(state, client_id):
    """Switch an app on again."""
    with state.transaction() as db:
        found = _find(db, client_id)
        client_ends.switch_on(found, client_ends.OPERATOR)
        record_act(db, "client.enabled", client_id=client_id)
    click.echo(f"{found.name} is switched on.")


@client.command()
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(state, client_id, yes):
    """Delete an app: its connections end, and its people are told.  There is no way back."""
    with state.transaction() as db:
        name = _find(db, client_id).name
    if not yes:
        click.confirm(f"Delete {name}, and end each of its connections?", abort=True)
    with state.transaction() as db:
        client_ends.delete_client(db, _find(db, client_id))
        record_act(db, "client.deleted", client_id=client_id)
    click.echo(f"{name} is deleted.")


@client.command("rotate-secret")
@click.argument("client_id")
@click.option("--overlap", is_flag=True, help="Let the old one do for a while, as bb2.secret_overlap_hours says.")
@JSON
@click.pass_obj
def rotate_secret(state, client_id, overlap, as_json):
    """Give an app a new secret, which is printed here, once; the old one stops."""
    with state.transaction() as db:
        found = _find(db, client_id)
        hours = state.settings.secret_overlap_hours if overlap else 0
        secret = clients.rotate_secret(db, found, timedelta(hours=hours))
        record_act(db, "client.secret_rotated", client_id=client_id, overlap_hours=hours)
    _show(found, as_json, secret)


def _names(given):
    """Scope names, however they are given: in several options, or in one with spaces between them."""
    return [name for words in given for name in words.split()]


def _read(file):
    """The JSON of a file that was named, or None."""
    try:
        return file and json.load(file)
    except ValueError:
        raise ClientError(f"{file.name} is not JSON") from None


def _given(details):
    """What was given of options that set something."""
    return {name: value for name, value in details.items() if value not in (None, ())}


def _find(db, client_id):
    found = clients.lock_client(db, client_id)
    if found is None or found.deleted_at:
        raise ClientError(f"there is no app with the client id {client_id}; `bb2 client list` shows them")
    return found


def _show(found, as_json, secret=None):
    described = (
        {"client_id": found.client_id} | ({"client_secret": secret} if secret else {}) | clients.described(found)
    )
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    for name, value in described.items():
        click.echo(f"{name:27}{' '.join(value) if isinstance(value, list) else value}")
    if secret:
        click.echo("\nKeep the secret now: it is not stored, and cannot be shown again.")
