"""Which apps can be played here?  The demo app, and those of the developer who is signed in that come back here."""

from dataclasses import dataclass

from bb2.developers.accounts import apps_of
from bb2.models import Client
from bb2.sandbox.demo import read_demo_client

DEMO = "demo"  #: what stands for the demo app in the form


@dataclass(frozen=True)
class OwnApps:
    """The apps of the developer who is signed in."""

    playable: tuple[Client, ...]  #: by name
    not_here: tuple[Client, ...]  #: have no redirect URI that leads here
    keyed: tuple[Client, ...]  #: prove who they are with a key, which no page asks for


def callback_of(request):
    """The redirect URI of every app that is played here."""
    return f"{request.registry['settings'].base_url}{request.route_path('testclient_callback')}"


def demo_app(request):
    """{"client_id", "client_secret", "name"}, or None."""
    return read_demo_client(request.registry["settings"].var)


def own_apps(request):
    developer = request.developer_browser.developer
    if developer is None:
        return OwnApps((), (), ())
    found = [client for client in apps_of(request.db, developer) if client.disabled_at is None]
    keyed = tuple(client for client in found if client.has_keys)
    rest = [client for client in found if not client.has_keys]
    here = callback_of(request)
    return OwnApps(
        tuple(client for client in rest if here in client.redirect_uris),
        tuple(client for client in rest if here not in client.redirect_uris),
        keyed,
    )
