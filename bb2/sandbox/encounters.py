"""How does one piece of care become a claim?  A visit, a test, a stay, a prescription filled."""

from collections.abc import Iterator
from datetime import date, timedelta

from bb2.sandbox.claims import Claim, Fill, Life, Line, Stay
from bb2.sandbox.codes import DRGS, PLACES, REVENUE, SERVICES, TYPES_OF_SERVICE, Code, Drug, icd, named
from bb2.sandbox.costs import percent
from bb2.sandbox.dice import Dice

#: What providers charge, in percent of what Medicare allows.
MARKUP = 235
#: By type of service: rented, bought new, under a plan of physical therapy (HCPCS level II).
_MODIFIERS = {"R": "RR", "P": "NU", "W": "GP"}
#: Surgery that is done on one side: here always the right one.
_RIGHT = ("27236", "27447", "66984")


def after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def weekday(day: date) -> date:
    """The day itself, or the Monday after a weekend: offices are closed."""
    return after(day, max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def every(dice: Dice, first: date, last: date, days: int, slack: int = 7) -> Iterator[date]:
    """Appointments about that many days apart, on weekdays."""
    day = first
    while day <= last:
        yield weekday(day)
        day = after(day, days + dice.between(-slack, slack))


def service_line(code: str, day: date, place: str = "11", quantity: int = 1, **more: object) -> Line:
    service = SERVICES[code]
    allowed = service.fee * quantity
    modifier = "RT" if code in _RIGHT else _MODIFIERS.get(service.type)
    return Line(
        service.code,
        day,
        percent(allowed, MARKUP),
        allowed,
        quantity,
        service.shared,
        place=named(PLACES, place),
        type=named(TYPES_OF_SERVICE, service.type),
        modifiers=(modifier,) if modifier else (),
        **more,
    )


def visit(life: Life, day: date, who: str, why: tuple[str, ...], *services: str, place: str = "11") -> Claim:
    """A doctor's, a therapist's or an ambulance's bill; a visit of medium length if no service is named."""
    doctor = life.near[who]
    lines = tuple(service_line(code, day, place) for code in services or ("99214",))
    return Claim("carrier", day, day, doctor, icd(*why), lines, (("performing", doctor),))


def laboratory(
    life: Life, day: date, who: str, why: tuple[str, ...], *tests: str, hemoglobin: int | None = None
) -> Claim:
    """Blood tests that the doctor `who` asked for."""
    day = weekday(day)
    bench, doctor = life.near["laboratory"], life.near[who]
    lines = tuple(service_line(test, day, "81", hemoglobin=hemoglobin if test == "85018" else None) for test in tests)
    return Claim("carrier", day, day, bench, icd(*why), lines, (("performing", bench),), referring=doctor)


def outpatient(life: Life, day: date, who: str, why: tuple[str, ...], *services: tuple[str, str]) -> Claim:
    """Care in a hospital without a bed: (revenue center, service) each."""
    hospital, doctor = life.near["hospital"], life.near[who]
    lines = tuple(service_line(code, day, revenue=named(REVENUE, revenue)) for revenue, code in services)
    return Claim("outpatient", day, day, hospital, icd(*why), lines, (("attending", doctor),))


def dialysis(life: Life, first: date, last: date, treatments: int, why: tuple[str, ...]) -> Claim:
    """A month in a dialysis facility: each treatment has a price, and so has the drug against anemia."""
    facility, doctor = life.near["dialysis"], life.near["nephrology"]
    lines = (
        # V7: through an arteriovenous fistula
        service_line("90999", first, "65", treatments, revenue=named(REVENUE, "0821"))._replace(modifiers=("V7",)),
        service_line("Q4081", first, "65", treatments * 30, revenue=named(REVENUE, "0634")),
    )
    return Claim("outpatient", first, last, facility, icd(*why), lines, (("attending", doctor),))


def equipment(life: Life, day: date, who: str, why: tuple[str, ...], code: str, quantity: int = 1) -> Claim:
    supplier = life.near["equipment"]
    line = service_line(code, day, "12", quantity)
    team = (("performing", supplier),)
    return Claim("dme", day, day, supplier, icd(*why), (line,), team, referring=life.near[who])


def fills(life: Life, dice: Dice, drug: Drug, who: str, first: date, last: date, days: int = 90) -> Iterator[Claim]:
    """A medicine taken from the first day to the last, fetched when it runs out or a little later."""
    pharmacy, doctor = life.near["pharmacy"], life.near[who]
    day, refill = first, 0
    while day <= min(last, life.until):
        price = percent(drug.daily * days, 95 + dice.below(11))
        line = Line(drug.code, day, price, price, drug.units * days, place=named(PLACES, "01"))
        yield Claim("pde", day, day, pharmacy, (), (line,), (("prescribing", doctor),), fill=Fill(drug, days, refill))
        day = after(day, days + dice.between(0, 9))
        # A prescription is good for a year: then the doctor writes a new one.
        refill = (refill + 1) % (360 // days)


def admission(
    life: Life,
    day: date,
    nights: int,
    why: tuple[str, ...],
    drg: str,
    allowed: int,
    treatment: Code | None = None,
    surgeon: str | None = None,
    revenue: str = "0250",
    discharge: str = "01",
    emergency: bool = True,
) -> Claim:
    """A hospital stay, paid as a whole by its diagnosis related group."""
    charge = percent(allowed, 320)
    shares = (("0120", 38, nights), (revenue, 34, 1), ("0270", 16, 1), ("0300", 12, 1))
    lines = tuple(
        Line(None, day, percent(charge, share), 0, quantity, revenue=named(REVENUE, center))
        for center, share, quantity in shares
    )
    doctor = life.near[surgeon or "internist"]
    team = (("operating", doctor), ("attending", doctor)) if surgeon else (("attending", doctor),)
    stay = Stay(day, named(DRGS, drg), allowed, emergency, discharge, days=nights)
    procedures = ((treatment, after(day, 1)),) if treatment else ()
    end = after(day, nights)
    return Claim("inpatient", day, end, life.near["hospital"], icd(*why), lines, team, procedures, stay=stay)


def skilled_nursing(life: Life, hospital: Claim, days: int, why: tuple[str, ...]) -> Claim:
    """Rehabilitation after a hospital stay of three days or more (42 CFR 409.30), paid by the day."""
    day, allowed = hospital.end, 58_730 * days
    lines = (
        Line(SERVICES["KAQE1"].code, day, 0, 0, days, revenue=named(REVENUE, "0022")),
        Line(None, day, percent(allowed, 140), 0, days, revenue=named(REVENUE, "0120")),
        Line(None, day, percent(allowed, 45), 0, days, revenue=named(REVENUE, "0420")),
    )
    stay = Stay(day, allowed=allowed, discharge="06", days=days, qualifying=(hospital.start, hospital.end))
    team = (("attending", life.near["internist"]),)
    return Claim("snf", day, after(day, days), life.near["nursing"], icd(*why), lines, team, stay=stay)


def home_health(life: Life, day: date, visits: int, why: tuple[str, ...], last: bool = True) -> Claim:
    """Thirty days of care at home; the period has one price, the visits are listed (42 CFR 484.205)."""
    nursing = [after(day, 29 * visit // visits) for visit in range(visits)]
    lines = [service_line("2EB11", day, "12", revenue=named(REVENUE, "0023"))]
    for place, each in enumerate(nursing):
        code, center = (("G0151", "0420"), ("G0299", "0551"))[place % 2]
        lines.append(
            Line(SERVICES[code].code, each, 21_500, 0, 3, shared=False, revenue=named(REVENUE, center)),
        )
    stay = Stay(day, discharge="01" if last else "30", visits=visits)
    team = (("attending", life.near["internist"]),)
    agency = life.near["home health"]
    return Claim("hha", day, after(day, 29), agency, icd(*why), tuple(lines), team, stay=stay)


def hospice(life: Life, day: date, days: int, why: tuple[str, ...], discharge: str) -> Iterator[Claim]:
    """Comfort at home, billed by the calendar month; the last claim says how it ended."""
    first, last, month_start = day, after(day, days - 1), day
    while month_start <= last:
        next_month = after(month_start.replace(day=28), 4).replace(day=1)
        end = min(last, after(next_month, -1))
        count = (end - month_start).days + 1
        lines = (service_line("Q5001", month_start, "12", count, revenue=named(REVENUE, "0651")),)
        if end == last and discharge == "40":
            nurse = Line(SERVICES["G0299"].code, end, 21_500, 0, 4, False, named(REVENUE, "0551"), modifiers=("PM",))
            lines += (nurse,)  # the visit after the death
        period = 1 + (month_start - first).days // 90
        status = discharge if end == last else "30"
        stay = Stay(first, discharge=status, days=count, hospice_period=period)
        team = (("attending", life.near["internist"]),)
        yield Claim("hospice", month_start, end, life.near["hospice"], icd(*why), lines, team, stay=stay)
        month_start = next_month
