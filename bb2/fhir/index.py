"""By which values is a record found?  What its plugin's search parameters point at (FHIR, "Search")."""

import re
from dataclasses import dataclass
from unicodedata import combining, normalize

from bb2.fhir.dates import instant, interval
from bb2.fhir.personal import MEDICARE_NUMBER, is_personal, says_person_number

# Of a record of this server: no absolute URL (FHIR, "References").
RELATIVE = re.compile(r"(?P<type>[A-Z][A-Za-z]*)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")
#: Of the parts of a HumanName or an Address, those that are codes and no text.
CODES = frozenset({"use", "type"})


@dataclass(frozen=True)
class Entry:
    """One value of one search parameter in one record."""

    param: str
    system: str | None = None  #: of a token; of a reference to a record here: its resource type
    #: of a token, in lower case; of a string, `folded`; of a reference, the id, or the whole URL
    value: str | None = None
    low: int | None = None  #: of a date, as `bb2.fhir.dates.interval`
    high: int | None = None


def entries(resource, record):
    """Every Entry of a record (a dict), for the search parameters of its FhirResource.

    A value of another shape than FHIR's is not found by it.
    """
    own = resource.patient_element == "id"
    found = [entry for param in resource.search_params for entry in _of_param(param, record, own)]
    # Of another record than the person's own, a search must not confirm a number that redaction takes out.
    return found if own else [entry for entry in found if not _is_the_persons(entry)]


def last_updated(record):
    """meta.lastUpdated of a record (a dict) in microseconds since 1970; None where there is none."""
    updated = record.get("meta", {}).get("lastUpdated")
    return None if updated is None else instant(updated)


def values_at(element, path):
    """The values at a path, [keys]; a list on the way stands for each of its members."""
    if isinstance(element, list):
        return [value for member in element for value in values_at(member, path)]
    if not path:
        return [] if element is None else [element]
    return values_at(element.get(path[0]), path[1:]) if isinstance(element, dict) else []


def folded(text):
    """A text as it is compared: without case and accents (FHIR, "Search: string")."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c))


def referred_to(reference):
    """(resource type, id) of a relative reference, (None, the reference) of any other that is not `#contained`."""
    match = RELATIVE.fullmatch(reference)
    return (match["type"], match["id"]) if match else (None, reference)


def _is_the_persons(entry):
    named = entry.system is not None and is_personal("system", entry.system, None)
    return named or (entry.value is not None and MEDICARE_NUMBER.search(entry.value.upper()) is not None)


def _of_param(param, record, own):
    for path in param.path:
        if values := values_at(record, path.split(".")):
            told = [value for value in values if own or not _numbers_the_person(value)]
            return [entry for value in told for entry in READERS[param.type](param.name, value)]
    return []


def _numbers_the_person(value):
    """True for an Identifier whose type says that it is a number of the person."""
    return isinstance(value, dict) and "value" in value and says_person_number(value.get("type"))


def _token(name, value):
    """CodeableConcept, Coding, Identifier, code or boolean (FHIR, "Search: token")."""
    if not isinstance(value, dict):
        yield from _entry(name, None, value)
        return
    codings = value.get("coding") or [value]
    for coding in codings if isinstance(codings, list) else [codings]:
        if isinstance(coding, dict):
            yield from _entry(name, coding.get("system"), coding.get("code", coding.get("value")))


def _entry(name, system, code):
    if isinstance(code, str | int) and isinstance(system, str | None):
        yield Entry(name, system=system, value=str(code).lower())


def _date(name, value):
    """date, dateTime, instant or Period.  A value that is no FHIR date is not found by it."""
    first, last = (value.get("start"), value.get("end")) if isinstance(value, dict) else (value, value)
    try:
        low, high = interval(first or last)[0], interval(last or first)[1]
    except (TypeError, ValueError):
        return
    yield Entry(name, low=low, high=high)


def _string(name, value):
    """string or markdown, and the texts of a HumanName or an Address (FHIR, "Search: string")."""
    if isinstance(value, dict):
        value = [part for key, part in value.items() if key not in CODES]
    for part in values_at(value, []):
        if isinstance(part, str) and part:
            yield Entry(name, value=folded(part))


def _reference(name, value):
    """Reference, canonical or uri."""
    reference = value.get("reference") if isinstance(value, dict) else value
    if isinstance(reference, str) and reference and not reference.startswith("#"):
        resource_type, id = referred_to(reference)
        yield Entry(name, system=resource_type, value=id)


READERS = {"token": _token, "date": _date, "string": _string, "reference": _reference}
