"""Who pays how much of each claim?  Deductibles and coinsurance in the order in which care was given.

Yearly amounts: CMS, "Medicare Parts A & B Premiums and Deductibles", "Part D Redesign Program Instructions".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from bb2.sandbox.claims import Amounts, Claim, Line


class Year(NamedTuple):
    """Cents."""

    part_b_deductible: int
    hospital_deductible: int
    nursing_coinsurance: int
    part_d_deductible: int
    #: what a beneficiary pays for drugs before the catastrophic phase
    part_d_threshold: int
    #: what the beneficiary pays in that phase, in percent
    catastrophic: int


YEARS = {
    2016: Year(166_00, 1_288_00, 161_00, 360_00, 4_850_00, 5),
    2017: Year(183_00, 1_316_00, 164_50, 400_00, 4_950_00, 5),
    2018: Year(183_00, 1_340_00, 167_50, 405_00, 5_000_00, 5),
    2019: Year(185_00, 1_364_00, 170_50, 415_00, 5_100_00, 5),
    2020: Year(198_00, 1_408_00, 176_00, 435_00, 6_350_00, 5),
    2021: Year(203_00, 1_484_00, 185_50, 445_00, 6_550_00, 5),
    2022: Year(233_00, 1_556_00, 194_50, 480_00, 7_050_00, 5),
    2023: Year(226_00, 1_600_00, 200_00, 505_00, 7_400_00, 5),
    2024: Year(240_00, 1_632_00, 204_00, 545_00, 8_000_00, 0),
    2025: Year(257_00, 1_676_00, 209_50, 590_00, 2_000_00, 0),
    2026: Year(283_00, 1_736_00, 217_00, 615_00, 2_100_00, 0),
}
YEARS[2027] = YEARS[2026]  # the sandbox begins before those of 2027 are known
#: Skilled nursing costs the beneficiary nothing for this many days of a benefit period (42 CFR 409.85).
FREE_NURSING_DAYS = 20
#: A benefit period ends after this many days outside hospital and skilled nursing (42 CFR 409.60).
BENEFIT_PERIOD_GAP = timedelta(days=60)


def percent(cents: int, of_hundred: int) -> int:
    """Rounded half up, in whole numbers."""
    return (cents * of_hundred + 50) // 100


def settle(claims: Iterable[Claim]) -> Iterator[Claim]:
    """The claims in the order of their dates, each with its amounts."""
    ledger = _Ledger()
    for claim in sorted(claims, key=lambda claim: (claim.end, claim.start, claim.kind)):
        yield ledger.settle(claim)


def _sum(lines: tuple[Line, ...]) -> Amounts:
    first, *others = (line.amounts for line in lines)
    return sum(others, first)


class _Ledger:
    """What a person has paid so far: in the calendar year, and in the benefit period."""

    def __init__(self) -> None:
        self._part_b: dict[int, int] = defaultdict(int)
        self._part_d: dict[int, int] = defaultdict(int)
        self._last_stay_day = date.min
        self._nursing_days = 0

    def settle(self, claim: Claim) -> Claim:
        if claim.kind in ("inpatient", "snf"):
            return self._stay(claim)
        share = self._drug if claim.kind == "pde" else self._part_b_line
        lines = tuple(line._replace(amounts=share(line)) for line in claim.lines)
        return replace(claim, lines=lines, amounts=_sum(lines))

    def _part_b_line(self, line: Line) -> Amounts:
        """The yearly deductible, then 20 percent (42 CFR 410.152 and 410.160)."""
        if not line.shared:
            return Amounts(line.charge, line.allowed, paid=line.allowed)
        year = line.day.year
        deductible = min(line.allowed, YEARS[year].part_b_deductible - self._part_b[year])
        self._part_b[year] += deductible
        coinsurance = percent(line.allowed - deductible, 20)
        return Amounts(line.charge, line.allowed, deductible, coinsurance, line.allowed - deductible - coinsurance)

    def _drug(self, line: Line) -> Amounts:
        """The standard benefit: a deductible, 25 percent, then the catastrophic phase (42 CFR 423.104).

        Told by what the beneficiary has paid so far; the coverage gap of the years to 2024 is left out.
        """
        year, rates = line.day.year, YEARS[line.day.year]
        deductible = min(line.allowed, max(0, rates.part_d_deductible - self._part_d[year]))
        self._part_d[year] += deductible
        rest = line.allowed - deductible
        below = min(percent(rest, 25), rates.part_d_threshold - self._part_d[year])
        self._part_d[year] += below
        above = rest - 4 * below if percent(rest, 25) > below else 0
        coinsurance = below + percent(above, rates.catastrophic)
        return Amounts(line.charge, line.allowed, deductible, coinsurance, rest - coinsurance, above)

    def _stay(self, claim: Claim) -> Claim:
        rates, stay = YEARS[claim.start.year], claim.stay
        starts_period = claim.start - self._last_stay_day > BENEFIT_PERIOD_GAP
        if starts_period:
            self._nursing_days = 0
        deductible = coinsurance = days = 0
        if claim.kind == "inpatient":
            deductible = min(stay.allowed, rates.hospital_deductible) if starts_period else 0
        else:
            days = max(0, min(stay.days, self._nursing_days + stay.days - FREE_NURSING_DAYS))
            self._nursing_days += stay.days
            coinsurance = min(stay.allowed, days * rates.nursing_coinsurance)
        self._last_stay_day = claim.end
        submitted = sum(line.charge for line in claim.lines)
        paid = stay.allowed - deductible - coinsurance
        amounts = Amounts(submitted, stay.allowed, deductible, coinsurance, paid)
        return replace(claim, amounts=amounts, stay=replace(stay, coinsurance_days=days))
