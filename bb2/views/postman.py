"""The collection for Postman, as a file to import."""

import json

from pyramid.response import Response

from bb2.openapi import document
from bb2.openapi.postman import collection
from bb2.views.reference import public


@public("postman")
def postman(request):
    registry = request.registry
    made = collection(document(registry["settings"], registry["scopes"], registry["protected_routes"]))
    body = json.dumps(made, ensure_ascii=False, indent=1)
    return Response(body, content_type="application/json", charset="utf-8")
