"""What does a search ask for?  The parameters of a URL, read once, into a Query (FHIR, "Search")."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace

from bb2.fhir import FHIR_ID, FhirError
from bb2.fhir.dates import interval
from bb2.fhir.index import entries, folded, last_updated, referred_to
from bb2.scopes import FhirResource, Include
from bb2.sensitivities import Withheld

DEFAULT_COUNT, MOST_COUNT = 10, 50
MOST_VALUES = 200  #: in one search: each is a condition for the database
PREFIXES = ("eq", "lt", "le", "gt", "ge")
ACCEPTED_DATES = f"2024, 2024-06, 2024-06-30 or 2024-06-30T12:00:00Z, after nothing or one of {', '.join(PREFIXES)}"
ESCAPED = re.compile(r"\\([\\,|$])")
ESCAPED_OR_NOT = re.compile(r"\\.|.", re.DOTALL)
OF_EVERY_TYPE = {
    "_id": ("token", "http://hl7.org/fhir/SearchParameter/Resource-id"),
    "_lastUpdated": ("date", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"),
}
#: Those that say where a page begins: a cursor (the id beside which it lies), or how many records come before it.
PLACES = ("_after", "_before", "startIndex")
#: Parameters that shape the answer and are no filter: name -> the values accepted, None for what is checked otherwise.
CONTROLS = {
    "_count": None,
    "startIndex": None,
    "_after": None,
    "_before": None,
    "_format": None,  # bb2.fhir.formats
    "_summary": ("count", "false"),
    "_total": ("accurate", "estimate", "none"),
}


@dataclass(frozen=True)
class IdFilter:
    """`_id`: any of these."""

    ids: frozenset[str]

    def matches(self, record, found):
        return record["id"] in self.ids


@dataclass(frozen=True)
class TokenFilter:
    """A token parameter: any of these (system, value); None stands for any, `""` for no system.

    A reference too: (resource type, id).
    """

    param: str
    any_of: tuple[tuple[str | None, str | None], ...]

    def matches(self, record, found):
        return any(
            entry.param == self.param
            and (system is None or system == (entry.system or ""))
            and (value is None or value == entry.value)
            for entry in found
            for system, value in self.any_of
        )


@dataclass(frozen=True)
class StringFilter:
    """A string parameter: begins with any of these, which are folded."""

    param: str
    any_of: tuple[str, ...]

    def matches(self, record, found):
        return any(entry.param == self.param and entry.value.startswith(self.any_of) for entry in found)


@dataclass(frozen=True)
class DateFilter:
    """A date parameter or `_lastUpdated`: any of these (prefix, low, high)."""

    param: str
    any_of: tuple[tuple[str, int, int], ...]

    def matches(self, record, found):
        if self.param == "_lastUpdated":
            moment = last_updated(record) or 0  # as FhirRecord.of has it
            targets = [(moment, moment + 1)]
        else:
            targets = [(entry.low, entry.high) for entry in found if entry.param == self.param]
        return any(date_matches(*asked, *target) for asked in self.any_of for target in targets)


def date_matches(prefix, low, high, target_low, target_high):
    """Does the target's stretch of time match the search's (FHIR, "Search: date")?  For numbers and SQL columns."""
    within = (low <= target_low) & (target_high <= high)
    return {
        "eq": within,
        "lt": target_low < low,
        "gt": target_high > high,
        "le": (target_low < low) | within,
        "ge": (target_high > high) | within,
    }[prefix]


@dataclass(frozen=True)
class Query:
    """One search in one patient's compartment."""

    version: str
    resource: FhirResource
    patient: str
    filters: tuple[IdFilter | TokenFilter | StringFilter | DateFilter, ...] = ()
    count: int = DEFAULT_COUNT  #: records on the page; 0: only the total is asked for
    offset: int = 0  #: how many records come before the page: exact where there is no cursor
    after: str = ""  #: a cursor: the page begins with the next id.  Sources without an order by id go by `offset`
    before: str = ""  #: a cursor: the page ends with the id before this one
    includes: tuple[Include, ...] = ()  #: what goes out beside the records found
    used: tuple[tuple[str, str], ...] = field(default=(), compare=False)  #: the parameters that counted, for links
    ignored: tuple[str, ...] = field(default=(), compare=False)
    withheld: tuple[Withheld, ...] = ()  #: what the token does not open: neither found nor counted

    def matches(self, record):
        """True when a record (a dict) is the patient's and passes every filter: for sources without a database."""
        found = entries(self.resource, record)
        owned = self.resource.patient_of(record) == self.patient
        matches = owned and all(f.matches(record, found) for f in self.filters)
        return matches and not any(withheld.hides(record) for withheld in self.withheld)

    def span(self, ids):
        """(position of the page's first record, position after its last) among the sorted ids of all that match."""
        if self.before:
            end = bisect_left(ids, self.before)
            return max(0, end - self.count), end
        start = bisect_right(ids, self.after) if self.after else self.offset
        return start, max(start, min(start + self.count, len(ids)))


def parse(version, resource, patient, params, *, strict=False, base=""):
    """The Query of URL parameters, [(name, value)].  A FhirError names the parameter, its value, and what is accepted.

    `strict`: refuse an unknown parameter, which is ignored otherwise (FHIR, "Search: handling errors").  `base`: the
    public URL of the FHIR version, with which a reference may begin.
    """
    known = _known(resource)
    ignored = tuple(name for name, _value in params if _base(name) not in known)
    if strict and ignored:
        unknown = ", ".join(dict.fromkeys(ignored))
        raise FhirError(400, "not-supported", f"unknown search parameter: {unknown}; accepted: {', '.join(known)}")
    asked = [(name, value) for name, value in params if _base(name) in known and value != ""]
    for name, value in asked:
        if name != _base(name):
            raise _bad(name, value, f"{_base(name)} without a modifier")
    controls = _controls(asked)
    used = [(name, value) for name, value in asked if name not in CONTROLS]
    shaping = [(name, value) for name, value in controls.items() if name not in ("_count", *PLACES)]
    after = _cursor(controls, "_after")
    return Query(
        version,
        resource,
        patient,
        filters=_filters(resource, patient, used, base),
        count=_count(controls),
        offset=_number(controls, "startIndex", 0),
        after=after,
        before="" if after else _cursor(controls, "_before"),
        includes=_includes(resource, used),
        used=(*used, *shaping),
        ignored=ignored,
    )


def _base(name):
    return name.partition(":")[0]


def parameters(resource):
    """{name: (FHIR type, canonical URL or None)} of everything that records of this type can be searched by."""
    patient = dict.fromkeys(_patient_parameters(resource), ("reference", None))
    declared = {param.name: (param.type, param.definition) for param in resource.search_params}
    return OF_EVERY_TYPE | patient | declared


def _patient_parameters(resource):
    """The parameters that name the patient."""
    return [name for name in dict.fromkeys((resource.patient_element, "patient")) if name != "id"]


def _known(resource):
    """The names of the parameters that a search of this type knows."""
    return [*parameters(resource), *(["_include"] if resource.includes else []), *CONTROLS]


def _filters(resource, patient, used, base):
    declared = {param.name: param for param in resource.search_params}
    references = _patient_parameters(resource)
    filters, values = [], 0
    for name, value in used:
        if name in references:
            _refuse_another_patient(name, value, patient, base)
        elif name != "_include":
            filters.append(_filter(name, value, declared.get(name), base))
            values += len(_alternatives(value))
    if values > MOST_VALUES:
        raise FhirError(400, "too-costly", f"{values} values to search by; accepted: {MOST_VALUES} in one search")
    return tuple(filters)


def _includes(resource, used):
    """The Includes that are asked for, each once."""
    values = [value for name, value in used if name == "_include"]
    return tuple(dict.fromkeys(include for value in values for include in _include(resource, value)))


def _include(resource, value):
    """The Includes of one value: `Type:name`, `Type:name:TargetType`, `Type:*` or `*` (FHIR, "Search: _include")."""
    if value in ("*", f"{resource.type}:*"):
        return resource.includes
    name, _, target = value.removeprefix(f"{resource.type}:").partition(":")
    for include in resource.includes if value.startswith(f"{resource.type}:") else ():
        if name == include.name and target in ("", *include.types):
            return [replace(include, types=(target,)) if target else include]
    raise _bad("_include", value, ", ".join(("*", *resource.include_values)))


def _controls(asked):
    """{name: value} of the parameters that shape the answer, with the values that are accepted."""
    controls = {}
    for name, value in asked:
        if name in CONTROLS:
            # Clients repeat _count on a link that carries it already: the link's own comes first, and counts.
            controls.setdefault(name, value)
    for name, accepted in CONTROLS.items():
        if accepted and controls.get(name, accepted[0]) not in accepted:
            raise _bad(name, controls[name], ", ".join(accepted))
    return controls


def _count(controls):
    """The number of records on a page; 0 for the total only."""
    count = min(_number(controls, "_count", DEFAULT_COUNT), MOST_COUNT)
    return 0 if controls.get("_summary") == "count" else count


def _number(controls, name, default):
    text = controls.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise _bad(name, text, "a whole number from 0")
    return int(text)


def _cursor(controls, name):
    id = controls.get(name, "")
    if id and not FHIR_ID.fullmatch(id):
        raise _bad(name, id, "what a link of a Bundle has")
    return id


def _refuse_another_patient(name, value, patient, base):
    """`-123`, `Patient/-123` and `https://our.base/v2/fhir/Patient/-123` are the same (FHIR, "Search: reference")."""
    own = {patient, f"Patient/{patient}", f"{base}/Patient/{patient}"}
    if not own.issuperset(_alternatives(value)):
        raise FhirError(403, "forbidden", f"{name} names another person than the one who granted this access token")


def _filter(name, value, param, base):
    if name == "_id":
        return IdFilter(frozenset(_alternatives(value)))
    if name == "_lastUpdated" or param.type == "date":
        return DateFilter(name, tuple(_dates(name, value)))
    if param.type == "string":
        return StringFilter(name, tuple(map(folded, _alternatives(value))))
    if param.type == "reference":
        return TokenFilter(name, tuple(_reference(text, base) for text in _alternatives(value)))
    return TokenFilter(name, tuple(_tokens(param, value)))


def _reference(text, base):
    """(resource type, id) as a token's (system, code) of `Type/id`, of an `id` of any type, or of a URL elsewhere."""
    if "/" not in text and ":" not in text:
        return None, text
    resource_type, id = referred_to(text.removeprefix(f"{base}/"))
    return resource_type or "", id


def _alternatives(value):
    """The values of a parameter, any of which will do."""
    return [_unescaped(text) for text in _split(value, ",")]


def _split(text, separator):
    """The parts of a value between separators that no backslash stands before; the other escapes are left in.

    (FHIR, "Search: Escaping Search Parameters")
    """
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    for piece in ESCAPED_OR_NOT.findall(text):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _unescaped(text):
    return ESCAPED.sub(r"\1", text)


def _dates(name, value):
    for text in value.split(","):
        prefix, date = (text[:2], text[2:]) if text[:2].isalpha() else ("eq", text)
        try:
            if prefix not in PREFIXES:
                raise ValueError(prefix)
            yield prefix, *interval(date)
        except ValueError:
            raise _bad(name, value, ACCEPTED_DATES) from None


def _tokens(param, value):
    """(system, code) of each of a token parameter's values: `code`, `system|code`, `system|`, `|code`."""
    for text in _split(value, ","):
        *systems, code = map(_unescaped, _split(text, "|"))
        bar, system, code = bool(systems), "|".join(systems), code.lower()
        codes = param.codes if code and (not bar or system == param.code_system) else ()
        if text in ("", "|") or (codes and code not in codes):
            raise _bad(param.name, value, ", ".join(("system|code", *param.codes)))
        yield (system if bar else None), (code or None)


def _bad(name, value, accepted):
    return FhirError(400, "invalid", f"{name}={value} is not accepted; accepted: {accepted}")
