"""The tests that every scope passes, and the plugin's own file of records."""

import json

import bb2_claim
import pytest

from bb2.scopes import openid
from bb2.testing import ALICE, BOB, ConsentServer, ScopeTests


class TestClaim(ScopeTests):
    plugin = bb2_claim
    scope = "patient/Claim.read"


def claim(id, patient, **elements):
    return {"resourceType": "Claim", "id": id, "patient": {"reference": f"Patient/{patient}"}} | elements


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose claims lie in a file: two of Alice's, one of Bob's."""
    records = [
        claim("march", ALICE, status="active", created="2026-03-05"),
        claim("july", ALICE, status="cancelled", created="2026-07-20", payee={"party": {"display": "Alice Doe"}}),
        claim("bobs", BOB, status="active", created="2026-03-05"),
    ]
    file = tmp_path_factory.mktemp("claims") / "claims.ndjson"
    file.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return ConsentServer(openid, bb2_claim, settings={"bb2_claim.records": str(file)})


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["july", "march"]),
        ("?status=active", ["march"]),
        ("?created=ge2026-06", ["july"]),
        ("?created=2026-03-05&status=cancelled", []),
    ],
)
def test_the_persons_own_claims_are_found_in_the_file(server, search, found):
    bundle = server.fhir(f"Claim{search}", server.grant("patient/Claim.read")).json
    assert [entry["resource"]["id"] for entry in bundle.get("entry", [])] == found
    assert bundle["total"] == len(found)


def test_a_claim_in_the_file_is_read_by_its_own_patient_only(server):
    token = server.grant("patient/Claim.read")
    assert server.fhir("Claim/march", token).json["created"] == "2026-03-05"
    server.fhir("Claim/bobs", token, status=404)


def test_who_was_paid_stays_in_the_file(server):
    july = server.fhir("Claim/july", server.grant("patient/Claim.read")).json
    assert july["status"] == "cancelled"
    assert "payee" not in july


def test_the_servers_own_claims_are_not_asked_for_when_there_is_a_file(server):
    with server.db() as db:
        server.load(db, {"v2": [claim("stored", ALICE)]})
    server.fhir("Claim/stored", server.grant("patient/Claim.read"), status=404)
