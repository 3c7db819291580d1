"""That the records are FHIR: STU3 in version 1, R4 with what the CARIN profiles demand in version 2."""

import copy
import importlib
import json
import time
from itertools import islice

import pytest
from c4bb import faults, must_support, profiles, supported
from checks import problems

from bb2.sandbox import PERSONAS, people

pytestmark = pytest.mark.long

MODULES = {"v1": "fhir.resources.STU3", "v2": "fhir.resources.R4B"}
#: About 5 ms a record: these people whole, of the others every so-many-th record; `make proofs` takes all.
WHOLE, EVERY = 1, 20


def model(version, resource_type):
    return getattr(importlib.import_module(f"{MODULES[version]}.{resource_type.lower()}"), resource_type)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_record_is_valid(everyone, version):
    for person, records in everyone:
        step = 1 if person.number < WHOLE else EVERY
        for record in records[version][::step]:
            model(version, record["resourceType"]).model_validate(record)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_type_of_claim_is_valid_whoever_has_it(everyone, version):
    seen = {record["id"].split("-")[0]: record for _, records in everyone for record in records[version][5:]}
    assert len(seen) == 8
    for record in seen.values():
        model(version, record["resourceType"]).model_validate(record)


def test_version_2_records_have_what_their_profile_demands(everyone):
    for person, records in everyone:
        for record in records["v2"][:: 1 if person.number < WHOLE else 3]:
            assert faults(record) == []


@pytest.mark.parametrize("profile", profiles())
def test_every_element_that_a_profile_says_must_be_supported_is_somewhere(everyone, profile):
    seen = [
        supported(each) for _, records in everyone for each in records["v2"] if each["meta"]["profile"] == [profile]
    ]
    assert must_support(profile) == set().union(*seen)


def test_references_links_amounts_and_dates_are_right(everyone):
    for _, records in everyone:
        for version in ("v1", "v2"):
            for record in records[version]:
                assert problems(version, record) == []


def _spoil_amount(claim):
    next(each for each in claim["item"][0]["adjudication"] if "amount" in each)["amount"]["value"] += 0.01


#: {what the check must say: (type of claim, what is done to it)}
WRONG = {
    "contained": ("hospice", lambda claim: claim["contained"][0].update(id="other")),
    "leads to none of careTeam": ("carrier", lambda claim: claim["item"][0].update(careTeamSequence=[9])),
    "the same sequence twice": ("snf", lambda claim: claim["supportingInfo"][1].update(sequence=1)),
    "allowed is not paid and owed": ("dme", _spoil_amount),
    "the price is not": ("pde", _spoil_amount),
    "are not in order": ("inpatient", lambda claim: claim["billablePeriod"].update(end="2031-01-01")),
    "outside the billed days": ("outpatient", lambda claim: claim["item"][0].update(servicedDate="2001-01-01")),
    "not the sum": ("hha", lambda claim: claim["payment"]["amount"].update(value=0.01)),
}


@pytest.mark.parametrize("problem", WRONG)
def test_a_claim_that_is_wrong_is_found(everyone, problem):
    kind, spoil = WRONG[problem]
    claim = a_claim(everyone, kind)
    assert problems("v2", claim) == []
    spoil(claim)
    assert problem in str(problems("v2", claim))


def a_claim(everyone, kind):
    """A copy of a version 2 claim of this type; of an odd number, as others show more."""
    claims = (record for _, records in everyone for record in records["v2"] if record["id"].startswith(kind))
    return copy.deepcopy(next(claim for claim in claims if claim["id"][-1] in "13579"))


#: What is done to a claim of a type, and what the check must say of it.
BROKEN = {
    "pde": (lambda claim: claim.pop("created"), "created: missing"),
    "snf": (lambda claim: claim["supportingInfo"].clear(), "supportingInfo:admissionperiod: missing"),
    "hospice": (lambda claim: claim["subType"]["coding"][0].update(code="outpatient"), "subType: not "),
    "carrier": (
        lambda claim: claim["item"][0]["adjudication"].pop(),
        "item.adjudication:benefitpaymentstatus: missing",
    ),
    "hha": (lambda claim: claim.update(use="predetermination"), "use: not claim"),
    "inpatient": (lambda claim: claim["diagnosis"][0].pop("type"), "diagnosis.type: missing"),
    "outpatient": (lambda claim: claim["identifier"][0].pop("type"), "identifier.type: missing"),
    "dme": (lambda claim: claim["supportingInfo"].append(claim["supportingInfo"][0]), "clmrecvddate: 2 times"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_record_that_lacks_something_is_found(everyone, kind):
    claim = a_claim(everyone, kind)
    spoil, fault = BROKEN[kind]
    assert faults(claim) == []
    spoil(claim)
    assert fault in str(faults(claim))


def test_version_2_professional_lines_say_whether_there_is_a_contract(claims):
    for version, _, claim in claims:
        if version == "v2" and claim["id"].startswith(("carrier", "dme", "hha")):
            for item in claim["item"]:
                categories = [each["category"]["coding"][0]["system"] for each in item["adjudication"]]
                assert sum(each.endswith("C4BBPayerAdjudicationStatus") for each in categories) == 1


def test_a_sandbox_is_made_quickly_and_stays_small():
    start = time.process_time()
    made = [person.records() for person in islice(people(), len(PERSONAS), len(PERSONAS) + 6)]
    assert time.process_time() - start < 2.0  # it takes a tenth of this; a busy machine must not fail the test
    assert len(json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()) < 8_000_000
