"""How does version 2 write the lines of a claim and its sums?"""

from collections.abc import Iterator

from bb2.sandbox.claims import Claim, Line
from bb2.sandbox.elements import coding, concept, dollars, period, variable
from bb2.sandbox.facts import BY_LINE, KINDS, claim_counts, claim_money, line_money
from bb2.sandbox.systems import (
    ADJUDICATION,
    BENEFIT_BALANCE,
    C4BB,
    HCPCS,
    NDC,
    NUBC_REVENUE,
    TERMINOLOGY,
    VARIABLE,
)
from bb2.sandbox.variables import LABELS

_HL7 = TERMINOLOGY + "adjudication"
_CARIN = C4BB + "C4BBAdjudication"
#: What an amount is: HL7's word, or CARIN's where HL7 has none.
CATEGORIES = {
    "benefit": (_HL7, "Benefit Amount"),
    "deductible": (_HL7, "Deductible"),
    "eligible": (_HL7, "Eligible Amount"),
    "submitted": (_HL7, "Submitted Amount"),
    "coinsurance": (_CARIN, "Co-insurance"),
    "drugcost": (_CARIN, "Drug Cost"),
    "noncovered": (_CARIN, "Noncovered"),
    "paidbypatient": (_CARIN, "Paid by patient"),
    "paidtopatient": (_CARIN, "Paid to patient"),
    "paidtoprovider": (_CARIN, "Paid to provider"),
    "priorpayerpaid": (_CARIN, "Prior payer paid"),
}
#: The sequence of a line's blood test among `supportingInfo`: after the one fact that every such claim has.
BLOOD_TEST = 2


def money(cents: int) -> dict:
    return {"value": dollars(cents), "currency": "USD"}


def items(claim: Claim, who_did_it: int) -> list[dict]:
    """The lines; `who_did_it` is the sequence of a member of the care team."""
    return [_item(claim, who_did_it, *numbered) for numbered in enumerate(claim.lines, start=1)]


def _item(claim: Claim, who_did_it: int, sequence: int, line: Line) -> dict:
    element: dict = {"sequence": sequence, "careTeamSequence": [who_did_it]}
    if claim.kind in BY_LINE:
        element |= _by_line(line)
    elif claim.kind == "pde":
        element |= {
            "productOrService": concept(coding(NDC, *line.service)),
            "servicedDate": line.day.isoformat(),
        }
    else:
        element |= _by_revenue_center(claim, line)
    if line.modifiers:
        element["modifier"] = [concept(coding(HCPCS, modifier)) for modifier in line.modifiers]
    element["quantity"] = {"value": line.quantity}
    element["adjudication"] = list(_adjudications(claim, line))
    return element


def _by_line(line: Line) -> dict:
    element = {
        "diagnosisSequence": [line.diagnosis],
        "category": concept(variable("line_cms_type_srvc_cd", line.type)),
        "productOrService": concept(coding(HCPCS, *line.service)),
        "servicedPeriod": period(line.day, line.day),
        "locationCodeableConcept": concept(variable("line_place_of_srvc_cd", line.place)),
    }
    return element | ({"informationSequence": [BLOOD_TEST]} if line.hemoglobin else {})


def _by_revenue_center(claim: Claim, line: Line) -> dict:
    service = coding(TERMINOLOGY + "data-absent-reason", "not-applicable", "Not Applicable")
    if line.service:
        service = coding(HCPCS, *line.service)
    return {
        "revenue": concept(variable("rev_cntr", line.revenue), coding(NUBC_REVENUE, line.revenue.code)),
        "productOrService": concept(service),
        "servicedDate": line.day.isoformat(),
        "locationAddress": {"state": claim.provider.ssa},
    }


def _adjudications(claim: Claim, line: Line) -> Iterator[dict]:
    for name, category, cents in line_money(claim, line):
        yield {"category": _category(category, name), "amount": money(cents)}
    if KINDS[claim.kind].claim_type[1] == "professional":
        # CARIN asks each line of such a claim whether the payer has a contract; Medicare has none to tell of.
        yield {"category": _no_contract()}


def _category(name: str, own: str) -> dict:
    system, display = CATEGORIES[name]
    return concept(coding(system, name, display), coding(ADJUDICATION, VARIABLE + own, LABELS[own]))


def _no_contract() -> dict:
    return concept(coding(C4BB + "C4BBPayerAdjudicationStatus", "other", "Other"))


def sums(claim: Claim) -> dict:
    totals = {"total": list(_totals(claim))}
    complete = concept(coding(TERMINOLOGY + "ex-paymenttype", "complete", "Complete"))
    payment = {"type": complete, "date": claim.filing.processed.isoformat()}
    if claim.kind == "pde":
        return totals | {"payment": payment}
    financial = [{"type": _balance(name), "usedMoney": money(cents)} for name, cents in claim_money(claim)]
    financial += [{"type": _balance(name), "usedUnsignedInt": days} for name, days in claim_counts(claim)]
    medical = concept(coding(TERMINOLOGY + "ex-benefitcategory", "1", "Medical Care"))
    return {
        **totals,
        "payment": {**payment, "amount": money(claim.amounts.paid)},
        "benefitBalance": [{"category": medical, "financial": financial}],
    }


def _totals(claim: Claim) -> Iterator[dict]:
    if claim.kind == "pde":
        yield {"category": _category("drugcost", "tot_rx_cst_amt"), "amount": money(claim.amounts.allowed)}
    elif claim.kind in BY_LINE:
        yield {"category": _category("priorpayerpaid", "prpayamt"), "amount": money(0)}
    else:
        yield {
            "category": _category("submitted", "clm_tot_chrg_amt"),
            "amount": money(claim.amounts.submitted),
        }
    if claim.kind != "carrier":
        yield {"category": _no_contract(), "amount": money(0)}


def _balance(name: str) -> dict:
    return concept(coding(BENEFIT_BALANCE, VARIABLE + name, LABELS[name]))
