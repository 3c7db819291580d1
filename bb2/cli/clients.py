"""bb2 client: the apps that may ask beneficiaries for their data."""

import json

import click
from sqlalchemy import select

from bb2.cli.acts import record_act
from bb2.cli.options import JSON, options
from bb2.clock import now
from bb2.models import Client
from bb2.oauth import clients, keys
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import MOST_READ, set_logo


def add_to(command):
    command.add_command(client)


@click.group()
def client():
    """Apps: register, list, change, switch off and on."""


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
    click.option("--access", type=click.Choice(clients.ACCESS_CATEGORIES), help="How long its access lasts."),
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
    JSON,
)


@client.command()
@REGISTRATION
@click.option("--public", is_flag=True, help="An app that cannot keep a secret.")
@click.pass_obj
def add(
    state,
    name,
    redirect_uris,
    scopes,
    asks_demographic,
    access,
    post_logout_redirect_uris,
    id_token_alg,
    public,
    jwks,
    jwks_uri,
    logo,
    as_json,
    **links,
):
    """Register an app.  Its secret is printed here, once."""
    with state.transaction() as db:
        added, secret = clients.add_client(
            db,
            state.registry,
            name=name or "",
            redirect_uris=redirect_uris,
            scopes=_names(scopes) or None,
            asks_demographic=asks_demographic is not False,
            access=access or "ongoing",
            public=public,
            jwks=_read(jwks),
            jwks_uri=jwks_uri,
            post_logout_redirect_uris=post_logout_redirect_uris,
            id_token_alg=id_token_alg or keys.ALGORITHMS[0],
        )
        _set_links(added, links)
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
        listed = [_described(found) for found in db.scalars(select(Client).order_by(Client.name))]
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
    name,
    redirect_uris,
    scopes,
    added,
    removed,
    no_logo,
    asks_demographic,
    access,
    post_logout_redirect_uris,
    id_token_alg,
    jwks,
    jwks_uri,
    logo,
    as_json,
    **links,
):
    """Change an app.  What is taken away holds at once, for the tokens that it has too."""
    with state.transaction() as db:
        found = _find(db, client_id)
        before = _described(found)
        if name is not None:
            found.name = clients.checked_name(db, name, client_id)
        if redirect_uris:
            found.redirect_uris = clients.checked_redirect_uris(redirect_uris)
        if asks_demographic is not None:
            found.asks_demographic = asks_demographic
        wanted = [*(_names(scopes) or found.scopes), *_names(added)]
        wanted = [scope for scope in wanted if scope not in _names(removed)]
        if wanted != found.scopes:
            found.scopes = clients.checked_scopes(state.registry, wanted, found.asks_demographic)
        if access is not None:
            found.access = clients.checked_access(access)
        if post_logout_redirect_uris:
            found.post_logout_redirect_uris = clients.checked_post_logout_redirect_uris(post_logout_redirect_uris)
        if id_token_alg is not None:
            found.id_token_alg = clients.checked_id_token_alg(id_token_alg)
        if jwks or jwks_uri:
            clients.set_keys(found, jwks=_read(jwks), jwks_uri=jwks_uri)
        _set_links(found, links)
        if logo and no_logo:
            raise ClientError("--logo and --no-logo: give one of the two")
        if logo or no_logo:
            set_logo(db, found, None if no_logo else logo.read(MOST_READ + 1))
        changed = {name: value for name, value in _described(found).items() if value != before[name]}
        if changed:
            record_act(db, "client.changed", client_id=client_id, changed=changed)
    _show(found, as_json)


@client.command()
@click.argument("client_id")
@click.pass_obj
def disable(state, client_id):
    """Switch an app off: from now on it is refused everywhere."""
    with state.transaction() as db:
        found = _find(db, client_id)
        found.disabled_at = found.disabled_at or now(db)
        record_act(db, "client.disabled", client_id=client_id)
    click.echo(f"{found.name} is switched off.")


@client.command()
@click.argument("client_id")
@click.pass_obj
def enable(state, client_id):
    """Switch an app on again."""
    with state.transaction() as db:
        found = _find(db, client_id)
        found.disabled_at = None
        record_act(db, "client.enabled", client_id=client_id)
    click.echo(f"{found.name} is switched on.")


@client.command("rotate-secret")
@click.argument("client_id")
@JSON
@click.pass_obj
def rotate_secret(state, client_id, as_json):
    """Give an app a new secret, which is printed here, once; the old one stops."""
    with state.transaction() as db:
        found = _find(db, client_id)
        secret = clients.rotate_secret(found)
        record_act(db, "client.secret_rotated", client_id=client_id)
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


def _find(db, client_id):
    found = db.get(Client, client_id)
    if found is None:
        raise ClientError(f"there is no app with the client id {client_id}; `bb2 client list` shows them")
    return found


def _set_links(found, links):
    for name, value in links.items():
        if value is not None:
            if not value.startswith("https://"):
                raise ClientError(f"{name} must be an https URL")
            setattr(found, name, value)


def _described(found):
    return {
        "client_id": found.client_id,
        "name": found.name,
        "redirect_uris": found.redirect_uris,
        "post_logout_redirect_uris": found.post_logout_redirect_uris,
        "id_token_alg": found.id_token_alg,
        "scopes": found.scopes,
        "asks_demographic": found.asks_demographic,
        "access": found.access,
        "public": found.public,
        "jwks_uri": found.jwks_uri,
        "key_ids": [key["kid"] for key in (found.jwks or {}).get("keys", [])],
        "website": found.website,
        "privacy_policy": found.privacy_policy,
        "terms": found.terms,
        "logo": found.logo,
        "active": found.disabled_at is None,
    }


def _show(found, as_json, secret=None):
    described = {"client_id": found.client_id} | ({"client_secret": secret} if secret else {}) | _described(found)
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    for name, value in described.items():
        click.echo(f"{name:27}{' '.join(value) if isinstance(value, list) else value}")
    if secret:
        click.echo("\nKeep the secret now: it is not stored, and cannot be shown again.")
