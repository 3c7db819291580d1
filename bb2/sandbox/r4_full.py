"""What would CARIN have an app support that CMS's server leaves out?  Version 2 shows it in every eighth claim.

Must-support elements of CARIN Blue Button 1.1.0.  Nothing is denied here, so reasons of denial say "not applicable".
"""

from collections.abc import Iterator

from bb2.sandbox.claims import Claim
from bb2.sandbox.elements import coding, concept
from bb2.sandbox.facts import BY_LINE, KINDS
from bb2.sandbox.systems import (
    C4BB,
    C4BB_SUPPORTING_INFO,
    NUBC_ADMISSION,
    NUBC_ORIGIN,
    POINT_OF_ADMISSION,
    TERMINOLOGY,
)

_DISCRIMINATOR = C4BB + "C4BBAdjudicationDiscriminator"
_NOTE = "This is not a bill."


def complete(claim: Claim, record: dict) -> None:
    """Add to a version 2 record of the claim, in place."""
    record["payee"] = {
        "type": concept(coding(TERMINOLOGY + "payeetype", "provider")),
        "party": dict(record["provider"]),
    }
    record["processNote"] = [{"number": 1, "type": "display", "text": _NOTE}]
    infos = record["supportingInfo"]
    for sequence, info in enumerate(_information(claim), start=len(infos) + 1):
        infos.append({"sequence": sequence, **info})
    for item in record["item"]:
        item["noteNumber"] = [1]
        item["adjudication"].append(_no_denial())
        if claim.kind == "pde":
            drug, quantity = concept(*map(dict, item["productOrService"]["coding"])), dict(item["quantity"])
            item["detail"] = [{"sequence": 1, "productOrService": drug, "quantity": quantity}]
        else:
            units = concept(coding(_DISCRIMINATOR, "allowedunits", "Allowed Units"))
            item["adjudication"].append({"category": units, "value": item["quantity"]["value"]})
    if claim.kind == "inpatient":
        for diagnosis in record["diagnosis"]:
            diagnosis["onAdmission"] = concept(coding(POINT_OF_ADMISSION, "Y"))
    if "Institutional" in KINDS[claim.kind].profile:
        (submitted,) = (total for total in record["total"] if _is_submitted(total))
        codings = map(dict, submitted["category"]["coding"])
        record["adjudication"] = [{"category": concept(*codings), "amount": dict(submitted["amount"])}, _no_denial()]


def _is_submitted(total: dict) -> bool:
    return total["category"]["coding"][0]["code"] == "submitted"


def _no_denial() -> dict:
    absent = coding(TERMINOLOGY + "data-absent-reason", "not-applicable", "Not Applicable")
    return {"category": concept(coding(_DISCRIMINATOR, "denialreason", "Denial Reason")), "reason": concept(absent)}


def _information(claim: Claim) -> Iterator[dict]:
    """Members of `supportingInfo` without their sequence."""
    contracted = concept(coding(C4BB + "C4BBPayerAdjudicationStatus", "contracted", "Contracted"))
    yield _info("billingnetworkcontractingstatus", code=contracted)
    if claim.kind == "pde":
        yield _info("clmrecvddate", timingDate=claim.filing.processed.isoformat())
        return
    if claim.kind in (*BY_LINE, "hha"):
        contracted = concept(coding(C4BB + "C4BBPayerAdjudicationStatus", "contracted", "Contracted"))
        yield _info("performingnetworkcontractingstatus", code=contracted)
        yield _info("servicefacility", valueReference={"display": claim.provider.name})
    if claim.kind == "outpatient":
        yield _info("admtype", code=concept(coding(NUBC_ADMISSION, "3", "Elective")))
        yield _info("pointoforigin", code=concept(coding(NUBC_ORIGIN, "1", "Non-health care facility")))
    yield _info("medicalrecordnumber", valueString=claim.filing.patient[-6:] + claim.provider.npi[-4:])
    yield _info("patientaccountnumber", valueString=str(abs(claim.filing.number)))


def _info(slice: str, **value: object) -> dict:
    return {"category": concept(coding(C4BB_SUPPORTING_INFO, slice)), **value}
