"""Does a client take JSON?  FHIR's formats, by `_format` or `Accept` (FHIR, "RESTful API": Content Types)."""

from bb2.fhir import FhirError

JSON_FORMATS = ("json", "application/json", "application/fhir+json", "application/json+fhir", "text/json")
#: What of an Accept header takes JSON, the most telling first.
RANGES = (frozenset(JSON_FORMATS[1:]), frozenset({"application/*", "text/*"}), frozenset({"*/*"}))


def check_format(value, accept=None):
    """A FhirError 406 where the client takes no JSON.  `_format`, where it has a value, overrules `Accept`."""
    # A `+` that the client forgot to encode came as a space.
    if value and _name(value).replace(" ", "+") not in JSON_FORMATS:
        raise _not_served(f"_format={value}")
    if not value and accept and not _takes_json(accept):
        raise _not_served(f"Accept: {accept}")


def _takes_json(accept):
    """True unless an Accept header leaves JSON out (RFC 9110, 12.5.1): the most telling range decides."""
    wanted = {}
    for part in accept.split(","):
        name, *parameters = part.split(";")
        wanted[_name(name)] = max(wanted.get(_name(name), 0.0), _quality(parameters))
    for names in RANGES:
        if told := [quality for name, quality in wanted.items() if name in names]:
            return max(told) > 0
    return not any(wanted)  # nothing but commas


def _quality(parameters):
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0


def _name(value):
    return value.partition(";")[0].strip().lower()


def _not_served(asked):
    return FhirError(406, "not-supported", f"{asked} is not served; accepted: {', '.join(JSON_FORMATS)}")
