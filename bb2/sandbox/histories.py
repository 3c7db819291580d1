"""Which illnesses does one person have, and which claims does Medicare hold of them?"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from bb2.sandbox import illnesses
from bb2.sandbox.beneficiary import Beneficiary
from bb2.sandbox.claims import Claim, Filing, Illness, Life
from bb2.sandbox.dice import Dice
from bb2.sandbox.identifiers import claim_number
from bb2.sandbox.roles import Role

#: (weight, illness): what happens to people, the light and the heavy.
COMMON: tuple[tuple[int, Illness], ...] = (
    (6, illnesses.diabetes),
    (2, illnesses.diabetes_with_injections),
    (2, illnesses.diabetes_with_insulin),
    (7, illnesses.high_blood_pressure),
    (3, illnesses.heart_failure),
    (3, illnesses.irregular_heartbeat),
    (2, illnesses.blood_thinner),
    (3, illnesses.lung_disease),
    (3, illnesses.kidney_disease),
    (3, illnesses.knee_replacement),
    (2, illnesses.hip_fracture),
    (2, illnesses.stroke),
    (3, illnesses.pneumonia),
    (1, illnesses.bowel_cancer),
    (1, illnesses.opioid_use_disorder),
    (3, illnesses.back_pain),
    (3, illnesses.cataracts),
    (3, illnesses.sleep_apnea),
    (2, illnesses.depression),
    (3, illnesses.low_thyroid),
    (2, illnesses.dementia),
    (2, illnesses.brittle_bones),
)
#: What people die of.
LAST: tuple[tuple[int, Illness], ...] = ((3, illnesses.lung_cancer), (2, illnesses.lung_disease_to_the_end))
#: (weight, percent): a few people have most of the claims.
SHARES: tuple[tuple[int, int], ...] = ((2, 30), (3, 60), (3, 90), (3, 130), (2, 220))
#: One claim in so many took the place of an earlier one; of a person's numbers, those of the earlier ones begin here.
REPLACED, EARLIER = 25, 5_000
#: How many times chance is asked for one more illness.
DRAWS = 12


def told(role: Role | None, who: Beneficiary, life: Life, first: date, rate: int, dice: Dice) -> list[Claim]:
    """Every claim of a life, in no order: a persona's, or those of illnesses that come to about `rate` a year.

    They are counted from the day `first` on.
    """
    claims: list[Claim] = []
    if role:
        for illness in role.illnesses:
            claims += _happening(illness, life, dice, claims)
        return claims
    wanted = rate * (life.now - first).days / 365 * dice.weighted(SHARES) / 100
    for illness in _certain(who, dice):
        claims += _happening(illness, life, dice, claims)
    counted = _between(first, life.now, claims)
    for illness in dict.fromkeys(dice.weighted(COMMON) for _ in range(DRAWS)):
        if counted >= wanted:
            break
        more = _happening(illness, life, dice, claims)
        adds = _between(first, life.now, more)
        if counted + adds <= wanted * 1.3 + 2:
            claims += more
            counted += adds
    if counted < wanted * 3 / 4:  # more than illnesses cause
        apart = max(1, int((life.now - first).days / (wanted - counted)))
        claims += illnesses.much_care(life, dice.about("much care"), apart)
    return claims


def _certain(who: Beneficiary, dice: Dice) -> Iterator[Illness]:
    yield illnesses.staying_well
    if who.esrd:
        yield illnesses.kidney_failure
    if who.died:
        yield dice.weighted(LAST)


def _between(first: date, last: date, claims: list[Claim]) -> int:
    return sum(first <= claim.start < last for claim in claims)


def _happening(illness: Illness, life: Life, dice: Dice, before: list[Claim]) -> list[Claim]:
    """An illness at a time when its person is not in hospital for something else; nothing where there is none."""
    taken = _stays(before)
    for attempt in range(6):
        claims = list(illness(life, dice.about(illness.__name__, attempt)))
        if not any(start <= end2 and start2 <= end for start, end in taken for start2, end2 in _stays(claims)):
            return claims
    return []


def _stays(claims: list[Claim]) -> list[tuple[date, date]]:
    return [(claim.start, claim.end) for claim in claims if claim.kind in ("inpatient", "snf")]


def covered(claims: Iterable[Claim], who: Beneficiary) -> Iterator[Claim]:
    """Those that Original Medicare or a drug plan pays, and that happen while the person is in it.

    A Medicare Advantage plan pays all of parts A and B but hospice (42 CFR 422.320).
    """
    for claim in claims:
        if claim.kind == "pde":
            pays = who.drugs_since and who.drugs_since <= claim.start
        else:
            pays = claim.kind == "hospice" or who.advantage is None or claim.end < who.advantage
        if pays and who.enrolled <= claim.start:
            yield claim


def possible(claims: list[Claim], life: Life, first: date) -> Iterator[Claim]:
    """Not those after the person's end, nor an errand or a visit on a day spent in a hospital bed.

    Nor those too long before the day `first` to count for what is owed from then on.
    """
    counts_from = date(first.year - 1, 10, 1)
    stays = _stays(claims)
    for claim in claims:
        errand = claim.kind in ("pde", "dme", "outpatient") or _at_office(claim)
        in_bed = errand and any(start <= claim.start < end for start, end in stays)
        if counts_from <= claim.end <= life.until and not in_bed:
            yield claim


def _at_office(claim: Claim) -> bool:
    return claim.kind == "carrier" and claim.lines[0].place.code in ("11", "81")


def file(
    claims: Iterable[Claim], seed: int, number: int, who: Beneficiary, first: date, as_of: date
) -> Iterator[Claim]:
    """Each claim with its number and the days when it was processed and loaded; from `first` on, as known on `as_of`.

    A claim has the same number and days whatever `first` and `as_of` are.
    """
    dice = Dice("sandbox", seed, number, "filing")
    for index, claim in enumerate(claims, start=1):
        sent = claim.end + timedelta(days=dice.between(3, 20))
        processed = sent + timedelta(days=(4 - sent.weekday()) % 7)  # a Friday: CMS processes claims by the week
        loaded = processed + timedelta(days=dice.between(2, 5))
        seconds, again = dice.below(86_400), dice.below(REPLACED)
        if claim.start < first or loaded > as_of:
            continue
        clock = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        earlier = claim_number(seed, number, index + EARLIER) if again == 0 else None
        filing = Filing(
            who.patient,
            claim_number(seed, number, index),
            processed,
            datetime.combine(loaded, clock),
            who.contract,
            who.plan,
            earlier,
        )
        yield replace(claim, filing=filing)
