"""What does a request show to prove which client sends it?  (RFC 6749, 2.3; RFC 7521, 4.2)"""

from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_plus

from oauthlib.oauth2 import InvalidRequestError

from bb2.oauth import assertions
from bb2.oauth.assertions import ASSERTION_TYPE
from bb2.oauth.secrets import hashed, new_secret, same_secret

NOBODYS = hashed(new_secret())  # what the secret of an unknown client is compared with, for as long as a known one's


@dataclass(frozen=True)
class Credentials:
    """What was shown: a secret with the client's id, or an assertion, in which its id stands."""

    client_id: str | None = None
    secret: str | None = None
    assertion: str | None = None


def credentials(request):
    """The Credentials of an oauthlib request, or None: it only names the client.  InvalidRequestError for two at once.

    A client may say beside them who it is: not another than they prove.
    """
    asserts = [getattr(request, name, None) for name in ("client_assertion", "client_assertion_type")]
    basic = basic_credentials(request.headers)
    shown = [basic is not None, request.client_secret is not None, any(asserts)]
    if sum(shown) > 1:
        raise InvalidRequestError("Two client authentication methods were used", request=request)
    if any(asserts):
        if asserts[0] is None or asserts[1] != ASSERTION_TYPE:
            description = f"client_assertion goes with client_assertion_type={ASSERTION_TYPE}"
            raise InvalidRequestError(description, request=request)
        return Credentials(assertion=asserts[0])
    if basic:
        return basic
    return Credentials(request.client_id, request.client_secret) if any(shown) else None


def fits(secret, client, moment):
    """True when this is the client's secret, or the one before, which does for a while beside it.

    For None, an unknown client, it takes as long to say no.  `moment`: the database's time.
    """
    has_secret = client is not None and client.secret_hash is not None and not client.has_keys
    has_earlier = has_secret and client.previous_secret_hash and client.previous_secret_ends_at > moment
    same = same_secret(secret or "", client.secret_hash if has_secret else NOBODYS)
    same_as_earlier = same_secret(secret or "", client.previous_secret_hash if has_earlier else NOBODYS)
    return bool((same and has_secret) or (same_as_earlier and has_earlier))


def named_client(headers, form):
    """The client id that a request names, true or not, as `credentials` would read it; None where it names none.

    `form` is {name: value} without what is empty.
    """
    if basic := basic_credentials(headers):
        return basic.client_id
    if "client_assertion" in form:
        return assertions.named_client(form["client_assertion"])
    return form.get("client_id")


def basic_credentials(headers):
    """The Credentials of an Authorization header; None without one.  Those of one that cannot be read are empty."""
    header = headers.get("Authorization")
    return None if header is None or _is_bearer(header) else Credentials(*_basic(header))


def _is_bearer(header):
    """An earlier person's bearer token on a code exchange: published clients send one, and it is not for us."""
    return header.partition(" ")[0].lower() == "bearer"


def _basic(header):
    """(client id, secret) of an HTTP Basic header, form-urlencoded inside (RFC 6749, 2.3.1), or (None, None)."""
    scheme, _, value = header.partition(" ")
    try:
        client_id, colon, secret = b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None, None
    if scheme.lower() != "basic" or not colon:
        return None, None
    return unquote_plus(client_id), unquote_plus(secret)
