"""The FHIR interactions, on the records of the patient who granted the token."""

import json
import time

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.discovery import capability_statement
from bb2.fhir import FHIR_ID, FhirError
from bb2.fhir.bundle import searchset
from bb2.fhir.dates import to_instant
from bb2.fhir.formats import check_format
from bb2.fhir.include import included
from bb2.fhir.search import parse
from bb2.settings import fhir_base
from bb2.views import representation

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
STARTED = int(time.time() * 1_000_000)


def read(request):
    """FHIR, "read": one record by its id."""
    _check_format(request, request.GET.items())
    return representation.record(request, request.records(_resource(request)).read(_id(request)))


def search(request):
    """FHIR, "search": by GET, or by POST to `_search`."""
    records = request.records(_resource(request))
    params = _parameters(request)
    _check_format(request, params)
    base = fhir_base(request.registry["settings"].base_url, records.version)
    query = parse(records.version, records.resource, records.patient, params, strict=_is_strict(request), base=base)
    page = records.search(query)
    beside = included(query, page, _readable(request)) if query.includes else ()
    request.included_types = sorted({resource_type for resource_type, _record in beside})  # for the audit trail
    return representation.document(request, searchset(query, page, base, int(time.time() * 1_000_000), beside))


def _resource(request):
    """The FhirResource of the matched route."""
    return request.registry["protected_routes"][request.matched_route.name].endpoint.resource


def _id(request):
    """The id in the path; what is no FHIR id is not looked for, and as unknown as any."""
    id = request.matchdict["id"]
    return id if FHIR_ID.fullmatch(id) else ""


def _readable(request):
    """{resource type: Compartment} of the types that the token opens for reading."""
    scopes = request.registry["scopes"]
    return {
        resource.type: request.records(resource)
        for resource in scopes.resources.values()
        if request.matchdict["version"] in resource.versions
        and scopes.scopes_opening(resource.read) & request.identity.scopes
    }


def _parameters(request):
    """[(name, value)] of the URL, and of the form that a POST brings."""
    params = [*request.GET.items(), *_form(request)]
    for name, value in params:
        if not isinstance(value, str) or "\x00" in value:
            raise FhirError(400, "invalid", f"{name} has a value that is not text; accepted: text")
    return params


def _form(request):
    if request.method != "POST" or not request.is_body_readable:
        return ()
    if request.content_type not in FORMS:
        raise FhirError(415, "not-supported", f"{request.content_type} is not read; accepted: {', '.join(FORMS)}")
    return request.POST.items()


def _check_format(request, params):
    check_format(next((value for name, value in params if name == "_format"), ""), request.headers.get("Accept"))


def _is_strict(request):
    """`Prefer: handling=strict` (RFC 7240, 4.4; FHIR, "Search: handling errors")."""
    preferences = request.headers.get("Prefer", "").replace(";", ",").split(",")
    return any(preference.replace('"', "").replace(" ", "").lower() == "handling=strict" for preference in preferences)


@view_config(route_name="metadata", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def metadata(request):
    _check_format(request, request.GET.items())
    base_url = request.registry["settings"].base_url
    version = request.matchdict["version"]
    statement = capability_statement(base_url, version, request.registry["scopes"], to_instant(STARTED))
    return representation.document(request, json.dumps(statement))
