"""By which values is a record found?  What its plugin's search parameters point at (FHIR, "Search")."""

from dataclasses import dataclass

from bb2.fhir.dates import interval


@dataclass(frozen=True)
class Entry:
    """One value of one search parameter in one record."""

    param: str
    system: str | None = None  #: of a token
    value: str | None = None  #: of a token, in lower case
    low: int | None = None  #: of a date, as `bb2.fhir.dates.interval`
    high: int | None = None


def entries(resource, record):
    """Every Entry of a record (a dict), for the search parameters of its FhirResource."""
    return [entry for param in resource.search_params for entry in _of_param(param, record)]


def _of_param(param, record):
    for path in param.path:
        if values := _at(record, path.split(".")):
            read = _token if param.type == "token" else _date
            return [entry for value in values for entry in read(param.name, value)]
    return []


def _at(element, path):
    """The values at a path; a list on the way stands for each of its members."""
    if isinstance(element, list):
        return [value for member in element for value in _at(member, path)]
    if not path:
        return [] if element is None else [element]
    return _at(element.get(path[0]), path[1:]) if isinstance(element, dict) else []


def _token(name, value):
    """CodeableConcept, Coding, Identifier, code or boolean (FHIR, "Search: token")."""
    if isinstance(value, dict):
        for coding in value.get("coding") or [value]:
            code = coding.get("code", coding.get("value"))
            if code is not None:
                yield Entry(name, system=coding.get("system"), value=str(code).lower())
    else:
        yield Entry(name, value=str(value).lower())


def _date(name, value):
    """date, dateTime, instant or Period.  A value that is no FHIR date is not found by it."""
    first, last = (value.get("start"), value.get("end")) if isinstance(value, dict) else (value, value)
    try:
        low, high = interval(first or last)[0], interval(last or first)[1]
    except (TypeError, ValueError):
        return
    yield Entry(name, low=low, high=high)
