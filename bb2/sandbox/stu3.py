"""How does version 1 write the records?  FHIR STU3 (3.0.2), as CMS's server does."""

from bb2.sandbox.beneficiary import (
    PARTS,
    Beneficiary,
    address,
    communication,
    coverage_extensions,
    coverage_id,
    patient_extensions,
    telecom,
)
from bb2.sandbox.claims import Claim
from bb2.sandbox.elements import coding, concept, instant
from bb2.sandbox.identifiers import mbi_hash
from bb2.sandbox.stu3_claims import explanation_of_benefit
from bb2.sandbox.systems import IDENTIFIER, VARIABLE


def records(who: Beneficiary, claims: list[Claim]) -> list[dict]:
    coverages = [coverage(who, part) for part in PARTS]
    return [patient(who), *coverages, *map(explanation_of_benefit, claims)]


def patient(who: Beneficiary) -> dict:
    record = {
        "resourceType": "Patient",
        "id": who.patient,
        "meta": {"lastUpdated": instant(who.updated)},
        "extension": patient_extensions(who),
        "identifier": [
            {"system": VARIABLE + "bene_id", "value": who.patient},
            {
                "system": IDENTIFIER + "mbi-hash",
                "value": mbi_hash(who.mbi),
                "period": {"start": who.mbi_since.isoformat()},
            },
        ],
        "name": [{"use": "usual", "family": who.family, "given": who.names}],
        "telecom": [telecom(who)],
        "gender": who.gender,
        "birthDate": who.born.isoformat(),
        "address": [address(who)],
        "communication": [communication(who)],
    }
    return record | ({"deceasedDateTime": who.died.isoformat()} if who.died else {})


def coverage(who: Beneficiary, part: str) -> dict:
    plan = f"Part {part.upper()}"
    ended = who.died is not None and part in "ab"
    record = {
        "resourceType": "Coverage",
        "id": coverage_id(part, who.patient),
        "meta": {"lastUpdated": instant(who.updated)},
        "extension": coverage_extensions(who, part),
        "status": "cancelled" if ended else "active",
        "type": concept(coding("Medicare", plan)),
        "beneficiary": {"reference": f"Patient/{who.patient}"},
        "grouping": {"subGroup": "Medicare", "subPlan": plan},
    }
    return record | ({"period": {"start": who.enrolled.isoformat()}} if part in "ab" else {})
