"""The demo client of a sandbox: registered like any app, its secret kept in a file as an app's developer would."""

import json
import os

from bb2.models import Client
from bb2.models.apps import name_key
from bb2.oauth.clients import add_client, register_for, rotate_secret

NAME = "Carely"
VIEWER = "API documentation"
LINKS = {
    "website": "https://carely.example",
    "privacy_policy": "https://carely.example/privacy",
    "terms": "https://carely.example/terms",
}
FILE = "demo-client.json"


def ensure_demo_client(db, registry, var, base_url):
    """Register the demo client, or bring it up to date: it asks for whatever is installed.

    Returns {"client_id", "client_secret", "name"}.
    """
    callback = f"{base_url}/testclient/callback"
    kept = read_demo_client(var)
    client = db.get(Client, kept["client_id"]) if kept else None
    if client is None or client.deleted_at:
        client, secret = _register(db, registry, callback)
        kept = {"client_id": client.client_id, "client_secret": secret, "name": client.name}
        _write(var, kept)
    client.redirect_uris = _with(client.redirect_uris, [callback])
    register_for(db, registry, client, _with(client.scopes, registry.one_of_each_family()), client.asks_demographic)
    return kept


def ensure_viewer(db, registry, base_url):
    """Register the viewer of the API's documentation as an app without a secret, or bring it up to date."""
    client = db.query(Client).filter_by(name_key=name_key(VIEWER)).one_or_none()
    if client is not None and client.developer_id is not None:
        return  # a developer was quicker to take the name: their app is none of ours to change
    answered = [f"{base_url}/docs/api/signed-in"]
    if client is None:
        links = {"website": f"{base_url}/docs/api"}
        client, _secret = add_client(db, registry, name=VIEWER, redirect_uris=answered, public=True, **links)
    client.redirect_uris = answered
    register_for(db, registry, client, _with(client.scopes, registry.one_of_each_family()), client.asks_demographic)


def read_demo_client(var):
    """What the demo client knows of itself, or None."""
    path = var / FILE
    return json.loads(path.read_text()) if path.exists() else None


def _register(db, registry, callback):
    """A new registration; one whose file was lost gets a new secret."""
    lost = db.query(Client).filter_by(name_key=name_key(NAME), developer_id=None).one_or_none()
    if lost is not None:
        return lost, rotate_secret(db, lost)
    return add_client(db, registry, name=NAME, redirect_uris=[callback], **LINKS)


def _with(listed, more):
    """The list with what it lacks."""
    return list(dict.fromkeys([*listed, *more]))


def _write(var, kept):
    unfinished = var / f"{FILE}.part"
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file)
    unfinished.rename(var / FILE)
