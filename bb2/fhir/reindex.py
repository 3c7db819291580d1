"""Are the stored records found by what their plugins declare now?  Where they are not, make their rows anew.

`record_indexing` says by which declaration the rows of a resource type were made: written when they are made anew, or
before the first of them is loaded.  Of records without such a line, nothing is known.
"""

from collections import Counter

import orjson
from sqlalchemy import delete, exists, insert, select

from bb2.fhir.rows import BadRecord, declaration, row
from bb2.fhir.write import delete_rows, insert_rows
from bb2.models import Record, RecordIndexing
from bb2.scopes import API_VERSIONS

BATCH = 200  # records made anew at a time


class IndexingError(Exception):
    """Records that cannot be found by what their plugin declares."""


def refuse_outdated(db, resources):
    """IndexingError, where a search would not find what it should.  `resources` is {type: FhirResource}."""
    if types := outdated(db, resources):
        raise IndexingError(
            f"records of {', '.join(types)} were loaded when their plugin declared other search parameters, "
            "and a search would miss them: run `bb2 reindex`, or `bb2 init`"
        )


def outdated(db, resources):
    """The resource types whose records were stored by another declaration than today's."""
    return [type for type in _others(db, resources) if _has_records(db, type)]


def mark_new(db, resources):
    """Before a load: whatever will be the first record of its type is stored by today's declaration."""
    _mark(db, [resources[type] for type in _others(db, resources) if not _has_records(db, type)])


def reindex(db, resources, types=None, on_written=lambda records: None):
    """Make the rows of all records of some types anew (None: of those that are outdated), in the caller's transaction.

    Returns Counter({type: records}).  `on_written` is told how many have been written.  Raises IndexingError.
    """
    mark_new(db, resources)
    counts = Counter()
    for type in outdated(db, resources) if types is None else types:
        for some in _batches(db, type):
            anew = [_anew(resources[type], stored) for stored in some]
            delete_rows(db, [stored.number for stored in some])
            insert_rows(db, anew)
            counts[type] += len(anew)
            on_written(counts.total())
        _mark(db, [resources[type]])
    return counts


def _others(db, resources):
    """The types whose line in `record_indexing` is missing, or says another declaration than today's."""
    lines = dict(db.execute(select(RecordIndexing.resource_type, RecordIndexing.declaration)).all())
    return sorted(type for type, resource in resources.items() if lines.get(type) != declaration(resource))


def _has_records(db, type):
    return db.scalar(select(exists().where(Record.version.in_(API_VERSIONS), Record.resource_type == type)))


def _mark(db, resources):
    for resource in resources:
        db.execute(delete(RecordIndexing).where(RecordIndexing.resource_type == resource.type))
        line = {"resource_type": resource.type, "declaration": declaration(resource)}
        db.execute(insert(RecordIndexing), line)


def _batches(db, type):
    """The records of a type, in lists, by their number."""
    table, last = Record.__table__, 0
    of_type = select(table).where(table.c.resource_type == type).order_by(table.c.number).limit(BATCH)
    while some := db.execute(of_type.where(table.c.number > last)).all():
        yield some
        last = some[-1].number


def _anew(resource, stored):
    """(number, columns, Entries) of a stored record by today's declaration."""
    try:
        columns, found = row(resource, stored.version, orjson.loads(stored.body), stored.body)
    except BadRecord as problem:
        raise IndexingError(f"{stored.version} {resource.type}/{stored.id}: {problem}") from None
    return stored.number, columns | {"last_updated": stored.last_updated}, found
