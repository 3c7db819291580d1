"""The records in our own database, found with one statement each (the hot path: SQLAlchemy core, no transaction)."""

from functools import singledispatch

from sqlalchemy import and_, bindparam, exists, func, literal, or_, select

from bb2.fhir import FhirRecord, Page
from bb2.fhir.search import DateFilter, IdFilter, StringFilter, TokenFilter, date_matches
from bb2.models import Record, RecordIndex

record, index = Record.__table__.c, RecordIndex.__table__.c
COLUMNS = (record.id, record.patient, record.body, record.last_updated, record.judgements)
READ = select(*COLUMNS).where(
    record.version == bindparam("version"),
    record.resource_type == bindparam("type"),
    record.id == bindparam("id"),
    record.patient == bindparam("patient"),
)


class SqlStore:
    """A FhirSource over the table `record`.  `reader` is an engine that opens no transactions."""

    withholds = True

    def __init__(self, reader):
        self.reader = reader

    def check(self):
        """Raises where the records cannot be read."""
        with self.reader.connect() as connection:
            connection.execute(select(record.number).limit(1)).first()

    def read(self, version, resource, id, patient):
        with self.reader.connect() as connection:
            named = {"version": version, "type": resource.type, "id": id, "patient": patient}
            row = connection.execute(READ, named).one_or_none()
        return row and FhirRecord(*row)

    def search(self, query):
        matching = and_(
            record.version == query.version,
            record.resource_type == query.resource.type,
            record.patient == query.patient,
            *map(condition, query.filters),
            *(record.judgements.contains(withheld.free, autoescape=True) for withheld in query.withheld),
        )
        with self.reader.connect() as connection:
            rows = connection.execute(_page(query, matching)).all() if query.count else ()
            if rows:
                return _found(query, rows)
            total = connection.execute(select(_number(matching))).scalar_one()
        start = total if query.after else 0 if query.before else query.offset
        return Page(total, [], (start, start) if query.count else None)


def _page(query, matching):
    """The records of a page; with each, how many match behind the page's beginning and from there on.

    In one statement, so that both are of the same moment.  The two counts are of one walk through the index together,
    wherever the page lies.
    """
    if query.after:
        behind, onward = _number(and_(matching, record.id <= query.after)), record.id > query.after
    elif query.before:
        behind, onward = _number(and_(matching, record.id >= query.before)), record.id < query.before
    elif query.offset:
        begin = select(record.id).where(matching).order_by(record.id).limit(1).offset(query.offset)
        behind, onward = literal(query.offset), record.id >= begin.correlate(None).scalar_subquery()
    else:
        behind, onward = literal(0), None
    ahead = and_(matching, onward) if onward is not None else matching
    order = record.id.desc() if query.before else record.id
    return select(*COLUMNS, behind, _number(ahead)).where(ahead).order_by(order).limit(query.count)


def _found(query, rows):
    """The Page of the rows of `_page`."""
    behind, onward = rows[0][-2:]
    records = [FhirRecord(*row[:-2]) for row in rows]
    if query.before:
        return Page(behind + onward, records[::-1], (onward - len(rows), onward))
    return Page(behind + onward, records, (behind, behind + len(rows)))


def _number(matching):
    """How many records match, as a column."""
    return select(func.count()).select_from(Record.__table__).where(matching).correlate(None).scalar_subquery()


@singledispatch
def condition(search_filter):
    """The SQL condition of a filter of `bb2.fhir.search`."""
    raise TypeError(f"no condition for {search_filter!r}")


@condition.register
def _(search_filter: IdFilter):
    return record.id.in_(sorted(search_filter.ids))


@condition.register
def _(search_filter: TokenFilter):
    return _indexed(search_filter.param, [_token(*asked) for asked in search_filter.any_of])


@condition.register
def _(search_filter: StringFilter):
    return _indexed(search_filter.param, [index.value.startswith(b, autoescape=True) for b in search_filter.any_of])


@condition.register
def _(search_filter: DateFilter):
    if search_filter.param == "_lastUpdated":
        moment = record.last_updated
        return or_(*(date_matches(*asked, moment, moment + 1) for asked in search_filter.any_of))
    return _indexed(
        search_filter.param, [date_matches(*asked, index.low, index.high) for asked in search_filter.any_of]
    )


def _indexed(param, any_of):
    return exists().where(index.record_number == record.number, index.param == param, or_(*any_of))


def _token(system, value):
    asked = [] if value is None else [index.value == value]
    if system is not None:
        asked.append(index.system == system if system else index.system.is_(None))
    return and_(*asked)
