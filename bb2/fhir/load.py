"""FHIR records into the store: checked, indexed, written.  A file is loaded whole or not at all."""

import json
import re
import time
from collections import Counter

import orjson
from sqlalchemy import delete, insert, select, tuple_, update

from bb2.fhir import FHIR_ID
from bb2.fhir.dates import instant
from bb2.fhir.files import LoadError, Located, read_file
from bb2.fhir.index import entries
from bb2.models import Record, RecordIndex
from bb2.scopes import API_VERSIONS

JSON_STRING = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")')
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
BATCH = 200  # records written at a time
OUTCOMES = ("added", "replaced", "unchanged")
RELEASES = {
    release.lower(): version for version, (release, _number) in API_VERSIONS.items()
}  #: {"stu3": "v1", "r4": "v2"}


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


def made_rows(resources, version, records):
    """What `add_rows` writes, of records (dicts) that were made here: nothing about them needs to be found out.

    Those of a type that no plugin declares in this version are left out.
    """
    return [
        _made_row(resources[record["resourceType"]], version, record)
        for record in records
        if version in getattr(resources.get(record["resourceType"]), "versions", ())
    ]


def add_rows(db, rows):
    """Write rows of `made_rows`, of records that are not there yet, in the caller's transaction."""
    _insert(db, rows)


def _made_row(resource, version, record):
    columns = {
        "version": version,
        "resource_type": resource.type,
        "id": record["id"],
        "patient": _patient(resource, record),
        "last_updated": _last_updated(record),
        "body": orjson.dumps(record).decode(),
    }
    return columns, entries(resource, record)


# Understanding


def _version_of_file(resources, path):
    """The API version that the first telling record of a file is of; None for a Bundle without entries."""
    located = None
    for located in read_file(path):
        try:
            record = _parsed(located.text)
            resource = _resource(resources, record)
        except BadRecord as problem:
            raise LoadError(path, located.line, problem) from None
        if found := _version_of(resource, record, located.text):
            return found
    if located:
        ways = " or ".join(f"--fhir {release}" for release in RELEASES)
        raise LoadError(path, 1, f"the FHIR version cannot be told from the records: give {ways}")
    return None


def _version_of(resource, record, text):
    """`v1`, `v2`, or None where a record could be either."""
    meta = record.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    r4 = (
        "http://terminology.hl7.org/" in text
        or "/us/carin-bb/" in str(profiles)
        or any(element in record for element in resource.r4_elements)
    )
    stu3 = any(element in record for element in resource.stu3_elements)
    return None if r4 == stu3 else RELEASES["r4" if r4 else "stu3"]


def _row(resources, path, located, version):
    """(columns of `record`, Entries) of a record, or LoadError."""
    try:
        record = _parsed(located.text)
        resource = _resource(resources, record, version)
        told = _version_of(resource, record, located.text)
        if told not in (None, version):
            raise BadRecord(f"this record is FHIR {API_VERSIONS[told][0]}, and the file is {API_VERSIONS[version][0]}")
        columns = {
            "version": version,
            "resource_type": resource.type,
            "id": _id(record),
            "patient": _patient(resource, record),
            "last_updated": _last_updated(record),
            "body": _compact(located.text),
        }
        return columns, entries(resource, record)
    except BadRecord as problem:
        raise LoadError(path, located.line, problem) from None


def _compact(text):
    """The JSON without white space between its tokens, which stay as they are: `1.00` is not `1.0` (FHIR, decimal)."""
    parts = JSON_STRING.split(text)
    parts[::2] = ["".join(between.split()) for between in parts[::2]]
    return "".join(parts)


def _parsed(text):
    try:
        record = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        # What a redaction will do with it: no half characters, no boundless numbers, no lists within lists in lists.
        orjson.dumps(orjson.loads(text))
    except json.JSONDecodeError as error:
        raise BadRecord(f"not JSON: {error.msg}") from None
    except (RecursionError, TypeError, ValueError) as error:
        raise BadRecord(f"not JSON that can be kept: {error}") from None
    if not isinstance(record, dict):
        raise BadRecord("not a JSON object")
    if NUL.search(text):
        raise BadRecord('a text with the character 0 (FHIR, "Data types": string)')
    return record


def _no_duplicates(pairs):
    """Two readers could take two different values: what is redacted for one would reach the other."""
    record = dict(pairs)
    if len(record) != len(pairs):
        raise BadRecord("an element stands twice in one object")
    return record


def _no_constant(name):
    raise BadRecord(f"{name} is not JSON")


def _resource(resources, record, version=None):
    """The FhirResource of a record.  `version` None: not known yet."""
    resource_type = record.get("resourceType")
    if not isinstance(resource_type, str) or not resource_type:
        raise BadRecord("no resourceType")
    if resource_type == "Bundle":
        raise BadRecord("a Bundle among other records: give it as a file of its own")
    declared = {t: r for t, r in resources.items() if version is None or version in r.versions}
    if resource_type not in declared:
        release = f" in {API_VERSIONS[version][0]}" if version else ""
        raise BadRecord(f"no plugin declares {resource_type}{release}; declared: {', '.join(sorted(declared))}")
    return declared[resource_type]


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
    stored = _stored(db, {_key(columns) for columns, _found in rows})
    bodies = {key: body for key, (_number, body) in stored.items()}
    counts, written = Counter(), {}
    for columns, found in rows:  # of two records with one id, the later one stays
        key, body = _key(columns), columns["body"]
        outcome = "added" if key not in bodies else "unchanged" if bodies[key] == body else "replaced"
        counts[columns["resource_type"], outcome] += 1
        bodies[key] = body
        if outcome != "unchanged":
            written[key] = (columns, found)
    _insert(db, [row for key, row in written.items() if key not in stored])
    _replace(db, [(stored[key][0], *row) for key, row in written.items() if key in stored])
    return counts


def _key(columns):
    return columns["version"], columns["resource_type"], columns["id"]


def _stored(db, keys):
    """{key: (number, body)} of the records that are there already."""
    if not keys:
        return {}
    key = tuple_(Record.version, Record.resource_type, Record.id)
    rows = db.execute(
        select(Record.version, Record.resource_type, Record.id, Record.number, Record.body).where(key.in_(sorted(keys)))
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
        db.execute(insert(RecordIndex.__table__), [{"record_number": number, **vars(entry)} for number, entry in numbered])


def _dated(columns):
    """A record without meta.lastUpdated was last updated when it was loaded."""
    if columns["last_updated"] is not None:
        return columns
    return columns | {"last_updated": time.time_ns() // 1000}
