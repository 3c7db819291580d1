"""Which apps are registered, and what may each of them be?  (RFC 6749, 2; RFC 9700, 4.1)"""

import re
from secrets import token_hex
from urllib.parse import urlsplit

from oauthlib.uri_validate import is_absolute_uri
from sqlalchemy import func, select

from bb2.clock import now
from bb2.models import Client
from bb2.oauth import keys
from bb2.oauth.client_keys import checked_jwks
from bb2.oauth.errors import ClientError
from bb2.oauth.secrets import hashed, new_secret
from bb2.settings import is_loopback

ACCESS_CATEGORIES = ("one-time", "ongoing", "research")
# RFC 8252, 7.1: a private-use scheme is a domain name in reverse, so it holds a dot.
PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")
# RFC 8252, 7.3: a native app on a person's own machine listens on whatever port it gets.
LOOPBACK_ADDRESS = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:/.*)?)")


def add_client(
    db,
    registry,
    *,
    name,
    redirect_uris,
    scopes=None,
    asks_demographic=True,
    access="ongoing",
    public=False,
    jwks=None,
    jwks_uri=None,
    post_logout_redirect_uris=(),
    id_token_alg=keys.ALGORITHMS[0],
):
    """Register an app.  Returns (Client, secret): not kept, and None for an app that is public or has keys.

    `scopes` None: one scope of every family that is installed.  `jwks`: a JSON Web Key Set (dict).
    """
    has_keys = jwks is not None or jwks_uri is not None
    if public and has_keys:
        raise ClientError("a public client has no keys: leave one of the two out")
    secret = None if public or has_keys else new_secret()
    client = Client(
        client_id=token_hex(20),  # hexadecimal: it can be typed after a command without looking like an option
        name=checked_name(db, name),
        secret_hash=secret and hashed(secret),
        redirect_uris=checked_redirect_uris(redirect_uris),
        post_logout_redirect_uris=checked_post_logout_redirect_uris(post_logout_redirect_uris),
        id_token_alg=checked_id_token_alg(id_token_alg),
        scopes=checked_scopes(registry, scopes, asks_demographic),
        asks_demographic=asks_demographic,
        access=checked_access(access),
        created_at=now(db),
    )
    if has_keys:
        set_keys(client, jwks=jwks, jwks_uri=jwks_uri)
    db.add(client)
    db.flush()
    return client, secret


def set_keys(client, *, jwks=None, jwks_uri=None):
    """From now on this client proves who it is by these keys alone: a secret that it had stops."""
    if (jwks is None) == (jwks_uri is None):
        raise ClientError("give the keys themselves, or the URL where they are published: one of the two")
    client.jwks = None if jwks is None else checked_jwks(jwks)
    client.jwks_uri = None if jwks_uri is None else checked_jwks_uri(jwks_uri)
    client.secret_hash = None


def rotate_secret(client):
    """Give a confidential client a new secret, which is returned; the old one stops."""
    if client.secret_hash is None:
        has = "its keys" if client.has_keys else "nothing to keep: it is a public client"
        raise ClientError(f"{client.name} has no secret, but {has}")
    secret = new_secret()
    client.secret_hash = hashed(secret)
    return secret


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


def checked_name(db, name, client_id=None):
    """The name, without white space around it, if people can read it and no other app has it (ignoring case)."""
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > 80:
        raise ClientError("the name must be 1 to 80 printable characters")
    rival = select(Client).where(func.lower(Client.name) == name.lower(), Client.client_id != (client_id or ""))
    if db.scalars(rival).first():
        raise ClientError(f"another app is called {name!r} already")
    return name


def checked_redirect_uris(redirect_uris):
    if not redirect_uris:
        raise ClientError("at least one redirect URI is needed")
    for uri in redirect_uris:
        if problem := _uri_problem(uri):
            raise ClientError(f"redirect URI {uri!r}: {problem}")
    return list(dict.fromkeys(redirect_uris))


def checked_post_logout_redirect_uris(uris):
    """Where an app may send people whose session it has ended; what holds of a redirect URI holds of these."""
    return checked_redirect_uris(uris) if uris else []


def checked_id_token_alg(alg):
    if alg not in keys.ALGORITHMS:
        raise ClientError(f"unknown id_token algorithm {alg!r}; accepted: {', '.join(keys.ALGORITHMS)}")
    return alg


def checked_jwks_uri(uri):
    """Where an app publishes its keys: https, or http on loopback for a developer's own server (RFC 7591, 2)."""
    if problem := _uri_problem(uri, private_use=False):
        raise ClientError(f"jwks_uri {uri!r}: {problem}")
    return uri


def checked_scopes(registry, scopes, asks_demographic):
    if scopes is None:
        names = registry.one_of_each_family()
        return names if asks_demographic else [n for n in names if n not in registry.demographic(names)]
    if unknown := [name for name in scopes if name not in registry]:
        raise ClientError(f"unknown scopes {unknown}; installed: {' '.join(scope.name for scope in registry)}")
    return list(dict.fromkeys(scopes))


def checked_access(access):
    if access not in ACCESS_CATEGORIES:
        raise ClientError(f"unknown access category {access!r}; accepted: {', '.join(ACCESS_CATEGORIES)}")
    return access


def _uri_problem(uri, private_use=True):
    """What is wrong with a URI of an app, or None: https, http on loopback, or a private-use scheme; no fragment."""
    if not uri.isascii() or not uri.isprintable() or re.search(r'[\s"<>\\^`{|}*]', uri):
        return "it may hold no white space, wildcard or special character"
    try:
        url = urlsplit(uri)
        port = url.port  # raises ValueError for what is no port
    except ValueError:
        return "it is not a URL"
    if "#" in uri:
        return "it may have no fragment"
    if not is_absolute_uri(uri):
        return "it is not an absolute URI (RFC 3986, 4.3)"
    if {".", ".."} & set(url.path.split("/")):
        return "its path may hold no . or .., which browsers and servers take away"
    if url.username or url.password or port == 0:
        return "it may hold no user name, no password and no port 0"
    if url.scheme == "https" and url.hostname:
        return None
    if url.scheme == "http" and is_loopback(uri):
        return None
    if not private_use:
        return "it must be https, or http on a loopback address"
    if PRIVATE_USE_SCHEME.fullmatch(url.scheme):
        return None
    return "it must be https, http on a loopback address, or a private-use scheme such as org.example.app:/callback"
