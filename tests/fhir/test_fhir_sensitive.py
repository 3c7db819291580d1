"""What is sensitive leaves only where it is shared, by whatever way it is asked for, from whatever source."""

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import orjson
import pytest
from fhir_records import (
    CLAIMS_AND_COVERAGE,
    EVERYTHING,
    RESOURCES,
    VERSIONS,
    claim,
    coverage,
    follow,
    grant_to_another_app,
    ids,
    included,
    link,
    pages,
    person,
    server_with,
)
from sqlalchemy import func, select, update

from bb2.fhir import MemorySource
from bb2.fhir.compartment import Compartment
from bb2.fhir.judge import count_unjudged, judge_batch
from bb2.fhir.sensitive import ACT_CODE, Answers, with_security
from bb2.models import Consent, Record
from bb2.scopes import ScopeError, Sensitivity, hookimpl, substance_use
from bb2.sensitivities import NONE_INSTALLED, Sensitivities
from bb2.testing import ALICE, BOB, ConsentServer
from built_in import BUILT_IN
from test_live_changes import without

pytestmark = pytest.mark.either_database

KEY = "substance-use"
OPIOIDS = [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "F11.20"}]}}]
EOB = RESOURCES["ExplanationOfBenefit"]


def records(version):
    """Seven claims of Alice, of which three tell of treatment for opioid use, between the others; one of Bob."""
    hidden = [claim(version, f"carrier-{n}", covered="part-h", diagnosis=OPIOIDS) for n in (2, 4, 6)]
    open_to_all = [claim(version, f"carrier-{n}") for n in (1, 3, 5, 7)]
    bobs = claim(version, "carrier-8", patient=BOB, diagnosis=OPIOIDS)
    return [person(), person(BOB), coverage("b"), coverage("h"), *hidden, *open_to_all, bobs]


FREE = [f"carrier-{n}" for n in (1, 3, 5, 7)]
HIDDEN = [f"carrier-{n}" for n in (2, 4, 6)]
ALL = sorted(FREE + HIDDEN)


@pytest.fixture(scope="module")
def server(shared_engine):
    return server_with(shared_engine, {version: records(version) for version in VERSIONS})


@pytest.fixture(scope="module")
def withholding(server):
    return grant_to_another_app(server, EVERYTHING)


@pytest.fixture(scope="module")
def sharing(server):
    return grant_to_another_app(server, EVERYTHING, share_sensitive=[KEY])


class TestWithheld:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_read_is_answered_as_for_what_does_not_exist(self, server, withholding, version):
        unknown = server.fhir("ExplanationOfBenefit/carrier-9", withholding, version=version, status=404)
        for id in HIDDEN:
            hidden = server.fhir(f"ExplanationOfBenefit/{id}", withholding, version=version, status=404)
            assert hidden.body == unknown.body
            assert set(hidden.headers) == set(unknown.headers)

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize(
        "asked",
        [
            "",
            "_count=50",
            "type=carrier",
            "service-date=2024",
            "_lastUpdated=ge2020",
            f"_id={','.join(ALL)}",
            "_total=accurate",
        ],
    )
    def test_a_search_neither_finds_nor_counts_it(self, server, withholding, version, asked):
        found = server.fhir(f"ExplanationOfBenefit?{asked}", withholding, version=version).json
        assert (found["total"], ids(found)) == (4, FREE)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_count_is_of_the_others(self, server, withholding, version):
        for asked in "_count=0", "_summary=count":
            found = server.fhir(f"ExplanationOfBenefit?{asked}", withholding, version=version).json
            assert (found["total"], ids(found)) == (4, [])
        for asked in f"_id={HIDDEN[0]}", f"_id={','.join(HIDDEN)}", "identifier=4":
            found = server.fhir(f"ExplanationOfBenefit?{asked}", withholding, version=version).json
            assert (found["total"], ids(found)) == (0, [])

    @pytest.mark.parametrize("version", VERSIONS)
    def test_pages_are_full_and_say_no_more_than_the_others(self, server, withholding, version):
        seen = list(pages(server, withholding, "ExplanationOfBenefit?_count=2", version))
        assert [ids(page) for page in seen] == [FREE[:2], FREE[2:]]
        back = follow(server, withholding, link(seen[-1], "previous")).json
        assert ids(back) == FREE[:2]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_what_it_refers_to_is_not_brought_along(self, server, withholding, version):
        found = server.fhir("ExplanationOfBenefit?_include=*", withholding, version=version).json
        assert ("Coverage", f"part-h-{ALICE}") not in included(found)
        assert ("Coverage", f"part-b-{ALICE}") in included(found)

    def test_declining_who_one_is_and_sharing_it_are_two_choices(self, server):
        token = grant_to_another_app(server, CLAIMS_AND_COVERAGE, share_demographic=False, share_sensitive=[KEY])
        assert server.fhir("ExplanationOfBenefit", token).json["total"] == 7

    def test_the_token_does_not_say_that_there_is_something_to_hide(self, server, withholding, sharing):
        assert withholding.keys() == sharing.keys()
        assert withholding["scope"] == sharing["scope"]
        assert withholding["expires_in"] == sharing["expires_in"]


class TestShared:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_it_is_found_and_read_and_has_its_label(self, server, sharing, version):
        found = server.fhir("ExplanationOfBenefit", sharing, version=version).json
        assert (found["total"], ids(found)) == (7, ALL)
        label = {"system": ACT_CODE[version], "code": "ETH", "display": "substance abuse information sensitivity"}
        for entry in found["entry"]:
            record = entry["resource"]
            assert record["meta"].get("security", []) == ([label] if record["id"] in HIDDEN else [])
            assert server.fhir(f"ExplanationOfBenefit/{record['id']}", sharing, version=version).json == record

    @pytest.mark.parametrize(("version", "release"), [("v1", "STU3"), ("v2", "R4B")])
    def test_the_label_is_valid(self, server, sharing, version, release):
        meta = server.fhir(f"ExplanationOfBenefit/{HIDDEN[0]}", sharing, version=version).json["meta"]
        parsed = import_module(f"fhir.resources.{release}.meta").Meta.model_validate(meta)
        assert [coding.code for coding in parsed.security] == ["ETH"]

    def test_what_is_stored_stays_as_it_came_and_other_records_go_out_so(self, server, sharing):
        with server.db() as db:
            stored = dict(db.execute(select(Record.id, Record.body).where(Record.version == "v2")).all())
        assert not any("security" in body for body in stored.values())
        for id in FREE:
            assert server.fhir(f"ExplanationOfBenefit/{id}", sharing).text == stored[id]

    def test_a_label_stands_beside_those_that_a_record_has_and_keeps_its_digits(self):
        mine, other = ({"system": ACT_CODE["v2"], "code": code} for code in ("ETH", "PSY"))
        there = orjson.dumps(other).decode()
        body = '{"id":"a","total":[{"amount":{"value":1.00}}],"meta":{"security":[' + there + "]}}"
        labelled = with_security(body, [mine])
        assert '{"value":1.00}' in labelled
        assert orjson.loads(labelled)["meta"]["security"] == [other, mine]
        assert with_security(labelled, [mine]) == labelled
        body = body.replace('"PSY"', '["PSY"]')
        assert orjson.loads(with_security(body, [mine]))["meta"]["security"][1:] == [mine]
        for odd in '{"meta":7}', '{"meta":{"security":"x"}}', "{}":
            assert orjson.loads(with_security(odd, [mine]))["meta"]["security"] == [mine]


class TestWhatNobodyHasJudged:
    """Loaded before the plugin, or judged by other rules."""

    @pytest.fixture
    def server(self, engine):
        return server_with(engine, {"v2": records("v2")})

    def judge(self, server):
        last, done = 0, 0
        while True:
            with server.db() as db:
                count, last = judge_batch(db, server.sensitivities, last)
            if not count:
                return done
            done += count

    @pytest.mark.parametrize("judged", ["", " -substance-use/00000000 ", " -another/00000000 ", "-substance-use"])
    def test_is_withheld_until_it_is_judged(self, server, judged):
        token = grant_to_another_app(server, EVERYTHING)
        with server.db() as db:
            db.execute(update(Record).values(judgements=judged))
            assert count_unjudged(db, server.sensitivities) == len(records("v2"))
        assert server.fhir("ExplanationOfBenefit", token).json["total"] == 0
        server.fhir(f"ExplanationOfBenefit/{FREE[0]}", token, status=404)
        assert server.fhir("Coverage", token).json["total"] == 2
        assert self.judge(server) == len(records("v2"))
        assert ids(server.fhir("ExplanationOfBenefit", token).json) == FREE
        assert self.judge(server) == 0
        with server.db() as db:
            kept = db.scalars(select(Record.judgements).where(Record.id == FREE[0])).one()
        assert (" -another/" in kept) is (" -another/" in judged)

    def test_goes_out_with_its_label_where_it_is_shared(self, server):
        token = grant_to_another_app(server, EVERYTHING, share_sensitive=[KEY])
        with server.db() as db:
            db.execute(update(Record).values(judgements=""))
        found = server.fhir("ExplanationOfBenefit", token).json["entry"]
        assert [e["resource"]["id"] for e in found if "security" in e["resource"]["meta"]] == HIDDEN

    def test_a_record_that_takes_its_place_is_judged_anew(self, server):
        token = grant_to_another_app(server, EVERYTHING)
        with server.db() as db:
            server.load(db, {"v2": [claim("v2", FREE[0], diagnosis=OPIOIDS), claim("v2", HIDDEN[0])]})
        assert ids(server.fhir("ExplanationOfBenefit", token).json) == sorted([*FREE[1:], HIDDEN[0]])


class TestAPluginThatIsRemoved:
    def test_leaves_a_no_behind_and_comes_back_to_what_was_answered(self, engine):
        server = server_with(engine, {"v2": records("v2")})
        withheld, shared = server.grant(EVERYTHING), grant_to_another_app(server, EVERYTHING, share_sensitive=[KEY])
        after = without(server, *(plugin for plugin in BUILT_IN if plugin is not substance_use))
        after.sensitivities = after.app.registry["sensitivities"]
        with after.db() as db:
            after.load(db, {"v2": [claim("v2", "carrier-9")]})
        assert ids(after.fhir("ExplanationOfBenefit", withheld).json) == FREE  # and not what nobody could judge
        after.fhir(f"ExplanationOfBenefit/{HIDDEN[0]}", withheld, status=404)
        assert after.fhir("Coverage", withheld).json["total"] == 2
        assert after.fhir("ExplanationOfBenefit", shared).json["total"] == 8
        asked_nothing = grant_to_another_app(after, EVERYTHING)
        assert after.fhir("ExplanationOfBenefit", asked_nothing).json["total"] == 8
        # Back again: who was asked nothing has shared nothing.
        for token, seen in (withheld, FREE), (asked_nothing, FREE), (shared, [*ALL, "carrier-9"]):
            assert ids(server.fhir("ExplanationOfBenefit", token).json) == seen


class Counting:
    """A source that does not know what is withheld: it finds and counts everything."""

    def __init__(self, records):
        self.memory = MemorySource(records)

    def read(self, *asked):
        return self.memory.read(*asked)

    def search(self, query):
        return self.memory.search(replace(query, withheld=()))


class TestOtherSources:
    @pytest.mark.parametrize("source", [MemorySource, Counting])
    def test_withhold_the_same_with_the_same_totals_and_pages(self, source):
        held = {
            version: [each for each in records(version) if "Claim" not in each["resourceType"]] for version in VERSIONS
        }

        @hookimpl
        def register_fhir_sources():
            return {"ExplanationOfBenefit": source(held)}

        brings = SimpleNamespace(name="brings", register_fhir_sources=register_fhir_sources)
        server = ConsentServer(*BUILT_IN, brings)
        token = server.grant(EVERYTHING)
        for version in VERSIONS:
            found = server.fhir("ExplanationOfBenefit", token, version=version).json
            assert (found["total"], ids(found)) == (4, FREE)
            counted = server.fhir("ExplanationOfBenefit?_count=0", token, version=version).json
            assert (counted["total"], ids(counted)) == (4, [])
            seen = list(pages(server, token, "ExplanationOfBenefit?_count=3", version))
            assert [ids(page) for page in seen] == [FREE[:3], FREE[3:]]
            unknown = server.fhir("ExplanationOfBenefit/carrier-9", token, version=version, status=404)
            hidden = server.fhir(f"ExplanationOfBenefit/{HIDDEN[0]}", token, version=version, status=404)
            assert hidden.body == unknown.body
        shared = server.grant(EVERYTHING, share_sensitive=[KEY])
        found = server.fhir("ExplanationOfBenefit", shared).json
        assert [e["resource"]["id"] for e in found["entry"] if "security" in e["resource"]["meta"]] == HIDDEN

    def test_are_read_to_the_end_where_they_hold_more_than_a_page(self):
        many = [claim("v2", f"carrier-{n:03}", diagnosis=OPIOIDS if n % 2 else []) for n in range(120)]
        declared = substance_use.register_sensitivities(SimpleNamespace(sensitive_codes=None))
        answers = Answers(Sensitivities([declared]), None)
        records = Compartment(Counting({"v2": many}), "v2", EOB, ALICE, answers)
        found = records.with_ids([each["id"] for each in many])
        assert [each.id for each in found] == [each["id"] for each in many[::2]]


def sensitivity(**changes):
    words = dict.fromkeys(("name", "question", "detail", "share", "withhold"), "Words")
    rules = {"resource_types": ("Coverage",), "carries": lambda record: False, "rules": "1"}
    label = {"label": "PSY", "label_display": "psychiatry disorder information sensitivity"}
    return Sensitivity(**({"key": "another"} | words | rules | label | changes))


class TestDeclaring:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"key": "Another One"}, "is no key"),
            ({"question": " "}, "has no question"),
            ({"resource_types": "Coverage"}, "must be a tuple"),
            ({"resource_types": ()}, "resource_types"),
            ({"carries": None}, "must be a function"),
            ({"rules": ""}, "has no rules"),
            ({"label": ""}, "has no label"),
        ],
    )
    def test_what_cannot_be_offered_is_refused(self, changes, told):
        with pytest.raises(ScopeError, match=told):
            sensitivity(**changes)

    def plugin(self, name, *declared):
        return SimpleNamespace(name=name, register_sensitivities=hookimpl(lambda: list(declared)))

    def test_two_of_one_key_are_refused(self):
        with pytest.raises(ScopeError, match="another is declared twice, by test:a and test:b"):
            ConsentServer(*BUILT_IN, self.plugin("a", sensitivity()), self.plugin("b", sensitivity()))

    def test_two_are_asked_about_and_withheld_each_by_itself(self):
        of_part_b = sensitivity(carries=lambda record: record["id"].startswith("part-b"))
        server = ConsentServer(*BUILT_IN, self.plugin("a", of_part_b), records={"v2": records("v2")})
        for shared, claims, covered in (([], 4, 1), ([KEY], 7, 1), (["another"], 4, 2), ([KEY, "another"], 7, 2)):
            token = server.grant(EVERYTHING, share_sensitive=shared)
            assert server.fhir("ExplanationOfBenefit", token).json["total"] == claims
            assert server.fhir("Coverage", token).json["total"] == covered

    def test_what_cannot_be_judged_is_withheld_and_the_log_does_not_repeat_it(self, caplog):
        failing = sensitivity(carries=lambda record: record["no such element"])
        judgements = Sensitivities([failing]).judge(coverage("b"))
        assert judgements.startswith(" +another/")
        assert "KeyError" in caplog.text
        assert "no such element" not in caplog.text

    def test_a_record_of_a_type_that_cannot_carry_it_is_free(self):
        judging = Sensitivities([sensitivity(carries=lambda record: True)])
        assert judging.judge(claim("v2", "pde-1")).startswith(" -another/")
        assert judging.judge(coverage("b")).startswith(" +another/")
        assert NONE_INSTALLED.judge(coverage("b")) == ""


def test_no_stored_answer_but_a_yes_opens_it(server):
    token = grant_to_another_app(server, EVERYTHING, share_sensitive=[KEY])
    assert server.fhir("ExplanationOfBenefit", token).json["total"] == 7
    with server.db() as db:
        its = update(Consent).where(Consent.id == db.scalar(select(func.max(Consent.id))))
    for answers in None, {}, {KEY: False}, {KEY: None}, {KEY: 1}, {KEY: "true"}, [KEY], "share", 7:
        with server.db() as db:
            db.execute(its.values(share_sensitive=answers))
        assert server.fhir("ExplanationOfBenefit", token).json["total"] == 4, answers
