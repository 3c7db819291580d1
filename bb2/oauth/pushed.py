"""The authorization requests that apps sent ahead, over a connection of their own (RFC 9126)."""

from sqlalchemy import insert, update

from bb2.clock import DatabaseTime
from bb2.models import PushedRequest
from bb2.oauth.secrets import hashed, new_secret

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 90  # seconds: the app sends the browser on at once


class PushedRequestGone(Exception):
    """The request_uri was used, has expired, is another app's, or was never given out."""


def keep(db, client_id, parameters):
    """Keep the parameters ({name: value}) of a request.  Returns the request_uri that stands for them, once."""
    uri = PREFIX + new_secret()
    db.execute(
        insert(PushedRequest).values(
            uri_hash=hashed(uri), client_id=client_id, parameters=parameters, expires_at=DatabaseTime(LIFETIME)
        )
    )
    return uri


def take(db, client_id, uri):
    """The parameters behind a request_uri of this client, which is used up; None when there is none, or not any more.

    Of two that come at once, the database lets one have it.
    """
    mine = (PushedRequest.uri_hash == hashed(uri)) & (PushedRequest.client_id == client_id)
    open_ = PushedRequest.used_at.is_(None) & (PushedRequest.expires_at > DatabaseTime())
    taken = update(PushedRequest).where(mine & open_).values(used_at=DatabaseTime()).returning(PushedRequest.parameters)
    return db.scalars(taken.execution_options(synchronize_session=False)).one_or_none()


def resolved(db, asked):
    """The parameters of an authorization request, [(name, value)], where a request_uri of ours may stand for them.

    Then nothing else of what the browser brought counts but the client_id (RFC 9126, 4; RFC 9101, 5).
    """
    named = {name: [value for other, value in asked if other == name] for name in ("client_id", "request_uri")}
    if not any(uri.startswith(PREFIX) for uri in named["request_uri"]):
        return asked
    if any(len(values) != 1 or "\x00" in values[0] for values in named.values()):
        raise PushedRequestGone
    parameters = take(db, named["client_id"][0], named["request_uri"][0])
    if parameters is None:
        raise PushedRequestGone
    return list(parameters.items())
