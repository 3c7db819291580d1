"""What goes out beside the records that a search found?  What they refer to, if the token may read it: `_include`."""

import re

import orjson

from bb2.fhir.index import values_at

# A relative reference to a record of this server; no absolute URL, no `#contained`, no version (FHIR, "References").
RELATIVE = re.compile(r"(?P<type>[A-Z][A-Za-z]*)/(?P<id>[A-Za-z0-9\-.]{1,64})")


def included(query, page, readable):
    """[(resource type, FhirRecord)]: what `query.includes` brings along to a Page, each record once.

    `readable` is {resource type: Compartment} of what the token opens for reading.  The references are taken from the
    records as they go out: what is redacted brings nothing along.
    """
    wanted = _referred_to(query, page, readable)
    return [(kind, record) for kind, ids in wanted.items() for record in readable[kind].with_ids(ids)]


def _referred_to(query, page, readable):
    """{resource type: ids}, in the order in which the page's records refer to them."""
    found = {}
    for record in page.records:
        content = orjson.loads(record.body)
        for include in query.includes:
            for reference in values_at(content, include.path.split(".")):
                resource_type, id = _target(reference)
                if resource_type in include.types and resource_type in readable:
                    found.setdefault(resource_type, {})[id] = True
    for record in page.records:  # what matched is there already (FHIR, "Search: search.mode")
        found.get(query.resource.type, {}).pop(record.id, None)
    return {resource_type: list(ids) for resource_type, ids in found.items() if ids}


def _target(reference):
    """(resource type, id) of a Reference element, or (None, None)."""
    value = reference.get("reference") if isinstance(reference, dict) else None
    match = RELATIVE.fullmatch(value) if isinstance(value, str) else None
    return (match["type"], match["id"]) if match else (None, None)
