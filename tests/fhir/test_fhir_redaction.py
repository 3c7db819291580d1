"""Where can it hide who a person is?  Nowhere, under a token without demographics; the rest goes out as it was."""

import json
import os

import pytest
from fhir_records import (
    CLAIMS_AND_COVERAGE,
    EVERYTHING,
    MBI,
    RESOURCES,
    VERSIONS,
    claim,
    coverage,
    grant_to_another_app,
    server_with,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bb2.fhir.redaction import redacted
from bb2.scopes import FhirResource
from bb2.testing import ALICE

pytestmark = pytest.mark.either_database

EXAMPLES = max(40, int(os.environ.get("STEPS", "0")) // 10)  #: of anything, anywhere; 1,000 by `make proofs`
WHO = "this says who the person is"
VARIABLE = "https://bluebutton.cms.gov/resources/variables/"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
C4BB = "http://hl7.org/fhir/us/carin-bb/CodeSystem/"
ME = {"reference": f"Patient/{ALICE}"}
NUMBER = "1EG4TE5MK73"


CMS_VARIABLES = (
    *("bene_race_cd", "bene_sex_ident_cd", "gndr_cd", "dob_dt", "bene_birth_dt", "bene_death_dt", "bene_age_cnt"),
    *("state_code", "bene_county_cd", "bene_zip_cd", "state_cnty_fips_cd_01", "bene_srnm_name", "bene_1st_name"),
)


def extension(url, name="valueString", value=WHO):
    return {"extension": [{"url": url, name: value}]}


#: Codes of HL7's table 0203 for what a person's number is: of a member, an account, a licence, a passport and others.
NUMBERS_OF_A_PERSON = (
    *("AN", "ANON", "DL", "HC", "MA", "MB", "MC", "MR", "NH", "NI", "PI", "PN", "PPN", "PT", "SB", "SN", "SS"),
)


def labelled(label, system=None, code=None, **value):
    """A supporting information whose category or code says what it is."""
    coding = {key: text for key, text in (("system", system), ("code", code)) if text}
    return {"supportingInfo": [{"sequence": 1, label: {"coding": [coding]}, **(value or {"valueString": WHO})}]}


def coded(value):
    return {"coding": [{"system": f"{VARIABLE}race", "code": "1", "display": value}]}


COVERAGES = {
    "subscriberId": {"subscriberId": WHO},
    "what extends subscriberId": {"_subscriberId": extension("https://example.org/x")},
    "the beneficiary's name": {"beneficiary": ME | {"display": WHO}},
    "the beneficiary's number": {"beneficiary": ME | {"identifier": {"value": WHO}}},
    "an extension of the beneficiary": {"beneficiary": ME | extension("https://example.org/x")},
    "what extends the name": {"beneficiary": ME | {"_display": extension("https://example.org/x")}},
    "an absolute reference": {"payor": [{"reference": f"https://e.example/fhir/Patient/{ALICE}", "display": WHO}]},
    "the subscriber": {"subscriber": {"display": WHO}},
    "the policy holder": {"policyHolder": {"reference": "RelatedPerson/1", "display": WHO}},
    "a payor who is a patient": {"payor": [ME | {"display": WHO}]},
    "a payor who is a patient by type": {"payor": [{"type": "Patient", "identifier": {"value": WHO}}]},
    "a payor who is a relative": {"payor": [{"type": "RelatedPerson", "display": WHO}]},
    "identifier": {"identifier": [{"system": "https://example.org/member", "value": WHO}]},
    "dependent": {"dependent": WHO},
    "narrative": {"text": {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{WHO}</div>"}},
    "a narrative elsewhere": {"class": [{"text": {"status": "generated", "div": WHO}}]},
    "a contained Patient": {"contained": [{"resourceType": "Patient", "id": "p", "name": [{"text": WHO}]}]},
    "a contained RelatedPerson": {"contained": [{"resourceType": "RelatedPerson", "id": "p", "name": [{"text": WHO}]}]},
    "a contained Person": {"contained": [{"resourceType": "Person", "id": "p", "birthDate": WHO}]},
    "a contained Coverage": {"contained": [{"resourceType": "Coverage", "id": "c", "identifier": [{"value": WHO}]}]},
    "a contained record's subscriberId": {"contained": [{"resourceType": "Basic", "id": "b", "subscriberId": WHO}]},
    "a contained narrative": {"contained": [{"resourceType": "Basic", "id": "b", "text": {"div": WHO}}]},
    "a record in a contained record": {
        "contained": [{"resourceType": "Basic", "contained": [{"resourceType": "Patient", "gender": WHO}]}]
    },
    "a contained observation of race": {
        "contained": [{"resourceType": "Observation", "id": "o", "code": coded("race"), "valueString": WHO}]
    },
    "a reference to a contained Patient": {
        "contained": [{"resourceType": "Patient", "id": "p"}],
        "payor": [{"reference": "#p", "display": WHO}],
    },
    "race": extension(f"{CORE}us-core-race", "extension", [{"url": "text", "valueString": WHO}]),
    "ethnicity": extension(f"{CORE}us-core-ethnicity", "extension", [{"url": "text", "valueString": WHO}]),
    "birth sex": extension(f"{CORE}us-core-birthsex", "valueCode"),
    "sex": extension(f"{CORE}us-core-sex", "valueCode"),
    "gender identity": extension(f"{CORE}us-core-genderIdentity"),
    "recorded sex or gender": extension(f"{HL7}individual-recordedSexOrGender"),
    "tribe": extension(f"{CORE}us-core-tribal-affiliation"),
    "birth place": extension(f"{HL7}patient-birthPlace", "valueAddress", {"city": WHO}),
    "birth time": extension(f"{HL7}patient-birthTime", "valueDateTime"),
    "maiden name": extension(f"{HL7}patient-mothersMaidenName"),
    "religion": extension(f"{HL7}patient-religion"),
    "CMS's race": extension(f"{VARIABLE}race", "valueCoding", {"system": f"{VARIABLE}race", "display": WHO}),
    "CMS's race by its coding": extension(
        "https://e.org/x", "valueCoding", {"system": f"{VARIABLE}race", "display": WHO}
    ),
    "CMS's sex": extension(f"{VARIABLE}sex", "valueCoding", {"code": WHO}),
    "CMS's other sex": extension(f"{VARIABLE}gndr_cd", "valueCoding", {"code": WHO}),
    "CMS's birth date": extension(f"{VARIABLE}dob_dt", "valueDate"),
    "CMS's zip": extension(f"{VARIABLE}bene_mlg_cntct_zip_cd"),
    "CMS's county": extension(f"{VARIABLE}bene_cnty_cd"),
    "CMS's newer names": extension("https://bluebutton.cms.gov/fhir/StructureDefinition/BENE-RACE-CD"),
    "a name in an extension": extension("https://example.org/x", "valueHumanName", {"text": WHO}),
    "an address in an extension": extension("https://example.org/x", "valueAddress", {"line": [WHO]}),
    "a telephone in an extension": extension("https://example.org/x", "valueContactPoint", {"value": WHO}),
    "a patient in an extension": extension("https://example.org/x", "valueReference", ME | {"display": WHO}),
    "an extension of an extension": extension(
        "https://example.org/x", "extension", [{"url": f"{CORE}us-core-race", "valueString": WHO}]
    ),
    "an extension of a code": {"_status": extension(f"{CORE}us-core-race")},
    "an extension that may not be ignored": {"modifierExtension": [{"url": f"{VARIABLE}race", "valueString": WHO}]},
    "an extension deep inside": {"class": [{"type": {"coding": [{"code": "group"} | extension(f"{VARIABLE}sex")]}}]},
    "birthDate anywhere": {"class": [{"value": "Medicare", "birthDate": WHO}]},
    **{
        f"an identifier of {system}": extension("https://e.org/x", "valueIdentifier", {"system": system, "value": WHO})
        for system in (
            MBI,
            "http://hl7.org/fhir/sid/us-medicare",
            "http://hl7.org/fhir/sid/us-ssn",
            "HTTP://HL7.ORG/FHIR/SID/US-MBI",
            "http://hl7.org/fhir/sid/passport-USA",
            "https://bluebutton.cms.gov/resources/identifier/mbi-hash",
            "https://bluebutton.cms.gov/resources/identifier/hicn-hash",
            "http://bluebutton.cms.hhs.gov/identifier#hicnHash",
            f"{VARIABLE}bene_hic_num",
            "urn:oid:2.16.840.1.113883.4.1",
            "urn:oid:2.16.840.1.113883.4.572",
            "urn:oid:2.16.840.1.113883.4.927",
        )
    },
    **{
        f"an identifier of type {code}": {
            "payor": [{"identifier": {"type": {"coding": [{"system": V2_0203, "code": code}]}, "value": WHO}}]
        }
        for code in NUMBERS_OF_A_PERSON
    },
    "an identifier of an STU3 type": {
        "payor": [
            {
                "identifier": {
                    "type": {"coding": [{"system": "http://hl7.org/fhir/v2/0203", "code": "MC"}]},
                    "value": WHO,
                }
            }
        ]
    },
    "a beneficiary of a version": {"beneficiary": {"reference": f"Patient/{ALICE}/_history/2", "display": WHO}},
    "what extends the beneficiary": {"_beneficiary": {"display": WHO}},
    "what extends a name": extension("https://e.org/x", "_valueHumanName", {"extension": [{"valueString": WHO}]}),
    "a contained home": {
        "contained": [{"resourceType": "Location", "id": "h", "name": WHO, "address": {"line": [WHO]}}]
    },
    "a contained account": {"contained": [{"resourceType": "Account", "id": "a", "name": WHO}]},
    "a contained family": {"contained": [{"resourceType": "Group", "id": "g", "name": WHO}]},
    "a contained record without a type": {"contained": [{"id": "x", "name": [{"text": WHO}]}]},
    "a contained birth date": {
        "contained": [
            {"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": "21112-8"}]}}
            | {"valueDateTime": WHO}
        ]
    },
    "a geolocation": extension(f"{HL7}geolocation", "extension", [{"url": "latitude", "valueDecimal": WHO}]),
    "an attachment in an extension": extension(f"{VARIABLE}clm_id", "valueAttachment", {"title": WHO}),
    "a note in an extension": extension(f"{VARIABLE}clm_id", "valueAnnotation", {"authorString": WHO}),
    "an organization named in an extension": extension(
        f"{VARIABLE}clm_id", "valueReference", {"reference": "Organization/1", "display": WHO}
    ),
    "free text in an extension": extension(f"{VARIABLE}clm_id"),
    "an extension of an unknown maker": extension("https://e.org/x", "valueDate"),
    "an identifier in an extension, of an unknown system": extension(
        f"{VARIABLE}clm_id", "valueIdentifier", {"system": "https://e.org/x", "value": WHO}
    ),
    "a number that only words name": {"payor": [{"identifier": {"type": {"text": "Medicare number"}, "value": WHO}}]},
    "a tag": {"meta": {"tag": [{"system": "https://e.org/people", "code": WHO}]}},
    "where it comes from": {"meta": {"source": f"https://e.org/{WHO}"}},
    **{f"CMS's {name}": extension(f"{VARIABLE}{name}", "valueCoding", {"code": WHO}) for name in CMS_VARIABLES},
}
CLAIMS = {
    "the patient's name": {"patient": ME | {"display": WHO, "identifier": {"value": WHO}}},
    "who was paid": {"payee": {"party": {"display": WHO}}},
    "where the accident was": {"accident": {"locationAddress": {"text": WHO}}},
    "what the accident was": {"accident": {"date": "2026-01-02", "type": {"text": WHO}}},
    "where care was given": {"item": [{"sequence": 1, "locationAddress": {"line": [WHO], "state": "IA"}}]},
    "the town of an added item": {"addItem": [{"locationAddress": {"city": WHO}}]},
    "a service at somebody's home": {"item": [{"sequence": 1, "locationReference": {"display": WHO}}]},
    "a home that a service refers to": {
        "contained": [{"resourceType": "Location", "id": "h", "name": WHO}],
        "item": [{"sequence": 1, "locationReference": {"reference": "#h", "display": WHO}}],
    },
    "a note of the process": {"processNote": [{"number": 1, "text": WHO}]},
    "a note": {"note": [{"authorString": WHO, "text": WHO}]},
    "supporting information in words": {"supportingInfo": [{"category": {"text": "other"}, "valueString": WHO}]},
    "an attached paper": {"supportingInfo": [{"valueAttachment": {"title": WHO}}]},
    "an attached paper in STU3": {"information": [{"valueAttachment": {"data": WHO}}]},
    "the printed form": {"form": {"title": WHO}},
    "a patient account number": labelled("category", f"{C4BB}C4BBSupportingInfoType", "patientaccountnumber"),
    "a medical record number": labelled("category", f"{C4BB}C4BBSupportingInfoType", "medicalrecordnumber"),
    "supporting information on sex": labelled("category", f"{VARIABLE}sex", "2"),
    "supporting information by code": labelled("category", "https://e.org/information", f"{VARIABLE}dob_dt"),
    "supporting information by its own code": labelled("code", f"{VARIABLE}race", "1"),
    "administrative gender": labelled("code", "http://hl7.org/fhir/administrative-gender", "female"),
    "a contained subject": {"contained": [{"resourceType": "ReferralRequest", "subject": ME | {"display": WHO}}]},
    "a contained subject without a record": {"contained": [{"resourceType": "Basic", "subject": {"display": WHO}}]},
    "subjects": {"contained": [{"resourceType": "Basic", "subject": [ME | {"display": WHO}, {"display": WHO}]}]},
    "an identifier of the claim": {"identifier": [{"system": MBI, "value": WHO}, {"value": "900"}]},
    "a coverage known by the Medicare number": {
        "insurance": {"coverage": {"identifier": {"system": MBI, "value": WHO}}}
    },
}


def case_id(kind, number):
    return f"{kind}-{number}"


#: Elements of both FHIR versions, so that a record is taken for either.
EITHER_COVERAGE = {"grouping": {"plan": "a"}, "class": [{"value": "a"}]}
EITHER_CLAIM = {"totalCost": {"value": 1}, "use": "claim"}


def records():
    found = [coverage("b", id=case_id("coverage", n)) | EITHER_COVERAGE | m for n, m in enumerate(COVERAGES.values())]
    return found + [claim("v1", case_id("pde", n)) | EITHER_CLAIM | m for n, m in enumerate(CLAIMS.values())]


@pytest.fixture(scope="module")
def server(shared_engine):
    return server_with(shared_engine, {version: records() for version in VERSIONS})


@pytest.fixture(scope="module")
def declining(server):
    return grant_to_another_app(server, CLAIMS_AND_COVERAGE, share_demographic=False)


@pytest.fixture(scope="module")
def sharing(server):
    return server.grant(EVERYTHING)


#: In either version, in turn: a search of both shows below that a record is redacted whatever its version.
CASES = [
    *(pytest.param(f"Coverage/{case_id('coverage', n)}", VERSIONS[n % 2], id=name) for n, name in enumerate(COVERAGES)),
    *(
        pytest.param(f"ExplanationOfBenefit/{case_id('pde', n)}", VERSIONS[n % 2], id=name)
        for n, name in enumerate(CLAIMS)
    ),
]


@pytest.mark.parametrize(("path", "version"), CASES)
def test_who_the_person_is_hides_nowhere(server, sharing, declining, path, version):
    assert WHO in server.fhir(path, sharing, version=version).text
    answer = server.fhir(path, declining, version=version)
    assert WHO not in answer.text
    assert_no_empty_element(answer.json)


def assert_no_empty_element(element):
    """FHIR, "JSON": objects and arrays are never empty."""
    assert element not in ({}, []), "an empty element"
    for member in element.values() if isinstance(element, dict) else element if isinstance(element, list) else ():
        assert_no_empty_element(member)


def test_a_search_redacts_every_record(server, declining):
    for version in VERSIONS:
        for path in ("Coverage?_count=50", "Coverage?_count=50&startIndex=50", "ExplanationOfBenefit?_count=50"):
            answer = server.fhir(path, declining, version=version)
            assert len(answer.json["entry"]) > 10
            assert WHO not in answer.text


def test_a_token_with_a_demographic_scope_that_opens_no_record_is_redacted_too(server):
    token = grant_to_another_app(server, f"{CLAIMS_AND_COVERAGE} profile")
    for version in VERSIONS:
        assert WHO not in server.fhir("Coverage?_count=50", token, version=version).text


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "1EG4-TE5-MK73",
        "1EG4 TE5 MK73",
        "1EG4\u2011TE5\u2011MK73",
        "1eg4te5mk73",
        "123-45-6789",
        "123-45-6789-A",
        f"Medicare number: {NUMBER}.",
        "3S31P00AA00",  # one of CMS's pretend numbers, with letters that real ones avoid
        f"urn:mbi:{NUMBER}",
    ],
)
def test_a_medicare_number_is_found_by_its_form(text):
    bodies = [
        {"description": text},
        {"class": [{"value": text, "name": "Part A"}]},
        {"extension": [{"url": "https://e.org/x", "valueString": text}]},
        {"given": ["Part A", text], "_given": [None, {"id": "x"}]},
        {"type": {"coding": [{"code": text}], "text": "a"}},
    ]
    for more in bodies:
        body = json.dumps(coverage("a") | more)
        out = redacted(body, RESOURCES["Coverage"], RESOURCES)
        assert text not in out
        assert_no_empty_element(json.loads(out))
        assert json.loads(out)["beneficiary"] == ME


@pytest.mark.parametrize("between", ["\t", "\n", "\r\n", "\x01", "\\", " - "])
def test_a_medicare_number_is_found_whatever_json_escapes_within_it(between):
    body = json.dumps(coverage("a") | {"description": f"Member 1EG4{between}TE5{between}MK73"})
    assert "MK73" not in redacted(body, RESOURCES["Coverage"], RESOURCES)


@pytest.mark.parametrize("odd", [["x"], {"a": 1}, 1, None])
def test_what_stands_where_a_system_or_a_url_should_stops_no_redaction(odd):
    bodies = [
        {"extension": [{"url": odd, "valueString": WHO}]},
        {"meta": {"tag": [{"system": odd, "code": "x", "display": WHO}]}},
        {"link": [{"valueIdentifier": {"system": odd, "value": WHO}}]},
        {"subscriberId": WHO, "type": {"coding": [{"system": odd, "code": "x"}]}},
    ]
    for more in bodies:
        assert WHO not in redacted(json.dumps(coverage("a") | more), RESOURCES["Coverage"], RESOURCES)


@pytest.mark.parametrize("text", ["1EG4TE5MK7", "91EG4TE5MK73", "1EG4TE5MK734", "0EG4TE5MK73", "11114115111"])
def test_what_only_looks_like_a_medicare_number_stays(text):
    body = json.dumps(coverage("a") | {"description": text})
    assert redacted(body, RESOURCES["Coverage"], RESOURCES) is body


def test_the_rest_keeps_its_tokens():
    """Numbers say how precise they are by their digits (FHIR, "Data types": decimal)."""
    rest = (
        '"resourceType":"Coverage","id":"c","order":1,"amounts":[1.00,0.10,-0.0,1E5,1e-7,12345678901234567890,'
        '0.1234567890123456789],"yes":true,"none":null,"name":"Zoë \U0001f600 \\"quoted\\" \\\\ \\n",'
        '"beneficiary":{"reference":"Patient/-1001"}'
    )
    body = f'{{"subscriberId":"{WHO}",{rest}}}'
    assert redacted(body, RESOURCES["Coverage"], RESOURCES) == f"{{{rest}}}"


STAYS = coverage("b", status="active") | {
    "contained": [
        {
            "resourceType": "Organization",
            "id": "provider-org",
            "identifier": [
                {"type": {"coding": [{"system": V2_0203, "code": "PRN"}]}, "value": "777776"},
                {"type": {"coding": [{"system": V2_0203, "code": "TAX"}]}, "value": "1"},
                {"type": {"coding": [{"system": f"{C4BB}C4BBIdentifierType", "code": "npi"}]}, "value": "2"},
            ],
            "name": "A Hospital",
            "telecom": [{"system": "phone", "value": "555-0100"}],
        },
        {
            "resourceType": "Observation",
            "id": "o",
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        },
    ],
    "extension": [
        *(
            {"url": f"{VARIABLE}{name}", "valueCoding": {"system": f"{VARIABLE}{name}", "code": "20"}}
            for name in (
                "ms_cd",
                "orec",
                "crec",
                "esrd_ind",
                "a_trm_cd",
                "dual_01",
                "dual_12",
                "buyin01",
                "hmo_ind_01",
                "cstshr01",
                "prvdr_state_cd",
                "prvdr_zip",
                "carr_line_clia_lab_num",
                "nch_clm_type_cd",
                "bene_tot_coinsrnc_days_cnt",
            )
        ),
        {"url": f"{VARIABLE}rfrnc_yr", "valueDate": "2020"},
        {"url": f"{VARIABLE}ptdcntrct01/2020-1", "valueCoding": {"code": "S0001"}},
        {"url": f"{HL7}data-absent-reason", "valueCode": "unknown"},
    ],
    "identifierOfTheClaim": [{"system": f"{VARIABLE}clm_id", "value": "9991831999"}, {"system": f"{VARIABLE}bene_id"}],
    "payor": [{"identifier": {"value": "Centers for Medicare and Medicaid Services"}}],
    "careTeam": [{"provider": {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi"}, "display": "DR. BISBEE"}}],
    "provider": {"reference": "#provider-org", "display": "A Hospital"},
    "procedure": [
        {"code": {"coding": [{"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "MC"}], "text": "x"}}
    ],
    "item": [{"locationAddress": {"state": "IA"}, "modifier": [{"coding": [{"code": "SS"}]}]}],
    "type": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SUBSIDIZ"}],
        "text": "t",
    },
}


@pytest.mark.parametrize("type_", ["Coverage", "ExplanationOfBenefit"])
def test_what_says_nothing_of_the_person_goes_out_untouched(type_):
    """Dual eligibility, Medicare status, buy-in, providers and claim numbers are the coverage and the claim."""
    body = json.dumps(STAYS | {"resourceType": type_})
    assert redacted(body, RESOURCES[type_], RESOURCES) is body


def test_the_state_of_care_stays_and_what_labels_stays_with_it():
    record = claim("v2", "pde-1") | CLAIMS["where care was given"]
    out = json.loads(redacted(json.dumps(record), RESOURCES["ExplanationOfBenefit"], RESOURCES))
    assert out["item"] == [{"sequence": 1, "locationAddress": {"state": "IA"}}]
    record = claim("v2", "pde-1", identifier=[{"system": MBI, "value": WHO}, {"value": "900"}])
    out = json.loads(redacted(json.dumps(record), RESOURCES["ExplanationOfBenefit"], RESOURCES))
    assert out["identifier"] == [{"value": "900"}]


# Anything, anywhere

keys = st.sampled_from(["detail", "item", "type", "coding", "category", "payor", "value", "class", "x", "modifier"])
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(["a", "http://e.org/x", "", "Part A", "MC"])
)
harmless = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3), st.dictionaries(keys, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)
personal = st.sampled_from(
    [
        {"url": f"{VARIABLE}race", "valueString": WHO},
        {"url": f"{CORE}us-core-ethnicity", "extension": [{"url": "text", "valueString": WHO}]},
        {"system": MBI, "value": WHO},
        {"type": {"coding": [{"system": V2_0203, "code": "MC"}]}, "value": WHO},
        {"url": "https://e.org/x", "valueHumanName": {"text": WHO}},
        {"resourceType": "Patient", "name": [{"text": WHO}]},
        {"reference": "Patient/1", "display": WHO},
        {"type": "Person", "display": WHO},
        {"subscriberId": WHO},
        {"status": "generated", "div": WHO},
        {"subject": {"display": WHO}},
    ]
)


@st.composite
def placed(draw, what):
    """The thing at some place in a record."""
    element = draw(what)
    for _ in range(draw(st.integers(1, 5))):
        key = draw(keys)
        around = draw(st.dictionaries(keys, harmless, max_size=2))
        element = around | {key: [draw(harmless), element] if draw(st.booleans()) else element}
    return element


@given(placed(personal))
@settings(max_examples=EXAMPLES, deadline=None)
def test_nothing_that_says_who_the_person_is_goes_out_wherever_it_stands(more):
    body = json.dumps(more | coverage("a"))
    out = redacted(body, RESOURCES["Coverage"], RESOURCES)
    assert WHO not in out
    assert json.loads(out).items() >= coverage("a").items()
    assert redacted(out, RESOURCES["Coverage"], RESOURCES) is out  # once is enough


@given(placed(harmless))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_harmless_goes_out_as_the_same_text(more):
    body = json.dumps(more | coverage("a"))
    assert redacted(body, RESOURCES["Coverage"], RESOURCES) is body


OBSERVATION = FhirResource("Observation", patient_element="subject")


@pytest.mark.parametrize(
    ("code", "goes"), [({"system": "http://loinc.org", "code": "21112-8"}, True), ({"code": "2345-7"}, False)]
)
def test_a_record_whose_code_says_who_the_person_is_keeps_no_value_of_it(code, goes):
    """Of a plugin's own type: a birth date beside a glucose."""
    values = {"valueDateTime": "1940-01-02", "_valueDateTime": {"id": "v"}, "valueInteger": 86}
    observed = {"resourceType": "Observation", "id": "o-1", "subject": ME, "code": {"coding": [code]}} | values
    out = json.loads(redacted(json.dumps(observed), OBSERVATION, RESOURCES))
    assert values.keys().isdisjoint(out) is goes
    assert out["subject"] == ME
