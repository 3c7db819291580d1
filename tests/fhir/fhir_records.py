"""Small records of both versions, CMS's samples, and the steps that the tests of this folder share."""

import json
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from bb2.oauth.clients import add_client
from bb2.scopes import coverage as coverage_scope
from bb2.scopes import explanation_of_benefit
from bb2.scopes import patient as patient_scope
from bb2.testing import ALICE, ConsentServer
from built_in import BUILT_IN

RESOURCES = {
    resource.type: resource
    for resource in (patient_scope.PATIENT, coverage_scope.COVERAGE, explanation_of_benefit.EXPLANATION_OF_BENEFIT)
}
VERSIONS = ("v1", "v2")
EVERYTHING = "patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
CLAIMS_AND_COVERAGE = "patient/Coverage.read patient/ExplanationOfBenefit.read"

EOB_TYPE = "https://bluebutton.cms.gov/resources/codesystem/eob-type"
CLAIM_ID = "https://bluebutton.cms.gov/resources/variables/clm_id"
CLAIM_TYPE = {
    "v1": "http://hl7.org/fhir/ex-claimtype",
    "v2": "http://terminology.hl7.org/CodeSystem/claim-type",
}
HL7_TYPE = {"carrier": "professional", "dme": "professional", "pde": "pharmacy"}
MBI = "http://hl7.org/fhir/sid/us-mbi"

SAMPLES = Path(__file__).parents[3] / "shared" / "cms-samples"
SAMPLE_FILES = {
    "v1": ["sample-a.stu3.ndjson"],
    "v2": [
        "sample-a.r4.ndjson",
        "bbuser29999/patient_bbuser29999.json",
        "bbuser29999/coverage_bundle_bbuser29999.json",
        "bbuser29999/eob_bundle_bbuser29999.json",
    ],
}


def sample(name):
    """The path of one of CMS's sample files, which lie beside the checkout and are no part of it."""
    path = SAMPLES / name
    assert path.exists(), f"CMS's sample {name} is not at ../shared/cms-samples beside the checkout: put it there"
    return path


def sample_records(version, name=None):
    """Every record (a dict) of CMS's samples of a version, or of one of their files."""
    found = []
    for path in map(sample, [name] if name else SAMPLE_FILES[version]):
        text = path.read_text("utf-8")
        if path.suffix == ".ndjson":
            found += map(json.loads, text.splitlines())
        else:
            document = json.loads(text)
            found += [entry["resource"] for entry in document["entry"]] if "entry" in document else [document]
    return found


def person(id=ALICE, **elements):
    identifier = [{"system": MBI, "value": "1EG4TE5MK73"}]
    return {"resourceType": "Patient", "id": id, "identifier": identifier, "birthDate": "1941-07-06"} | elements


def coverage(part, patient=ALICE, **elements):
    record = {"resourceType": "Coverage", "id": f"part-{part}-{patient}", "status": "active"}
    return record | {"beneficiary": {"reference": f"Patient/{patient}"}} | elements


def claim(
    version, id, patient=ALICE, end="2024-06-30", updated="2024-07-01T12:00:00.000Z", covered="part-b", **elements
):
    """An ExplanationOfBenefit whose type is the first word of its id, and whose claim id is the rest."""
    kind, _, number = id.partition("-")
    insurance = {"coverage": {"reference": f"Coverage/{covered}-{patient}"}}
    record = {
        "resourceType": "ExplanationOfBenefit",
        "id": id,
        "meta": {"lastUpdated": updated},
        "status": "active",
        "identifier": [{"system": CLAIM_ID, "value": number}],
        "type": {
            "coding": [
                {"system": EOB_TYPE, "code": kind.upper()},
                {"system": CLAIM_TYPE[version], "code": HL7_TYPE.get(kind, "institutional")},
            ]
        },
        "patient": {"reference": f"Patient/{patient}"},
        "billablePeriod": {"start": "2010-01-01", "end": end},
        "insurance": insurance if version == "v1" else [insurance],
    }
    return record | elements


def server_with(engine, records, **options):
    """The whole application with the built-in scopes and these records: dicts, or {version: dicts}."""
    return ConsentServer(*BUILT_IN, engine=engine, records=records, **options)


def grant_to_another_app(server, scope, **options):
    """A token of another client: a second consent to one client would close its first token."""
    first = server.client_id, server.client_secret
    with server.db() as db:
        client, secret = add_client(db, server.scopes, name=f"App {uuid4()}", redirect_uris=[server.redirect_uri])
        server.client_id, server.client_secret = client.client_id, secret
    try:
        return server.grant(scope, **options)
    finally:
        server.client_id, server.client_secret = first


def ids(bundle):
    """The ids of a Bundle's matches."""
    return [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def included(bundle):
    """[(type, id)] of what goes out beside the matches."""
    return [
        (entry["resource"]["resourceType"], entry["resource"]["id"])
        for entry in bundle.get("entry", ())
        if entry["search"] == {"mode": "include"}
    ]


def link(bundle, relation):
    return next((link["url"] for link in bundle["link"] if link["relation"] == relation), None)


def follow(server, token, url, **options):
    """GET an absolute URL of this server with a token."""
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {token['access_token']}"} | options.pop("headers", {})
    return server.get(f"{parts.path}?{parts.query}", headers=headers, **options)


def ask(server, token, path, version, *, status=200, **headers):
    """GET a FHIR path with headers of one's own, `prefer="…"`."""
    headers = {"Authorization": f"Bearer {token['access_token']}"} | headers
    return server.get(f"/{version}/fhir/{path}", headers=headers, status=status)


def pages(server, token, path, version):
    """Every Bundle of a search, from its first page, by its `next` links."""
    bundle = server.fhir(path, token, version=version).json
    yield bundle
    while url := link(bundle, "next"):
        bundle = follow(server, token, url).json
        yield bundle


def assert_outcome(response, code=None):
    """The answer is an OperationOutcome with one error; returns its words."""
    assert response.content_type == "application/fhir+json"
    outcome = response.json
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert issue["severity"] == "error"
    assert code in (None, issue["code"]), issue
    assert issue["diagnostics"]
    return issue["diagnostics"]
