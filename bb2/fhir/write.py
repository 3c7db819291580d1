"""How do many records get into the tables at once?  A batch costs a few statements, whatever its size."""

import time
from collections import Counter
from itertools import groupby
from operator import attrgetter, itemgetter

import orjson
from sqlalchemy import delete, func, insert, select, text

from bb2.fhir.index import Entry
from bb2.models import Record, RecordIndex

record, index = Record.__table__, RecordIndex.__table__
OUTCOMES = ("added", "replaced", "unchanged", "ignored")
NEXT_NUMBERS = text("SELECT nextval(pg_get_serial_sequence('record', 'number')) FROM generate_series(1, :wanted)")


def write(db, rows):
    """Write rows of `bb2.fhir.rows` with their `last_updated`; returns Counter({(resource type, outcome): records}).

    In the caller's transaction, and with the result as if each row was written after the other.
    """
    stored = _stored(db, rows)
    kept = {key: (known.last_updated, known.body) for key, known in stored.items()}
    written, counts = {}, Counter()
    for columns, found in rows:
        key = _key(columns)
        outcome = _outcome(kept.get(key), columns)
        counts[columns["resource_type"], outcome] += 1
        if outcome in ("added", "replaced"):
            columns = _dated(columns)
            kept[key] = columns["last_updated"], columns["body"]
            written[key] = columns, found
    replaced = {key: stored[key].number for key in written if key in stored}
    added = [key for key in written if key not in stored]
    numbers = replaced | dict(zip(added, _new_numbers(db, len(added)), strict=True))
    delete_rows(db, replaced.values())
    insert_rows(db, [(numbers[key], *row) for key, row in written.items()])
    return counts


def delete_rows(db, numbers):
    """Delete the records with these numbers, and by what they are found."""
    if numbers := sorted(numbers):
        db.execute(delete(index).where(index.c.record_number.in_(numbers)))
        db.execute(delete(record).where(record.c.number.in_(numbers)))


def insert_rows(db, numbered):
    """Insert records, [(number, columns, Entries)], with by what they are found."""
    if not numbered:
        return
    connection = db.connection()
    rows = [{"number": number} | columns for number, columns, _found in numbered]
    names = _columns(record, rows[0])
    _insert(connection, record, names, [itemgetter(*names)(row) for row in rows])
    names = _columns(index, Entry.__dataclass_fields__)
    values = attrgetter(*names)
    found = [(number, *values(entry)) for number, _columns, entries in numbered for entry in entries]
    _insert(connection, index, ["record_number", *names], found)


# What becomes of a record


def _outcome(kept, columns):
    """One of OUTCOMES, for a row, and the (last_updated, body) that its id has already, or None.

    Only what is surely older is ignored.  Of two that were last updated at one moment, the one that is loaded later
    stays: a source that mends how it writes its records need not date them anew.
    """
    if kept is None:
        return "added"
    moment, body = kept
    if body == columns["body"]:
        return "unchanged"
    if columns["last_updated"] is None or columns["last_updated"] >= moment or not _says_when(body):
        return "replaced"
    return "ignored"


def _says_when(body):
    return "lastUpdated" in orjson.loads(body).get("meta", ())


def _dated(columns):
    """A record without meta.lastUpdated was last updated when it was loaded."""
    if columns["last_updated"] is not None:
        return columns
    return columns | {"last_updated": time.time_ns() // 1000}


# Statements


def _key(columns):
    return columns["version"], columns["resource_type"], columns["id"]


def _stored(db, rows):
    """{key: (…, number, last_updated, body)} of the records that are there already.

    They are locked until the end of the transaction, as another load may bring an older one meanwhile.
    """
    found = {}
    keys = sorted({_key(columns) for columns, _found in rows})
    for (version, resource_type), group in groupby(keys, key=lambda key: key[:2]):
        known = (
            select(record.c.id, record.c.number, record.c.last_updated, record.c.body)
            .where(
                record.c.version == version,
                record.c.resource_type == resource_type,
                record.c.id.in_([id for *_kind, id in group]),
            )
            .order_by(record.c.id)
            .with_for_update()
        )
        found |= {(version, resource_type, row.id): row for row in db.execute(known)}
    return found


def _new_numbers(db, wanted):
    """So many numbers that no record has."""
    if db.get_bind().dialect.name == "postgresql":
        return db.scalars(NEXT_NUMBERS, {"wanted": wanted}).all()
    last = db.scalar(select(func.max(record.c.number))) or 0  # SQLite has one writer, and that is this transaction
    return range(last + 1, last + 1 + wanted)


def _insert(connection, table, names, rows):
    """Insert tuples of the values of these columns, in the order of the table: some microseconds each."""
    if not rows:
        return
    dialect = connection.dialect
    adapt = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    if any(adapt):
        rows = [[to(value) if to else value for to, value in zip(adapt, row, strict=True)] for row in rows]
    if dialect.name != "postgresql":
        connection.exec_driver_sql(str(insert(table).compile(dialect=dialect, column_keys=names)), rows)
        return
    statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
    with connection.connection.driver_connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _columns(table, names):
    """These columns in the order of the table."""
    return [column.name for column in table.columns if column.name in names]
