"""The FHIR interactions, on the records of the patient who granted the token."""

import json
import time

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.discovery import capability_statement, fhir_base
from bb2.fhir.bundle import searchset
from bb2.fhir.compartment import Compartment
from bb2.fhir.dates import to_instant
from bb2.fhir.search import parse
from bb2.security import hides_demographic

STARTED = int(time.time() * 1_000_000)


def read(request):
    """FHIR, "read": one record by its id."""
    return fhir_json(compartment(request).read(request.matchdict["id"]).body)


def search(request):
    """FHIR, "search": by GET, or by POST to `_search`."""
    records = compartment(request)
    query = parse(records.version, records.resource, records.patient, _parameters(request))
    base = fhir_base(request.registry["settings"].base_url, records.version)
    return fhir_json(searchset(query, records.search(query), base, int(time.time() * 1_000_000)))


def _parameters(request):
    params = list(request.GET.items())
    if request.method == "POST":
        params += request.POST.items()
    if not all(isinstance(value, str) and "\x00" not in value for _name, value in params):
        raise HTTPBadRequest
    return params


def compartment(request):
    """The Compartment of the token's patient for the resource type of the matched route."""
    endpoint = request.registry["protected_routes"][request.matched_route.name]
    source = request.registry["sources"][endpoint.resource.type]
    redact = hides_demographic(request.identity, request.registry["scopes"])
    return Compartment(source, request.matchdict["version"], endpoint.resource, request.identity.patient, redact)


def fhir_json(body):
    return Response(body.encode(), content_type="application/fhir+json", charset="utf-8")


@view_config(route_name="metadata", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def metadata(request):
    base_url = request.registry["settings"].base_url
    version = request.matchdict["version"]
    return fhir_json(
        json.dumps(capability_statement(base_url, version, request.registry["scopes"], to_instant(STARTED)))
    )
