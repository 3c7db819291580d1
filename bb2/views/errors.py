"""Refusals, in the shape of the place: OAuth's JSON, FHIR's OperationOutcome, or a page.  There are no others."""

import json
import logging
import re
from itertools import chain
from secrets import token_hex

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.interfaces import IRoutesMapper
from pyramid.response import Response
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config
from sqlalchemy.exc import OperationalError

from bb2.fhir import FhirError
from bb2.oauth.errors import printable
from bb2.openapi.answers import outcome
from bb2.openapi.errors import help_uri, oauth_error
from bb2.scopes import API_VERSIONS
from bb2.security import Refusal
from bb2.views.pages import PageError, _, for_developers, place, render

log = logging.getLogger(__name__)
VERSIONS = "|".join(API_VERSIONS)
FHIR_PATH = re.compile(rf"/(?:{VERSIONS})/fhir(/|$)")
API_PATH = re.compile(
    rf"/(?:{VERSIONS})/(?:o/(?!authorize)|(?!o/|connect/logout)\w)|/\.well-known/|/health|/(?:openapi|postman)\.json"
)
FHIR_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    413: "too-long",
    429: "throttled",
    500: "exception",
    503: "transient",
}
AWAY = "You may have been away for a while, or signed in or out in another tab. Nothing was changed."
OAUTH_ERRORS = {
    404: "not_found",
    405: "invalid_request",
    500: "server_error",
    502: "temporarily_unavailable",
    503: "temporarily_unavailable",
    504: "temporarily_unavailable",
}


def refusal(request, status, error, description, headers=None):
    """The answer to a refused request in the shape of its path."""
    if FHIR_PATH.match(place(request)):
        response = _outcome(request, status, FHIR_CODES.get(status, "processing"), description)
    else:
        body = oauth_error(_base_url(request), error or "invalid_request", printable(description))
        response = Response(json.dumps(body), status=status, content_type="application/json", charset="utf-8")
        response.headers["Pragma"] = "no-cache"
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


def _outcome(request, status, code, diagnostics):
    body = json.dumps(outcome(_base_url(request), code, diagnostics))
    return Response(body, status=status, content_type="application/fhir+json", charset="utf-8")


def _base_url(request):
    return request.registry["settings"].base_url


def page(request, error, template="message", **values):
    """The page of a PageError; `template`: one that extends message.jinja2 and shows the `values` too."""
    translate = request.localizer.translate
    developers = for_developers(request)
    way_on = error.way_on or (start(request) if developers else None)
    return render(
        request,
        template,
        error.status,
        layout="bb2:templates/developer/layout.jinja2" if developers else "bb2:templates/layout.jinja2",
        width="narrow",
        title=translate(error.title),
        paragraphs=[translate(paragraph) for paragraph in error.paragraphs],
        way_on=way_on and (way_on[0], translate(way_on[1])),
        also=error.also and (error.also[0], translate(error.also[1])),
        developer=request.registry["settings"].sandbox and error.developer,
        **values,
    )


def start(request):
    """(URL, label) of where app developers begin."""
    if request.registry["settings"].developers:
        return request.route_path("developer"), "Go to the start page for developers"
    return (request.route_path("docs"), "Go to the documentation") if request.registry["documentation"].pages else None


def challenge(request, found):
    """WWW-Authenticate of a Refusal (RFC 6750, 3).  A request without any token is told no error."""
    parts = ['Bearer realm="bb2"']
    if found.error:
        parts += [f'error="{found.error}"', f'error_description="{printable(found.description)}"']
        parts.append(f'error_uri="{help_uri(_base_url(request), found.error)}"')
    if found.scopes:
        parts.append(f'scope="{" ".join(sorted(found.scopes))}"')
    return ", ".join(parts)


@forbidden_view_config()
def forbidden(error, request):
    """RFC 6750, 3.1: what the security policy refused, and why.  (A Denied is false: test for None.)"""
    reasons = () if error.result is None else getattr(error.result, "args", ())
    found = next(
        (r for r in reasons if isinstance(r, Refusal)), Refusal(403, "insufficient_scope", "No scope opens this")
    )
    headers = {"WWW-Authenticate": challenge(request, found)}
    return refusal(request, found.status, found.error or "invalid_token", found.description, headers)


@exception_view_config(FhirError)
def fhir_error(error, request):
    """Records can be refused to a view that is not FHIR's, too: then in the shape of its place."""
    headers = {}
    if error.status == 403:
        headers["WWW-Authenticate"] = challenge(request, Refusal(403, "insufficient_scope", error.diagnostics))
    if API_PATH.match(place(request)) and not FHIR_PATH.match(place(request)):
        name = "insufficient_scope" if error.status == 403 else OAUTH_ERRORS.get(error.status)
        return refusal(request, error.status, name, error.diagnostics, headers)
    response = _outcome(request, error.status, error.code, error.diagnostics)
    response.headers.update({"Cache-Control": "no-store"} | headers)
    return response


@exception_view_config(PageError)
def page_error(error, request):
    return page(request, error)


@exception_view_config(BadCSRFToken)
@exception_view_config(BadCSRFOrigin)
def bad_csrf(error, request):
    """A form without a session, or of another session: nothing was done."""
    if for_developers(request):
        return page(request, PageError(400, _("This page is no longer open"), AWAY))
    return no_longer_open(request)


def no_longer_open(request, way_on=None):
    """The page of a form whose session has ended.  `way_on`: (URL, label)."""
    return page(
        request,
        PageError(
            400,
            _("This page is no longer open"),
            _("You may have been away for a while, or signed in or out in another tab. Nothing was shared or changed."),
            _("If you came from an app, go back to the app and connect again."),
            way_on=way_on,
        ),
    )


@notfound_view_config()
def not_found(error, request):
    if is_page(request):
        return page(
            request, PageError(404, _("There is no such page"), _("The address may have been typed or copied wrongly."))
        )
    allowed = _methods(request)
    method = "GET" if request.method == "HEAD" else request.method
    if allowed and method not in allowed:
        description = f"{request.method} is not served at {request.path}; use {' or '.join(allowed)}"
        return refusal(request, 405, "invalid_request", description, {"Allow": ", ".join(allowed)})
    # The view that serves this path may have found nothing, and says what.
    description = error.detail if allowed and error.detail else f"There is nothing at {request.path}"
    return refusal(request, 404, "not_found", description)


def _methods(request):
    """The methods that the API serves at the request's path."""
    registry = request.registry
    protected = registry["protected_routes"]
    routes = registry.queryUtility(IRoutesMapper).get_routes()
    found = [route.name for route in routes if route.match(request.path) is not None]
    served = [protected[name].methods if name in protected else _of_document(registry, name) for name in found]
    return sorted(set(chain.from_iterable(served)))


def _of_document(registry, route):
    """The methods of what anybody may read there."""
    views = (entry["introspectable"] for entry in registry.introspector.get_category("views"))
    of_route = (view["request_methods"] or () for view in views if view["route_name"] == route)
    return [method for methods in of_route for method in methods if method != "HEAD"]


@exception_view_config(HTTPException)
def http_exception(error, request):
    """Whatever else Pyramid or WebOb raises; redirects pass."""
    if error.status_int < 400:
        return error
    if is_page(request):
        return page(request, PageError(error.status_int, _("That did not work"), _("Please go back and try again.")))
    description = error.detail or error.title
    return refusal(request, error.status_int, OAUTH_ERRORS.get(error.status_int, "invalid_request"), description)


@exception_view_config(UnicodeDecodeError)
def undecodable(error, request):
    """A URL or a form that is not UTF-8."""
    if is_page(request):
        return not_found(HTTPNotFound(), request)
    return refusal(request, 400, "invalid_request", "The request is not UTF-8")


@exception_view_config(OperationalError)
def busy(error, request):
    """The database does not answer, or SQLite's one writer is at work: come back in a moment."""
    log.warning(
        "the database does not answer at %s", request.matched_route and request.matched_route.name, exc_info=error
    )
    retry = {"Retry-After": "10"}
    if is_page(request):
        response = page(
            request,
            PageError(
                503,
                _("We are busy at the moment"),
                _("Nothing was shared or changed. Please try again in a few minutes."),
            ),
        )
        response.headers.update(retry)
        return response
    return refusal(request, 503, "temporarily_unavailable", "The database does not answer; try again", retry)


@exception_view_config(Exception)
def unforeseen(error, request):
    """Never a stack trace: a number that is in the log too."""
    number = token_hex(8)
    log.error("unforeseen error %s at %s", number, request.matched_route and request.matched_route.name, exc_info=error)
    if is_page(request):
        return page(
            request,
            PageError(
                500,
                _("Something went wrong on our side"),
                _("Nothing was shared or changed. Please try again in a few minutes."),
                _("If you call us, this number helps: ${number}", mapping={"number": number}),
            ),
        )
    return refusal(request, 500, "server_error", f"Something went wrong on our side; request id {number}")


def is_page(request):
    return not (FHIR_PATH.match(place(request)) or API_PATH.match(place(request)))
