"""How does version 2 write a claim?  Everything of an ExplanationOfBenefit but its lines and sums."""

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
from bb2.sandbox.facts import BY_LINE, KINDS, Info, bill, contractor, information
from bb2.sandbox.places import Provider
from bb2.sandbox.r4_full import complete
from bb2.sandbox.r4_items import items, sums
from bb2.sandbox.systems import (
    ACT_CODE,
    C4BB,
    C4BB_IDENTIFIER_TYPE,
    C4BB_SUPPORTING_INFO,
    EOB_TYPE,
    ICD_10,
    ICD_10_CM,
    ICD_10_PCS,
    IDENTIFIER,
    INFORMATION,
    NPI,
    NUBC_ADMISSION,
    NUCC_TAXONOMY,
    TERMINOLOGY,
    V2_0203,
    VARIABLE,
    profile,
)
from bb2.sandbox.variables import LABELS

_ROLES = {
    "operating": "Operating",
    "attending": "Attending",
    "performing": "Performing provider",
    "prescribing": "Prescribing provider",
    "referring": "Referring",
}
_SLICES = {
    "clmrecvddate": "Claim Received Date",
    "admtype": "Type of Admission",
    "pointoforigin": "Point of Origin for Admission or Visit",
    "drg": "DRG",
    "typeofbill": "Type of Bill",
    "discharge-status": "Discharge Status",
    "admissionperiod": "Admission Period",
    "dawcode": "Dispense as Written (DAW) Product Selection Code",
    "rxorigincode": "Rx Origin Code",
    "brandgenericindicator": "Brand Generic Indicator",
    "compoundcode": "Compound Code",
    "refillnum": "Refill Number",
    "dayssupply": "Days Supply",
}
#: Slices that CMS's own variable stands beside.
_BOTH = ("clmrecvddate", "admtype", "dawcode", "pointoforigin", "drg")


def explanation_of_benefit(claim: Claim) -> dict:
    kind, updated = KINDS[claim.kind], instant(claim.filing.updated)
    care_team = _care_team(claim)
    record = {
        "resourceType": "ExplanationOfBenefit",
        "id": claim.id,
        "meta": {"lastUpdated": updated, "profile": [profile(kind.profile)]},
        "extension": list(_extensions(claim)),
        "identifier": list(_identifiers(claim)),
        "status": "active",
        "type": concept(*_types(claim)),
        "use": "claim",
        "patient": {"reference": f"Patient/{claim.filing.patient}"},
        "billablePeriod": _billable(claim),
        "created": updated.replace(".000", ""),
        "insurer": {"identifier": {"value": "CMS"}},
        "outcome": "complete",
        **_who_bills(claim),
        "careTeam": [_member(claim, *numbered) for numbered in enumerate(care_team, start=1)],
        "supportingInfo": [_supporting(*numbered) for numbered in enumerate(_supporting_facts(claim), start=1)],
        "diagnosis": [_diagnosis(claim, *numbered) for numbered in enumerate(claim.diagnoses, start=1)],
        "procedure": [_procedure(*numbered) for numbered in enumerate(claim.procedures, start=1)],
        "insurance": [{"focal": True, "coverage": _insurance(claim)}],
        "item": items(claim, len(care_team)),
        **sums(claim),
    }
    if kind.subtype:
        subtype = coding(C4BB + "C4BBInstitutionalClaimSubType", kind.subtype)
        record["subType"] = {**concept(subtype), "text": kind.subtype.capitalize()}
    if claim.filing.replaces:
        record["related"] = [_replaced(claim.filing.replaces)]
    if claim.filing.full:
        complete(claim, record)
    return {name: value for name, value in record.items() if value != []}


def _replaced(number: int) -> dict:
    prior = coding(TERMINOLOGY + "ex-relatedclaimrelationship", "prior", "Prior Claim")
    return {"relationship": concept(prior), "reference": {"system": VARIABLE + "clm_id", "value": str(number)}}


def _npi(provider: Provider) -> dict:
    kind = concept(coding(C4BB_IDENTIFIER_TYPE, "npi", "National Provider Identifier"))
    return {"identifier": {"type": kind, "value": provider.npi}, "display": provider.name}


def _extensions(claim: Claim) -> Iterator[dict]:
    kind, serial, region = KINDS[claim.kind], str(abs(claim.filing.number)), claim.provider.region
    if claim.kind == "pde":
        return
    yield coded("nch_near_line_rec_ident_cd", kind.near_line)
    if claim.kind in BY_LINE:
        yield identified("carr_num", region.dme if claim.kind == "dme" else region.part_b)
        yield identified("carr_clm_cntl_num", serial)
        return
    yield identified("fi_doc_clm_cntl_num", serial)
    yield extension("fi_clm_proc_dt", "valueDate", claim.filing.processed.isoformat())
    yield coded("clm_srvc_clsfctn_type_cd", Code(bill(claim)[1]))
    yield coded("fi_num", Code(contractor(claim)))
    if claim.kind == "hospice":
        yield counted("bene_hospc_prd_cnt", claim.stay.hospice_period)


def _identifiers(claim: Claim) -> Iterator[dict]:
    number = claim.filing.number
    named = [(VARIABLE + ("pde_id" if claim.kind == "pde" else "clm_id"), str(number))]
    named.append((IDENTIFIER + "claim-group", str(number)))
    if claim.kind == "pde":
        named.append((VARIABLE + "rx_srvc_rfrnc_num", str(abs(number))))
    for system, value in named:
        unique = concept(coding(C4BB_IDENTIFIER_TYPE, "uc", "Unique Claim ID"))
        yield {"type": unique, "system": system, "value": value}


def _types(claim: Claim) -> Iterator[dict]:
    kind = KINDS[claim.kind]
    if kind.type:
        yield variable("nch_clm_type_cd", kind.type)
    yield coding(EOB_TYPE, claim.kind.upper())
    _, claim_type = kind.claim_type
    yield coding(TERMINOLOGY + "claim-type", claim_type, claim_type.capitalize())


def _billable(claim: Claim) -> dict:
    times = period(claim.start, claim.end)
    if KINDS[claim.kind].subtype is None:
        return times
    return {"extension": [coded("claim_query_cd", Code("3", "Final bill"))], **times}


def _who_bills(claim: Claim) -> dict:
    billing, found = claim.provider, {}
    if claim.referring:
        found["referral"] = _npi(claim.referring)
    if claim.kind == "carrier":
        number = {"system": VARIABLE + "carr_clm_blg_npi_num", "value": billing.npi}
        return found | _disposed({"identifier": number}) | {"contained": list(observations(claim))}
    if claim.kind == "dme":
        number = {"system": NPI, "value": billing.npi}
        return found | _disposed({"type": "Practitioner", "identifier": number, "display": billing.name})
    if claim.kind == "pde":
        pharmacy = coded("phrmcy_srvc_type_cd", Code("01", "Community/retail pharmacy"))
        return {
            "provider": {"identifier": {"system": NPI, "value": billing.npi}},
            "facility": {"extension": [pharmacy], **_npi(billing)},
        }
    facility = coded("clm_fac_type_cd", bill(claim)[0])
    return {
        "contained": [_organization(billing)],
        "provider": {"reference": "#provider-org"},
        "facility": {"extension": [facility]},
    }


def _disposed(provider: dict) -> dict:
    return {"provider": provider, "disposition": "01"}


def _organization(institution: Provider) -> dict:
    number = concept(coding(V2_0203, "PRN"))
    npi = concept(coding(C4BB_IDENTIFIER_TYPE, "npi"))
    return {
        "resourceType": "Organization",
        "id": "provider-org",
        "meta": {"profile": [profile("Organization")]},
        "identifier": [
            {"type": number, "value": institution.certification},
            {"type": npi, "system": NPI, "value": institution.npi},
        ],
        "active": True,
        "name": institution.name,
    }


def _care_team(claim: Claim) -> list[tuple[str, Provider]]:
    """Who referred comes first, who did the work last: the lines point to the last."""
    referring = [("referring", claim.referring)] if claim.referring else []
    return [*referring, *claim.care_team]


def _member(claim: Claim, sequence: int, member: tuple[str, Provider]) -> dict:
    role, provider = member
    element: dict = {
        "sequence": sequence,
        "provider": _npi(provider),
        "role": concept(coding(C4BB + "C4BBClaimCareTeamRole", role, _ROLES[role])),
        "qualification": concept(coding(NUCC_TAXONOMY, provider.taxonomy)),
    }
    if claim.kind in BY_LINE and role == "performing":
        element["responsible"] = True
        element["qualification"]["coding"].append(variable("prvdr_spclty", provider.specialty))
    return element


def _supporting_facts(claim: Claim) -> Iterator[Info]:
    """What both versions show, and what version 1 shows elsewhere."""
    yield from information(claim)
    for observation in observations(claim):
        yield Info("line_hct_hgb_rslt_num", f"#{observation['id']}")
    if claim.kind == "pde":
        yield Info("", Code("RXDINV", "Rx dispense invoice"), "compoundcode")
        yield Info("", claim.fill.refill, "refillnum")
        yield Info("", claim.fill.days, "dayssupply")
    if claim.stay:
        yield Info("", (claim.stay.admitted, claim.end), "admissionperiod")
    if claim.stay and claim.stay.drg:
        yield Info("clm_drg_cd", claim.stay.drg, "drg")
    if claim.kind in ("inpatient", "snf", "hha"):
        yield Info("clm_pps_ind_cd", Code("2", "PPS bill; claim contains PPS indicator"))
    if claim.kind == "hha":
        yield Info("clm_hha_tot_visit_cnt", claim.stay.visits)


def _supporting(sequence: int, info: Info) -> dict:
    category = coding(TERMINOLOGY + "claiminformationcategory", "info", "Information")
    if info.slice:
        category = coding(C4BB_SUPPORTING_INFO, info.slice, _SLICES[info.slice])
    element: dict = {"sequence": sequence, "category": concept(category)}
    if info.slice in (None, *_BOTH):
        own = coding(INFORMATION, VARIABLE + info.variable, LABELS[info.variable])
        element["category"]["coding"].append(own)
    if isinstance(info.value, Code):
        own_systems = {"admtype": NUBC_ADMISSION, "compoundcode": ACT_CODE}
        element["code"] = concept(coding(own_systems.get(info.slice, VARIABLE + info.variable), *info.value))
    elif isinstance(info.value, date):
        element["timingDate"] = info.value.isoformat()
    elif isinstance(info.value, str):
        element["valueReference"] = {"reference": info.value}
    elif isinstance(info.value, int):
        element["valueQuantity"] = {"value": info.value}
    else:
        element["timingPeriod"] = period(*info.value)
    return element


def _diagnosis(claim: Claim, sequence: int, diagnosis: Code) -> dict:
    kind = coding(TERMINOLOGY + "ex-diagnosistype", "principal", "Principal Diagnosis")
    if sequence > 1 and KINDS[claim.kind].claim_type[1] == "professional":
        kind = coding(C4BB + "C4BBClaimDiagnosisType", "secondary", "Secondary")
    elif sequence > 1:
        kind = coding(C4BB + "C4BBClaimDiagnosisType", "other", "Other")
    element = {
        "sequence": sequence,
        "diagnosisCodeableConcept": concept(coding(ICD_10_CM, *diagnosis), coding(ICD_10, *diagnosis)),
        "type": [concept(kind)],
    }
    if claim.kind == "inpatient":
        present = Code("Y", "Diagnosis was present at the time of admission (POA)")
        element["extension"] = [coded(f"clm_poa_ind_sw{sequence}", present)]
    return element


def _procedure(sequence: int, procedure: tuple[Code, date]) -> dict:
    code, day = procedure
    return {
        "sequence": sequence,
        "type": [concept(coding(TERMINOLOGY + "ex-procedure-type", "primary", "Primary procedure"))],
        "date": f"{day.isoformat()}T00:00:00+00:00",
        "procedureCodeableConcept": concept(coding(ICD_10_PCS, *code), coding(ICD_10, *code)),
    }


def _insurance(claim: Claim) -> dict:
    _, part = KINDS[claim.kind].part
    reference = {"reference": f"Coverage/{coverage_id(part, claim.filing.patient)}"}
    if claim.kind != "pde":
        return reference
    plan = [
        identified("plan_cntrct_rec_id", claim.filing.contract),
        identified("plan_pbp_rec_num", claim.filing.plan),
    ]
    return {"extension": plan, **reference}
