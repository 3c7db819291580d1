"""OAuth's endpoints for apps: oauthlib's answer, passed on (RFC 6749, 3.2; RFC 7009; RFC 7662; RFC 9126)."""

import json

from oauthlib.oauth2 import OAuth2Error
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy.orm import Session

from bb2.oauth import consents
from bb2.oauth.errors import DESCRIPTIONS
from bb2.oauth.server import AUTHENTICATION_PARAMETERS, AUTHORIZATION_PARAMETERS, TOKEN_PARAMETERS
from bb2.views.errors import refusal

PUSHED_PARAMETERS = (*AUTHORIZATION_PARAMETERS, *AUTHENTICATION_PARAMETERS)


@view_config(route_name="token", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="token")
def token(request):
    return answer(request, request.oauth.create_token_response)


@view_config(route_name="revoke_token", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="revoke")
def revoke_token(request):
    """The token and its siblings; the consent stays."""
    return answer(request, request.oauth.create_revocation_response)


@view_config(route_name="revoke", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="revoke")
def revoke(request):
    """The token's consent, with every token under it."""
    request.oauth.validator.revoke_consent = True
    return answer(request, request.oauth.create_revocation_response)


@view_config(route_name="introspect", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="introspect")
def introspect(request):
    """On a connection that only reads."""
    with Session(request.registry["reader"]) as db:
        request.oauth.validator.db = db
        return answer(request, request.oauth.create_introspect_response)


@view_config(route_name="pushed_request", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="par")
def push(request):
    return answer(request, request.oauth.create_pushed_response, PUSHED_PARAMETERS)


def answer(request, endpoint, parameters=TOKEN_PARAMETERS):
    """What an endpoint of oauthlib answers to those parameters of the form that it knows; a refusal is on record."""
    response = _answered(request, endpoint, parameters)
    if response.status_int >= 400:
        _count_refused(request, response)
    return response


def _count_refused(request, response):
    """For the audit trail: the error only, as its description may repeat what the request brought."""
    validator = request.oauth.validator if "oauth" in vars(request) else None
    request.registry["tally"].count(
        "token.refused",
        **(validator.known if validator else {}),
        endpoint=request.matched_route.name,
        error=response.json["error"],
    )


def _answered(request, endpoint, parameters):
    """Hand the form to an endpoint of oauthlib; a refusal undoes what was written, but for what a replay closes."""
    if request.method != "POST":
        return refusal(request, 405, "invalid_request", "Use POST", {"Allow": "POST"})
    form, problem = _form(request, parameters)
    if problem:
        return refusal(request, 400, "invalid_request", problem)
    try:
        headers, body, status = endpoint(request.path, "POST", form, dict(request.headers))
    except OAuth2Error as error:
        headers, body, status = error.headers, error.json, error.status_code
    if status >= 400:
        request.db.rollback()
        _close_replayed(request)
        described = json.loads(body)
        challenge = {"WWW-Authenticate": 'Basic realm="bb2"'} if status == 401 else {}
        error = described["error"]
        description = described.get("error_description") or DESCRIPTIONS.get(error, "")
        return refusal(request, status, error, description, challenge)
    headers = {"Content-Type": "application/json", "Pragma": "no-cache", **headers, "Cache-Control": "no-store"}
    return Response(body=(body or "").encode(), status=status, headerlist=list(headers.items()))


def _form(request, parameters):
    """The parameters of the body that count, [(name, value)], and what is wrong with them or None."""
    if request.query_string:
        return [], "Parameters belong in the body of the request, not in its URL"
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return [], "The body must be application/x-www-form-urlencoded or multipart/form-data"
    # Parameters without a value are as if they were left out (RFC 6749, 3.2).
    form = [(name, value) for name, value in request.POST.items() if name in parameters and value != ""]
    names = [name for name, _value in form]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        return [], f"Duplicate {twice[0]} parameter."
    if not all(isinstance(value, str) and "\x00" not in value for _name, value in form):
        return [], "A parameter is not text"
    return form, None


def _close_replayed(request):
    """What was refused is undone, but what a used code or token had opened is closed for good."""
    if request.oauth.validator.replayed:
        consents.close_replayed(request.db, *request.oauth.validator.replayed)
        request.db.commit()
