"""Which records does the request's token show, and how much of each?  For FHIR's views, and for those of plugins."""

from functools import partial

from bb2.fhir.compartment import Compartment
from bb2.fhir.redaction import redacted
from bb2.fhir.sensitive import Answers
from bb2.security import hides_demographic


def records(request, resource):
    """`request.records(COVERAGE)`: the Compartment of the token's patient for a FhirResource, in the request's version.

    What says who the person is, is taken out, and what is sensitive withheld, as the person chose.  Whether the token
    opens this type at all is for the view's own Endpoint to say, or `request.has_permission(COVERAGE.read)`.
    """
    registry = request.registry
    redact = None
    if hides_demographic(request.identity, registry["scopes"]):
        redact = partial(redacted, resource=resource, resources=registry["scopes"].resources)
    version = request.matchdict["version"]
    source = registry["sources"].get(resource.type, registry["records"])  # where no scope opens the type, ours
    answers = Answers(registry["sensitivities"], request.identity.share_sensitive)
    return Compartment(source, version, resource, request.identity.patient, answers, redact)


def includeme(config):
    config.add_request_method(records)
