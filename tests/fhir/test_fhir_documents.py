"""What goes out is FHIR, at the address and the time that it says."""

import importlib
import json
from collections import Counter

import pytest
from fhir_records import CLAIMS_AND_COVERAGE, EVERYTHING, VERSIONS, claim, follow, ids, link, pages, server_with
from webtest import TestApp

from bb2 import make_app
from bb2.sandbox import people
from bb2.scopes import patient
from bb2.settings import Settings
from bb2.testing import ALICE

pytestmark = [pytest.mark.either_database, pytest.mark.long]

MODELS = {"v1": "fhir.resources.STU3", "v2": "fhir.resources.R4B"}


def valid(version, document):
    """What a FHIR library makes of a document; it raises where that is none."""
    resource_type = document["resourceType"]
    module = importlib.import_module(f"{MODELS[version]}.{resource_type.lower()}")
    return getattr(module, resource_type).model_validate(document)


def a_few_of_each_kind(records):
    """The first three claims of each kind, and every record that is no claim."""
    seen, found = Counter(), []
    for record in records:
        kind = record["id"].partition("-")[0] if record["resourceType"] == "ExplanationOfBenefit" else record["id"]
        seen[kind] += 1
        found += [record] if seen[kind] <= 3 else []
    return found


def test_every_document_is_fhir(make_server):
    (someone,) = people(1)
    records = {}
    for version in VERSIONS:  # the sandbox's person is Alice here
        text = json.dumps(a_few_of_each_kind(someone.records()[version]))
        records[version] = json.loads(text.replace(f"Patient/{someone.patient}", f"Patient/{ALICE}"))
        records[version][0]["id"] = ALICE
    server = make_server(records=records)
    declined = server.grant(CLAIMS_AND_COVERAGE, share_demographic=False)
    for version in VERSIONS:
        for path in ("Coverage", "ExplanationOfBenefit?_count=12"):
            for page in pages(server, declined, path, version):
                assert valid(version, page).type == "searchset"
    shared = server.grant(EVERYTHING)
    for version in VERSIONS:
        assert valid(version, server.get(f"/{version}/fhir/metadata").json).kind == "instance"
        for path in ("Patient", "Coverage", "ExplanationOfBenefit?_count=12"):
            for page in pages(server, shared, path, version):
                assert valid(version, page).type == "searchset"
        included = server.fhir("ExplanationOfBenefit?_include=*&_count=3", shared, version=version).json
        assert {entry.search.mode for entry in valid(version, included).entry} == {"match", "include"}
        assert valid(version, server.fhir("Coverage?_id=none", shared, version=version).json).total == 0
        for path, status in (("Coverage/none", 404), ("Coverage?_count=x", 400), ("Coverage?patient=-9", 403)):
            outcome = valid(version, server.fhir(path, shared, version=version, status=status).json)
            assert outcome.issue[0].severity == "error"
        assert valid(version, server.get(f"/{version}/fhir/Coverage", status=401).json).issue[0].code == "login"


#: A value of each type of search parameter.
VALUES = {"token": "carrier", "date": "ge2020", "reference": ALICE}


def test_what_the_capability_statement_names_works_and_nothing_else(server_of_nothing):
    server = server_of_nothing
    headers = {"Authorization": f"Bearer {server.grant(EVERYTHING)['access_token']}", "Prefer": "handling=strict"}
    for version in VERSIONS:
        (rest,) = server.get(f"/{version}/fhir/metadata").json["rest"]
        assert rest["security"]["cors"] is True
        for resource in rest["resource"]:
            path = f"/{version}/fhir/{resource['type']}"
            interactions = [interaction["code"] for interaction in resource["interaction"]]
            assert (interactions, resource["conditionalRead"]) == (["read", "search-type"], "full-support")
            named = {param["name"]: param["type"] for param in resource["searchParam"]}
            for name, kind in named.items():
                server.get(path, {name: VALUES[kind]}, headers=headers, status=200)
            for include in resource.get("searchInclude", ()):
                server.get(path, {"_include": include}, headers=headers, status=200)
            refused = server.get(path, {"colour": "blue"}, headers=headers, status=400).json["issue"][0]["diagnostics"]
            shaping = {"_count", "startIndex", "_after", "_before", "_format", "_summary", "_total", "_include"}
            assert set(refused.partition("accepted: ")[2].split(", ")) - shaping == set(named)


@pytest.fixture
def server_of_nothing():
    return server_with(None, {})


def test_a_bundle_is_as_new_as_its_newest_record(make_server):
    newer = "2199-01-01T00:00:00.000Z"
    server = make_server(records={"v2": [claim("v2", "pde-1", updated=newer)]})
    found = server.fhir("ExplanationOfBenefit", server.grant(EVERYTHING)).json
    assert found["meta"]["lastUpdated"] == newer


def test_a_moment_after_the_end_of_the_calendar_breaks_nothing(make_server):
    server = make_server(records={"v2": [claim("v2", "pde-1", updated="9999-12-31T23:59:59.999-05:00")]})
    found = server.fhir("ExplanationOfBenefit?_lastUpdated=gt9998", server.grant(EVERYTHING)).json
    assert ids(found) == ["pde-1"]
    assert found["meta"]["lastUpdated"] == "9999-12-31T23:59:59.999Z"


def test_links_start_with_the_configured_address_whatever_the_server_listens_on(make_server):
    public = "https://data.example.org:8443"
    server = make_server(records=[{"resourceType": "Patient", "id": ALICE}])
    token = server.grant("patient/Patient.read")
    settings = Settings.read({"bb2.base_url": public, "bb2.scopes": "bb2:patient"}, {})
    behind_a_proxy = TestApp(make_app(settings, server.engine, {"bb2:patient": patient}, None))
    bundle = follow(behind_a_proxy, token, "/v2/fhir/Patient").json
    assert link(bundle, "self").startswith(f"{public}/v2/fhir/Patient?")
    assert bundle["entry"][0]["fullUrl"] == f"{public}/v2/fhir/Patient/{ALICE}"
