"""FHIR files into the store: a resource, a Bundle or NDJSON, also gzipped.  A file is loaded whole or not at all."""

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select, tuple_, update

from bb2.fhir.dates import instant
from bb2.fhir.index import entries
from bb2.models import Record, RecordIndex
from bb2.scopes import API_VERSIONS

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
# White space outside strings; what is inside is matched first, and kept.
WHITE_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')
JSON_SPACE = re.compile(r"[ \t\r\n]*")
BATCH = 200  # records written at a time
OUTCOMES = ("added", "replaced", "unchanged")
RELEASES = {
    release.lower(): version for version, (release, _number) in API_VERSIONS.items()
}  #: {"stu3": "v1", "r4": "v2"}


class LoadError(Exception):
    """A file that cannot be loaded: nothing of it was kept."""

    def __init__(self, path, line, reason):
        super().__init__(f"{path}: line {line}: {reason}")


@dataclass(frozen=True)
class Located:
    """The JSON of one record, and where in its file it begins."""

    line: int
    text: str


class BadRecord(Exception):
    """What is wrong with a record."""


def load_file(db, resources, path, *, version=None, on_progress=lambda count: None):
    """Load a file in the caller's transaction; returns Counter({(resource type, outcome): records}).

    `resources` is {type: FhirResource}; `version` None: found from the records.  `on_progress` is told how many records
    have been read.  Raises LoadError: the caller rolls back.
    """
    version = version or _version_of_file(resources, path)
    counts, batch = Counter(), []
    read = 0
    for located in read_file(path):
        batch.append(_row(resources, path, located, version))
        if len(batch) == BATCH:
            counts += _write(db, batch)
            read += len(batch)
            batch.clear()
            on_progress(read)
    counts += _write(db, batch)
    on_progress(read + len(batch))
    return counts


def load_records(db, resources, version, records):
    """Load records (dicts) that were made here, in the caller's transaction; returns as `load_file`."""
    rows = [
        _row(resources, "records", Located(number, json.dumps(record, ensure_ascii=False)), version)
        for number, record in enumerate(records, 1)
    ]
    return sum((_write(db, rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)), Counter())


# Reading


def read_file(path) -> Iterator[Located]:
    """The records of a file, one after the other.  NDJSON is read line by line, whatever its size."""
    path = Path(path)
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    try:
        with opened as file:
            yield from _records(path, file)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise LoadError(path, 1, f"the file cannot be read: {error}") from None


def _records(path, file):
    first = file.readline()
    if _is_one_record(first) and not first.lstrip().startswith("["):
        yield Located(1, first)
        yield from (Located(number, line) for number, line in enumerate(file, 2) if line.strip())
    else:
        yield from _document(path, first + file.read())


def _is_one_record(line):
    """True for a line that is a whole resource, and no Bundle: the file is NDJSON, or that one resource."""
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and record.get("resourceType") != "Bundle"


def _document(path, text):
    """One JSON document over several lines: a resource, or a Bundle of them."""
    decoder = json.JSONDecoder()
    try:
        document, end = decoder.raw_decode(text, JSON_SPACE.match(text).end())
        if rest := text[end:].strip():
            raise json.JSONDecodeError(f"extra data after the JSON: {rest[:20]!r}", text, end)
    except json.JSONDecodeError as error:
        raise LoadError(path, error.lineno, f"not JSON: {error.msg}") from None
    if isinstance(document, dict) and document.get("resourceType") == "Bundle":
        yield from _entries(path, text, decoder)
    else:
        yield Located(1, text)


def _entries(path, text, decoder):
    """The resources of a Bundle's entries, each as its own stretch of the text."""
    for start, _end in _members(text, decoder, JSON_SPACE.match(text).end(), "entry", is_list=True):
        line = text.count("\n", 0, start) + 1
        found = list(_members(text, decoder, start, "resource")) if text[start] == "{" else []
        if not found:
            raise LoadError(path, line, "a Bundle entry without a resource")
        begin, end = found[0]
        yield Located(line, text[begin:end])


def _members(text, decoder, position, wanted, is_list=False):
    """(start, end) of the value of a key of the JSON object at a position; of each of its members, if it is a list."""
    position = JSON_SPACE.match(text, position + 1).end()
    while text[position] != "}":
        key, position = decoder.raw_decode(text, position)
        position = JSON_SPACE.match(text, JSON_SPACE.match(text, position).end() + 1).end()
        start = position
        _value, position = decoder.raw_decode(text, position)
        if key == wanted:
            yield from _items(text, decoder, start) if is_list and text[start] == "[" else [(start, position)]
        position = _after_comma(text, position)


def _items(text, decoder, position):
    position = JSON_SPACE.match(text, position + 1).end()
    while text[position] != "]":
        start = position
        _value, position = decoder.raw_decode(text, position)
        yield start, position
        position = _after_comma(text, position)


def _after_comma(text, position):
    position = JSON_SPACE.match(text, position).end()
    return JSON_SPACE.match(text, position + 1).end() if text[position] == "," else position


# Understanding


def _version_of_file(resources, path):
    """The API version that the first telling record of a file is of."""
    for located in read_file(path):
        try:
            record = _parsed(located.text)
        except BadRecord as problem:
            raise LoadError(path, located.line, problem) from None
        if found := _version_of(resources, record, located.text):
            return found
    raise LoadError(
        path, 1, f"the FHIR version cannot be told from the records: give --fhir {' or --fhir '.join(RELEASES)}"
    )


def _version_of(resources, record, text):
    """`v1`, `v2`, or None where a record could be either."""
    resource = resources.get(record.get("resourceType"))
    profiles = record.get("meta", {}).get("profile", []) if isinstance(record.get("meta"), dict) else []
    r4 = "http://terminology.hl7.org/" in text or any("/us/carin-bb/" in str(profile) for profile in profiles)
    r4 = r4 or (resource is not None and any(element in record for element in resource.r4_elements))
    stu3 = resource is not None and any(element in record for element in resource.stu3_elements)
    return None if r4 == stu3 else RELEASES["r4" if r4 else "stu3"]


def _row(resources, path, located, version):
    """(columns of `record`, Entries) of a record, or LoadError."""
    try:
        record = _parsed(located.text)
        resource = _resource(resources, record, version)
        told = _version_of(resources, record, located.text)
        if told not in (None, version):
            raise BadRecord(f"this record is FHIR {API_VERSIONS[told][0]}, and the file is {API_VERSIONS[version][0]}")
        columns = {
            "version": version,
            "resource_type": resource.type,
            "id": _id(record),
            "patient": _patient(resource, record),
            "last_updated": _last_updated(record),
            "body": WHITE_SPACE.sub(r"\1", located.text),
        }
        return columns, entries(resource, record)
    except BadRecord as problem:
        raise LoadError(path, located.line, problem) from None


def _parsed(text):
    try:
        record = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        text.encode()
    except json.JSONDecodeError as error:
        raise BadRecord(f"not JSON: {error.msg}") from None
    except (UnicodeEncodeError, RecursionError) as error:
        raise BadRecord(f"not JSON that can be kept: {error}") from None
    if not isinstance(record, dict):
        raise BadRecord("not a JSON object")
    return record


def _no_duplicates(pairs):
    """Two readers could take two different values: what is redacted for one would reach the other."""
    record = dict(pairs)
    if len(record) != len(pairs):
        raise BadRecord("an element stands twice in one object")
    return record


def _no_constant(name):
    raise BadRecord(f"{name} is not JSON")


def _resource(resources, record, version):
    resource_type = record.get("resourceType")
    if not isinstance(resource_type, str) or not resource_type:
        raise BadRecord("no resourceType")
    resource = resources.get(resource_type)
    if resource is None or version not in resource.versions:
        known = ", ".join(sorted(t for t, r in resources.items() if version in r.versions))
        raise BadRecord(f"no plugin declares {resource_type} in {API_VERSIONS[version][0]}; declared: {known}")
    return resource


def _id(record):
    id = record.get("id")
    if not isinstance(id, str) or not FHIR_ID.fullmatch(id):
        raise BadRecord("no id, or one that is not a FHIR id")
    return id


def _patient(resource, record):
    patient = resource.patient_of(record)
    if not patient:
        raise BadRecord(f"no patient: {resource.patient_element} is not a reference to Patient/…")
    return patient


def _last_updated(record):
    """meta.lastUpdated in microseconds; None where there is none."""
    meta = record.get("meta", {})
    if not isinstance(meta, dict):
        raise BadRecord("meta is not an object")
    if "lastUpdated" not in meta:
        return None
    try:
        return instant(meta["lastUpdated"])
    except ValueError as error:
        raise BadRecord(f"meta.lastUpdated: {error}") from None


# Writing


def _write(db, rows):
    """Write the rows of one batch; returns Counter({(resource type, outcome): records})."""
    last_of_key = {_key(columns): (columns, found) for columns, found in rows}
    stored = _stored(db, list(last_of_key))
    counts, new, changed = Counter(), [], []
    for key, (columns, found) in last_of_key.items():
        number, body = stored.get(key, (None, None))
        outcome = "added" if number is None else "unchanged" if body == columns["body"] else "replaced"
        counts[columns["resource_type"], outcome] += 1
        if outcome == "added":
            new.append((columns, found))
        elif outcome == "replaced":
            changed.append((number, columns, found))
    _insert(db, new)
    _replace(db, changed)
    return counts


def _key(columns):
    return columns["version"], columns["resource_type"], columns["id"]


def _stored(db, keys):
    """{key: (number, body)} of the records that are there already."""
    if not keys:
        return {}
    key = tuple_(Record.version, Record.resource_type, Record.id)
    rows = db.execute(
        select(Record.version, Record.resource_type, Record.id, Record.number, Record.body).where(key.in_(keys))
    )
    return {tuple(row[:3]): (row.number, row.body) for row in rows}


def _insert(db, new):
    if not new:
        return
    numbers = db.scalars(
        insert(Record).returning(Record.number, sort_by_parameter_order=True),
        [_dated(columns) for columns, _found in new],
    ).all()
    _index(db, [(number, entry) for number, (_columns, found) in zip(numbers, new, strict=True) for entry in found])


def _replace(db, changed):
    for number, columns, _found in changed:
        db.execute(update(Record).where(Record.number == number).values(**_dated(columns)))
    if changed:
        db.execute(delete(RecordIndex).where(RecordIndex.record_number.in_([number for number, *_ in changed])))
        _index(db, [(number, entry) for number, _columns, found in changed for entry in found])


def _index(db, numbered):
    if numbered:
        db.execute(insert(RecordIndex), [{"record_number": number, **vars(entry)} for number, entry in numbered])


def _dated(columns):
    """A record without meta.lastUpdated was last updated when it was loaded."""
    if columns["last_updated"] is not None:
        return columns
    return columns | {"last_updated": time.time_ns() // 1000}
