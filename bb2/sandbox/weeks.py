"""What becomes known of people as time goes by in a sandbox?  New claims each week, and old ones processed anew."""

from collections import Counter
from datetime import date, timedelta
from itertools import chain

from sqlalchemy import func, select

from bb2.clock import now
from bb2.fhir.dates import EPOCH, MICROSECOND, instant, to_instant
from bb2.fhir.load import load_records
from bb2.models import Record, SandboxPerson
from bb2.sandbox.dice import Dice
from bb2.sandbox.fill import Recipe, SandboxError
from bb2.sandbox.people import HORIZON
from bb2.scopes import API_VERSIONS

WEEK = timedelta(weeks=1)
#: A claim may be processed anew in the weeks after it came, each week with this probability.
ADJUSTABLE, ADJUSTED = 8 * WEEK, 0.05
#: Where each version says when a claim was processed.
PROCESSED = "nch_wkly_proc_dt"
INFORMATION = {"v1": "information", "v2": "supportingInfo"}


def advance(db, of: Recipe, person: SandboxPerson, weeks: int, resources, sensitivities) -> Counter:
    """Bring the records of some weeks to a person's others; returns Counter({"new": claims, "adjusted": claims}).

    What comes follows from the recipe and the day; when it was last updated is now, or after all that was there, so
    that an app that asks for what is new gets it.  Needs the caller's transaction.  Raises SandboxError at the end of
    the sandbox's time.
    """
    db.refresh(person, with_for_update=True)  # another command may be bringing the same weeks at this moment
    day, later = person.day, person.day + weeks * WEEK
    if later > HORIZON:
        raise SandboxError(f"time in a sandbox ends on {HORIZON}; `bb2 sandbox reset` begins a person anew")
    who = of.person(person.number)
    before, after = who.records(day), who.records(later)
    moment = _moment(db, person.beneficiary.patient, after)
    claims = Counter()
    for version in after:
        came = _not_in(before[version], after[version])
        anew = [record for record in _adjust(version, after[version], of, day, later) if record not in came]
        for record in (changed := [*came, *anew]):
            record["meta"]["lastUpdated"] = moment
        served = [record for record in changed if record["resourceType"] in resources]
        load_records(db, resources, version, served, sensitivities)
        claims = Counter(new=sum(map(_is_claim, came)), adjusted=len(anew))  # the same in both versions
    person.day = later
    return claims


def _not_in(before, after):
    """The records of a later day that an earlier one had not, or not so."""
    known = {(record["resourceType"], record["id"]): record for record in before}
    return [record for record in after if known.get((record["resourceType"], record["id"])) != record]


def _adjust(version, records, of, day, later):
    """Let some claims be processed anew in the weeks since `day`; returns them, which are the same in both versions."""
    adjusted = {}
    while (day := day + WEEK) <= later:
        friday = day - timedelta(days=(day.weekday() - 4) % 7)
        for record in filter(_is_claim, records):
            dice = Dice("sandbox", of.seed, "adjusted", record["id"], day)
            recent = day - ADJUSTABLE <= _loaded(record) <= day - WEEK
            if recent and dice.chance(ADJUSTED) and _process(version, record, friday):
                adjusted[record["id"]] = record
    return list(adjusted.values())


def _process(version, record, friday):
    """Let a claim be processed on another day; False for one that does not say when it was."""
    for information in record.get(INFORMATION[version], ()):
        if PROCESSED in str(information["category"]) + str(information.get("code")):
            information["timingDate"] = str(friday)
            return True
    return False


def _loaded(record):
    return date.fromisoformat(record["meta"]["lastUpdated"][:10])


def _is_claim(record):
    return "billablePeriod" in record


def _moment(db, patient, records):
    """A FHIR instant: now, but after all that is there of the person, and not before a day that a record tells of."""
    types = select(Record.resource_type).distinct()
    there = select(func.max(Record.last_updated)).where(
        Record.version.in_(API_VERSIONS), Record.resource_type.in_(types), Record.patient == patient
    )
    made = [instant(record["meta"]["lastUpdated"]) for record in chain(*records.values())]
    present = (now(db).replace(tzinfo=None) - EPOCH) // MICROSECOND
    return to_instant(max(present, (db.scalar(there) or 0) + 1000, *made))
