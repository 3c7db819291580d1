"""What do the enrolment data say of one beneficiary?  The extensions that both versions show alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from bb2.sandbox.codes import Code
from bb2.sandbox.elements import coded, extension
from bb2.sandbox.places import Region
from bb2.sandbox.systems import US_CORE, VARIABLE

PARTS = ("a", "b", "c", "d")
#: CMS issued MBIs from April 2018 on.
FIRST_MBI = date(2018, 4, 1)

RACES = {
    "1": "White",
    "2": "Black",
    "4": "Asian",
    "5": "Hispanic",
    "6": "North American Native",
}
#: SNOMED CT, as US Core's sex extension has it.
SEXES = {"female": "248152002", "male": "248153007"}


@dataclass(frozen=True)
class Beneficiary:
    patient: str
    mbi: str
    given: str
    #: None where Medicare has no middle initial
    middle: str | None
    family: str
    gender: str
    born: date
    #: None while alive
    died: date | None
    race: str
    region: Region
    postal_code: str
    #: entitled by disability, not by age
    disabled: bool
    enrolled: date
    #: the state pays the premiums (dual eligible)
    medicaid: bool
    contract: str
    plan: str
    as_of: date
    updated: datetime

    @property
    def names(self) -> list[str]:
        return [self.given, self.middle] if self.middle else [self.given]

    @property
    def mbi_since(self) -> date:
        return max(self.enrolled, FIRST_MBI)

    @property
    def terminated(self) -> Code:
        return Code("1", "Dead") if self.died else Code("0", "Not terminated")

    @property
    def reference_year(self) -> int:
        return (self.died or self.as_of).year

    @property
    def months(self) -> range:
        """The months of the reference year that are known."""
        return range(1, self.died.month + 1) if self.died else range(1, self.as_of.month)


def coverage_id(part: str, patient: str) -> str:
    return f"part-{part}-{patient}"


def patient_extensions(who: Beneficiary, *more: dict) -> list[dict]:
    sex = {"url": US_CORE + "us-core-sex", "valueCode": SEXES[who.gender]}
    race = coded("race", Code(who.race, RACES[who.race]))
    return [sex, race, *more, *_year_and_medicaid(who)]


def coverage_extensions(who: Beneficiary, part: str) -> list[dict]:
    tell = {"a": _part_a, "b": _part_b, "c": _part_c, "d": _part_d}[part]
    return [*tell(who), *_year_and_medicaid(who), *(_buy_in(who) if part in "ab" else ())]


def _status(who: Beneficiary) -> dict:
    code = Code("20", "Disabled without ESRD") if who.disabled else Code("10", "Aged without ESRD")
    return coded("ms_cd", code)


def _part_a(who: Beneficiary) -> Iterator[dict]:
    reason = Code("1", "Disability insurance benefits (DIB)")
    if not who.disabled:
        reason = Code("0", "Old age and survivors insurance (OASI)")
    yield _status(who)
    yield coded("orec", reason)
    yield coded("crec", reason)
    yield coded("esrd_ind", Code("0", "The beneficiary does not have ESRD"))
    yield coded("a_trm_cd", who.terminated)


def _part_b(who: Beneficiary) -> Iterator[dict]:
    yield _status(who)
    yield coded("b_trm_cd", who.terminated)


def _part_c(who: Beneficiary) -> Iterator[dict]:
    """Everyone here is in Original Medicare: the claims could not exist otherwise."""
    yield from _monthly("ptc_cntrct_id_", who, Code("N"))
    yield from _monthly("hmo_ind_", who, Code("0", "Not a member of an HMO"))


def _part_d(who: Beneficiary) -> Iterator[dict]:
    yield _status(who)
    yield from _monthly("ptdcntrct", who, Code(who.contract))
    for month in who.months:
        name = f"ptdcntrct{month:02d}"
        dated = coded(name, Code(who.contract))
        yield {**dated, "url": f"{VARIABLE}{name}/{who.reference_year}-{month}"}
    yield from _monthly("ptdpbpid", who, Code(who.plan))
    yield from _monthly("sgmtid", who, Code("000"))
    yield from _monthly("cstshr", who, Code("01" if who.medicaid else "09"))
    yield from _monthly("rdsind", who, Code("N", "No employer subsidy for the retired beneficiary"))


def _year_and_medicaid(who: Beneficiary) -> Iterator[dict]:
    dual = Code("02", "Qualified Medicare beneficiary (QMB) with full Medicaid") if who.medicaid else Code("NA")
    yield extension("rfrnc_yr", "valueDate", str(who.reference_year))
    yield from _monthly("dual_", who, dual)


def _buy_in(who: Beneficiary) -> Iterator[dict]:
    paid_by_state = Code("C", "Part A and Part B, premiums paid by the state")
    yield from _monthly("buyin", who, paid_by_state if who.medicaid else Code("3", "Part A and Part B"))


def _monthly(prefix: str, who: Beneficiary, code: Code) -> Iterator[dict]:
    for month in who.months:
        yield coded(f"{prefix}{month:02d}", code)
