"""Who are the pretend beneficiaries, and how are they enrolled in Medicare?"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from bb2.sandbox import r4, stu3
from bb2.sandbox.beneficiary import Beneficiary
from bb2.sandbox.claims import Claim, Life
from bb2.sandbox.costs import settle
from bb2.sandbox.dice import Dice
from bb2.sandbox.histories import covered, file, possible, told
from bb2.sandbox.identifiers import mbi, password_of, patient_id, username_of
from bb2.sandbox.names import COMMUNITIES, MIDDLE_INITIALS, STREETS
from bb2.sandbox.places import REGIONS, Neighbourhood
from bb2.sandbox.roles import ROLES

#: The day as of which everything is made: nothing depends on the day it runs.
AS_OF = date(2026, 11, 1)
#: How far time can go on in a sandbox: claims are known until this day.
HORIZON = date(2027, 11, 1)
#: Of personas, and at least those in which illnesses take their course.
YEARS_OF_CLAIMS = 4
#: ICD-10-CM is in use since October 2015.
MOST_YEARS = 10
#: (weight, why in Medicare): by age mostly; some of these are in it since this autumn.
KINDS = ((80, "aged"), (4, "new"), (13, "disabled"), (3, "esrd"))


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
        if not AS_OF <= as_of <= HORIZON:
            raise ValueError(f"{as_of} is not between {AS_OF} and {HORIZON}")
        who = beneficiary(self.seed, self.number)
        claims = claims_of(self, who, as_of)
        return {"v1": stu3.records(who, claims), "v2": r4.records(who, claims)}


def people(count: int = 100, seed: int = 1, years: int = 4, claims_per_year: int = 10) -> Iterator[SyntheticPerson]:
    """The first `count` people of a seed; person n is the same whatever the count."""
    for number in range(count):
        yield person(number, seed, years, claims_per_year)


def person(number: int, seed: int = 1, years: int = 4, claims_per_year: int = 10) -> SyntheticPerson:
    """One of them.  Raises ValueError for more than MOST_YEARS, or more claims a year than there are days."""
    if not (1 <= years <= MOST_YEARS and 0 <= claims_per_year <= 365):
        raise ValueError(f"{years} years with {claims_per_year} claims each: there are 1 to {MOST_YEARS}, 0 to 365")
    who = beneficiary(seed, number)
    return SyntheticPerson(
        number,
        username_of(number),
        password_of(number),
        who.patient,
        who.given,
        who.family,
        seed,
        years,
        claims_per_year,
    )


def beneficiary(seed: int, number: int) -> Beneficiary:
    """The person with this number, as enrolled; a persona as its role wants it."""
    dice = Dice("sandbox", seed, number, "person")
    role = ROLES.get(number)
    if role and role.same_as is not None:
        return replace(beneficiary(seed, role.same_as), patient=patient_id(seed, number), mbi=mbi(seed, number))
    community = dice.weighted(COMMUNITIES)
    woman = dice.chance(0.55)
    region = dice.pick(REGIONS)
    town = dice.pick(region.towns)
    kind = "aged" if role else dice.weighted(KINDS)
    born, enrolled = _born_and_enrolled(dice, kind)
    medicaid = dice.chance(0.12 if kind == "aged" else 0.35) and not role
    who = Beneficiary(
        patient=patient_id(seed, number),
        mbi=mbi(seed, number),
        given=dice.pick(community.women if woman else community.men),
        middle=dice.pick(MIDDLE_INITIALS) if dice.chance(0.7) else None,
        family=dice.pick(community.families),
        gender="female" if woman else "male",
        born=born,
        died=None if role or kind != "aged" else _died(dice),
        race=community.race,
        region=region,
        line=f"{dice.between(11, 998)} {dice.pick(STREETS)}",
        town=town,
        phone=f"555-01{dice.between(0, 99):02d}",  # numbers that are kept for stories
        language="es" if community.race == "5" and dice.chance(0.6) else "en",
        disabled=kind == "disabled",
        esrd=kind == "esrd",
        enrolled=enrolled,
        drugs_since=enrolled,
        advantage=None,
        medicaid=medicaid,
        contract=f"Z000{dice.between(1, 9)}",
        plan=f"{dice.between(801, 809)}",
        as_of=AS_OF,
        updated=datetime.combine(AS_OF - timedelta(days=dice.between(3, 24)), _clock(dice)),
    )
    traits = role.traits if role else _plans(dice, who)
    return replace(who, **{"drugs_since": traits.get("enrolled", who.drugs_since), **traits})


def _plans(dice: Dice, who: Beneficiary) -> dict:
    """Parts C and D: most have a drug plan, some later or never; some leave Original Medicare at a new year."""
    later = date(max(who.enrolled.year, AS_OF.year - 4) + dice.between(1, 3), 1, 1)
    drugs_since = dice.weighted(((86, who.enrolled), (6, later if later < AS_OF else None), (8, None)))
    if who.medicaid:
        drugs_since = who.enrolled  # who has Medicaid too is given a plan (42 CFR 423.34)
    joined = date(AS_OF.year - dice.between(0, 3), 1, 1)
    advantage = joined if dice.chance(0.14) and joined > who.enrolled and not who.died else None
    return {"drugs_since": drugs_since, "advantage": advantage}


def _born_and_enrolled(dice: Dice, kind: str) -> tuple[date, date]:
    """From the month of the 65th birthday, two years into a disability, or three months of dialysis.

    42 CFR 406.10, 406.12 and 406.13.
    """
    if kind == "disabled":
        born = dice.day(date(AS_OF.year - 62, 1, 1), date(AS_OF.year - 44, 12, 28))
        return born, date(AS_OF.year - dice.between(5, 11), dice.between(1, 12), 1)
    if kind == "esrd":
        born = dice.day(date(AS_OF.year - 63, 1, 1), date(AS_OF.year - 38, 12, 28))
        return born, date(AS_OF.year - dice.between(1, 6), dice.between(1, 12), 1)
    if kind == "new":
        born = dice.day(date(AS_OF.year - 65, 9, 2), date(AS_OF.year - 65, 11, 28))
    else:
        born = dice.day(date(AS_OF.year - 91, 1, 2), date(AS_OF.year - 66, 12, 28))
    attained = born - timedelta(days=1)  # in law, an age is reached on the day before the birthday
    return born, date(attained.year + 65, attained.month, 1)


def _died(dice: Dice) -> date | None:
    chance, day = dice.chance(0.1), dice.day(AS_OF - timedelta(days=480), AS_OF - timedelta(days=40))
    return day if chance else None


def _clock(dice: Dice) -> time:
    return time(dice.below(24), dice.below(60), dice.below(60))


def claims_of(person: SyntheticPerson, who: Beneficiary, as_of: date = AS_OF) -> list[Claim]:
    """What Medicare holds on the day `as_of` of the person's claims."""
    dice = Dice("sandbox", person.seed, person.number, "history")
    role = ROLES.get(person.number)
    years = YEARS_OF_CLAIMS if role else person.years
    first = max(who.enrolled, AS_OF.replace(year=AS_OF.year - years))
    now = who.died or AS_OF
    life = Life(
        # Illnesses have their years, so that a sandbox of a single year is not one in which all befalls people at once.
        since=max(who.enrolled, AS_OF.replace(year=AS_OF.year - max(years, YEARS_OF_CLAIMS))),
        now=now,
        until=who.died or HORIZON,
        near=Neighbourhood(who.region, dice.below(6)),
    )
    everything = told(role, who, life, first, person.claims_per_year, dice)
    settled = settle(possible(list(covered(everything, who)), life, first))
    filed = list(file(settled, person.seed, person.number, who, first, as_of))
    if role and role.claims:
        begun = sum(claim.filing.updated.date() <= AS_OF for claim in filed)
        return filed[max(0, begun - role.claims) :]
    return filed
