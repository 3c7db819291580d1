"""What happens to people?  Each illness is a function that tells the claims it causes in one life.

To add one, write a function like these and name it in `histories`; nothing else changes.
"""

from collections.abc import Iterator
from datetime import date

from bb2.sandbox.claims import Claim, Life
from bb2.sandbox.codes import DRUGS, procedure
from bb2.sandbox.dice import Dice
from bb2.sandbox.encounters import (
    admission,
    after,
    equipment,
    every,
    fills,
    home_health,
    hospice,
    laboratory,
    outpatient,
    skilled_nursing,
    visit,
    weekday,
)


def staying_well(life: Life, dice: Dice) -> Iterator[Claim]:
    """What everyone has: a yearly visit with blood tests, a flu shot each autumn, one colonoscopy."""
    for day in every(dice, after(life.since, dice.between(10, 150)), life.until, 368):
        yield visit(life, day, "internist", ("Z0000",), "G0439")
    for year in range(life.since.year, life.until.year + 1):
        day = weekday(date(year, 9, 20 + dice.below(10)))
        if dice.chance(0.5):
            yield visit(life, day, "internist", ("Z23",), "90662", "G0008")
    screening = weekday(life.midway(dice))
    yield outpatient(life, screening, "gastroenterology", ("Z1211",), ("0750", "G0121"))


def diabetes(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    for number, day in enumerate(every(dice, start, life.until, 195)):
        yield visit(life, day, "endocrinology", ("E119", "I10"))
        if number % 2 == 0:
            yield laboratory(life, after(day, -3), "endocrinology", ("E119",), "83036", "80053")
            yield equipment(life, after(day, 2), "endocrinology", ("E119",), "A4253", 4)
    yield from fills(life, dice, DRUGS["metformin"], "endocrinology", after(start, 1), life.until)


def diabetes_with_injections(life: Life, dice: Dice) -> Iterator[Claim]:
    """A second medicine in the last two years, by a weekly injection."""
    yield from diabetes(life, dice)
    start = after(life.until, -dice.between(200, 420))
    yield from fills(life, dice, DRUGS["dulaglutide"], "endocrinology", start, life.until, 84)


def high_blood_pressure(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    for day in every(dice, start, life.until, 190):
        yield visit(life, day, "internist", ("I10", "E785"), "99213", *(("93000",) if dice.chance(0.3) else ()))
    medicine = dice.pick(("lisinopril", "amlodipine"))
    yield from fills(life, dice, DRUGS[medicine], "internist", after(start, 1), life.until)


def heart_failure(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    why = ("I110", "I509")
    for number, day in enumerate(every(dice, start, life.until, 200)):
        yield visit(life, day, "cardiology", why, "99214")
        if number % 3 == 0:
            yield outpatient(life, after(day, 7), "cardiology", why, ("0480", "93306"), ("0300", "80053"))
    yield from fills(life, dice, DRUGS["furosemide"], "cardiology", after(start, 1), life.until)
    day = life.midway(dice)
    yield visit(life, day, "ambulance", ("R0602",), "A0429", place="41")
    yield admission(life, day, dice.between(4, 6), ("I110", "I509", "I10"), "291", 1_012_400)
    yield visit(life, after(day, 1), "cardiology", why, "99232", place="21")
    yield from fills(life, dice, DRUGS["sacubitril"], "cardiology", after(day, 9), after(day, 200), 90)


def irregular_heartbeat(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    why = ("I4891", "Z7901")
    for day in every(dice, start, life.until, 200):
        yield visit(life, day, "cardiology", why, "99214", "93000")
    yield outpatient(life, after(weekday(start), 7), "cardiology", why, ("0480", "93306"))
    yield from fills(life, dice, DRUGS["apixaban"], "cardiology", after(start, 1), life.until)


def lung_disease(life: Life, dice: Dice) -> Iterator[Claim]:
    """Chronic bronchitis: an inhaler, a bad winter in hospital, then oxygen at home."""
    start = life.early(dice)
    for day in every(dice, start, life.until, 185):
        yield visit(life, day, "pulmonology", ("J449",), "99214", "94060")
    yield from fills(life, dice, DRUGS["tiotropium"], "pulmonology", after(start, 1), life.until)
    day = life.midway(dice)
    yield outpatient(life, day, "emergency", ("J441", "R0602"), ("0450", "99285"), ("0320", "71046"))
    breathing = procedure("5A09357")
    why = ("J441", "J9611", "J449")
    stay = admission(life, after(day, 1), dice.between(3, 5), why, "190", 804_650, breathing, revenue="0410")
    yield stay
    for month in range(dice.between(3, 5)):
        yield equipment(life, after(stay.end, 1 + 30 * month), "pulmonology", ("J9611", "Z9981"), "E1390")


def lung_disease_to_hospice(life: Life, dice: Dice) -> Iterator[Claim]:
    """Hospice, from which the person came home again."""
    yield from lung_disease(life, dice)
    start = after(life.until, -dice.between(170, 200))
    yield from hospice(life, start, dice.between(70, 85), ("J449", "J9611", "Z515"), "01")


def kidney_disease(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    for day in every(dice, start, life.until, 200):
        yield visit(life, day, "nephrology", ("N1832", "I129", "D631"))
        blood = dice.between(96, 118)
        yield laboratory(life, after(day, -4), "nephrology", ("D631", "N1832"), "80053", "85018", hemoglobin=blood)
    yield from fills(life, dice, DRUGS["atorvastatin"], "nephrology", after(start, 1), after(life.until, -90))


def low_thyroid(life: Life, dice: Dice) -> Iterator[Claim]:
    start = after(life.until, -dice.between(300, 560))
    for day in every(dice, start, life.until, 365):
        yield laboratory(life, day, "internist", ("E039",), "84443")
    yield from fills(life, dice, DRUGS["levothyroxine"], "internist", after(start, 5), life.until)


def depression(life: Life, dice: Dice) -> Iterator[Claim]:
    start = after(life.until, -dice.between(500, 700))
    for day in every(dice, start, after(start, 240), 80):
        yield visit(life, day, "psychiatry", ("F331",), "90834")
    yield from fills(life, dice, DRUGS["sertraline"], "psychiatry", after(start, 1), after(start, 260))


def back_pain(life: Life, dice: Dice) -> Iterator[Claim]:
    start = weekday(life.midway(dice))
    yield visit(life, start, "internist", ("M5450",), "99213")
    yield visit(life, after(start, 7), "therapy", ("M5450",), "97161", "97110")
    for week in (2, 4):
        yield visit(life, after(start, 7 * week), "therapy", ("M5450",), "97110")
    yield from fills(life, dice, DRUGS["gabapentin"], "internist", after(start, 1), after(start, 70), 30)
    yield equipment(life, after(start, 10), "internist", ("M5450",), "E0143")


def sleep_apnea(life: Life, dice: Dice) -> Iterator[Claim]:
    start = weekday(life.midway(dice))
    yield visit(life, start, "pulmonology", ("G4733",))
    for month in range(2):
        yield equipment(life, after(start, 14 + 31 * month), "pulmonology", ("G4733",), "E0601")
    for day in every(dice, after(start, 200), life.until, 365):
        yield equipment(life, day, "pulmonology", ("G4733",), "A7030")


def cataracts(life: Life, dice: Dice) -> Iterator[Claim]:
    start = weekday(life.midway(dice))
    yield visit(life, start, "ophthalmology", ("H2513",), "92014")
    yield outpatient(life, after(start, 21), "ophthalmology", ("H2513",), ("0360", "66984"))
    yield visit(life, after(start, 22), "ophthalmology", ("H2513",), "92014")


def pneumonia(life: Life, dice: Dice) -> Iterator[Claim]:
    day = life.midway(dice)
    yield visit(life, day, "emergency", ("J189", "R509"), "99285", place="23")
    stay = admission(life, day, dice.between(3, 5), ("J189", "R509"), "194", 621_300, revenue="0410")
    yield stay
    yield visit(life, after(day, 1), "internist", ("J189",), "99223", place="21")
    yield visit(life, weekday(after(stay.end, 9)), "internist", ("J189",), "99213", "71046")
    yield home_health(life, after(stay.end, 1), 3, ("J189",))


def knee_replacement(life: Life, dice: Dice) -> Iterator[Claim]:
    day = weekday(life.midway(dice))
    why = ("M1711",)
    yield visit(life, after(day, -35), "orthopedics", why, "99214", "73562")
    stay = admission(life, day, 2, why, "470", 1_428_300, procedure("0SRC0J9"), "orthopedics", "0360", "06", False)
    yield stay
    yield visit(life, day, "orthopedics", why, "27447", place="21")
    yield equipment(life, stay.end, "orthopedics", ("Z471", "Z96651"), "E0143")
    yield home_health(life, after(stay.end, 1), 4, ("Z471", "Z96651"))
    yield visit(life, weekday(after(stay.end, 42)), "therapy", ("Z471", "Z96651"), "97110")


def hip_fracture(life: Life, dice: Dice) -> Iterator[Claim]:
    """A fall: hospital, three weeks and more of skilled nursing, then care at home."""
    day = life.midway(dice)
    why = ("S72001A", "W010XXA")
    yield visit(life, day, "ambulance", why, "A0429", place="41")
    yield visit(life, day, "emergency", why, "99285", place="23")
    stay = admission(
        life,
        day,
        dice.between(4, 6),
        why,
        "481",
        1_573_900,
        procedure("0QS604Z"),
        "orthopedics",
        "0360",
        "03",
    )
    yield stay
    yield visit(life, after(day, 1), "orthopedics", why, "27236", place="21")
    nursing = skilled_nursing(life, stay, dice.between(18, 27), ("S72001D",))
    yield nursing
    yield equipment(life, nursing.end, "orthopedics", ("S72001D",), "E0143")
    yield home_health(life, after(nursing.end, 1), 4, ("S72001D",), last=False)
    yield home_health(life, after(nursing.end, 31), 3, ("S72001D",))


def lung_cancer(life: Life, dice: Dice) -> Iterator[Claim]:
    """The last illness of those who died: months of treatment, then hospice to the end."""
    found = after(life.until, -dice.between(240, 330))
    yield outpatient(life, found, "emergency", ("R0602",), ("0450", "99285"), ("0320", "71046"))
    hospice_day = after(life.until, -dice.between(35, 80))
    for day in every(dice, after(found, 12), after(hospice_day, -5), 42, 3):
        yield visit(life, day, "oncology", ("C3490",), "99214")
    days = (life.until - hospice_day).days + 1
    yield from hospice(life, hospice_day, days, ("C3490", "Z515"), "40")
