"""What can a developer try with a token?  Every endpoint that a scope opens, and what anybody may read."""

import re
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

from pyramid.interfaces import IRoutesMapper

from bb2.scopes import Endpoint

#: Routes of the documents that need no token.
DISCOVERY = (
    "smart_configuration_of_version",
    "openid_configuration_of_version",
    "metadata",
    "jwks",
    "applications",
)
PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}")


@dataclass(frozen=True)
class Offer:
    """An endpoint of one API version, on the page of what can be tried."""

    endpoint: Endpoint
    path: str  #: with placeholders: `/v2/fhir/Coverage/{id}`
    open: bool  #: a scope of the token opens it

    @property
    def placeholders(self):
        return PLACEHOLDER.findall(self.path)


def offers(registry, version, granted):
    """[Offer] of what GET reaches in this version, those that need no id first.  `granted`: the token's scopes."""
    found = []
    for endpoint in registry.endpoints:
        if version in endpoint.versions and "GET" in endpoint.methods:
            is_open = not registry.scopes_opening(endpoint).isdisjoint(granted)
            found += [Offer(endpoint, f"/{version}/{path}", is_open) for path in _paths(endpoint)]
    return sorted(found, key=lambda offer: len(offer.placeholders))


def _paths(endpoint):
    """Its path; where every placeholder has a few values that it accepts, one path for each."""
    path, parameters = PLACEHOLDER.sub(r"{\1}", endpoint.path), endpoint.path_parameters
    if not parameters or not all(parameter.values for parameter in parameters):
        return [path]
    names = [parameter.name for parameter in parameters]
    chosen = product(*(parameter.values for parameter in parameters))
    return [filled(path, dict(zip(names, values, strict=True))) for values in chosen]


def documents(request, version):
    """The paths of what anybody may read."""
    return [request.route_path(name, version=version) for name in DISCOVERY]


def endpoint_at(request, path):
    """The Endpoint at a path; None for a document that needs no token.  KeyError where nothing can be tried."""
    protected = request.registry["protected_routes"]
    for route in request.registry.getUtility(IRoutesMapper).get_routes():
        if (route.name in protected or route.name in DISCOVERY) and route.match(path) is not None:
            return protected[route.name].endpoint if route.name in protected else None
    raise KeyError(path)


def filled(path, values):
    """The path with its placeholders filled in; None where a value is missing."""
    names = PLACEHOLDER.findall(path)
    if not all(values.get(name, "").strip() for name in names):
        return None
    return PLACEHOLDER.sub(lambda found: quote(values[found[1]].strip(), safe=""), path)


def query_fields(endpoint):
    """[(name, hint, codes)] of the form for what stands in the query; none for a document."""
    if endpoint is None:
        return []
    if endpoint.interaction != "search-type":
        return [(parameter.name, parameter.summary, parameter.values) for parameter in endpoint.query_parameters]
    fields = []
    for param in endpoint.resource.search_params:
        hint = {"date": "such as ge2025-01-01", "reference": "such as Patient/123"}.get(param.type, "")
        fields.append((param.name, hint, param.codes))
    return [*fields, ("_lastUpdated", "such as gt2026-11-01", ()), ("_count", "records on a page: 1 to 50", ())]
