"""That the records are FHIR: STU3 in version 1, R4 with what the CARIN profiles demand in version 2."""

import importlib
import json
import time

import pytest

from bb2.sandbox import people

MODULES = {"v1": "fhir.resources.STU3", "v2": "fhir.resources.R4B"}
#: About 5 ms a record: these people whole, of the others every so-many-th record.
WHOLE, EVERY = 6, 7


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


#: What the CARIN profiles (1.1.0) want of every ExplanationOfBenefit, beside what FHIR wants.
MANDATORY = (
    "meta",
    "identifier",
    "status",
    "type",
    "use",
    "patient",
    "created",
    "insurer",
    "provider",
    "outcome",
)
MANDATORY += ("insurance", "item", "total")
INFORMATION = {
    "Inpatient-Institutional": {"admissionperiod"},
    "Outpatient-Institutional": set(),
    "Professional-NonClinician": set(),
    "Pharmacy": {"dayssupply", "dawcode", "refillnum"},
}


def test_version_2_claims_have_what_their_profile_demands(claims):
    for version, _, claim in claims:
        if version == "v1":
            continue
        assert all(claim.get(element) for element in MANDATORY)
        profile = claim["meta"]["profile"][0].split("ExplanationOfBenefit-")[1]
        slices = {info["category"]["coding"][0]["code"] for info in claim["supportingInfo"]}
        # CMS files equipment under the inpatient profile, without a stay.
        if not claim["id"].startswith("dme"):
            assert INFORMATION[profile] <= slices
        assert profile == "Pharmacy" or claim["diagnosis"]
        assert all("type" in diagnosis for diagnosis in claim.get("diagnosis", []))
        assert all(item["productOrService"]["coding"] for item in claim["item"])


def test_version_2_professional_lines_say_whether_there_is_a_contract(claims):
    for version, _, claim in claims:
        if version == "v2" and claim["id"].startswith(("carrier", "hha")):
            for item in claim["item"]:
                categories = [each["category"]["coding"][0]["system"] for each in item["adjudication"]]
                assert sum(each.endswith("C4BBPayerAdjudicationStatus") for each in categories) == 1


def test_a_sandbox_is_made_quickly_and_stays_small():
    start = time.process_time()
    made = [person.records() for person in people()]
    assert time.process_time() - start < 4.0  # it takes a tenth of this; a busy machine must not fail the test
    assert len(json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()) < 15_000_000
