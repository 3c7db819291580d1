"""What happens to people?  Each illness is a function that tells the claims it causes in one life.

To add one, write a function like these and name it in `histories`; nothing else changes.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from bb2.sandbox.claims import Claim, Life
from bb2.sandbox.codes import DRUGS, REVENUE, named, procedure
from bb2.sandbox.dice import Dice
from bb2.sandbox.encounters import (
    admission,
    after,
    dialysis,
    equipment,
    every,
    fills,
    home_health,
    hospice,
    laboratory,
    outpatient,
    service_line,
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


def diabetes_with_insulin(life: Life, dice: Dice) -> Iterator[Claim]:
    yield from diabetes(life, dice)
    start = after(life.now, -dice.between(500, 800))
    yield from fills(life, dice, DRUGS["glargine"], "endocrinology", start, life.until, 90)


def diabetes_with_injections(life: Life, dice: Dice) -> Iterator[Claim]:
    """A second medicine in the last two years, by a weekly injection."""
    yield from diabetes(life, dice)
    start = after(life.now, -dice.between(200, 420))
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
    start = after(life.now, -dice.between(170, 200))
    yield from hospice(life, start, dice.between(70, 85), ("J449", "J9611", "Z515"), "01")


def lung_disease_to_the_end(life: Life, dice: Dice) -> Iterator[Claim]:
    yield from lung_disease(life, dice)
    start = after(life.now, -dice.between(25, 110))
    yield from hospice(life, start, (life.now - start).days + 1, ("J449", "J9611", "Z515"), "40")


def kidney_disease(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    for day in every(dice, start, life.until, 200):
        yield visit(life, day, "nephrology", ("N1832", "I129", "D631"))
        blood = dice.between(96, 118)
        yield laboratory(life, after(day, -4), "nephrology", ("D631", "N1832"), "80053", "85018", hemoglobin=blood)
    yield from fills(life, dice, DRUGS["atorvastatin"], "nephrology", after(start, 1), life.until)


def kidney_failure(life: Life, dice: Dice) -> Iterator[Claim]:
    """Dialysis three times a week, billed by the month; blood tests, a binder with every meal (42 CFR 494.80)."""
    why = ("N186", "Z992", "I120", "D631")
    month = life.since.replace(day=1)
    while month <= life.until:
        following = after(month.replace(day=28), 4).replace(day=1)
        last = after(following, -1)
        yield dialysis(life, month, last, dice.between(12, 13), why)
        yield visit(life, last, "nephrology", why, "90961", place="65")
        if month.month % 3 == 0:
            tests = after(month, 4)
            blood = dice.between(92, 115)
            yield laboratory(life, tests, "nephrology", ("N186", "D631"), "80053", "85018", hemoglobin=blood)
        month = following
    yield from fills(life, dice, DRUGS["sevelamer"], "nephrology", after(life.since, 6), life.until)


def opioid_use_disorder(life: Life, dice: Dice) -> Iterator[Claim]:
    """Detoxification in hospital, a treatment program by the week, then an office and a daily medicine."""
    day = life.midway(dice)
    why = ("F1120",)
    yield visit(life, day, "emergency", ("F1123",), "99285", place="23")
    detoxification = procedure("HZ2ZZZZ")
    stay = admission(life, day, dice.between(3, 5), ("F1123", "I10"), "897", 587_200, detoxification)
    yield stay
    program = weekday(after(stay.end, 3))
    for week in range(dice.between(8, 12)):
        yield visit(life, after(program, 7 * week), "opioid treatment", why, "G2067", place="58")
    yield outpatient(life, after(program, 10), "addiction", why, ("0906", "90853"), ("0300", "G0480"))
    office = after(program, 90)
    yield visit(life, weekday(office), "addiction", why, "G2086")
    for visit_day in every(dice, after(office, 30), life.until, 60):
        yield visit(life, visit_day, "addiction", why, "99214")
        if dice.chance(0.4):
            yield laboratory(life, visit_day, "addiction", why, "G0480")
    yield from fills(life, dice, DRUGS["naloxone"], "addiction", office, office, 1)
    yield from fills(life, dice, DRUGS["buprenorphine"], "addiction", after(office, 1), life.until, 30)


def stroke(life: Life, dice: Dice) -> Iterator[Claim]:
    """Hospital, skilled nursing, therapy at home, and medicines from then on."""
    day = life.midway(dice)
    yield visit(life, day, "ambulance", ("I639",), "A0429", place="41")
    stay = admission(life, day, dice.between(4, 7), ("I639", "I10"), "065", 741_800, discharge="03", revenue="0300")
    yield stay
    yield visit(life, after(day, 1), "neurology", ("I639",), "99223", place="21")
    nursing = skilled_nursing(life, stay, dice.between(14, 30), ("I69351",))
    yield nursing
    yield home_health(life, after(nursing.end, 1), 4, ("I69351",))
    for visit_day in every(dice, after(nursing.end, 40), life.until, 180):
        yield visit(life, visit_day, "neurology", ("I69351",), "99214")
    yield from fills(life, dice, DRUGS["clopidogrel"], "neurology", after(nursing.end, 2), life.until)


def dementia(life: Life, dice: Dice) -> Iterator[Claim]:
    start = life.early(dice)
    for day in every(dice, start, life.until, 180):
        yield visit(life, day, "neurology", ("G309",), "99214")
    yield from fills(life, dice, DRUGS["donepezil"], "neurology", after(start, 1), life.until)


def brittle_bones(life: Life, dice: Dice) -> Iterator[Claim]:
    start = weekday(life.early(dice))
    yield visit(life, start, "internist", ("M810",), "99213", "77080")
    yield from fills(life, dice, DRUGS["alendronate"], "internist", after(start, 3), life.until)


def blood_thinner(life: Life, dice: Dice) -> Iterator[Claim]:
    """Warfarin: a blood test every month, to find the right amount."""
    start = life.early(dice)
    for day in every(dice, start, life.until, 30, 3):
        yield laboratory(life, day, "cardiology", ("I4891", "Z7901"), "85610")
    yield from fills(life, dice, DRUGS["warfarin"], "cardiology", after(start, 1), life.until)


def bowel_cancer(life: Life, dice: Dice) -> Iterator[Claim]:
    """Found by a colonoscopy, operated on, six months of chemotherapy, and then looked after."""
    found = weekday(life.midway(dice))
    why = ("C182",)
    yield outpatient(life, found, "gastroenterology", why, ("0750", "G0121"))
    day = weekday(after(found, 17))
    operation = procedure("0DTF4ZZ")
    stay = admission(life, day, dice.between(4, 6), why, "330", 1_492_600, operation, "surgery", "0360", "01", False)
    yield stay
    yield visit(life, day, "surgery", why, "44205", place="21")
    for cycle in range(8):
        treated = weekday(after(stay.end, 35 + 21 * cycle))
        yield infusion(life, treated, ("Z5111", *why))
    for visit_day in every(dice, after(stay.end, 230), life.until, 120):
        yield visit(life, visit_day, "oncology", why, "99214")


def infusion(life: Life, day: date, why: tuple[str, ...]) -> Claim:
    """Chemotherapy in the hospital: the drug by its amount, and giving it."""
    claim = outpatient(life, day, "oncology", why, ("0335", "96413"))
    drug = service_line("J9263", day, quantity=260, revenue=named(REVENUE, "0636"))
    return replace(claim, lines=(*claim.lines, drug))


def often_ill(life: Life, dice: Dice) -> Iterator[Claim]:
    """Somebody who is cared for nearly every other day: therapy, blood tests, medicines by the month."""
    for medicine in ("omeprazole", "metoprolol", "atorvastatin", "albuterol"):
        yield from fills(
            life, dice, DRUGS[medicine], "internist", after(life.since, dice.between(3, 30)), life.until, 30
        )
    for day in every(dice, after(life.since, 5), life.until, 3, 1):
        yield visit(life, day, "therapy", ("M5450",), "97110")
    for day in every(dice, after(life.since, 9), life.until, 7, 2):
        yield laboratory(life, day, "internist", ("I10", "E785"), "80053")


def much_care(life: Life, dice: Dice, days: int) -> Iterator[Claim]:
    """Somebody who is seen every so many days: an office, therapy, a laboratory."""
    for number, day in enumerate(every(dice, after(life.since, 3), life.until, days, days // 3)):
        if number % 3 == 0:
            yield visit(life, day, "internist", ("I10", "E785"), "99213")
        elif number % 3 == 1:
            yield visit(life, day, "therapy", ("M5450",), "97110")
        else:
            yield laboratory(life, day, "internist", ("I10", "E785"), "80053")


def low_thyroid(life: Life, dice: Dice) -> Iterator[Claim]:
    start = after(life.now, -dice.between(300, 560))
    for day in every(dice, start, life.until, 365):
        yield laboratory(life, day, "internist", ("E039",), "84443")
    yield from fills(life, dice, DRUGS["levothyroxine"], "internist", after(start, 5), life.until)


def depression(life: Life, dice: Dice) -> Iterator[Claim]:
    start = after(life.now, -dice.between(500, 700))
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
    found = after(life.now, -dice.between(240, 330))
    yield outpatient(life, found, "emergency", ("R0602",), ("0450", "99285"), ("0320", "71046"))
    hospice_day = after(life.now, -dice.between(35, 80))
    for day in every(dice, after(found, 12), after(hospice_day, -5), 42, 3):
        yield visit(life, day, "oncology", ("C3490",), "99214")
        yield infusion(life, weekday(after(day, 1)), ("Z5111", "C3490"))
    days = (life.now - hospice_day).days + 1
    yield from hospice(life, hospice_day, days, ("C3490", "Z515"), "40")
