"""Which facts does a claim of each type show, whatever the version?  Types, information, amounts, counts."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from bb2.sandbox.claims import Claim, Line
from bb2.sandbox.codes import Code


class Kind(NamedTuple):
    """What every claim of a type says of itself (CCW, NCH_CLM_TYPE_CD and NCH_NEAR_LINE_REC_IDENT_CD)."""

    type: Code | None
    near_line: Code | None
    #: claim type of version 1, of version 2; None: version 1 names none
    claim_type: tuple[str | None, str]
    #: the part of Medicare whose Coverage version 1, version 2 names
    part: tuple[str, str]
    profile: str
    facility: Code | None = None
    #: CLM_SRVC_CLSFCTN_TYPE_CD; None for claims that are not institutional
    classification: str | None = None
    #: CARIN's institutional subtype; None where version 2 names none
    subtype: str | None = None


_HOSPITAL_A = Code("V", "Part A institutional claim record (inpatient, SNF, hospice or HHA)")
_HOSPITAL_B = Code("W", "Part B institutional claim record (outpatient, HHA)")
_STAY_PROFILE = "ExplanationOfBenefit-Inpatient-Institutional"
_PERSON_PROFILE = "ExplanationOfBenefit-Professional-NonClinician"

KINDS = {
    "carrier": Kind(
        Code("71", "Local carrier non-DMEPOS claim"),
        Code("O", "Part B physician/supplier claim record"),
        ("professional", "professional"),
        ("b", "b"),
        _PERSON_PROFILE,
    ),
    "dme": Kind(
        Code("82", "DMERC; DMEPOS claim"),
        Code("M", "Part B DMEPOS claim record"),
        # CMS's version 2 names the inpatient profile, which demands a day of admission: equipment has none.
        (None, "professional"),
        ("b", "a"),  # CMS's version 2 does name part A
        _PERSON_PROFILE,
    ),
    "hha": Kind(
        Code("10", "Home Health Agency (HHA) claim"),
        _HOSPITAL_B,
        (None, "professional"),
        ("b", "b"),
        _PERSON_PROFILE,
        Code("3", "Home Health Agency (HHA)"),
        "2",
        "inpatient",
    ),
    "hospice": Kind(
        Code("50", "Hospice claim"),
        _HOSPITAL_A,
        ("institutional", "institutional"),
        ("a", "a"),
        _STAY_PROFILE,
        Code("8", "Ambulatory Surgery Center (ASC) or other special facility (e.g. hospice)"),
        "1",
        "inpatient",
    ),
    "inpatient": Kind(
        Code("60", "Inpatient claim"),
        _HOSPITAL_A,
        ("institutional", "institutional"),
        ("a", "a"),
        _STAY_PROFILE,
        Code("1", "Hospital"),
        "1",
        "inpatient",
    ),
    "outpatient": Kind(
        Code("40", "Hospital Outpatient claim"),
        _HOSPITAL_B,
        ("professional", "institutional"),
        ("b", "b"),
        "ExplanationOfBenefit-Outpatient-Institutional",
        Code("1", "Hospital"),
        "3",
        "outpatient",
    ),
    "pde": Kind(None, None, ("pharmacy", "pharmacy"), ("d", "d"), "ExplanationOfBenefit-Pharmacy"),
    "snf": Kind(
        Code("20", "Non swing bed Skilled Nursing Facility (SNF) claim"),
        _HOSPITAL_A,
        ("institutional", "institutional"),
        ("a", "a"),
        _STAY_PROFILE,
        Code("2", "Skilled Nursing Facility (SNF)"),
        "1",
        "inpatient",
    ),
}
#: Of whom one doctor or supplier is paid, by the line.
BY_LINE = ("carrier", "dme")

#: PTNT_DSCHRG_STUS_CD
DISCHARGES = {
    "01": "Discharged to home/self care (routine charge)",
    "03": "Discharged/transferred to skilled nursing facility (SNF) with Medicare certification",
    "06": "Discharged/transferred to home care of an organized home health service organization",
    "30": "Still patient",
    "40": "Expired at home (hospice claims only)",
}


_ADMIT_THROUGH_DISCHARGE = Code("1", "Admit thru discharge claim")


class Info(NamedTuple):
    variable: str
    value: Code | date | tuple[date, date] | int
    #: CARIN's name of it; None where it has none
    slice: str | None = None


def information(claim: Claim) -> Iterator[Info]:
    """What both versions show: version 1 as `information`, version 2 as `supportingInfo`."""
    if claim.kind == "pde":
        yield from _fill(claim)
        return
    yield Info("nch_wkly_proc_dt", claim.filing.processed, "clmrecvddate")
    if claim.kind in BY_LINE:
        return
    if claim.kind in ("inpatient", "snf"):
        yield from _admission(claim)
    if claim.kind in ("inpatient", "snf", "outpatient"):
        yield Info("clm_mco_pd_sw", Code("0", "No managed care organization (MCO) payment"))
    discharge = claim.stay.discharge if claim.stay else "01"
    frequency = Code("7", "Replacement of prior claim") if claim.filing.replaces else _ADMIT_THROUGH_DISCHARGE
    yield Info("clm_freq_cd", frequency, "typeofbill")
    yield Info("ptnt_dschrg_stus_cd", Code(discharge, DISCHARGES[discharge]), "discharge-status")
    if claim.kind in ("inpatient", "snf", "hospice"):
        status = {"30": Code("C", "Still a patient"), "40": Code("B", "Died")}
        yield Info("nch_ptnt_stus_ind_cd", status.get(discharge, Code("A", "Discharged")))
    if claim.kind == "hha":
        yield Info("clm_hha_rfrl_cd", Code("1", "Physician referral"))


def _admission(claim: Claim) -> Iterator[Info]:
    urgency = Code("1", "Emergency") if claim.stay.emergency else Code("3", "Elective")
    yield Info("clm_ip_admsn_type_cd", urgency, "admtype")
    source = Code("4", "Transfer from hospital") if claim.kind == "snf" else Code("1", "Non-health care facility")
    yield Info("clm_src_ip_admsn_cd", source, "pointoforigin")
    if claim.stay.qualifying:
        yield Info("nch_qlfyd_stay_from_dt", claim.stay.qualifying)


def _fill(claim: Claim) -> Iterator[Info]:
    yield Info("drug_cvrg_stus_cd", Code("C", "Covered"))
    yield Info("daw_prod_slctn_cd", Code("0", "No product selection indicated"), "dawcode")
    if claim.amounts.above:
        yield Info("ctstrphc_cvrg_cd", Code("C", "Above attachment point"))
    yield Info("rx_orgn_cd", Code("3", "Electronic"), "rxorigincode")
    brand = Code("B", "Brand") if claim.fill.drug.brand else Code("G", "Generic")
    yield Info("brnd_gnrc_cd", brand, "brandgenericindicator")


def bill(claim: Claim) -> tuple[Code, str]:
    """(facility, classification) of an institutional claim: the first two figures of its type of bill.

    CLM_FAC_TYPE_CD and CLM_SRVC_CLSFCTN_TYPE_CD.
    """
    kind = KINDS[claim.kind]
    return claim.provider.bill or (kind.facility, kind.classification)


def contractor(claim: Claim) -> str:
    """The Medicare administrative contractor that processed an institution's claim."""
    region = claim.provider.region
    return region.home if claim.kind in ("hha", "hospice") else region.part_a


class Money(NamedTuple):
    variable: str
    #: a key of r4.CATEGORIES
    category: str
    cents: int


def _fee_schedule(line: Line) -> Iterator[Money]:
    share = line.amounts
    yield Money("line_nch_pmt_amt", "benefit", share.paid)
    yield Money("line_prvdr_pmt_amt", "paidtoprovider", share.paid)
    yield Money("line_bene_ptb_ddctbl_amt", "deductible", share.deductible)
    yield Money("line_coinsrnc_amt", "coinsurance", share.coinsurance)
    yield Money("line_sbmtd_chrg_amt", "submitted", share.submitted)
    yield Money("line_alowd_chrg_amt", "eligible", share.allowed)


def _charges(line: Line) -> Iterator[Money]:
    yield Money("rev_cntr_tot_chrg_amt", "submitted", line.charge)
    yield Money("rev_cntr_ncvrd_chrg_amt", "noncovered", 0)


def _charges_and_payment(line: Line) -> Iterator[Money]:
    yield from _charges(line)
    yield Money("rev_cntr_pmt_amt_amt", "submitted", line.amounts.paid)


def _hospice(line: Line) -> Iterator[Money]:
    yield from _charges(line)
    yield Money("rev_cntr_prvdr_pmt_amt", "paidtoprovider", line.amounts.paid)
    yield Money("rev_cntr_pmt_amt_amt", "submitted", line.amounts.paid)


def _outpatient(line: Line) -> Iterator[Money]:
    share = line.amounts
    yield from _charges(line)
    yield Money("rev_cntr_cash_ddctbl_amt", "deductible", share.deductible)
    yield Money("rev_cntr_coinsrnc_wge_adjstd_c", "coinsurance", share.coinsurance)
    yield Money("rev_cntr_prvdr_pmt_amt", "paidtoprovider", share.paid)
    yield Money("rev_cntr_ptnt_rspnsblty_pmt", "paidtopatient", share.owed)
    yield Money("rev_cntr_pmt_amt_amt", "submitted", share.paid)


def _drug(line: Line) -> Iterator[Money]:
    share = line.amounts
    yield Money("cvrd_d_plan_pd_amt", "benefit", share.paid)
    yield Money("gdc_blw_oopt_amt", "coinsurance", share.allowed - share.above)
    if share.above:
        yield Money("gdc_abv_oopt_amt", "coinsurance", share.above)
    yield Money("ptnt_pay_amt", "paidbypatient", share.owed)
    yield Money("tot_rx_cst_amt", "drugcost", share.allowed)


_LINE_MONEY: dict[str, Callable[[Line], Iterator[Money]]] = {
    "carrier": _fee_schedule,
    "dme": _fee_schedule,
    "hha": _charges_and_payment,
    "hospice": _hospice,
    "inpatient": _charges,
    "outpatient": _outpatient,
    "pde": _drug,
    "snf": _charges,
}


def line_money(claim: Claim, line: Line) -> Iterator[Money]:
    return _LINE_MONEY[claim.kind](line)


def claim_money(claim: Claim) -> list[tuple[str, int]]:
    """(variable, cents) of the claim as a whole: version 1 as extensions, version 2 in `benefitBalance`."""
    share = claim.amounts
    none_other = ("prpayamt", 0)
    if claim.kind in BY_LINE:
        return [
            ("carr_clm_cash_ddctbl_apld_amt", share.deductible),
            ("nch_carr_clm_sbmtd_chrg_amt", share.submitted),
            ("nch_carr_clm_alowd_amt", share.allowed),
        ]
    if claim.kind in ("inpatient", "snf"):
        return [
            ("nch_bene_ip_ddctbl_amt", share.deductible),
            ("nch_bene_pta_coinsrnc_lblty_amt", share.coinsurance),
            ("nch_ip_ncvrd_chrg_amt", 0),
            ("nch_ip_tot_ddctn_amt", share.owed),
            none_other,
        ]
    if claim.kind == "outpatient":
        return [
            ("nch_bene_ptb_ddctbl_amt", share.deductible),
            ("nch_bene_ptb_coinsrnc_amt", share.coinsurance),
            ("clm_op_prvdr_pmt_amt", share.paid),
            none_other,
        ]
    return [] if claim.kind == "pde" else [none_other]


def claim_counts(claim: Claim) -> list[tuple[str, int]]:
    """(variable, days) in `benefitBalance`."""
    if claim.kind in ("inpatient", "snf"):
        return [
            ("clm_utlztn_day_cnt", claim.stay.days),
            ("bene_tot_coinsrnc_days_cnt", claim.stay.coinsurance_days),
            ("clm_non_utlztn_days_cnt", 0),
        ]
    return [("clm_utlztn_day_cnt", claim.stay.days)] if claim.kind == "hospice" else []
