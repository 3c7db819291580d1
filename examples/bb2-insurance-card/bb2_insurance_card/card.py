"""What stands on the card, and how is it drawn?  From the person's records, as far as a token shows them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typst

TEMPLATE = Path(__file__).with_name("card.typ")
#: In the words of the card that Medicare sends, and beyond it.
PARTS = {
    "Part A": "HOSPITAL (PART A)",
    "Part B": "MEDICAL (PART B)",
    "Part C": "ADVANTAGE PLAN (PART C)",
    "Part D": "DRUGS (PART D)",
}
LONGEST = 60  #: characters of a name that the card has room for
PIXELS_PER_INCH = 300


@dataclass(frozen=True)
class Card:
    """What the card says."""

    parts: tuple[tuple[str, str], ...]  #: (words, since when), in the order of PARTS
    name: str = ""
    number: str = ""

    @classmethod
    def of(cls, coverages, patient=None, today=None):
        """From Coverages and the Patient (dicts, FHIR R4); None where no part of Medicare is active.

        What was taken out of them is not on the card either.
        """
        today = today or datetime.now(UTC).date().isoformat()
        active = {_part(coverage): coverage for coverage in coverages if _is_active(coverage, today)}
        parts = tuple((words, _since(active[part])) for part, words in PARTS.items() if part in active)
        numbers = [coverage["subscriberId"] for coverage in active.values() if coverage.get("subscriberId")]
        return cls(parts, _name(patient or {}), _grouped(numbers[0]) if numbers else "") if parts else None

    def drawn(self, format):
        """The card as bytes: `pdf` (with text that can be read aloud: PDF/UA-1) or `png`."""
        said = {"name": self.name, "number": self.number, "parts": json.dumps(self.parts)}
        if format == "png":
            return typst.compile(TEMPLATE, format="png", ppi=PIXELS_PER_INCH, sys_inputs=said, ignore_system_fonts=True)
        try:
            return _pdf(said, pdf_standards=["ua-1"])
        except typst.TypstError:  # a letter that the font does not have is no PDF/UA, and no reason to give no card
            return _pdf(said)


def _pdf(said, **options):
    return typst.compile(TEMPLATE, format="pdf", sys_inputs=said, ignore_system_fonts=True, **options)


def _part(coverage):
    """`Part A`: the plan of a Medicare Coverage, as CMS writes it."""
    for each in coverage.get("class", ()):
        if any(coding.get("code") == "plan" for coding in each.get("type", {}).get("coding", ())):
            return each.get("value")
    return None


def _is_active(coverage, today):
    """FHIR dates of any precision: one that ends in 2026 ends with that year."""
    end = coverage.get("period", {}).get("end", "")[:10]
    return coverage.get("status") == "active" and (not end or end >= today[: len(end)])


def _since(coverage):
    """As Medicare writes dates: 03-01-2016; nothing where it is not known to the day."""
    year, _, rest = coverage.get("period", {}).get("start", "")[:10].partition("-")
    return f"{rest}-{year}" if len(rest) == len("03-01") else ""


def _name(patient):
    names = patient.get("name", ())
    chosen = next((name for name in names if name.get("use") in ("official", "usual")), names[0] if names else {})
    return " ".join([*chosen.get("given", ()), chosen.get("family", "")]).strip().upper()[:LONGEST]


def _grouped(number):
    """A Medicare number as the card shows it: 1EG4-TE5-MK73."""
    return f"{number[:4]}-{number[4:7]}-{number[7:]}" if len(number) == len("1EG4TE5MK73") else number
