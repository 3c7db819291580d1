"""How does version 1 write a claim?  Everything of an ExplanationOfBenefit but its lines and sums."""

from collections.abc import Iterator
from datetime import date

from bb2.sandbox.beneficiary import coverage_id
from bb2.sandbox.claims import Claim
from bb2.sandbox.codes import Code
from bb2.sandbox.elements import (
    coded,
    coding,
    concept,
    counted,
    extension,
    identified,
    instant,
    observations,
    period,
    variable,
)
from bb2.sandbox.facts import BY_LINE, KINDS, Info, bill, claim_money, contractor, information
from bb2.sandbox.places import Provider
from bb2.sandbox.stu3_items import items, money, sums
from bb2.sandbox.systems import (
    DIAGNOSIS_TYPE,
    EOB_TYPE,
    FHIR,
    ICD_10,
    IDENTIFIER,
    INFORMATION,
    NPI,
    NUBC_ADMISSION,
    VARIABLE,
)
from bb2.sandbox.variables import LABELS

#: Version 1 numbers the care team from here on, as CMS does.
FIRST_CARE_TEAM = 2
_ROLES = {
    "operating": ("assist", "Assisting Provider"),
    "attending": ("primary", "Primary provider"),
    "performing": ("primary", "Primary provider"),
    "prescribing": ("primary", "Primary provider"),
}
_CLAIM_TYPES = {"professional": "Professional", "institutional": "Institutional", "pharmacy": "Pharmacy"}


def explanation_of_benefit(claim: Claim) -> dict:
    record = {
        "resourceType": "ExplanationOfBenefit",
        "id": claim.id,
        "meta": {"lastUpdated": instant(claim.filing.updated)},
        "extension": list(_extensions(claim)),
        "identifier": list(_identifiers(claim)),
        "status": "active",
        "type": concept(*_types(claim)),
        "patient": {"reference": f"Patient/{claim.filing.patient}"},
        "billablePeriod": _billable(claim),
        "information": [_information(*numbered) for numbered in enumerate(information(claim), start=1)],
        "careTeam": [_member(claim, *each) for each in enumerate(claim.care_team, start=FIRST_CARE_TEAM)],
        "diagnosis": [_diagnosis(claim, *numbered) for numbered in enumerate(claim.diagnoses, start=1)],
        "insurance": {"coverage": _insurance(claim)},
        "item": items(claim, FIRST_CARE_TEAM + len(claim.care_team) - 1),
        **sums(claim),
    }
    record |= _where(claim) | _referral(claim)
    if claim.procedures:
        record["procedure"] = [_procedure(*numbered) for numbered in enumerate(claim.procedures, start=1)]
    if claim.filing.replaces:
        prior = concept(coding(FHIR + "ex-relatedclaimrelationship", "prior", "Prior Claim"))
        earlier = {"system": VARIABLE + "clm_id", "value": str(claim.filing.replaces)}
        record["related"] = [{"relationship": prior, "reference": earlier}]
    if not record["extension"]:
        del record["extension"]
    if not record["diagnosis"]:
        del record["diagnosis"]
    return record


def _npi(provider: Provider) -> dict:
    return {"identifier": {"system": NPI, "value": provider.npi}, "display": provider.name}


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00+00:00"


def _extensions(claim: Claim) -> Iterator[dict]:
    serial = str(abs(claim.filing.number))
    for name, cents in claim_money(claim):
        yield extension(name, "valueMoney", money(cents))
    if claim.kind in BY_LINE:
        region = claim.provider.region
        yield identified("carr_num", region.dme if claim.kind == "dme" else region.part_b)
        yield identified("carr_clm_cntl_num", serial)
    elif claim.kind != "pde":
        yield identified("fi_num", contractor(claim))
        yield identified("fi_doc_clm_cntl_num", serial)


def _identifiers(claim: Claim) -> Iterator[dict]:
    number = claim.filing.number
    yield {"system": VARIABLE + ("pde_id" if claim.kind == "pde" else "clm_id"), "value": str(number)}
    yield {"system": IDENTIFIER + "claim-group", "value": str(number)}
    if claim.kind == "pde":
        yield {"system": VARIABLE + "rx_srvc_rfrnc_num", "value": str(abs(number))}


def _types(claim: Claim) -> Iterator[dict]:
    kind = KINDS[claim.kind]
    if kind.type:
        yield variable("nch_clm_type_cd", kind.type)
    yield coding(EOB_TYPE, claim.kind.upper())
    claim_type, _ = kind.claim_type
    if claim_type:
        yield coding(FHIR + "ex-claimtype", claim_type, _CLAIM_TYPES[claim_type])
    if kind.near_line:
        yield variable("nch_near_line_rec_ident_cd", kind.near_line)
    if kind.classification:
        yield variable("clm_srvc_clsfctn_type_cd", Code(bill(claim)[1]))


def _billable(claim: Claim) -> dict:
    if claim.kind in ("inpatient", "snf", "outpatient"):
        return {
            "extension": [coded("claim_query_cd", Code("3", "Final bill"))],
            **period(claim.start, claim.end),
        }
    return period(claim.start, claim.end)


def _information(sequence: int, info: Info) -> dict:
    category = coding(INFORMATION, VARIABLE + info.variable, LABELS[info.variable])
    element: dict = {"sequence": sequence, "category": concept(category)}
    if isinstance(info.value, Code) and info.variable == "clm_ip_admsn_type_cd":
        element["code"] = concept(coding(NUBC_ADMISSION, *info.value))
    elif isinstance(info.value, Code):
        element["code"] = concept(variable(info.variable, info.value))
    elif isinstance(info.value, date):
        element["timingDate"] = info.value.isoformat()
    else:
        element["timingPeriod"] = period(*info.value)
    return element


def _member(claim: Claim, sequence: int, member: tuple[str, Provider]) -> dict:
    role, provider = member
    element = {
        "sequence": sequence,
        "provider": _npi(provider),
        "role": concept(coding(FHIR + "claimcareteamrole", *_ROLES[role])),
    }
    if claim.kind in BY_LINE:
        element["responsible"] = True
        element["qualification"] = concept(variable("prvdr_spclty", provider.specialty))
    return element


def _diagnosis(claim: Claim, sequence: int, diagnosis: Code) -> dict:
    element = {"sequence": sequence, "diagnosisCodeableConcept": concept(coding(ICD_10, *diagnosis))}
    if sequence == 1:
        principal = coding(DIAGNOSIS_TYPE, "principal", "The diagnosis chiefly responsible for the services provided")
        element["type"] = [concept(principal)]
        # FHIR wants a diagnosis beside every group, so the group stands with the principal one.
        if claim.stay and claim.stay.drg:
            element["packageCode"] = concept(variable("clm_drg_cd", claim.stay.drg))
    if claim.kind == "inpatient":
        present = Code("Y", "Diagnosis was present at the time of admission (POA)")
        element["extension"] = [coded(f"clm_poa_ind_sw{sequence}", present)]
    return element


def _procedure(sequence: int, procedure: tuple[Code, date]) -> dict:
    code, day = procedure
    return {
        "sequence": sequence,
        "date": _day(day),
        "procedureCodeableConcept": concept(coding(ICD_10, *code)),
    }


def _insurance(claim: Claim) -> dict:
    part, _ = KINDS[claim.kind].part
    reference = {"reference": f"Coverage/{coverage_id(part, claim.filing.patient)}"}
    if claim.kind != "pde":
        return reference
    plan = [
        identified("plan_cntrct_rec_id", claim.filing.contract),
        identified("plan_pbp_rec_num", claim.filing.plan),
    ]
    return {"extension": plan, **reference}


def _where(claim: Claim) -> dict:
    """The institution or pharmacy; a doctor's or supplier's claim names its own in the care team only."""
    if claim.kind in BY_LINE:
        return {"disposition": "01"}
    found = {"organization": _npi(claim.provider)}
    if claim.kind == "pde":
        pharmacy = coded("phrmcy_srvc_type_cd", Code("01", "Community/retail pharmacy"))
        return found | {"facility": {"extension": [pharmacy], **_npi(claim.provider)}}
    certified = {"system": VARIABLE + "prvdr_num", "value": claim.provider.certification}
    facility = coded("clm_fac_type_cd", bill(claim)[0])
    found |= {
        "provider": {"identifier": certified},
        "facility": {"extension": [facility], **_npi(claim.provider)},
    }
    return found | ({"hospitalization": _hospitalization(claim)} if claim.stay else {})


def _hospitalization(claim: Claim) -> dict:
    times = period(claim.stay.admitted, claim.end)
    if claim.stay.hospice_period is None:
        return times
    return {"extension": [counted("bene_hospc_prd_cnt", claim.stay.hospice_period)], **times}


def _referral(claim: Claim) -> dict:
    """Who referred, and the blood test whose result a line gives: contained, and pointed to by `#id`."""
    contained = list(observations(claim))
    if not claim.referring:
        return {"contained": contained} if contained else {}
    request = {
        "resourceType": "ReferralRequest",
        "id": "1",
        "status": "completed",
        "intent": "order",
        "subject": {"reference": f"Patient/{claim.filing.patient}"},
        "requester": {"agent": _npi(claim.referring)},
        "recipient": [_npi(claim.provider)],
    }
    return {"contained": [request, *contained], "referral": {"reference": "#1"}}
