"""The authorization requests that apps sent ahead, over a connection of their own (RFC 9126)."""

from sqlalchemy import insert, update

from bb2.clock import DatabaseTime
from bb2.models import PushedRequest
from bb2.oauth.secrets import hashed, new_secret

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 90  # seconds: the app sends the browser on at once


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
