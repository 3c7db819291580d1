"""Which illnesses does one person have, and which claims does Medicare hold of them?"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from bb2.sandbox import illnesses
from bb2.sandbox.claims import Claim, Filing, Illness, Life
from bb2.sandbox.costs import settle
from bb2.sandbox.dice import Dice
from bb2.sandbox.identifiers import claim_number

#: (weight, illness): the long illness that most of a person's claims are about,
LONG: tuple[tuple[int, Illness], ...] = (
    (4, illnesses.diabetes),
    (1, illnesses.diabetes_with_injections),
    (3, illnesses.high_blood_pressure),
    (2, illnesses.heart_failure),
    (2, illnesses.irregular_heartbeat),
    (2, illnesses.lung_disease),
    (2, illnesses.kidney_disease),
)
#: something sudden,
SUDDEN: tuple[tuple[int, Illness], ...] = (
    (3, illnesses.knee_replacement),
    (2, illnesses.hip_fracture),
    (3, illnesses.pneumonia),
)
#: and something lighter.
LIGHTER: tuple[tuple[int, Illness], ...] = (
    (2, illnesses.back_pain),
    (2, illnesses.cataracts),
    (2, illnesses.sleep_apnea),
    (1, illnesses.depression),
    (1, illnesses.low_thyroid),
)
#: The first person shows every type of claim, and enough of them for several pages.
FIRST: tuple[Illness, ...] = (
    illnesses.staying_well,
    illnesses.diabetes,
    illnesses.high_blood_pressure,
    illnesses.lung_disease_to_hospice,
    illnesses.hip_fracture,
    illnesses.irregular_heartbeat,
)


def illnesses_of(number: int, died: bool, dice: Dice) -> tuple[Illness, ...]:
    if number == 0:
        return FIRST
    long, sudden, lighter = dice.weighted(LONG), dice.weighted(SUDDEN), dice.weighted(LIGHTER)
    return (illnesses.staying_well, long, sudden, illnesses.lung_cancer if died else lighter)


def history(which: Iterable[Illness], life: Life, dice: Dice) -> Iterator[Claim]:
    """The claims of a life in order, each with its amounts; numbers and dates of filing come last."""
    told = [claim for illness in which for claim in illness(life, dice.about(illness.__name__))]
    return settle(_possible(told, life))


def _possible(claims: list[Claim], life: Life) -> Iterator[Claim]:
    """Not those outside the enrolled life, nor an errand or a visit on a day spent in a hospital bed."""
    stays = [(claim.start, claim.end) for claim in claims if claim.kind in ("inpatient", "snf")]
    for claim in claims:
        errand = claim.kind in ("pde", "dme", "outpatient") or _at_office(claim)
        in_bed = errand and any(start <= claim.start < end for start, end in stays)
        if life.since <= claim.start and claim.end <= life.until and not in_bed:
            yield claim


def _at_office(claim: Claim) -> bool:
    return claim.kind == "carrier" and claim.lines[0].place.code in ("11", "81")


def file(
    claims: Iterable[Claim], seed: int, number: int, patient: str, plan: tuple[str, str], as_of: date
) -> Iterator[Claim]:
    """Each claim with its number and the days when it was processed and loaded; not those under way."""
    dice = Dice("sandbox", seed, number, "filing")
    for index, claim in enumerate(claims, start=1):
        sent = claim.end + timedelta(days=dice.between(3, 20))
        processed = sent + timedelta(days=(4 - sent.weekday()) % 7)  # a Friday: CMS processes claims by the week
        loaded = processed + timedelta(days=dice.between(2, 5))
        clock = time(dice.below(24), dice.below(60), dice.below(60))
        if loaded <= as_of:
            filing = Filing(
                patient, claim_number(seed, number, index), processed, datetime.combine(loaded, clock), *plan
            )
            yield replace(claim, filing=filing)
