"""What may an app's developer look up?  The OpenAPI document, the viewer for it, the error index, limits, scopes."""

import json
from hashlib import sha256

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import String, cast, select

from bb2 import bounds
from bb2.models import Client
from bb2.openapi import document
from bb2.openapi.fhir_errors import FHIR_ERRORS
from bb2.openapi.oauth_errors import OAUTH_ERRORS
from bb2.views.developer.own import render


def public(route_name):
    return view_config(route_name=route_name, request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)


@public("openapi")
def openapi(request):
    """The same for everybody until the server starts anew: made at the first request, and tagged."""
    registry = request.registry
    if "openapi" not in registry:
        made = document(registry["settings"], registry["scopes"], registry["protected_routes"])
        body = json.dumps(made, ensure_ascii=False).encode()
        registry["openapi"] = body, sha256(body).hexdigest()[:32]
    body, tag = registry["openapi"]
    response = Response(body, content_type="application/json", charset="utf-8", conditional_response=True)
    response.etag = tag
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@public("docs_api")
def api(request):
    """The viewer.  In a sandbox it is an app of its own, without a secret, so that anybody can try it at once."""
    return render(request, "docs_api", client_id=_viewer(request), signed_in=request.route_url("docs_api_signed_in"))


def _viewer(request):
    """The client_id of the sandbox's own app whose answers come to the viewer; None where there is none.

    No developer's app, which could pass itself off as this one.
    """
    if not request.registry["settings"].sandbox:
        return None
    ours = request.route_url("docs_api_signed_in")
    ids = select(Client.client_id, Client.redirect_uris).where(
        cast(Client.redirect_uris, String).contains(ours, autoescape=True),
        Client.developer_id.is_(None),
        Client.disabled_at.is_(None),
        Client.secret_hash.is_(None),
    )
    return next((client_id for client_id, uris in request.db.execute(ids) if uris == [ours]), None)


@public("docs_api_signed_in")
def signed_in(request):
    """Where the viewer is answered (RFC 6749, 4.1.2): its script hands the code on, and closes the window."""
    return render(request, "docs_api_signed_in")


@public("docs_errors")
def errors(request):
    return render(request, "errors", oauth=OAUTH_ERRORS, fhir=FHIR_ERRORS)


@public("docs_limits")
def limits(request):
    settings = request.registry["settings"]
    groups = (
        ("How long things last", bounds.lifetimes(settings)),
        ("How large things may be", bounds.sizes()),
        ("How often you may ask", bounds.rates(settings)),
    )
    return render(request, "limits", groups=groups)


@public("docs_scopes")
def scopes(request):
    """Of the installed scopes, one entry for each family: its names, words, and what it opens."""
    registry = request.registry["scopes"]
    families = {}
    for scope in registry:
        families.setdefault(scope.family, []).append(scope)
    return render(request, "scopes", families=list(families.values()), registry=registry)
