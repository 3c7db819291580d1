"""Whatever a record says of a person, and wherever: does anything that goes out to an app without it depend on it?

Each record goes out twice: with one person's values planted at some places, and with another's, different in all,
at the same places.  The answers must be the same, to the byte: so a sex, a year or a state is found as well as a name.

`make test` plants in every record of the samples and in some of two synthetic people, `make proofs` in those of 1,000.
"""

import json
import os
import random
import time
from collections import Counter
from functools import cache
from urllib.parse import quote

import pytest
from fhir_records import RESOURCES, VERSIONS, grant_to_another_app, sample_records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planting import MOST_FORMS, PLANTS, planted, who_is

from bb2.fhir import MemorySource
from bb2.fhir.redaction import redacted
from bb2.sandbox import people
from bb2.scopes import hookimpl
from bb2.testing import ALICE, ConsentServer
from built_in import BUILT_IN

pytestmark = pytest.mark.long

STEPS = int(os.environ.get("STEPS", "100"))
PEOPLE = STEPS // 10 if STEPS > 100 else 2  #: synthetic people whose every record is looked at
EXAMPLES = STEPS // 50 if STEPS > 500 else 5  #: that go through the whole server
PLANS = 20 if STEPS > 500 else 2  #: for each record of the samples
SEED = int(os.environ.get("SEED", "5"))

plans = st.lists(
    st.tuples(st.integers(0, len(PLANTS) - 1), st.integers(0, 99), st.integers(0, MOST_FORMS)), min_size=1, max_size=6
)


def a_plan(dice):
    """As hypothesis draws them, but many in a second."""
    return [
        (dice.randrange(len(PLANTS)), dice.randrange(100), dice.randrange(MOST_FORMS))
        for _ in range(dice.randint(1, 6))
    ]


def strings(element):
    """Every text of a JSON value."""
    if isinstance(element, str):
        yield element
    for member in element.values() if isinstance(element, dict) else element if isinstance(element, list) else ():
        yield from strings(member)


@cache
def sampled():
    """[(version, Who, record)] of CMS's samples."""
    found = []
    for version in VERSIONS:
        records = sample_records(version)
        who = {r["id"]: who_is(r) for r in records if r["resourceType"] == "Patient"}
        found += [(version, who[_owner(r)], r) for r in records if r["resourceType"] != "Patient"]
    return found


def synthetic(count):
    """The same of synthetic people, one person at a time."""
    for person in people(count):
        for version, records in person.records().items():
            who = next(who_is(r) for r in records if r["resourceType"] == "Patient")
            yield from ((version, who, r) for r in records if r["resourceType"] != "Patient")


def _owner(record):
    return (record.get("patient") or record["beneficiary"])["reference"].removeprefix("Patient/")


def goes_out(record):
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return redacted(body, RESOURCES[record["resourceType"]], RESOURCES)


def assert_it_says_nothing_by_itself(record, who):
    out = goes_out(record)
    assert not [value for value in who.telling if f'"{value}"' in out], record["id"]


def assert_it_says_nothing(record, who, plan):
    """Of one record with a person's values at the places of a plan."""
    with_one, with_another = planted(record, plan, who), planted(record, plan, who.another())
    assert with_one != with_another
    out = goes_out(with_one)
    assert out == goes_out(with_another)
    assert goes_out(json.loads(out)) == out  # once is enough
    assert not who.telling & set(strings(json.loads(out)))


def test_no_record_of_the_samples_says_who_the_person_is_by_itself_or_wherever_it_is_written():
    dice = random.Random(SEED)
    for _version, who, record in sampled():
        assert_it_says_nothing_by_itself(record, who)
        for _ in range(PLANS):
            assert_it_says_nothing(record, who, a_plan(dice))


def test_no_record_of_synthetic_people_says_who_they_are():
    """Each as it is, and one in ten with their values planted."""
    begun, dice, seen = time.monotonic(), random.Random(SEED), Counter()
    for version, who, record in synthetic(PEOPLE):
        assert_it_says_nothing_by_itself(record, who)
        seen[version] += 1
        if dice.random() < 0.1:
            assert_it_says_nothing(record, who, a_plan(dice))
            seen["planted"] += 1
    print(f"{PEOPLE} people: {dict(seen)} in {time.monotonic() - begun:.0f} s")
    assert min(seen["v1"], seen["v2"], seen["planted"]) >= PEOPLE


@given(st.sampled_from(range(10_000)), plans)
@settings(max_examples=EXAMPLES * 3, deadline=None)
def test_no_plan_gets_a_value_through(number, plan):
    _version, who, record = sampled()[number % len(sampled())]
    assert_it_says_nothing(record, who, plan)


# The same through the server: headers, Bundles, links, errors


class Held:
    """A plugin whose records are whatever a test says."""

    def __init__(self):
        self.source = MemorySource({})

    @hookimpl
    def register_fhir_sources(self, settings):
        return {"Coverage": self.source, "ExplanationOfBenefit": self.source}

    def hold(self, version, *records):
        self.source.records = {version: list(records)}


@pytest.fixture(scope="module")
def served():
    held = Held()
    server = ConsentServer(*BUILT_IN, held)
    server.held, server.tokens = held, {}
    return server


def scopes_without(server):
    """Every scope that is not demographic."""
    return sorted(scope.name for scope in server.scopes if not scope.demographic)


def token_for(server, scopes):
    """A token of these scopes and no other, made once."""
    if scopes not in server.tokens:
        server.tokens[scopes] = grant_to_another_app(server, " ".join(sorted(scopes)), share_demographic=False)
    return server.tokens[scopes]


def requests_about(record, plain, who):
    """(method, path, form) of everything that an app can ask about a record."""
    kind, id = record["resourceType"], record["id"]
    yield from (("GET", f"fhir/{kind}/{id}", None), ("HEAD", f"fhir/{kind}/{id}", None))
    yield from (("GET", f"fhir/{kind}?_count={count}", None) for count in (1, 10, 0))
    yield "GET", f"fhir/{kind}?_id={id}&_summary=count", None
    yield "HEAD", f"fhir/{kind}", None
    yield "POST", f"fhir/{kind}/_search", {"_id": id}
    yield "GET", f"fhir/{kind}?_lastUpdated=ge2000&_total=accurate", None
    yield "GET", f"fhir/{kind}?_lastUpdated={quote(who.family)}", None
    yield "GET", f"fhir/{kind}/unknown", None
    if kind == "ExplanationOfBenefit":
        yield "GET", f"fhir/{kind}?_include=*", None
        for number in (who.number, who.another().number, who.family):
            yield "GET", f"fhir/{kind}?identifier={quote(number)}", None
            yield "POST", f"fhir/{kind}/_search", {"identifier": f"http://hl7.org/fhir/sid/us-mbi|{number}"}
    yield from (("GET", path, None) for path in (f"fhir/Patient/{ALICE}", "fhir/Patient", "connect/userinfo"))
    yield "GET", "fhir/metadata", None


def answer(server, token, version, method, path, form):
    """(status, headers, body) without what differs from one request to the next."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    options = {"params": form} if form else {}
    said = getattr(server, method.lower())(f"/{version}/{path}", headers=headers, status="*", **options)
    shown = {n.lower(): v for n, v in said.headerlist if n.lower() not in ("date", "x-request-id", "x-correlation-id")}
    body = said.text
    if said.content_type == "application/fhir+json" and body and said.json["resourceType"] == "Bundle":
        bundle = said.json
        body = json.dumps(bundle | {"id": None, "meta": None}, ensure_ascii=False)
        for tag in ("etag", "last-modified"):  # of a page, they may be of its very id
            shown.pop(tag, None)
    elif path == "connect/userinfo" or path.startswith("fhir/Patient") or said.status_int >= 400:
        body = "".join(said.text.split())
    return said.status_int, shown, body


def answers(server, token, version, records, record, who):
    server.held.hold(version, *records)
    return {
        (method, path, json.dumps(form)): answer(server, token, version, method, path, form)
        for method, path, form in requests_about(record, records[-1], who)
    }


def of_alice(record, id):
    owner = "patient" if "patient" in record else "beneficiary"
    return record | {"id": id, owner: {"reference": f"Patient/{ALICE}"}}


@given(st.integers(0, 9999), plans, st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_answer_depends_on_who_the_person_is(served, number, plan, data):
    version, who, record = sampled()[number % len(sampled())]
    choices = scopes_without(served) if STEPS > 100 else ["patient/Coverage.rs", "patient/ExplanationOfBenefit.read"]
    scopes = data.draw(st.frozensets(st.sampled_from(choices), min_size=1, max_size=6))
    token = token_for(served, scopes)
    record, plain = of_alice(record, "planted"), of_alice(record, "plain")
    one = answers(served, token, version, [plain, planted(record, plan, who)], record, who)
    another = answers(served, token, version, [plain, planted(record, plan, who.another())], record, who)
    assert one == another
    opened = scopes & {f"patient/{record['resourceType']}.{permission}" for permission in ("read", "rs", "r")}
    for (method, path, _form), (status, headers, body) in one.items():
        if path.startswith(("fhir/Patient", "connect/")):
            assert status == 403
        if quote(who.family) not in path and who.number not in path and "_search" not in path:
            assert not any(value in f"{headers}" for value in who.telling)
            assert not who.telling & set(strings(json.loads(body))) if body and method == "GET" else True
        if method == "GET" and path == f"fhir/{record['resourceType']}/planted":
            assert (status == 200) or not opened
