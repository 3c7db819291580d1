"""The store finds what the search means: `Query.matches`, record by record, says which records those are.

`make test` takes twenty-five sets of records in each database, `make proofs` 1,000.
"""

import os

import pytest
from fhir_records import CLAIM_ID, CLAIM_TYPE, EOB_TYPE, RESOURCES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bb2.db import make_engine, reader
from bb2.fhir import MemorySource
from bb2.fhir.load import load_records
from bb2.fhir.search import parse
from bb2.fhir.store import SqlStore
from bb2.models import Base, Record, RecordIndex
from bb2.testing import ALICE, BOB

pytestmark = pytest.mark.long

EXAMPLES = max(25, int(os.environ.get("STEPS", "0")) // 10)
CLAIM = RESOURCES["ExplanationOfBenefit"]
VERSION = "v2"


@pytest.fixture(scope="module")
def database(shared_engine, tmp_path_factory):
    """An engine on an empty database of each kind."""
    if shared_engine is not None:
        yield shared_engine
        return
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('store')}/bb2.sqlite")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


# Few values, close to each other, so that filters meet records.
days = st.sampled_from(["2023-12-31", "2024", "2024-02", "2024-02-29", "2024-03-01", "2024-12-31", "9999-12-31"])
seconds = st.sampled_from(
    ["2023-12-31T23:59:59", "2024-02-29T12:00:00", "2024-02-29T12:00:00.5", "2024-12-31T23:59:59"]
)
moments = st.builds("{}{}".format, seconds, st.sampled_from(["Z", "+14:00", "-05:00", "+00:00"]))
codes = st.sampled_from(["CARRIER", "pde", "Snf", "professional", "60"])
systems = st.sampled_from([EOB_TYPE, CLAIM_TYPE[VERSION], CLAIM_ID])
numbers = st.sampled_from(["1", "2", "A", "a", "é", "%", "_"])
ids = st.sampled_from([f"{kind}-{number}" for kind in ("pde", "PDE", "carrier", "snf.x") for number in range(6)])

codings = st.fixed_dictionaries({"code": codes}, optional={"system": systems})
types = st.one_of(
    st.lists(codings, max_size=3).map(lambda some: {"coding": some}),
    codes,
    st.just({"text": "a claim"}),
    st.just({"coding": ["odd"]}),
    st.just(7),
)
identifiers = st.lists(st.fixed_dictionaries({"value": numbers}, optional={"system": systems}), max_size=3)
periods = st.one_of(
    st.fixed_dictionaries({}, optional={"start": days, "end": days}),
    st.fixed_dictionaries({"end": moments}),
    st.just({"end": "not a date"}),
    st.just("2024"),
)


@st.composite
def claims(draw):
    record = {
        "resourceType": "ExplanationOfBenefit",
        "id": draw(ids),
        "meta": {"lastUpdated": draw(moments)},
        "patient": {"reference": f"Patient/{draw(st.sampled_from([ALICE, ALICE, BOB]))}"},
    }
    for name, values in (("type", types), ("identifier", identifiers), ("billablePeriod", periods)):
        if draw(st.booleans()):
            record[name] = draw(values)
    return record


def joined(values):
    return st.lists(values, min_size=1, max_size=3).map(",".join)


dates = joined(st.builds("{}{}".format, st.sampled_from(["", "eq", "lt", "le", "gt", "ge"]), st.one_of(days, moments)))
of_system = st.builds("{}|{}".format, st.one_of(systems, st.just("")), st.one_of(numbers, codes))
whole_system = systems.map("{}|".format)
blue_button = st.sampled_from(["carrier", "PDE", "snf", "professional", "hha"])
parameters = st.one_of(
    st.tuples(st.just("_id"), joined(ids)),
    st.tuples(st.just("_lastUpdated"), dates),
    st.tuples(st.just("service-date"), dates),
    st.tuples(st.just("identifier"), joined(st.one_of(numbers, of_system, whole_system))),
    st.tuples(st.just("type"), joined(st.one_of(blue_button, st.builds("{}|{}".format, systems, blue_button)))),
    st.tuples(st.just("patient"), st.sampled_from([ALICE, f"Patient/{ALICE}"])),
    st.tuples(st.just("_count"), st.sampled_from(["0", "1", "2", "50"])),
    st.tuples(st.just("startIndex"), st.sampled_from(["0", "1", "3"])),
    st.tuples(st.sampled_from(["_after", "_before"]), ids),
)


def page_of(query, matching):
    """What is on the page, by the words of the parameters alone."""
    if query.after:
        return [id for id in matching if id > query.after][: query.count]
    if query.before:
        return [id for id in matching if id < query.before][::-1][: query.count][::-1]
    return matching[query.offset :][: query.count]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(claims(), max_size=12, unique_by=lambda record: record["id"]),
    searches=st.lists(st.lists(parameters, max_size=4), min_size=1, max_size=8),
)
def test_the_store_finds_what_the_query_matches(database, records, searches):
    with Session(database) as db, db.begin():
        db.execute(delete(RecordIndex))
        db.execute(delete(Record))
        load_records(db, RESOURCES, VERSION, records)
    store, model = SqlStore(reader(database)), MemorySource({VERSION: records})
    for params in searches:
        query = parse(VERSION, CLAIM, ALICE, params)
        found = store.search(query)
        matching = sorted(record["id"] for record in records if query.matches(record))
        assert found.total == len(matching)
        assert (
            [record.id for record in found.records]
            == matching[slice(*(found.span or (0, 0)))]
            == page_of(query, matching)
        )
        assert found == model.search(query)
    for record in records:
        read = store.read(VERSION, CLAIM, record["id"], ALICE)
        assert (read is not None) == (record["patient"]["reference"] == f"Patient/{ALICE}")
        assert read in (None, model.read(VERSION, CLAIM, record["id"], ALICE))


def test_a_record_without_a_time_was_updated_when_it_was_loaded_or_never(database):
    """The store knows when it got the record; a list does not."""
    record = {"resourceType": "Coverage", "id": "a", "beneficiary": {"reference": f"Patient/{ALICE}"}}
    with Session(database) as db, db.begin():
        load_records(db, RESOURCES, VERSION, [record])
    query = parse(VERSION, RESOURCES["Coverage"], ALICE, [("_lastUpdated", "gt2020")])
    assert SqlStore(reader(database)).search(query).total == 1
    assert MemorySource([record]).search(query).total == 0
