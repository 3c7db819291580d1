"""The records in our own database, found with one statement each (the hot path: SQLAlchemy core, no transaction)."""

from functools import singledispatch

from sqlalchemy import and_, bindparam, exists, func, or_, select

from bb2.fhir import FhirRecord, Page
from bb2.fhir.search import DateFilter, IdFilter, TokenFilter, date_matches
from bb2.models import Record, RecordIndex

record, index = Record.__table__.c, RecordIndex.__table__.c
COLUMNS = (record.id, record.patient, record.body, record.last_updated)
READ = select(*COLUMNS).where(
    record.version == bindparam("version"),
    record.resource_type == bindparam("type"),
    record.id == bindparam("id"),
    record.patient == bindparam("patient"),
)


class SqlStore:
    """A FhirSource over the table `record`.  `reader` is an engine that opens no transactions."""

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
        )
        with self.reader.connect() as connection:
            total = connection.execute(select(func.count()).select_from(Record.__table__).where(matching)).scalar_one()
            if not query.count or query.offset >= total:
                return Page(total, [])
            page = select(*COLUMNS).where(matching).order_by(record.id).limit(query.count).offset(query.offset)
            return Page(total, [FhirRecord(*row) for row in connection.execute(page)])


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
