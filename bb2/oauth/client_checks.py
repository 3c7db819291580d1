"""What may stand in an app's registration?  Each check returns what is kept; ClientError says what to mend."""

import re
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from oauthlib.uri_validate import is_absolute_uri
from sqlalchemy import select

from bb2.models import Client
from bb2.models.apps import name_key
from bb2.oauth import keys
from bb2.oauth.errors import ClientError
from bb2.settings import is_loopback

ACCESS_CATEGORIES = ("one-time", "ongoing", "research")
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_URI, MOST_URIS = 80, 300, 1000, 20
# RFC 8252, 7.1: a private-use scheme is a domain name in reverse, so it holds a dot.
PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")
PHONE = re.compile(r"\+?[0-9(][0-9 ().\-]{5,24}( ?(x|ext\.?) ?[0-9]{1,6})?")
#: Letters that show nothing: Hangul fillers, and the blank of Braille.
BLANK = re.compile("[\u115f\u1160\u3164\uffa0\u2800]")


def checked_name(db, name, client_id=None):
    """The name, without white space around it, if people can read it and no other app has it (ignoring case)."""
    name = " ".join(name.split())
    if not _readable(name) or len(name) > LONGEST_NAME:
        raise ClientError(f"the name must be 1 to {LONGEST_NAME} printable characters")
    rival = select(Client.client_id).where(Client.name_key == name_key(name), Client.client_id != (client_id or ""))
    if db.scalars(rival).first():
        raise ClientError(f"another app is called {name!r} already")
    return name


def _readable(text):
    """It says something, and has no control characters, none that turn the direction, and none that show nothing."""
    return text.isprintable() and BLANK.search(text) is None and any(map(str.isalnum, text))


def checked_description(text):
    """A few words for people; None for none."""
    text = " ".join((text or "").split())
    if text and not (_readable(text) and len(text) <= LONGEST_DESCRIPTION):
        raise ClientError(f"the description must be at most {LONGEST_DESCRIPTION} printable characters")
    return text or None


def checked_redirect_uris(redirect_uris, kind="redirect URI"):
    """The URIs, each once.  The error names every one that will not do."""
    if not redirect_uris:
        raise ClientError(f"at least one {kind} is needed")
    if len(redirect_uris) > MOST_URIS:
        raise ClientError(f"at most {MOST_URIS} {kind}s")
    wrong = [f"{kind} {uri!r}: {problem}" for uri in redirect_uris if (problem := _uri_problem(uri))]
    if wrong:
        raise ClientError("; ".join(wrong))
    return list(dict.fromkeys(redirect_uris))


def checked_post_logout_redirect_uris(uris):
    """Where an app may send people whose session it has ended; what holds of a redirect URI holds of these."""
    return checked_redirect_uris(uris, "post-logout redirect URI") if uris else []


def checked_link(uri, kind):
    """A page of the app's people, such as its privacy policy; None for none.  Nothing that a click could run."""
    uri = (uri or "").strip()
    if uri and (problem := _uri_problem(uri, private_use=False)):
        raise ClientError(f"{kind} {uri!r}: {problem}")
    return uri or None


def checked_email(address):
    """Where people reach those who make the app; None for none.  No name server is asked."""
    try:
        return (
            validate_email(address.strip(), check_deliverability=False).normalized if (address or "").strip() else None
        )
    except EmailNotValidError:
        raise ClientError("the support e-mail must look like name@example.com") from None


def checked_phone(number):
    number = " ".join((number or "").split())
    if number and not PHONE.fullmatch(number):
        raise ClientError("the support phone must be a telephone number, such as 1-800-555-0100 or +1 800 555 0100")
    return number or None


def checked_id_token_alg(alg):
    if alg not in keys.ALGORITHMS:
        raise ClientError(f"unknown id_token algorithm {alg!r}; accepted: {', '.join(keys.ALGORITHMS)}")
    return alg


def checked_jwks_uri(uri):
    """Where an app publishes its keys: https, or http on loopback for a developer's own server (RFC 7591, 2)."""
    if problem := _uri_problem(uri, private_use=False):
        raise ClientError(f"jwks_uri {uri!r}: {problem}")
    return uri


def checked_scopes(registry, scopes, asks_demographic, had=()):
    """`scopes` None: one of every family that is installed.  `had`: those that an app has already, installed or not."""
    if scopes is None:
        names = registry.one_of_each_family()
        return names if asks_demographic else [n for n in names if n not in registry.demographic(names)]
    if unknown := [name for name in scopes if name not in registry and name not in had]:
        raise ClientError(f"unknown scopes {unknown}; installed: {' '.join(scope.name for scope in registry)}")
    return list(dict.fromkeys(scopes))


def checked_access(access):
    if access not in ACCESS_CATEGORIES:
        raise ClientError(f"unknown access category {access!r}; accepted: {', '.join(ACCESS_CATEGORIES)}")
    return access


def _uri_problem(uri, private_use=True):
    """What is wrong with a URI of an app, or None: https, http on loopback, or a private-use scheme; no fragment."""
    if len(uri) > LONGEST_URI:
        return f"it may have at most {LONGEST_URI} characters"
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
        return "it must be an https URL, or http on a loopback address"
    if PRIVATE_USE_SCHEME.fullmatch(url.scheme):
        return None
    return "it must be https, http on a loopback address, or a private-use scheme such as org.example.app:/callback"
