"""What does a search ask for?  The parameters of a URL, read once, into a Query (FHIR, "Search")."""

from dataclasses import dataclass, field

from bb2.fhir import FhirError
from bb2.fhir.dates import instant, interval
from bb2.fhir.index import entries
from bb2.scopes import FhirResource

DEFAULT_COUNT, MOST_COUNT = 10, 50
PREFIXES = ("eq", "lt", "le", "gt", "ge")
ACCEPTED_DATES = f"2024, 2024-06, 2024-06-30 or 2024-06-30T12:00:00Z, after nothing or one of {', '.join(PREFIXES)}"
JSON_FORMATS = ("json", "application/json", "application/fhir+json", "application/json+fhir", "text/json")
#: Parameters that shape the answer and are no filter: name -> the values accepted, None for any that is checked later.
CONTROLS = {"_count": None, "startIndex": None, "_format": JSON_FORMATS, "_summary": ("count", "false"), "_total": None}


@dataclass(frozen=True)
class IdFilter:
    """`_id`: any of these."""

    ids: frozenset[str]

    def matches(self, record, found):
        return record["id"] in self.ids


@dataclass(frozen=True)
class TokenFilter:
    """A token parameter: any of these (system, value); None stands for any, `""` for no system."""

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
class DateFilter:
    """A date parameter or `_lastUpdated`: any of these (prefix, low, high)."""

    param: str
    any_of: tuple[tuple[str, int, int], ...]

    def matches(self, record, found):
        if self.param == "_lastUpdated":
            updated = record.get("meta", {}).get("lastUpdated")
            moment = instant(updated) if updated else 0  # as FhirRecord.of has it
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
    filters: tuple[IdFilter | TokenFilter | DateFilter, ...] = ()
    count: int = DEFAULT_COUNT  #: records on the page; 0: only the total is asked for
    offset: int = 0
    used: tuple[tuple[str, str], ...] = field(default=(), compare=False)  #: the parameters that counted, for links
    ignored: tuple[str, ...] = field(default=(), compare=False)

    def matches(self, record):
        """True when a record (a dict) is the patient's and passes every filter: for sources without a database."""
        found = entries(self.resource, record)
        owned = self.resource.patient_of(record) == self.patient
        return owned and all(f.matches(record, found) for f in self.filters)


def parse(version, resource, patient, params):
    """The Query of these URL parameters, [(name, value)].  A FhirError names the parameter, its value, what is accepted."""
    declared = {param.name: param for param in resource.search_params}
    references = {"patient", resource.patient_element} - {"id"}
    controls, filters, used, ignored = {}, [], [], []
    for name, value in params:
        base, _, modifier = name.partition(":")
        known = base in declared or base in references or base in CONTROLS or base in ("_id", "_lastUpdated")
        if not known:
            ignored.append(name)
            continue
        if value == "":
            continue
        if modifier:
            raise _bad(name, value, f"{base} without a modifier")
        if base in CONTROLS:
            # Clients repeat _count on a link that carries it already: the link's own comes first, and counts.
            controls.setdefault(base, value)
            continue
        used.append((name, value))
        if base in references:
            _refuse_another_patient(name, value, patient)
        else:
            filters.append(_filter(base, value, declared.get(base)))
    count = _control(controls)
    offset = _number(controls, "startIndex", 0)
    shaping = [(n, v) for n, v in controls.items() if n not in ("_count", "startIndex")]
    return Query(version, resource, patient, tuple(filters), count, offset, (*used, *shaping), tuple(ignored))


def _control(controls):
    """The number of records on a page, and a check of the parameters that shape the answer."""
    for name, accepted in CONTROLS.items():
        value = controls.get(name)
        if name == "_format" and value is not None and value.replace(" ", "+").lower() not in accepted:
            raise FhirError(406, "not-supported", f"_format={value} is not served; accepted: json")
        if name == "_summary" and value is not None and value not in accepted:
            raise _bad(name, value, ", ".join(accepted))
    if controls.get("_total", "accurate") not in ("accurate", "estimate", "none"):
        raise _bad("_total", controls["_total"], "accurate, estimate, none")
    count = min(_number(controls, "_count", DEFAULT_COUNT), MOST_COUNT)
    return 0 if controls.get("_summary") == "count" else count


def _number(controls, name, default):
    text = controls.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise _bad(name, text, "a whole number from 0")
    return int(text)


def _refuse_another_patient(name, value, patient):
    if any(named.removeprefix("Patient/") != patient for named in value.split(",")):
        raise FhirError(403, "forbidden", f"{name} names another person than the one who granted this access token")


def _filter(name, value, param):
    if name == "_id":
        return IdFilter(frozenset(value.split(",")))
    if name == "_lastUpdated":
        return DateFilter(name, tuple(_dates(name, value)))
    if param.type == "date":
        return DateFilter(name, tuple(_dates(name, value)))
    return TokenFilter(name, tuple(_tokens(param, value)))


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
    for text in value.split(","):
        system, bar, code = text.rpartition("|")
        code = code.lower()
        codes = param.codes if not bar or system == param.code_system else ()
        if codes and code not in codes:
            raise _bad(param.name, value, ", ".join(codes) + ", or system|code")
        yield (system if bar else None), (code or None)


def _bad(name, value, accepted):
    return FhirError(400, "invalid", f"{name}={value} is not accepted; accepted: {accepted}")
