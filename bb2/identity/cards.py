"""What stands on a Medicare card, and whose is it?  What people type, and the records that it is compared with."""

import re
from dataclasses import dataclass
from unicodedata import category, combining, normalize

import orjson
from sqlalchemy import literal, select

from bb2.fhir.index import values_at
from bb2.models import MEDICARE_NUMBER, Record, RecordIndex
from bb2.scopes import API_VERSIONS

#: The positions of CMS, "Understanding the MBI", with any letter: a sandbox's numbers have an S.
NUMBER = re.compile(r"[1-9][A-Z][A-Z0-9][0-9][A-Z][A-Z0-9][0-9][A-Z]{2}[0-9]{2}")
#: An MBI has none of these letters, so that nobody takes them for digits; who does so is understood.
MISREAD = str.maketrans("OIL", "011")
SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "v", "esq", "md"}
OWN, COVERAGE = "Patient", "Coverage"
NOBODY = ""  # the Patient.id that nobody has
PARTS = {"Part A", "Part B"}


def medicare_number(typed):
    """The Medicare number as records have it, typed with or without dashes, in capitals or not; None: it is none."""
    plain = "".join(c for c in normalize("NFKC", typed).upper() if c.isalnum()).translate(MISREAD)
    return plain if NUMBER.fullmatch(plain) else None


def family_name(typed):
    """What counts of a family name: its letters, without case, accents, hyphens, apostrophes and a suffix."""
    plain = "".join(c for c in normalize("NFKD", typed.casefold()) if not combining(c))
    words = "".join(c if c.isalpha() and category(c) != "Lm" else " " for c in plain).split()
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return "".join(words)


def patients_with(db, number):
    """The Patient.ids of the people who have this Medicare number, or had it."""
    entry = RecordIndex.__table__.c
    # To the letter, and not as a parameter: only so does a database know that its index has just these.
    of_cards = entry.system == literal(MEDICARE_NUMBER, literal_execute=True)
    found = select(Record.patient).join(RecordIndex, RecordIndex.record_number == Record.number)
    return sorted(set(db.scalars(found.where(of_cards, entry.value == number.lower()))))


def cards_with(db, number):
    """[(Patient.id, Card)] of the people who have this Medicare number, or had it.

    Where nobody has, that of nobody: to look for it takes as long.
    """
    return [(patient, Card.of(db, patient)) for patient in patients_with(db, number) or [NOBODY]]


@dataclass(frozen=True)
class Card:
    """What the records of one person say, of every API version together, the newest first."""

    own: list[dict]
    coverages: list[dict]

    @classmethod
    def of(cls, db, patient):
        """The records of the person with this Patient.id; empty where there are none."""
        theirs = select(Record.resource_type, Record.body).where(
            Record.patient == patient,
            Record.resource_type.in_((OWN, COVERAGE)),
            Record.version.in_(API_VERSIONS),
        )
        found = [(kind, orjson.loads(body)) for kind, body in db.execute(theirs.order_by(Record.version.desc()))]
        return cls([record for kind, record in found if kind == OWN], [r for kind, r in found if kind == COVERAGE])

    def _texts(self, *path):
        return [value for value in values_at(self.own, list(path)) if isinstance(value, str)]

    @property
    def family_names(self):
        return {family_name(name) for name in self._texts("name", "family")} - {""}

    @property
    def born(self):
        """Days, as FHIR writes them."""
        return set(self._texts("birthDate"))

    @property
    def sexes(self):
        return {sex for sex in self._texts("gender") if sex in ("male", "female")}

    @property
    def has_died(self):
        deceased = values_at(self.own, ["deceasedBoolean"]) + values_at(self.own, ["deceasedDateTime"])
        return any(value is not False for value in deceased)

    @property
    def starts(self):
        """The days on which Part A and Part B began, as the card has them, whether they have ended or not."""
        parts = [coverage for coverage in self.coverages if PARTS & set(_plans(coverage))]
        return {start[:10] for start in values_at(parts, ["period", "start"]) if isinstance(start, str)}

    def is_of(self, told, today):
        """Does it say the same as somebody who told their `number`, `last_name` and day of birth (`born`)?"""
        return all(
            (
                self.has_number(told.number, today),
                family_name(told.last_name) in self.family_names,
                told.born.isoformat() in self.born,
            )
        )

    def has_number(self, number, today):
        """Is it the Medicare number that is in force?  Another one was taken back, as it may be in wrong hands."""
        return any(
            values_at(identifier, ["system"]) == [MEDICARE_NUMBER]
            and medicare_number("".join(map(str, values_at(identifier, ["value"])))) == number
            and not _is_past(identifier, today)
            for identifier in values_at(self.own, ["identifier"])
        )

    @property
    def name(self):
        """(given name, family name)"""
        given, family = self._texts("name", "given"), self._texts("name", "family")
        return next(iter(given), ""), next(iter(family), "")

    @property
    def address(self):
        """(five digits of the ZIP code, city, state), each "" if unknown, of the newest version with a ZIP code."""
        addresses = [address for address in values_at(self.own, ["address"]) if isinstance(address, dict)]
        known = next((address for address in addresses if isinstance(address.get("postalCode"), str)), {})
        zip_code, city, state = (str(known.get(part) or "") for part in ("postalCode", "city", "state"))
        return zip_code[:5], city, state


def _plans(coverage):
    """The names of a Coverage's plan, as one version or the other has it."""
    paths = ["grouping", "subPlan"], ["class", "value"], ["type", "coding", "code"]
    return [value for path in paths for value in values_at(coverage, path) if isinstance(value, str)]


def _is_past(identifier, today):
    """CMS marks an earlier number `historic`: in version 1 beside it, in version 2 in its type."""
    marks = ["extension", "valueCoding", "code"], ["type", "coding", "extension", "valueCoding", "code"]
    ends = [end for end in values_at(identifier, ["period", "end"]) if isinstance(end, str)]
    return any("historic" in values_at(identifier, path) for path in marks) or any(end < today for end in ends)
