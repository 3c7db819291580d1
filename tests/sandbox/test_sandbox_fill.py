"""Synthetic people in the database: each whole or not at all, as new when they are made anew, and older by the week."""

import json
import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bb2.fhir.load import load_records
from bb2.identity import closing, enrollment
from bb2.identity.builtin import add_account, find_account, is_password
from bb2.identity.enrollment import Claim
from bb2.identity.questions import QUESTIONS, is_answer
from bb2.models import AuditEvent, Beneficiary, Consent, Passkey, Record, RecordIndex, SandboxPerson
from bb2.sandbox import AS_OF, HORIZON, PERSONAS, workers
from bb2.sandbox.fill import (
    DEFAULTS,
    Recipe,
    SandboxError,
    ensure_recipe,
    make,
    missing,
    recipe,
    reset_person,
    synthetic,
    write,
)
from bb2.sandbox.identifiers import username_of
from bb2.sandbox.people import beneficiary
from bb2.sandbox.personas import NEWCOMERS
from bb2.sandbox.weeks import advance
from bb2.settings import Settings
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import emptied

pytestmark = pytest.mark.either_database

SMALL = {"seed": 7, "years": 1, "claims_per_year": 12}
OF = Recipe(**SMALL, as_of=AS_OF)
MERGED = PERSONAS["merged"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request):
    """A ConsentServer on each database in turn, with a sandbox of the recipe; each test has people of its own in it."""
    engine = None if request.param == "sqlite" else emptied(request.getfixturevalue("postgresql"))
    server = ConsentServer(*BUILT_IN, engine=engine)
    with server.db() as db:
        assert recipe(db) is None
        assert ensure_recipe(db, SMALL) == OF
    return server


def fill(server, *numbers, **wanted):
    """Write these people in one transaction; returns their recipe."""
    with server.db() as db:
        of = ensure_recipe(db, wanted or SMALL)
        write(db, [make(of, number, server.scopes.resources, server.sensitivities) for number in numbers])
    return of


def stored(server, patient):
    """{(version, type, id): record} of a person, and what is found by it."""
    with server.db() as db:
        rows = db.scalars(select(Record).where(Record.patient == patient)).all()
        entries = select(RecordIndex.param, RecordIndex.system, RecordIndex.value, RecordIndex.low)
        entries = entries.join(Record, Record.number == RecordIndex.record_number).where(Record.patient == patient)
        records = {(row.version, row.resource_type, row.id): json.loads(row.body) for row in rows}
        return records, sorted(map(str, db.execute(entries)))


def told(person, day=AS_OF):
    """The same, as the generator tells it."""
    return {(v, r["resourceType"], r["id"]): r for v, records in person.records(day).items() for r in records}


def bring(server, of, number, weeks):
    with server.db() as db:
        return advance(db, of, db.get(SandboxPerson, number), weeks, server.scopes.resources, server.sensitivities)


def test_a_person_is_written_with_every_record_and_can_sign_in(server):
    of = fill(server, 33, 34)
    for number in 33, 34:
        person = of.person(number)
        assert stored(server, person.patient)[0] == told(person)
        with server.db() as db:
            account = find_account(db, person.username)
            assert account.beneficiary.patient == person.patient
            assert is_password(account.password_hash, person.password)
            assert not is_password(account.password_hash, "PW00000!")
            assert account.secret_question in QUESTIONS
            assert is_answer(account.secret_answer_hash, f"answer {number:05d}")


@pytest.mark.parametrize("number", sorted(NEWCOMERS))
def test_a_newcomer_can_make_an_account_which_a_reset_takes_away_again(server, number):
    fill(server, number)
    who = beneficiary(OF.seed, number)
    card = Claim(who.mbi, who.family.upper(), who.born, who.gender, who.enrolled)
    with server.db() as db:
        assert find_account(db, username_of(number)) is None
        assert enrollment.find(db, card) == who.patient
        names = {"given_name": who.given, "family_name": who.family}
        add_account(db, username=f"marigold{number}", password="long enough", patient=who.patient, **names)
        assert enrollment.find(db, card) is None
        assert synthetic(db, f"marigold{number}").number == number
    with server.db() as db:
        reset_person(db, OF, synthetic(db, f"bbuser{number:05d}"), server.scopes.resources, server.sensitivities)
        assert find_account(db, f"marigold{number}") is None
        assert enrollment.find(db, card) == who.patient


def test_a_synthetic_record_is_stored_and_found_as_a_loaded_one(server):
    of = fill(server, 35)
    person = of.person(35)
    made = stored(server, person.patient)
    with server.db() as db:
        db.query(Record).filter_by(patient=person.patient).delete()
        for version, records in person.records().items():
            load_records(db, server.scopes.resources, version, records)
    assert stored(server, person.patient) == made


def test_a_fill_that_breaks_off_leaves_nobody_half_made_and_goes_on(server):
    fill(server, 40, 41)
    with server.db() as db:
        write(db, [make(OF, number, server.scopes.resources, server.sensitivities) for number in (42, 43)])
        assert set(missing(db, OF, 44)) & {40, 41, 42, 43} == set()
        db.rollback()
    with server.db() as db:
        assert set(missing(db, OF, 44)) & {40, 41, 42, 43} == {42, 43}
    assert stored(server, OF.person(42).patient) == ({}, [])
    fill(server, 42, 43)
    assert stored(server, OF.person(43).patient)[0] == told(OF.person(43))


def test_a_sandbox_goes_on_as_it_began_and_refuses_to_mix(server):
    with server.db() as db:
        assert ensure_recipe(db, dict.fromkeys(DEFAULTS)) == OF
        assert ensure_recipe(db, SMALL) == OF == recipe(db)
        for name, other in (("seed", 8), ("years", 2), ("claims_per_year", 13)):
            with pytest.raises(SandboxError, match=name.replace("_", " ")):
                ensure_recipe(db, {name: other})


def test_a_user_name_that_somebody_else_has_is_left_alone(server):
    with server.db() as db:
        names = {"given_name": "Ann", "family_name": "Lee"}
        add_account(db, username="BBUser00050", password="long enough", patient="-20140000010000", **names)
        assert missing(db, OF, 52)[-2:] == [49, 51]


def test_people_of_an_older_sandbox_are_made_anew(server):
    patient = OF.person(48).patient
    with server.db() as db:
        names = {"given_name": "Ann", "family_name": "Lee"}
        add_account(db, username="BBUser00048", password="long enough", patient=patient, **names)
        assert 48 in missing(db, OF, 49)
    fill(server, 48)
    with server.db() as db:
        assert is_password(find_account(db, "BBUser00048").password_hash, "PW00048!")
        assert db.query(Beneficiary).filter_by(patient=patient).one().given_name == OF.person(48).given_name


@pytest.mark.parametrize("order", [(MERGED.number, MERGED.merged_into), (MERGED.merged_into, MERGED.number)])
def test_the_persona_that_was_merged_is_merged_whoever_comes_first(server, order):
    for number in order:
        of = fill(server, number)
    with server.db() as db:
        merged, stays = (db.get(SandboxPerson, n).beneficiary for n in (MERGED.number, MERGED.merged_into))
        assert (merged.merged_into_id, stays.closed_at) == (stays.id, None)
        assert merged.closed_at is not None
        reset_person(db, of, db.get(SandboxPerson, MERGED.number), server.scopes.resources, server.sensitivities)
    with server.db() as db:
        assert db.get(SandboxPerson, MERGED.number).beneficiary.merged_into_id == stays.id


def test_a_reset_makes_a_person_as_new_and_touches_nobody_else(server):
    of = fill(server, 36, 37)
    person, other = of.person(36), of.person(37)
    as_made, of_other = stored(server, person.patient), stored(server, other.patient)
    with server.db() as db:
        beneficiary = db.get(SandboxPerson, 36).beneficiary
        add_consent(db, server, beneficiary)
        add_passkey(db, beneficiary)
        extra = {"resourceType": "Coverage", "id": "x", "beneficiary": {"reference": f"Patient/{person.patient}"}}
        load_records(db, server.scopes.resources, "v2", [extra])
        find_account(db, person.username).password_hash = "changed"
    bring(server, of, 36, 40)
    with server.db() as db:
        assert reset_person(
            db, of, synthetic(db, person.username), server.scopes.resources, server.sensitivities
        ) == len(told(person))
    assert stored(server, person.patient) == as_made
    assert stored(server, other.patient) == of_other
    with server.db() as db:
        account = find_account(db, person.username)
        assert is_password(account.password_hash, person.password)
        assert (db.get(SandboxPerson, 36).day, account.beneficiary.closed_at) == (AS_OF, None)
        theirs = {"beneficiary_id": account.beneficiary_id}
        assert db.query(Consent).filter_by(**theirs).one().revoked_by == "server"
        assert db.query(AuditEvent).filter_by(event="consent.revoked", **theirs).count() == 1
        assert db.query(Passkey).filter_by(**theirs).count() == 0


def add_consent(db, server, beneficiary):
    values = {"scopes": [], "share_demographic": True, "shown": {}, "language": "en", "granted_at": func.now()}
    db.add(Consent(client_id=server.client_id, beneficiary_id=beneficiary.id, **values))


def add_passkey(db, beneficiary):
    about = {"credential_id": "0000", "public_key": b"", "sign_count": 0, "transports": [], "name": ""}
    flags = {"backup_eligible": True, "backed_up": True}
    db.add(Passkey(beneficiary_id=beneficiary.id, created_at=func.now(), **about, **flags))


def test_a_reset_opens_a_record_that_was_closed(server):
    of = fill(server, 38)
    with server.db() as db:
        closing.close(db, of.person(38).patient)
        reset_person(db, of, db.get(SandboxPerson, 38), server.scopes.resources, server.sensitivities)
        assert db.get(SandboxPerson, 38).beneficiary.closed_at is None


def test_nobody_but_a_synthetic_person_can_be_reset(server):
    fill(server, 44)
    with server.db() as db:
        for username in "alice", "nobody", "BBUser00000":
            with pytest.raises(SandboxError, match=username):
                synthetic(db, username)
        assert synthetic(db, " bbuser00044 ").number == 44


class TestTime:
    """People who have claims in most weeks."""

    def test_new_claims_come_after_all_that_was_there(self, server):
        of = fill(server, 29)
        patient = of.person(29).patient
        before, _ = stored(server, patient)
        last = max(record["meta"]["lastUpdated"] for record in before.values())
        brought = bring(server, of, 29, 4)
        after, _ = stored(server, patient)
        changed = {key for key in after if after[key] != before.get(key)}
        new = after.keys() - before.keys()
        assert before.keys() < after.keys()
        assert brought["new"] == len({id for _version, _type, id in new}) > 0
        assert all(after[key]["meta"]["lastUpdated"] > last for key in changed)
        assert {id for version, _type, id in new if version == "v1"} == {id for v, _t, id in new if v == "v2"}
        expected = told(of.person(29), AS_OF + timedelta(weeks=4))
        assert {key: undated(after[key]) for key in new} == {key: undated(expected[key]) for key in new}

    def test_week_by_week_or_at_once_the_same_claims_come(self, server):
        of = fill(server, 22)
        patient = of.person(22).patient
        for _week in range(3):
            bring(server, of, 22, 1)
        by_week = {key: undated(record) for key, record in stored(server, patient)[0].items()}
        with server.db() as db:
            reset_person(db, of, db.get(SandboxPerson, 22), server.scopes.resources, server.sensitivities)
        bring(server, of, 22, 3)
        assert {key: undated(record) for key, record in stored(server, patient)[0].items()} == by_week

    def test_weeks_that_another_command_brought_meanwhile_are_counted(self, server):
        of = fill(server, 23)
        with server.db() as db:
            seen_before = db.get(SandboxPerson, 23)
        bring(server, of, 23, 1)
        with server.db() as db:
            db.add(seen_before)
            advance(db, of, seen_before, 1, server.scopes.resources, server.sensitivities)
            assert seen_before.day == AS_OF + timedelta(weeks=2)

    def test_a_claim_that_is_processed_anew_says_so_in_both_versions(self, server):
        numbers = range(52, 60)  # of so many, somebody has such a claim
        of = fill(server, *numbers)
        total = 0
        for number in numbers:
            before, _ = stored(server, of.person(number).patient)
            brought = bring(server, of, number, 26)
            after, _ = stored(server, of.person(number).patient)
            anew = {key for key in before if key[1] == "ExplanationOfBenefit" and after[key] != before[key]}
            of_version = [{id for v, _type, id in anew if v == version} for version in ("v1", "v2")]
            assert of_version[0] == of_version[1]
            total += len(of_version[0])
            assert len(of_version[0]) <= brought["adjusted"]  # which may be of claims that came meanwhile
            for key in anew:
                assert undated(after[key]) != undated(before[key])
                assert processed(after[key]) > processed(before[key])
        assert total > 0

    def test_time_ends_where_the_generator_knows_no_more(self, server):
        of = fill(server, 39)
        bring(server, of, 39, (HORIZON - AS_OF).days // 7)
        with pytest.raises(SandboxError, match=str(HORIZON)):
            bring(server, of, 39, 1)


def undated(record):
    return record | {"meta": {name: value for name, value in record["meta"].items() if name != "lastUpdated"}}


def processed(claim):
    """The day on which a claim was processed."""
    (day,) = [
        told["timingDate"]
        for told in claim.get("information", claim.get("supportingInfo"))
        if "nch_wkly_proc_dt" in json.dumps(told)
    ]
    return day


def test_other_processes_make_the_same_people(monkeypatch):
    monkeypatch.setattr(workers, "FEW", 1)
    monkeypatch.setattr(workers, "TOGETHER", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with_processes = list(workers.made(OF, [31, 32, 33], Settings.read({}, {})))
    monkeypatch.setattr(workers, "FEW", 3)
    alone = list(workers.made(OF, [31, 32, 33], Settings.read({}, {})))
    assert [[made.number for made in some] for some in with_processes] == [[31, 32], [33]]
    assert [made.rows for some in with_processes for made in some] == [made.rows for some in alone for made in some]
