"""CMS's own sample records: loaded by `bb2 load`, they come back equal; and without demographics they name nobody."""

import json
import re

import pytest
from click.testing import CliRunner
from fhir_records import (
    CLAIMS_AND_COVERAGE,
    EVERYTHING,
    SAMPLE_FILES,
    VERSIONS,
    ask,
    grant_to_another_app,
    pages,
    sample,
    sample_records,
    server_with,
)

from bb2.cli import command
from bb2.identity.builtin import add_account
from bb2.testing import PASSWORD

pytestmark = pytest.mark.either_database

PEOPLE = {"567834": VERSIONS, "-20140000010000": ("v2",)}  #: Patient.id -> the versions in which they have records
NUMBER_SYSTEMS = ("us-mbi", "us-medicare", "mbi-hash", "hicn-hash")


@pytest.fixture(scope="module")
def loaded(shared_engine):
    """A server whose records were loaded with the command, and what the command said."""
    server = server_with(shared_engine, [])
    with server.db() as db:
        for patient in PEOPLE:
            add_account(
                db, username=f"user{patient}", password=PASSWORD, patient=patient, given_name="John", family_name="Doe"
            )
    server.said = bb2_load(server)
    return server


def bb2_load(server):
    files = [sample(name) for version in VERSIONS for name in SAMPLE_FILES[version]]
    environment = {
        "BB2_DATABASE_URL": server.engine.url.render_as_string(hide_password=False),
        "BB2_SCOPES": "*",
    }
    said = CliRunner(env=environment).invoke(command, ["load", *map(str, files)])
    assert said.exit_code == 0, said.output
    return said


def records_of(patient, version):
    mine = (patient, f"Patient/{patient}")
    return [record for record in sample_records(version) if _patient(record) in mine]


def _patient(record):
    return (record.get("patient") or record.get("beneficiary") or {"reference": record["id"]})["reference"]


def test_the_command_loads_every_record(loaded):
    expected = {}
    for version in VERSIONS:
        for record in sample_records(version):
            expected[record["resourceType"]] = expected.get(record["resourceType"], 0) + 1
    table = {line.split()[0]: line.split()[1:] for line in loaded.said.stdout.splitlines()[1:]}
    assert table == {kind: [str(number), "0", "0", "0"] for kind, number in expected.items()}
    again = bb2_load(loaded)
    table = {line.split()[0]: line.split()[1:] for line in again.stdout.splitlines()[1:]}
    assert table == {kind: ["0", "0", str(number), "0"] for kind, number in expected.items()}


@pytest.mark.parametrize("patient", PEOPLE)
def test_each_record_comes_back_equal_to_a_token_that_shares(loaded, patient):
    token = loaded.grant(EVERYTHING, username=f"user{patient}")
    for version in PEOPLE[patient]:
        records = records_of(patient, version)
        assert {record["resourceType"] for record in records} == {"Patient", "Coverage", "ExplanationOfBenefit"}
        for record in records:
            path = f"{record['resourceType']}/{record['id']}"
            assert loaded.fhir(path, token, version=version).json == record
        for resource_type in ("Patient", "Coverage", "ExplanationOfBenefit"):
            found = entries(loaded, token, resource_type, version)
            assert found == sorted(
                (r for r in records if r["resourceType"] == resource_type), key=lambda record: record["id"]
            )


@pytest.mark.parametrize("version", VERSIONS)
def test_each_line_comes_back_with_the_same_tokens(loaded, version):
    token = loaded.grant(EVERYTHING, username="user567834")
    lines = sample(SAMPLE_FILES[version][0]).read_text("utf-8").splitlines()
    assert len(lines) == 13
    for line in lines:
        record = json.loads(line)
        out = loaded.fhir(f"{record['resourceType']}/{record['id']}", token, version=version).text
        assert out == re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", line)


def entries(server, token, path, version):
    """The resources of all pages of a search."""
    return [entry["resource"] for page in pages(server, token, path, version) for entry in page["entry"]]


def strings(element):
    """Every string in a JSON document."""
    if isinstance(element, str):
        yield element
    for member in element.values() if isinstance(element, dict) else element if isinstance(element, list) else ():
        yield from strings(member)


def telling(patient, version):
    """What says who the person of the samples is: names, birth date, numbers."""
    records = records_of(patient, version)
    (person,) = (record for record in records if record["resourceType"] == "Patient")
    numbers = {i["value"] for i in person["identifier"] if i["system"].endswith(NUMBER_SYSTEMS)}
    numbers |= {record["subscriberId"] for record in records if "subscriberId" in record}
    names = {text for name in person["name"] for text in [name["family"], *name["given"]] if len(text) > 1}
    lines = {line for address in person["address"] for line in (*address.get("line", ()), address.get("city"))}
    return {*numbers, *names, *lines, person["birthDate"]} - {None}


@pytest.mark.parametrize("patient", PEOPLE)
def test_without_demographics_no_record_says_who_the_person_is(loaded, patient):
    token = loaded.grant(EVERYTHING, username=f"user{patient}", share_demographic=False)
    assert set(token["scope"].split()) == set(CLAIMS_AND_COVERAGE.split())
    for version in PEOPLE[patient]:
        said = telling(patient, version)
        assert said >= {"Doe", "John"}
        answers = [
            loaded.fhir(f"{record['resourceType']}/{record['id']}", token, version=version)
            for record in records_of(patient, version)
            if record["resourceType"] != "Patient"
        ]
        answers += [
            loaded.fhir(f"{path}?_count=50&{more}", token, version=version)
            for path in ("Coverage", "ExplanationOfBenefit")
            for more in ("", "_include=*")
        ]
        for answer in answers:
            assert "subscriberId" not in answer.text
            # The samples' numbers are masked, and so short that they are part of the ids of claims: compared whole.
            assert said & set(strings(answer.json)) == set()
            assert not any(text in answer.text for text in said if len(text) >= 9)
        for path in (f"Patient/{patient}", "Patient"):
            ask(loaded, token, path, version, status=403)


@pytest.mark.parametrize("patient", PEOPLE)
def test_without_demographics_the_rest_of_each_record_is_whole(loaded, patient):
    token = loaded.grant(EVERYTHING, username=f"user{patient}", share_demographic=False)
    for version in PEOPLE[patient]:
        for record in records_of(patient, version):
            if record["resourceType"] != "Patient":
                out = loaded.fhir(f"{record['resourceType']}/{record['id']}", token, version=version).json
                assert out == {name: value for name, value in record.items() if name != "subscriberId"}


def test_the_samples_leave_another_server_as_they_leave_this_one(in_front, tmp_path):
    """Whole and redacted, to the digit, whether they are in this server's database or in another bb2."""
    patient, username = "567834", "sample"
    person = {
        "username": username,
        "password": PASSWORD,
        "patient": patient,
        "given_name": "John",
        "family_name": "Doe",
    }
    here = server_with(None, {version: sample_records(version, SAMPLE_FILES[version][0]) for version in VERSIONS})
    with here.db() as db:
        add_account(db, **person)
    with in_front(here, tmp_path, username) as there:
        with there.db() as db:
            add_account(db, **person)
        for share in (True, False):
            mine, theirs = (
                grant_to_another_app(server, EVERYTHING, share_demographic=share, username=username)
                for server in (here, there)
            )
            for version in VERSIONS:
                for path in ("Coverage", "ExplanationOfBenefit?_count=50", *(["Patient"] if share else [])):
                    expected = here.fhir(path, mine, version=version).text
                    found = there.fhir(path, theirs, version=version).text
                    assert exactly(found) == exactly(expected) != []


def exactly(text):
    """The entries of a Bundle (str), with the digits of their numbers."""
    return json.loads(text, parse_float=str)["entry"]
