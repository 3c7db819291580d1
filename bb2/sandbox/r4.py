"""How does version 2 write the records?  FHIR R4 (4.0.1), CARIN profiles, as CMS's server does."""

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
from bb2.sandbox.r4_claims import explanation_of_benefit
from bb2.sandbox.systems import (
    ACT_CODE,
    C4BB_IDENTIFIER_TYPE,
    CURRENCY,
    MBI,
    TERMINOLOGY,
    US_CORE,
    V2_0203,
    VARIABLE,
    profile,
)


def records(who: Beneficiary, claims: list[Claim]) -> list[dict]:
    coverages = [coverage(who, part) for part in PARTS]
    return [patient(who), *coverages, *map(explanation_of_benefit, claims)]


def patient(who: Beneficiary) -> dict:
    return {
        "resourceType": "Patient",
        "id": who.patient,
        "meta": {"lastUpdated": instant(who.updated), "profile": [profile("Patient")]},
        "extension": patient_extensions(who, _unknown("race"), _unknown("ethnicity"), _birth_sex(who)),
        "identifier": [
            {
                "type": concept(coding(V2_0203, "MB", "Member Number")),
                "system": VARIABLE + "bene_id",
                "value": who.patient,
            },
            _mbi(who),
        ],
        "name": [{"use": "usual", "family": who.family, "given": who.names}],
        "telecom": [telecom(who)],
        "gender": who.gender,
        "birthDate": who.born.isoformat(),
        **({"deceasedDateTime": who.died.isoformat()} if who.died else {"deceasedBoolean": False}),
        "address": [address(who)],
        "communication": [communication(who)],
    }


def _unknown(trait: str) -> dict:
    """CMS's race codes are not those of US Core, so version 2 answers "unknown" there to all."""
    category = coding(TERMINOLOGY + "v3-NullFlavor", "UNK", "Unknown")
    parts = [{"url": "ombCategory", "valueCoding": category}, {"url": "text", "valueString": "Unknown"}]
    return {"extension": parts, "url": f"{US_CORE}us-core-{trait}"}


def _birth_sex(who: Beneficiary) -> dict:
    return {"url": US_CORE + "us-core-birthsex", "valueCode": who.gender[0].upper()}


def _mbi(who: Beneficiary) -> dict:
    current = {"url": CURRENCY, "valueCoding": coding(CURRENCY, "current", "Current")}
    kind = {"extension": [current], **coding(V2_0203, "MC", "Patient's Medicare number")}
    since = {"start": who.mbi_since.isoformat()}
    unique = coding(C4BB_IDENTIFIER_TYPE, "um", "Unique Member ID")
    return {"type": concept(kind, unique), "system": MBI, "value": who.mbi, "period": since}


def coverage(who: Beneficiary, part: str) -> dict:
    ended = who.died is not None and part in "ab"
    record = {
        "resourceType": "Coverage",
        "id": coverage_id(part, who.patient),
        "meta": {"lastUpdated": instant(who.updated), "profile": [profile("Coverage")]},
        "extension": coverage_extensions(who, part),
        "status": "cancelled" if ended else "active",
        "type": concept(coding(ACT_CODE, "SUBSIDIZ")),
        "subscriberId": who.mbi,
        "beneficiary": {"reference": f"Patient/{who.patient}"},
        "relationship": concept(coding(TERMINOLOGY + "subscriber-relationship", "self", "Self")),
        "payor": [{"identifier": {"value": "Centers for Medicare and Medicaid Services"}}],
        "class": [_class("group", "Group", "Medicare"), _class("plan", "Plan", f"Part {part.upper()}")],
    }
    if part == "d" and who.drugs_since:
        record["identifier"] = [{"system": VARIABLE + "ptdcntrct", "value": f"{who.contract}-{who.plan}"}]
    since = {"a": who.enrolled, "b": who.enrolled, "c": who.advantage, "d": who.drugs_since}[part]
    if since is None:
        return record
    end = {"end": who.died.isoformat()} if who.died else {}
    return record | {"period": {"start": since.isoformat(), **end}}


def _class(code: str, display: str, value: str) -> dict:
    name = value if value == "Medicare" else f"Medicare {value}"
    return {"type": concept(coding(TERMINOLOGY + "coverage-class", code, display)), "value": value, "name": name}
