"""Who are the pretend beneficiaries, and how are they enrolled in Medicare?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bb2.sandbox import r4, stu3
from bb2.sandbox.beneficiary import Beneficiary
from bb2.sandbox.claims import Claim, Life
from bb2.sandbox.dice import Dice
from bb2.sandbox.histories import file, history, illnesses_of
from bb2.sandbox.identifiers import mbi, patient_id
from bb2.sandbox.names import COMMUNITIES, MIDDLE_INITIALS
from bb2.sandbox.places import REGIONS, Neighbourhood

#: The day as of which everything is made: nothing depends on the day it runs.
AS_OF = date(2026, 11, 1)
#: How far time can go on in a sandbox: claims are known until this day.
HORIZON = date(2027, 11, 1)
YEARS_OF_CLAIMS = 4


@dataclass(frozen=True)
class SyntheticPerson:
    """A pretend beneficiary: an account to sign in with, and the records behind it."""

    number: int
    username: str
    password: str
    #: Patient.id
    patient: str
    given_name: str
    family_name: str
    seed: int = field(default=1, repr=False)
    #: years of claims, and about how many a year; personas have their own
    years: int = field(default=4, repr=False)
    claims_per_year: int = field(default=10, repr=False)

    def records(self, as_of: date = AS_OF) -> dict[str, list[dict]]:
        """`v1` (STU3) and `v2` (R4): the Patient, Coverages and ExplanationOfBenefits; the same in both.

        What Medicare holds on the day `as_of` (AS_OF or later, to HORIZON): the records of an earlier day, and those
        of claims that were loaded since; `meta.lastUpdated` tells which.
        """
        who = beneficiary(self.seed, self.number)
        claims = claims_of(self.seed, self.number, who)
        return {"v1": stu3.records(who, claims), "v2": r4.records(who, claims)}


def people(count: int = 100, seed: int = 1, years: int = 4, claims_per_year: int = 10) -> Iterator[SyntheticPerson]:
    """The first `count` people of a seed; person n is the same whatever the count."""
    for number in range(count):
        yield person(number, seed, years, claims_per_year)


def person(number: int, seed: int = 1, years: int = 4, claims_per_year: int = 10) -> SyntheticPerson:
    """One of them."""
    who = beneficiary(seed, number)
    return SyntheticPerson(
        number,
        f"BBUser{number:05d}",
        f"PW{number:05d}!",
        who.patient,
        who.given,
        who.family,
        seed,
        years,
        claims_per_year,
    )


def beneficiary(seed: int, number: int) -> Beneficiary:
    dice = Dice("sandbox", seed, number, "person")
    community = dice.weighted(COMMUNITIES)
    woman = dice.chance(0.55)
    region = dice.pick(REGIONS)
    disabled = dice.chance(0.12) if number else False
    born, enrolled = _born_and_enrolled(dice, disabled)
    identifier = mbi(seed, number)
    return Beneficiary(
        patient=patient_id(seed, number),
        mbi=identifier,
        given=dice.pick(community.women if woman else community.men),
        middle=dice.pick(MIDDLE_INITIALS) if dice.chance(0.7) else None,
        family=dice.pick(community.families),
        gender="female" if woman else "male",
        born=born,
        died=_died(dice) if number and not disabled else None,
        race=community.race,
        region=region,
        postal_code=dice.pick(region.zips),
        disabled=disabled,
        enrolled=enrolled,
        medicaid=dice.chance(0.35 if disabled else 0.12),
        contract=f"Z000{dice.between(1, 9)}",
        plan=f"{dice.between(801, 809)}",
        as_of=AS_OF,
        updated=datetime.combine(AS_OF - timedelta(days=dice.between(3, 24)), _clock(dice)),
    )


def _born_and_enrolled(dice: Dice, disabled: bool) -> tuple[date, date]:
    """From the month of the 65th birthday, or two years into a disability (42 CFR 406.10, 406.12)."""
    if disabled:
        born = dice.day(date(AS_OF.year - 62, 1, 1), date(AS_OF.year - 44, 12, 28))
        return born, date(AS_OF.year - dice.between(5, 11), dice.between(1, 12), 1)
    born = dice.day(date(AS_OF.year - 91, 1, 2), date(AS_OF.year - 70, 12, 28))
    attained = born - timedelta(days=1)  # in law, an age is reached on the day before the birthday
    return born, date(attained.year + 65, attained.month, 1)


def _died(dice: Dice) -> date | None:
    chance, day = dice.chance(0.12), dice.day(AS_OF - timedelta(days=480), AS_OF - timedelta(days=150))
    return day if chance else None


def _clock(dice: Dice) -> time:
    return time(dice.below(24), dice.below(60), dice.below(60))


def claims_of(seed: int, number: int, who: Beneficiary) -> list[Claim]:
    dice = Dice("sandbox", seed, number, "history")
    window = AS_OF.replace(year=AS_OF.year - YEARS_OF_CLAIMS)
    life = Life(
        since=max(window, who.enrolled),
        until=who.died or AS_OF,
        near=Neighbourhood(who.region, dice.below(6)),
    )
    told = history(illnesses_of(number, who.died is not None, dice), life, dice)
    return list(file(told, seed, number, who.patient, (who.contract, who.plan), AS_OF))
