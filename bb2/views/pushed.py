"""The pushed authorization request endpoint (RFC 9126), and what a browser brings of it to authorize."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.oauth import pushed
from bb2.oauth.server import AUTHENTICATION_PARAMETERS, AUTHORIZATION_PARAMETERS
from bb2.views.token import answer

PARAMETERS = (*AUTHORIZATION_PARAMETERS, *AUTHENTICATION_PARAMETERS)


class PushedRequestGone(Exception):
    """The request_uri was used, has expired, is another app's, or was never given out."""


@view_config(route_name="pushed_request", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="par")
def push(request):
    return answer(request, request.oauth.create_pushed_response, PARAMETERS)


def resolved(db, asked):
    """The parameters of an authorization request, [(name, value)], where a request_uri of ours may stand for them.

    Then nothing else of what the browser brought counts but the client_id (RFC 9126, 4; RFC 9101, 5).
    """
    named = {name: [value for other, value in asked if other == name] for name in ("client_id", "request_uri")}
    if not any(uri.startswith(pushed.PREFIX) for uri in named["request_uri"]):
        return asked
    if any(len(values) != 1 or "\x00" in values[0] for values in named.values()):
        raise PushedRequestGone
    parameters = pushed.take(db, named["client_id"][0], named["request_uri"][0])
    if parameters is None:
        raise PushedRequestGone
    return list(parameters.items())
