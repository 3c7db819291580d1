"""Who the synthetic people are: the same on every machine, and nobody real."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import FrozenInstanceError
from datetime import timedelta
from itertools import pairwise

import pytest

from bb2.sandbox import AS_OF, HORIZON, PERSONAS, people
from bb2.sandbox.identifiers import luhn_sum, mbi, npi

LETTER, ANY = "[ACDEFGHJKMNPQRTUVWXY]", "[0-9ACDEFGHJKMNPQRTUVWXY]"
#: CMS, "Understanding the MBI"; the second place is a letter that CMS never issues.
PRETEND_MBI = re.compile(f"[1-9]S{ANY}[0-9]{LETTER}{ANY}[0-9]{LETTER}{LETTER}[0-9][0-9]")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


def as_bytes(person):
    return json.dumps(person.records(), ensure_ascii=False).encode()


def of_type(records, resource_type):
    return [record for record in records if record["resourceType"] == resource_type]


def test_the_same_seed_gives_the_same_people():
    first, again = list(people(3, seed=5)), list(people(3, seed=5))
    assert first == again
    assert [as_bytes(person) for person in first] == [as_bytes(person) for person in again]


def test_another_seed_gives_other_people():
    one, other = next(people(1, seed=1)), next(people(1, seed=2))
    assert one.patient != other.patient
    assert as_bytes(one) != as_bytes(other)


def test_a_person_does_not_depend_on_how_many_are_made():
    assert list(people(2)) == list(people(5))[:2]


def test_the_bytes_do_not_depend_on_the_machine(everyone):
    """Change this number when the sandbox changes on purpose; never because of a new Python."""
    told = "".join(json.dumps(records, ensure_ascii=False) for _, records in everyone)
    assert (
        hashlib.sha256(told.encode()).hexdigest() == "957a856eb2d0d723d0e897a1f160738c7627bd6e3d4624e7a5df2d6166cb54eb"
    )


def test_a_person_is_a_value_that_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        next(people(1)).patient = "1"


@pytest.mark.parametrize("name", ["everything", "substance-use", "deceased"])
def test_time_brings_more_claims_and_changes_none(name):
    who = list(people(len(PERSONAS)))[PERSONAS[name].number]
    now, later = ({record["id"]: record for record in who.records(day)["v2"][5:]} for day in (AS_OF, HORIZON))
    assert now.items() <= later.items()
    new = [record["meta"]["lastUpdated"] for key, record in later.items() if key not in now]
    assert bool(new) == (name != "deceased")
    assert all(f"{AS_OF}T24" < updated < f"{HORIZON}T24" for updated in new)


def test_there_is_no_time_before_or_after_that_of_the_sandbox():
    (who,) = people(1)
    for day in (AS_OF - timedelta(1), HORIZON + timedelta(1)):
        with pytest.raises(ValueError, match="is not between"):
            who.records(day)


def test_personas_are_the_same_whatever_a_sandbox_holds():
    one, other = (list(people(len(PERSONAS), years=years, claims_per_year=rate)) for years, rate in ((4, 10), (1, 2)))
    for name in ("dual", "merged", "accents"):
        number = PERSONAS[name].number
        assert as_bytes(one[number]) == as_bytes(other[number])


def test_personas_are_what_they_are_said_to_be(everyone):
    by_number = {person.number: (person, records) for person, records in everyone}
    shown = {name: by_number[each.number][1]["v2"] for name, each in PERSONAS.items() if each.number in by_number}
    assert [each.number for each in PERSONAS.values()] == list(range(len(PERSONAS)))
    assert of_type(shown["nothing"], "ExplanationOfBenefit") == []
    assert shown["deceased"][0]["deceasedDateTime"]
    assert "hospice" in str([record["id"] for record in shown["deceased"]])
    assert "F1120" in json.dumps(shown["substance-use"])
    assert by_number[PERSONAS["accents"].number][0].family_name == "D'Ángelo-Núñez"
    assert '"Z' in json.dumps([each for each in shown["advantage"][3]["extension"] if "ptc_cntrct" in each["url"]])
    assert "QMB" in json.dumps(shown["dual"][1])
    assert shown["dual"][0]["birthDate"] > "1970"


def test_the_merged_record_is_that_of_the_same_person(everyone):
    patients = {person.number: records["v2"][0] for person, records in everyone}
    merged = PERSONAS["merged"]
    one, other = patients[merged.number], patients[merged.merged_into]
    assert one["id"] != other["id"]
    for element in ("name", "birthDate", "gender", "address", "telecom"):
        assert one[element] == other[element]


def test_changing_a_record_changes_no_other():
    person = next(people(1))
    person.records()["v2"][0]["name"][0]["family"] = "Changed"
    person.records()["v2"][5]["insurer"]["identifier"]["value"] = "Changed"
    assert "Changed" not in json.dumps(person.records())


def test_accounts_are_numbered_like_those_of_the_public_sandbox():
    accounts = [(person.number, person.username, person.password) for person in people(12)]
    assert accounts[0] == (0, "BBUser00000", "PW00000!")
    assert accounts[11] == (11, "BBUser00011", "PW00011!")


def test_every_person_has_a_patient_and_four_coverages_in_both_versions(everyone):
    for person, records in everyone:
        for version in ("v1", "v2"):
            assert [patient["id"] for patient in of_type(records[version], "Patient")] == [person.patient]
            coverages = [coverage["id"] for coverage in of_type(records[version], "Coverage")]
            assert coverages == [f"part-{part}-{person.patient}" for part in "abcd"]


def test_patient_ids_are_negative_and_differ(everyone):
    ids = [person.patient for person, _ in everyone]
    assert all(re.fullmatch(r"-\d{14}", patient) for patient in ids)
    assert len({*ids, *(person.patient for person in people(20, seed=2))}) == len(ids) + 20


def test_the_patient_is_called_as_the_person_is(everyone):
    for person, records in everyone:
        for version in ("v1", "v2"):
            name = records[version][0]["name"][0]
            assert (name["given"][0], name["family"]) == (person.given_name, person.family_name)


def test_both_versions_tell_the_same_of_the_patient(everyone):
    for _, records in everyone:
        old, new = records["v1"][0], records["v2"][0]
        for element in ("id", "name", "gender", "birthDate", "address"):
            assert old[element] == new[element]
        assert old.get("deceasedDateTime") == new.get("deceasedDateTime")
        assert old["meta"]["lastUpdated"] == new["meta"]["lastUpdated"]


def test_version_1_shows_a_hash_and_version_2_the_mbi(everyone):
    for _, records in everyone:
        old, new = ({each["system"]: each["value"] for each in records[v][0]["identifier"]} for v in ("v1", "v2"))
        assert PRETEND_MBI.fullmatch(new["http://hl7.org/fhir/sid/us-mbi"])
        assert re.fullmatch("[0-9a-f]{64}", old["https://bluebutton.cms.gov/resources/identifier/mbi-hash"])
        assert new["http://hl7.org/fhir/sid/us-mbi"] not in json.dumps(records["v1"])


def test_only_version_2_has_a_subscriber_id_and_it_is_the_mbi(everyone):
    for _, records in everyone:
        identifier = records["v2"][0]["identifier"][1]["value"]
        assert {coverage["subscriberId"] for coverage in of_type(records["v2"], "Coverage")} == {identifier}
        assert "subscriberId" not in json.dumps(records["v1"])


def test_mbis_of_many_people_differ_and_have_the_format():
    many = [mbi(1, number) for number in range(5000)]
    assert len(set(many)) == 5000
    assert all(PRETEND_MBI.fullmatch(each) for each in many)


def test_every_npi_is_a_pretend_one_with_a_right_check_digit(everyone):
    told = json.dumps([records for _, records in everyone])
    found = set(re.findall(r'us-npi", "value": "([^"]*)"', told)) | set(
        re.findall(r'"npi"[^}]*}\]}, "value": "(\d+)"', told)
    )
    assert len(found) > 50
    for each in found:
        assert re.fullmatch(r"29\d{8}", each)
        assert luhn_sum("80840" + each) % 10 == 0


def test_the_check_digit_is_that_of_the_standards_example():
    """45 CFR 162.406 and CMS's explanation of it: 123456789 gets the check digit 3."""
    assert luhn_sum("80840" + "1234567893") % 10 == 0
    assert len({npi(serial) for serial in range(1000)}) == 1000


def test_most_people_are_over_65_and_some_younger_and_disabled(everyone):
    born = [records["v2"][0]["birthDate"] for _, records in everyone]
    young = sum(day > f"{AS_OF.year - 65}" for day in born)
    assert 1 <= young <= 5


def test_some_have_died_and_their_coverage_ended(everyone):
    dead = [records["v2"] for _, records in everyone if "deceasedDateTime" in records["v2"][0]]
    assert dead
    for records in dead:
        part_a = records[1]
        assert part_a["status"] == "cancelled"
        assert part_a["period"]["end"] == records[0]["deceasedDateTime"]


def test_every_record_says_when_it_was_updated_to_the_instant(everyone):
    for _, records in everyone:
        for record in records["v1"] + records["v2"]:
            assert INSTANT.fullmatch(record["meta"]["lastUpdated"])
            assert record["meta"]["lastUpdated"] < f"{AS_OF}T24"


def test_version_2_names_the_carin_profile_and_version_1_none(everyone):
    for _, records in everyone:
        assert all("profile" not in record["meta"] for record in records["v1"])
        for record in records["v2"]:
            (profile,) = record["meta"]["profile"]
            assert profile.startswith(
                "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-" + record["resourceType"]
            )


def test_names_are_varied(everyone):
    names = Counter((person.given_name, person.family_name) for person, _ in everyone)
    assert len(names) >= 18
    assert any(not person.family_name.isalpha() or not person.given_name.isascii() for person, _ in everyone)


def test_months_of_enrolment_run_on(everyone):
    for _, records in everyone:
        part_d = records["v1"][4]
        months = [extension["url"][-2:] for extension in part_d["extension"] if "/dual_" in extension["url"]]
        assert months[0] == "01"
        assert all(int(later) == int(month) + 1 for month, later in pairwise(months))
