"""How does version 1 write the lines of a claim and its sums?"""

from collections.abc import Iterator

from bb2.sandbox.claims import Claim, Line
from bb2.sandbox.elements import coding, concept, counted, dollars, extension, period, variable
from bb2.sandbox.facts import BY_LINE, claim_counts, line_money
from bb2.sandbox.systems import ADJUDICATION, BENEFIT_BALANCE, DOLLARS, FHIR, HCPCS, NDC, VARIABLE
from bb2.sandbox.variables import LABELS


def money(cents: int) -> dict:
    return {"value": dollars(cents), "system": DOLLARS, "code": "USD"}


def items(claim: Claim, who_did_it: int) -> list[dict]:
    """The lines; `who_did_it` is the sequence of a member of the care team."""
    return [_item(claim, who_did_it, *numbered) for numbered in enumerate(claim.lines, start=1)]


def _item(claim: Claim, who_did_it: int, sequence: int, line: Line) -> dict:
    element: dict = {"sequence": sequence, "careTeamLinkId": [who_did_it]}
    if claim.kind in BY_LINE:
        element |= _by_line(sequence, line)
    elif claim.kind == "pde":
        element |= {"servicedDate": line.day.isoformat(), "quantity": _supply(claim, line)}
        invoice = concept(coding(FHIR + "v3/ActCode", "RXDINV", "Rx dispense invoice"))
        element["detail"] = [{"sequence": 1, "type": invoice}]
    else:
        element |= {
            "revenue": concept(variable("rev_cntr", line.revenue)),
            "servicedDate": line.day.isoformat(),
            "locationAddress": {"state": claim.provider.ssa},
            "quantity": {"value": line.quantity},
        }
    if line.service:
        element["service"] = concept(coding(NDC if claim.kind == "pde" else HCPCS, *line.service))
    if line.modifiers:
        element["modifier"] = [concept(coding(HCPCS, modifier)) for modifier in line.modifiers]
    element["adjudication"] = list(_adjudications(claim, line))
    return element


def _by_line(sequence: int, line: Line) -> dict:
    element = {
        "diagnosisLinkId": [line.diagnosis],
        "category": concept(variable("line_cms_type_srvc_cd", line.type)),
        "servicedPeriod": period(line.day, line.day),
        "locationCodeableConcept": concept(variable("line_place_of_srvc_cd", line.place)),
        "quantity": {"value": line.quantity},
    }
    if line.hemoglobin:
        result = {"reference": f"#line-observation-{sequence}"}
        element["extension"] = [extension("line_hct_hgb_rslt_num", "valueReference", result)]
    return element


def _supply(claim: Claim, line: Line) -> dict:
    extensions = [counted("fill_num", claim.fill.refill), counted("days_suply_num", claim.fill.days)]
    return {"extension": extensions, "value": line.quantity}


def _adjudications(claim: Claim, line: Line) -> Iterator[dict]:
    for name, _, cents in line_money(claim, line):
        category = concept(coding(ADJUDICATION, VARIABLE + name, LABELS[name]))
        yield {"category": category, "amount": money(cents)}


def sums(claim: Claim) -> dict:
    day = claim.filing.processed.isoformat()
    if claim.kind == "pde":
        return {"payment": {"date": day}}
    found: dict = {"payment": {"date": day, "amount": money(claim.amounts.paid)}}
    if claim.kind in BY_LINE:
        return found
    counts = claim_counts(claim)
    if claim.kind == "hha":
        counts = [("clm_hha_tot_visit_cnt", claim.stay.visits)]
    if counts:
        medical = concept(coding(FHIR + "benefit-category", "medical", "Medical Health Coverage"))
        found["benefitBalance"] = [{"category": medical, "financial": [_count(*count) for count in counts]}]
    return found | {"totalCost": money(claim.amounts.submitted)}


def _count(name: str, days: int) -> dict:
    return {
        "type": concept(coding(BENEFIT_BALANCE, VARIABLE + name, LABELS[name])),
        "usedUnsignedInt": days,
    }
