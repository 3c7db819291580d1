"""FHIR records into the store: checked, indexed, written.  A file is loaded whole or not at all."""

import json
import re
from collections import Counter
from pathlib import Path

import orjson
from sqlalchemy.exc import IntegrityError

from bb2.fhir import FHIR_ID
from bb2.fhir.dates import instant
from bb2.fhir.files import LoadError, read_file
from bb2.fhir.reindex import mark_new
from bb2.fhir.rows import BadRecord, row
from bb2.fhir.write import write
from bb2.scopes import API_VERSIONS
from bb2.sensitivities import NONE_INSTALLED

JSON_SPACE = b" \t\r\n"
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
BATCH, LARGE = 200, 1 << 23  # records, or characters of them, written at a time
#: {"stu3": "v1", "r4": "v2"}
RELEASES = {release.lower(): version for version, (release, _number) in API_VERSIONS.items()}


def load_file(
    db,
    resources,
    path,
    *,
    version=None,
    on_read=lambda size: None,
    on_written=lambda records: None,
    sensitivities=NONE_INSTALLED,
):
    """Load a file in the caller's transaction; returns Counter({(resource type, outcome): records}).

    `resources` is {type: FhirResource}; `version` None: found from the records.  `on_read` is told how many bytes of
    the file have been read, `on_written` how many records have been written.  Raises LoadError: the caller rolls back.
    `sensitivities` judge each record: what was not judged is withheld.
    """
    version = version or _version_of_file(resources, path)
    mark_new(db, resources)
    rows = (_row(resources, path, located, version, sensitivities) for located in read_file(path, on_read))
    try:
        return write_rows(db, rows, on_written)
    except IntegrityError:
        raise LoadError(path, 1, "another load adds the same records at this moment: repeat this one") from None


def load_records(db, resources, version, records, sensitivities=NONE_INSTALLED):
    """Load records (dicts) that were made here, in the caller's transaction; returns as `load_file`."""
    return write_rows(db, made_rows(resources, version, records, sensitivities))


def made_rows(resources, version, records, sensitivities=NONE_INSTALLED):
    """Rows for `write_rows`, of records (dicts) that were made here: they need no database, and can be pickled."""
    return [_checked_row(resources, orjson.dumps(record), version, sensitivities) for record in records]


def write_rows(db, rows, on_written=lambda records: None):
    """Write rows of `made_rows` in the caller's transaction; `on_written` is told, and returned, as by `load_file`."""
    counts = Counter()
    for some in _batches(rows):
        counts += write(db, some)
        on_written(counts.total())
    return counts


def _batches(rows):
    """Lists of at most BATCH rows, and about LARGE characters."""
    some, size = [], 0
    for columns, found in rows:
        some.append((columns, found))
        size += len(columns["body"])
        if len(some) == BATCH or size > LARGE:
            yield some
            some, size = [], 0
    if some:
        yield some


# Understanding


def _version_of_file(resources, path):
    """The API version that the first telling record of a file is of; None for a Bundle without entries."""
    ways = " or ".join(f"--fhir {release}" for release in RELEASES)
    if not Path(path).is_file():
        raise LoadError(path, 1, f"a pipe is read only once, so the FHIR version cannot be looked for: give {ways}")
    located = None
    for located in read_file(path):
        try:
            data = located.text.encode()
            record, _body = _parsed(data)
            resource = _resource(resources, record)
        except BadRecord as problem:
            raise LoadError(path, located.line, problem) from None
        if found := _version_of(resource, record, data):
            return found
    if located:
        raise LoadError(path, 1, f"the FHIR version cannot be told from the records: give {ways}")
    return None


def _version_of(resource, record, data):
    """`v1`, `v2`, or None where a record could be either."""
    meta = record.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    r4 = (
        b"http://terminology.hl7.org/" in data
        or "/us/carin-bb/" in str(profiles)
        or not record.keys().isdisjoint(resource.r4_elements)
    )
    stu3 = not record.keys().isdisjoint(resource.stu3_elements)
    return None if r4 == stu3 else RELEASES["r4" if r4 else "stu3"]


def _row(resources, path, located, version, sensitivities):
    """The row of a record of a file, or LoadError."""
    try:
        return _checked_row(resources, located.text.encode(), version, sensitivities)
    except BadRecord as problem:
        raise LoadError(path, located.line, problem) from None


def _checked_row(resources, data, version, sensitivities):
    """The row of a record, given as JSON, that is what it should be; or BadRecord."""
    record, body = _parsed(data)
    resource = _resource(resources, record, version)
    told = _version_of(resource, record, data)
    if told not in (None, version):
        raise BadRecord(f"this record is FHIR {API_VERSIONS[told][0]}, and the file is {API_VERSIONS[version][0]}")
    _check_id(record)
    columns, found = row(resource, version, record, body)
    return columns | {"last_updated": _last_updated(record), "judgements": sensitivities.judge(record)}, found


def _parsed(data):
    """The record (a dict) of a JSON text (bytes) that every reader takes for the same, and the text that is kept of it.

    BadRecord for any other text.
    """
    try:
        record = orjson.loads(data)
        # What a redaction will do with it: no half characters, no boundless numbers, no lists within lists in lists.
        written = orjson.dumps(record)
    except (orjson.JSONDecodeError, TypeError, RecursionError) as error:
        raise _why_not(data, error) from None
    # An element that stands twice is read once, and its name is missing then.  Two readers could take two different
    # values: what is redacted for one would reach the other.
    if written != data and _quotes(written) != _quotes(data):
        raise BadRecord("an element stands twice in one object")
    if not isinstance(record, dict):
        raise BadRecord("not a JSON object")
    if rb"\u0000" in data and NUL.search(data):
        raise BadRecord('a text with the character 0 (FHIR, "Data types": string)')
    return record, (data if written == data else _compact(data)).decode()


def _quotes(data):
    """How many quotes begin or end a string of a JSON text (bytes)."""
    return data.replace(rb"\\", b"").replace(rb"\"", b"").count(b'"')


def _compact(data):
    """A JSON text (bytes) without white space between its tokens, which stay: `1.00` is not `1.0` (FHIR, decimal)."""
    # Two characters that stand in no JSON text take the place of escapes, so that every quote begins or ends a string.
    parts = data.replace(rb"\\", b"\0").replace(rb"\"", b"\1").split(b'"')
    parts[::2] = b'"'.join(parts[::2]).translate(None, JSON_SPACE).split(b'"')
    return b'"'.join(parts).replace(b"\1", rb"\"").replace(b"\0", rb"\\")


def _why_not(data, error):
    """The BadRecord for what orjson refuses, in the words of a parser that says more."""
    try:
        json.loads(data, parse_constant=_no_constant)
    except json.JSONDecodeError as told:
        return BadRecord(f"not JSON: {told.msg}")
    except (RecursionError, TypeError, ValueError) as told:
        return BadRecord(f"not JSON that can be kept: {told}")
    except BadRecord as told:
        return told
    return BadRecord(f"not JSON that can be kept: {error}")


def _no_constant(name):
    raise BadRecord(f"{name} is not JSON")


def _resource(resources, record, version=None):
    """The FhirResource of a record.  `version` None: not known yet."""
    resource_type = record.get("resourceType")
    if not isinstance(resource_type, str) or not resource_type:
        raise BadRecord("no resourceType")
    if resource_type == "Bundle":
        raise BadRecord("a Bundle among other records: give it as a file of its own")
    resource = resources.get(resource_type)
    if resource is None or (version and version not in resource.versions):
        declared = sorted(t for t, r in resources.items() if version is None or version in r.versions)
        release = f" in {API_VERSIONS[version][0]}" if version else ""
        raise BadRecord(f"no plugin declares {resource_type}{release}; declared: {', '.join(declared)}")
    return resource


def _check_id(record):
    id = record.get("id")
    if not isinstance(id, str) or not FHIR_ID.fullmatch(id):
        raise BadRecord("no id, or one that is not a FHIR id")


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
