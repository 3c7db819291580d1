"""What do the enrolment data say of one beneficiary?  The extensions that both versions show alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bb2.sandbox.codes import Code
from bb2.sandbox.elements import coded, coding, concept, extension
from bb2.sandbox.places import Region
from bb2.sandbox.systems import LANGUAGE, US_CORE, VARIABLE

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
_LANGUAGES = {"en": "English", "es": "Spanish"}
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
    #: street and number
    line: str
    #: (ZIP code, city, county)
    town: tuple[str, str, str]
    phone: str
    #: ISO 639-1
    language: str
    #: entitled by disability, not by age
    disabled: bool
    #: end-stage renal disease
    esrd: bool
    #: in parts A and B since
    enrolled: date
    #: in part D since; None: never
    drugs_since: date | None
    #: in a Medicare Advantage plan (part C) since; None: never
    advantage: date | None
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
    def advantage_contract(self) -> str:
        """Pretend, as that of part D: the contracts of CMS begin with H or R."""
        return "Z" + self.contract[2:] + "0"

    @property
    def terminated(self) -> Code:
        return Code("1", "Dead") if self.died else Code("0", "Not terminated")

    @property
    def reference_year(self) -> int:
        return (self.died or self.as_of).year

    @property
    def attained_65(self) -> date:
        """In law, an age is reached on the day before the birthday (20 CFR 404.2)."""
        eve = self.born - timedelta(days=1)
        return date(eve.year + 65, eve.month, 1)

    @property
    def aged(self) -> bool:
        return self.attained_65 <= (self.died or self.as_of)

    @property
    def months(self) -> range:
        """The months of the reference year that are known."""
        return range(1, self.died.month + 1) if self.died else range(1, self.as_of.month)


def coverage_id(part: str, patient: str) -> str:
    return f"part-{part}-{patient}"


def address(who: Beneficiary) -> dict:
    zip_code, city, county = who.town
    return {
        "line": [who.line],
        "city": city,
        "district": county,
        "state": who.region.state,
        "postalCode": zip_code,
        "country": "US",
        "period": {"start": who.enrolled.isoformat()},
    }


def telecom(who: Beneficiary) -> dict:
    return {"system": "phone", "value": who.phone, "use": "home"}


def communication(who: Beneficiary) -> dict:
    return {"language": concept(coding(LANGUAGE, who.language, _LANGUAGES[who.language])), "preferred": True}


def patient_extensions(who: Beneficiary, *more: dict) -> list[dict]:
    sex = {"url": US_CORE + "us-core-sex", "valueCode": SEXES[who.gender]}
    race = coded("race", Code(who.race, RACES[who.race]))
    return [sex, race, *more, *_year_and_medicaid(who)]


def coverage_extensions(who: Beneficiary, part: str) -> list[dict]:
    tell = {"a": _part_a, "b": _part_b, "c": _part_c, "d": _part_d}[part]
    return [*tell(who), *_year_and_medicaid(who), *(_buy_in(who) if part in "ab" else ())]


#: (65 or older, ESRD): MS_CD
_STATUS = {
    (True, False): Code("10", "Aged without ESRD"),
    (True, True): Code("11", "Aged with ESRD"),
    (False, False): Code("20", "Disabled without ESRD"),
    (False, True): Code("21", "Disabled with ESRD"),
}
_AGE = Code("0", "Old age and survivors insurance (OASI)")
_DISABILITY = Code("1", "Disability insurance benefits (DIB)")
_KIDNEYS = Code("2", "End-stage renal disease (ESRD)")


def _status(who: Beneficiary) -> dict:
    if who.esrd and not who.aged and not who.disabled:
        return coded("ms_cd", Code("31", "ESRD only"))
    return coded("ms_cd", _STATUS[who.aged, who.esrd])


def _part_a(who: Beneficiary) -> Iterator[dict]:
    """Why the person was entitled at first, and is now: a disability gives way to age at 65."""
    early = who.enrolled < who.attained_65
    first = (_DISABILITY if who.disabled else _KIDNEYS) if early else _AGE
    has_esrd = Code("Y", "The beneficiary has ESRD")
    yield _status(who)
    yield coded("orec", first)
    yield coded("crec", _AGE if who.aged else first)
    yield coded("esrd_ind", has_esrd if who.esrd else Code("0", "The beneficiary does not have ESRD"))
    yield coded("a_trm_cd", who.terminated)


def _part_b(who: Beneficiary) -> Iterator[dict]:
    yield _status(who)
    yield coded("b_trm_cd", who.terminated)


def _part_c(who: Beneficiary) -> Iterator[dict]:
    """By the month: the Medicare Advantage plan, or none."""
    if who.advantage:  # people join with the new year
        yield from _monthly("ptc_cntrct_id_", who, Code(who.advantage_contract))
        yield from _monthly("hmo_ind_", who, _LOCK_IN)
        return
    yield from _monthly("ptc_cntrct_id_", who, Code("N"))
    yield from _monthly("hmo_ind_", who, Code("0", "Not a member of an HMO"))


_LOCK_IN = Code("C", "Lock-in GHO to process all in-area Part A and in-area Part B claims")


def _part_d(who: Beneficiary) -> Iterator[dict]:
    yield _status(who)
    contract = who.contract if who.drugs_since else "N"  # not in part D
    yield from _monthly("ptdcntrct", who, Code(contract))
    for month in who.months:
        name = f"ptdcntrct{month:02d}"
        dated = coded(name, Code(contract))
        yield {**dated, "url": f"{VARIABLE}{name}/{who.reference_year}-{month}"}
    if not who.drugs_since:
        return
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
