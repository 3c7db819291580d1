"""What may an app's developer look up?  The OpenAPI document, the viewer for it, the error index, limits, scopes."""

import json
from hashlib import sha256

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.openapi import document


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
