"""Which apps are registered, and how does a registration change?  (RFC 6749, 2; RFC 9700, 4.1)"""

import re
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bb2.clock import DatabaseTime, now, remember
from bb2.db import can_be_known
from bb2.models import Client
from bb2.oauth import client_checks as checks
from bb2.oauth import keys
from bb2.oauth.client_keys import checked_jwks
from bb2.oauth.errors import ClientError
from bb2.oauth.secrets import hashed, new_secret

# RFC 8252, 7.3: a native app on a person's own machine listens on whatever port it gets.
LOOPBACK_ADDRESS = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:/.*)?)")
#: {column that is changed by itself: its check}
CHECKS = {
    "redirect_uris": checks.checked_redirect_uris,
    "post_logout_redirect_uris": checks.checked_post_logout_redirect_uris,
    "access": checks.checked_access,
    "id_token_alg": checks.checked_id_token_alg,
    "description": checks.checked_description,
    "website": partial(checks.checked_link, kind="website"),
    "privacy_policy": partial(checks.checked_link, kind="privacy policy"),
    "terms": partial(checks.checked_link, kind="terms"),
    "support_email": checks.checked_email,
    "support_phone": checks.checked_phone,
}
TOLD = (
    *("client_id", "name", "redirect_uris", "post_logout_redirect_uris", "id_token_alg", "scopes", "asks_demographic"),
    *("access", "public", "jwks_uri", "website", "privacy_policy", "terms", "description"),
    *("support_email", "support_phone", "logo"),
)
OF_PEOPLE = ("support_email", "support_phone")  #: may be somebody's own: the trail has no more than that they changed


def add_client(
    db,
    registry,
    *,
    name,
    redirect_uris,
    scopes=None,
    asks_demographic=True,
    public=False,
    jwks=None,
    jwks_uri=None,
    client_id=None,
    developer_id=None,
    **details,
):
    """Register an app.  Returns (Client, secret): not kept, and None for an app that is public or has keys.

    `scopes` None: one scope of every family that is installed.  `jwks`: a JSON Web Key Set (dict).
    `details`: others of CHECKS.
    """
    has_keys = jwks is not None or jwks_uri is not None
    if public and has_keys:
        raise ClientError("a public client has no keys: leave one of the two out")
    client = Client(
        client_id=client_id or token_hex(20),  # hexadecimal: after a command it does not look like an option
        name=checks.checked_name(db, name),
        scopes=checks.checked_scopes(registry, scopes, asks_demographic),
        asks_demographic=asks_demographic,
        developer_id=developer_id,
        created_at=now(db),
    )
    details = {"access": "ongoing", "id_token_alg": keys.ALGORITHMS[0], "post_logout_redirect_uris": ()} | details
    _set(client, redirect_uris=redirect_uris, **details)
    secret = None if public or has_keys else give_secret(client)
    if has_keys:
        set_keys(client, jwks=jwks, jwks_uri=jwks_uri)
    db.add(client)
    _write(db, client)
    return client, secret


def change_client(db, registry, client, *, name=None, scopes=None, asks_demographic=None, **details):
    """Change what an app is registered as.  Needs its lock.  None leaves name and scopes as they are.

    `details`: others of CHECKS.
    """
    if name is not None:
        client.name = checks.checked_name(db, name, client.client_id)
    asks_demographic = client.asks_demographic if asks_demographic is None else asks_demographic
    register_for(db, registry, client, client.scopes if scopes is None else scopes, asks_demographic)
    _set(client, **details)
    _write(db, client)


def _set(client, **details):
    for column, value in details.items():
        setattr(client, column, CHECKS[column](value))


def _write(db, client):
    """Of two apps that take a name at the same moment, the database refuses the second."""
    name = client.name
    try:
        db.flush()
    except IntegrityError as error:
        raise ClientError(f"another app is called {name!r} already") from error


def find_client(db, client_id):
    """The Client of this id, or None.  Its statement brings the database's time along, by which secrets end."""
    asked = select(Client, DatabaseTime()).where(Client.client_id == client_id)
    found, moment = (db.execute(asked).one_or_none() if can_be_known(client_id) else None) or (None, None)
    if found is not None:
        remember(db, moment)
    return found


def lock_client(db, client_id):
    """The Client of this id, or None.  Whoever else would change it waits until this transaction ends."""
    locked = {"key_share": True}  # who answers its authorization page need not wait
    return db.get(Client, client_id, with_for_update=locked) if can_be_known(client_id) else None


# What it may ask for


def register_for(db, registry, client, scopes, asks_demographic):
    """Let an app ask for these scopes from now on.  What it loses is closed at once, for whatever tokens are out.

    What it gets opens nothing under a consent of before, not even where it had it once: people said yes to an app
    that would lose it, or never had it.  So it is written down since when it has what is new; no consent is touched,
    however many there are, and nobody who answers at this moment can slip through.
    """
    scopes, moment = checks.checked_scopes(registry, scopes, asks_demographic, client.scopes), now(db)
    since = client.scopes_since or {}
    beginnings = {name: _since(registry, name, client.scopes, since, moment) for name in scopes}
    if scopes != client.scopes:
        client.scopes = scopes
        client.scopes_since = {name: start for name, start in beginnings.items() if start} or None
    if asks_demographic and not client.asks_demographic:
        client.asks_demographic_since = moment
    client.asks_demographic = asks_demographic


def _since(registry, name, had, since, moment):
    """Since when the app has this scope; None: from the beginning.  Another spelling of what it had is not new."""
    if name in had:
        return since.get(name)
    same = [since.get(other) for other in had if registry.covered(name, [other])]
    return min((start or "" for start in same), default=moment.isoformat()) or None


def registered_for(client, granted_at):
    """(scopes, asks_demographic): for what of its registration an app may use a consent that was given then.

    `client` has the columns of the table: a Client, or a row.
    """
    since, scopes = client.scopes_since, client.scopes
    if since:
        scopes = [name for name in scopes if name not in since or datetime.fromisoformat(since[name]) < granted_at]
    start = client.asks_demographic_since
    return scopes, client.asks_demographic and (start is None or start < granted_at)


def is_registered(client, redirect_uri):
    """True for a redirect URI of this app, to the letter; a public app may use any port of a loopback address."""
    if redirect_uri in client.redirect_uris:
        return True
    address = _without_port(redirect_uri)
    return client.public and address is not None and address in map(_without_port, client.redirect_uris)


def _without_port(uri):
    """A redirect URI on a loopback address without its port; None for any other."""
    found = LOOPBACK_ADDRESS.fullmatch(uri)
    return found and found[1] + found[2]


# How it proves who it is


def give_secret(client, secret=None):
    """From now on the app proves who it is by a secret alone, which is returned."""
    set_public(client)
    secret = secret or new_secret()
    client.secret_hash = hashed(secret)
    return secret


def set_keys(client, *, jwks=None, jwks_uri=None):
    """From now on this client proves who it is by these keys alone: a secret that it had stops."""
    if (jwks is None) == (jwks_uri is None):
        raise ClientError("give the keys themselves, or the URL where they are published: one of the two")
    jwks = None if jwks is None else checked_jwks(jwks)
    jwks_uri = None if jwks_uri is None else checks.checked_jwks_uri(jwks_uri)
    set_public(client)
    client.jwks, client.jwks_uri = jwks, jwks_uri


def set_public(client):
    """From now on the app proves nothing: a secret or keys that it had stop."""
    client.secret_hash = client.jwks = client.jwks_uri = None
    stop_previous_secret(client)


def rotate_secret(db, client, overlap=timedelta(0), secret=None):
    """Give a confidential client a new secret, which is returned.  The one before does for this while beside it.

    `secret`: this one, as random as `new_secret` makes them.
    """
    if client.secret_hash is None:
        has = "its keys" if client.has_keys else "nothing to keep: it is a public client"
        raise ClientError(f"{client.name} has no secret, but {has}")
    before = client.secret_hash
    secret = give_secret(client, secret)
    if overlap:
        client.previous_secret_hash, client.previous_secret_ends_at = before, now(db) + overlap
    return secret


def stop_previous_secret(client):
    """The secret before the present one counts no more."""
    client.previous_secret_hash = client.previous_secret_ends_at = None


# What is told of it


def described(client):
    """What an app is registered as, without anything secret: as JSON has it."""
    told = {name: getattr(client, name) for name in TOLD}
    told |= {"key_ids": [key["kid"] for key in (client.jwks or {}).get("keys", [])]}
    return told | {"active": client.disabled_at is None}


def changed(before, client):
    """What differs from what `described` said before, as the trail may have it."""
    differs = {name: value for name, value in described(client).items() if value != before[name]}
    return {name: "changed" if name in OF_PEOPLE and value else value for name, value in differs.items()}
