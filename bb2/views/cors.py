"""Which other sites' scripts may read an answer?  Never with cookies, and never a page (RFC 9700, 2.6; SMART 2.2)."""

import re
from urllib.parse import urlsplit

from pyramid.response import Response
from sqlalchemy import String, cast, select
from sqlalchemy.exc import DBAPIError

from bb2.models import Client
from bb2.scopes import API_VERSIONS

VERSION = f"/(?:{'|'.join(API_VERSIONS)})"
#: What every client may know, from any site.
DOCUMENTS = re.compile(
    rf"/\.well-known/.*|/openapi\.json|{VERSION}/(?:connect/\.well-known/.*|fhir/(?:\.well-known/.*|metadata/?))"
)
#: What apps use with a token or a client_id of their own, from the sites that they registered; plugins' endpoints too.
ENDPOINTS = re.compile(
    rf"{VERSION}/(?:o/(?:token|revoke_token|revoke|par)/?|connect/userinfo/?|(?!(?:o|connect)(?:/|$)).+)", re.I
)
ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, Accept-Language, Prefer, If-None-Match, "
    "If-Modified-Since",
    "Access-Control-Max-Age": "3600",
}
EXPOSED = "WWW-Authenticate, Retry-After, ETag, Last-Modified, Location, Content-Location"


def cors_tween_factory(handler, registry):
    """Answer preflights, and say of every other answer who may read it.  Without Origin, no database is asked."""

    def cors_tween(request):
        kind = _kind(request)
        if kind is None:
            return handler(request)
        origin = request.headers.get("Origin")
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = Response(status=204, headers=PREFLIGHT) if origin and preflight else handler(request)
        if kind is DOCUMENTS:
            allowed = "*"
        else:
            response.vary = [*(response.vary or ()), "Origin"]
            allowed = origin if origin and _registered(request, origin) else None
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    return cors_tween


def _kind(request):
    try:
        path = request.path
    except UnicodeDecodeError:
        return None
    return next((kind for kind in (DOCUMENTS, ENDPOINTS) if kind.fullmatch(path)), None)


def _registered(request, origin):
    """True for a site to which the request's app sends people back; where no app is known, an active app's.

    None is known at a preflight, and when a request is refused.
    """
    if not ORIGIN.fullmatch(origin):
        return False
    # The text narrows the search; the origin of each redirect URI decides.
    named = select(Client.redirect_uris).where(cast(Client.redirect_uris, String).icontains(origin, autoescape=True))
    client_id = _client_id(request)
    of_app = Client.disabled_at.is_(None) if client_id is None else Client.client_id == client_id
    try:
        with request.registry["reader"].connect() as connection:
            found = connection.scalars(named.where(of_app)).all()
    except DBAPIError:  # the answer itself says so
        return False
    return any(origin == origin_of(uri) for uris in found for uri in uris)


def _client_id(request):
    """Of the app that made the request, where it proved or named itself, or brought a token; else None."""
    if request.method == "OPTIONS":
        return None
    if "oauth" in request.__dict__:
        return request.oauth.validator.client_id
    route = request.matched_route
    protected = route is not None and route.name in request.registry["protected_routes"]
    return request.identity.trail["client_id"] if protected and request.identity else None


def origin_of(uri):
    """The origin of a web address as browsers write it (RFC 6454, 6.2); None for any other URI."""
    url = urlsplit(uri)
    if url.scheme not in ("http", "https") or not url.hostname:
        return None
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    usual = url.port in (None, {"http": 80, "https": 443}[url.scheme])
    return f"{url.scheme}://{host}" if usual else f"{url.scheme}://{host}:{url.port}"


def includeme(config):
    config.add_tween("bb2.views.cors.cors_tween_factory")
