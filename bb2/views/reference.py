"""What may a developer look up?  The OpenAPI document, also as Postman has it, its viewer, errors, limits, scopes."""

import gzip
import json
from hashlib import sha256

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import String, cast, select

from bb2 import bounds
from bb2.models import Client
from bb2.openapi import document
from bb2.openapi.fhir_errors import FHIR_ERRORS
from bb2.openapi.oauth_errors import OAUTH_ERRORS
from bb2.openapi.postman import collection
from bb2.settings import WRONG_CREDENTIAL
from bb2.views.developer.own import render
from bb2.views.representation import takes_gzip


def public(route_name):
    return view_config(route_name=route_name, request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)


@public("openapi")
def openapi(request):
    return _made_once(request, "openapi", lambda document: document)


@public("postman")
def postman(request):
    """The collection for Postman, as a file to import."""
    return _made_once(request, "postman", collection)


def _made_once(request, name, of_document):
    """JSON made of the OpenAPI document, the same for everybody until the server starts anew: made at the first
    request, which takes a while, and tagged."""
    registry = request.registry
    if name not in registry:
        made = of_document(document(registry["settings"], registry["scopes"], registry["protected_routes"]))
        body = json.dumps(made, ensure_ascii=False).encode()
        registry[name] = body, gzip.compress(body, mtime=0), sha256(body).hexdigest()[:32]
    plain, packed, tag = registry[name]
    takes = takes_gzip(request)
    response = Response(packed if takes else plain, content_type="application/json", charset="utf-8")
    response.conditional_response = True
    response.content_encoding = "gzip" if takes else None
    response.etag = (tag, False)  # weak: packed and plain have the same
    response.headers.update({"Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"})
    return response


@public("docs_api")
def api(request):
    """The viewer.  In a sandbox it is an app of its own, without a secret, so that anybody can try it at once.

    It calls the public address, which is this page's own origin: at another name of this machine it would not work.
    """
    base_url = request.registry["settings"].base_url
    if request.host_url != base_url:
        raise HTTPSeeOther(f"{base_url}{request.path}")
    signed_in = f"{base_url}{request.route_path('docs_api_signed_in')}"
    return render(request, "docs_api", client_id=_viewer(request, signed_in), signed_in=signed_in)


def _viewer(request, ours):
    """The client_id of the sandbox's own app that is answered at this URI; None where there is none.

    No developer's app, which could pass itself off as this one.
    """
    if not request.registry["settings"].sandbox:
        return None
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
    return render(request, "limits", groups=groups, wrong_credential=WRONG_CREDENTIAL)


@public("docs_scopes")
def scopes(request):
    """Of the installed scopes, one entry for each family: its names, words, and what it opens."""
    registry = request.registry["scopes"]
    families = {}
    for scope in registry:
        families.setdefault(scope.family, []).append(scope)
    return render(request, "scopes", families=list(families.values()), registry=registry)
