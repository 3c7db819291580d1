"""What does a FHIR request cost the database?  A read two statements, a search three, and nothing is written."""

import pytest
from fhir_records import EVERYTHING, VERSIONS, claim, coverage, grant_to_another_app, person, server_with

from databases import statements


@pytest.fixture(scope="module")
def server(shared_engine):
    def records(version):
        return [person(), coverage("b", subscriberId="1EG4TE5MK73"), *(claim(version, f"pde-{n}") for n in range(30))]

    return server_with(shared_engine, {version: records(version) for version in VERSIONS})


@pytest.fixture(scope="module", params=[True, False], ids=["sharing", "declining"])
def token(server, request):
    return grant_to_another_app(server, EVERYTHING, share_demographic=request.param)


def assert_reads_only(seen, at_most):
    assert 1 <= len(seen) <= at_most, seen
    assert all(statement.lstrip().upper().startswith("SELECT") for statement in seen), seen


@pytest.mark.parametrize("path", ["Coverage/part-b--1001", "ExplanationOfBenefit/pde-1"])
def test_a_read_costs_two_statements(server, token, path):
    for version in VERSIONS:
        with statements(server.engine) as seen:
            server.fhir(path, token, version=version)
        assert_reads_only(seen, 2)


@pytest.mark.parametrize(
    "path",
    [
        "Coverage",
        "ExplanationOfBenefit",
        "ExplanationOfBenefit?_count=50",
        "ExplanationOfBenefit?_count=0",
        "ExplanationOfBenefit?_count=5&startIndex=20",
        "ExplanationOfBenefit?type=pde&service-date=ge2020&_lastUpdated=le2030&identifier=1&_id=pde-1&patient=-1001",
    ],
)
def test_a_search_costs_three_statements(server, token, path):
    for version in VERSIONS:
        with statements(server.engine) as seen:
            server.fhir(path, token, version=version)
        assert_reads_only(seen, 3)


def test_an_include_costs_two_statements_a_type_however_many_records(server, token):
    for version in VERSIONS:
        with statements(server.engine) as seen:
            server.fhir("ExplanationOfBenefit?_include=*&_count=30", token, version=version)
        assert_reads_only(seen, 3 + 2 * 2)


@pytest.mark.parametrize(
    ("path", "status", "at_most"),
    [
        ("ExplanationOfBenefit/unknown", 404, 2),
        ("ExplanationOfBenefit?_count=x", 400, 1),
        ("ExplanationOfBenefit?patient=-9", 403, 1),
    ],
)
def test_a_refusal_costs_no_more(server, token, path, status, at_most):
    with statements(server.engine) as seen:
        server.fhir(path, token, status=status)
    assert_reads_only(seen, at_most)
