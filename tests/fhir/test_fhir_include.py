"""What does `_include` bring along, and for whom?"""

import pytest
from fhir_records import (
    EVERYTHING,
    VERSIONS,
    assert_outcome,
    claim,
    coverage,
    grant_to_another_app,
    ids,
    included,
    link,
    pages,
    person,
    server_with,
)

from bb2.testing import ALICE, BOB

pytestmark = pytest.mark.either_database

CARIN = ["patient", "provider", "care-team", "coverage", "insurer", "payee"]
ELSEWHERE = "https://elsewhere.example/fhir/Coverage/part-a--1001"


def with_coverages(version, id, *references, **elements):
    """A claim whose insurance refers to these coverages, each a Reference."""
    insurance = [{"coverage": reference} for reference in references]
    return claim(version, id, insurance=insurance if version == "v2" else insurance[0], **elements)


def records(version):
    return [
        person(),
        person(BOB),
        *(coverage(part, who, subscriberId="1EG4TE5MK73") for part in "abcd" for who in (ALICE, BOB)),
        claim(version, "carrier-1", covered="part-b"),
        claim(version, "carrier-2", covered="part-b"),
        claim(version, "inpatient-3", covered="part-a"),
        claim(version, "pde-4", covered="part-d"),
        with_coverages(version, "snf-5", {"reference": "Coverage/part-c--1002"}),  # Bob's
        with_coverages(version, "snf-6", {"reference": "Coverage/unknown"}),
        with_coverages(version, "snf-7", {"reference": ELSEWHERE}),
        with_coverages(version, "snf-8", {"reference": "#part-c--1001"}),
        with_coverages(version, "snf-9", {"identifier": {"value": "part-c--1001"}, "display": "Part C"}),
        with_coverages(version, "snf-91", {"reference": "Coverage/part-c--1001/_history/1"}),
        with_coverages(version, "snf-92", {"reference": "http://localhost/v2/fhir/Coverage/part-c--1001"}),
        with_coverages(version, "snf-93", {"reference": "Patient/-1001"}),  # no Coverage
        with_coverages(version, "snf-94", "Coverage/part-c--1001"),  # no Reference
    ]


@pytest.fixture(scope="module")
def server(shared_engine):
    return server_with(shared_engine, {version: records(version) for version in VERSIONS})


@pytest.fixture(scope="module")
def sharing(server):
    return server.grant(EVERYTHING)


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def search(server, token, version, query):
    return server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json


PATIENT = ("Patient", ALICE)


def of_part(part):
    return ("Coverage", f"part-{part}--1001")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_include=ExplanationOfBenefit:coverage", [of_part("b"), of_part("a"), of_part("d")]),
        ("_include=ExplanationOfBenefit:patient", [PATIENT]),
        ("_include=ExplanationOfBenefit:patient:Patient", [PATIENT]),
        ("_include=ExplanationOfBenefit:payee:Organization", []),
        ("_include=ExplanationOfBenefit:*", [PATIENT, of_part("b"), of_part("a"), of_part("d")]),
        ("_include=*", [PATIENT, of_part("b"), of_part("a"), of_part("d")]),
        ("_include=ExplanationOfBenefit:patient&_include=*&type=pde", [PATIENT, of_part("d")]),
        ("_include=ExplanationOfBenefit:coverage&type=carrier", [of_part("b")]),
        ("_include=ExplanationOfBenefit:coverage&type=snf", []),
        ("_include=ExplanationOfBenefit:patient&type=dme", []),  # nothing matches, so nothing is brought along
        ("_include=ExplanationOfBenefit:provider", []),
        ("_include=ExplanationOfBenefit:care-team", []),
        ("_include=ExplanationOfBenefit:insurer", []),
        ("type=pde", []),
    ],
)
def test_what_the_matches_refer_to_is_included_once(server, sharing, version, query, found):
    bundle = search(server, sharing, version, f"{query}&_count=50")
    assert included(bundle) == found
    matches = [entry for entry in bundle.get("entry", ()) if entry["search"] == {"mode": "match"}]
    assert bundle["total"] == len(matches)  # the total is that of the matches
    for entry in bundle.get("entry", ()):
        resource = entry["resource"]
        assert entry["fullUrl"] == f"http://localhost/{version}/fhir/{resource['resourceType']}/{resource['id']}"
    modes = [entry["search"]["mode"] for entry in bundle.get("entry", ())]
    assert modes == sorted(modes, key=["match", "include"].index)


def test_what_is_included_is_the_record_itself(server, sharing, version):
    bundle = search(server, sharing, version, "_include=*&type=pde")
    read = [server.fhir(f"{kind}/{id}", sharing, version=version).json for kind, id in included(bundle)]
    assert [entry["resource"] for entry in bundle["entry"][1:]] == read


def test_the_links_keep_the_include_and_each_page_brings_its_own(server, sharing, version):
    query = "_include=ExplanationOfBenefit:coverage&_count=2&_id=carrier-1,carrier-2,inpatient-3,pde-4"
    walked = list(pages(server, sharing, f"ExplanationOfBenefit?{query}", version))
    assert [ids(page) for page in walked] == [["carrier-1", "carrier-2"], ["inpatient-3", "pde-4"]]
    assert [included(page) for page in walked] == [[of_part("b")], [of_part("a"), of_part("d")]]
    assert "_include=ExplanationOfBenefit%3Acoverage" in link(walked[0], "next")


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("patient/ExplanationOfBenefit.rs", []),
        ("patient/ExplanationOfBenefit.rs patient/Coverage.s", []),
        ("patient/ExplanationOfBenefit.rs patient/Coverage.r", [of_part("d")]),
        ("patient/ExplanationOfBenefit.s patient/Coverage.read", [of_part("d")]),
        ("patient/ExplanationOfBenefit.rs patient/Patient.s", []),
        ("patient/ExplanationOfBenefit.rs patient/Patient.r", [PATIENT]),
        ("patient/ExplanationOfBenefit.rs patient/Patient.rs patient/Coverage.rs", [PATIENT, of_part("d")]),
        ("patient/ExplanationOfBenefit.rs profile", []),
    ],
)
def test_only_what_the_token_may_read_is_included(server, scope, found):
    token = grant_to_another_app(server, scope)
    for version in VERSIONS:
        bundle = search(server, token, version, "_include=*&type=pde")
        assert included(bundle) == found
        assert ids(bundle) == ["pde-4"]


def test_declining_keeps_the_person_out_and_the_coverage_redacted(server):
    token = grant_to_another_app(server, EVERYTHING, share_demographic=False)
    for version in VERSIONS:
        answer = server.fhir("ExplanationOfBenefit?_include=*&type=pde", token, version=version)
        assert included(answer.json) == [of_part("d")]
        for said in ("subscriberId", "1EG4TE5MK73", "birthDate", "1941-07-06"):
            assert said not in answer.text


def test_another_persons_coverage_is_not_included_whoever_refers_to_it(server, sharing, version):
    bundle = search(server, sharing, version, "_include=*&_id=snf-5")
    assert (ids(bundle), included(bundle)) == (["snf-5"], [PATIENT])
    assert "part-c--1002" not in [entry["resource"]["id"] for entry in bundle["entry"]]


@pytest.mark.parametrize(
    "value",
    [
        "ExplanationOfBenefit:item-udi",
        "ExplanationOfBenefit:claim",
        "ExplanationOfBenefit",
        "ExplanationOfBenefit:",
        "ExplanationOfBenefit:patient:Coverage",
        "ExplanationOfBenefit:patient:Patient:more",
        "ExplanationOfBenefit:*:Patient",
        "Coverage:payor",
        "patient",
        "explanationofbenefit:patient",
        "ExplanationOfBenefit:patient,ExplanationOfBenefit:coverage",
        "**",
    ],
)
def test_an_unknown_include_is_refused_with_what_is_accepted(server, sharing, version, value):
    refused = server.fhir(f"ExplanationOfBenefit?_include={value}", sharing, version=version, status=400)
    words = assert_outcome(refused, "invalid")
    assert words.startswith(f"_include={value} is not accepted; accepted: *, ExplanationOfBenefit:patient, ")
    for name in CARIN:
        assert f"ExplanationOfBenefit:{name}" in words
    counted = server.fhir(f"ExplanationOfBenefit?_count=0&_include={value}", sharing, version=version, status=400)
    assert_outcome(counted, "invalid")


def test_a_type_that_includes_nothing_knows_no_include(server, sharing, version):
    bundle = server.fhir("Coverage?_include=Coverage:payor", sharing, version=version).json
    assert bundle["total"] == 4
    assert "_include" not in link(bundle, "self")


def test_the_capability_statement_lists_what_can_be_included(server, version):
    statement = server.get(f"/{version}/fhir/metadata").json
    listed = {entry["type"]: entry.get("searchInclude") for entry in statement["rest"][0]["resource"]}
    assert listed == {
        "Patient": None,
        "Coverage": None,
        "ExplanationOfBenefit": [f"ExplanationOfBenefit:{name}" for name in [*CARIN, "*"]],
    }
