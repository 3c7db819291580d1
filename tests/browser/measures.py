"""What is wrong with a page at 400 % zoom, with wide spacing, by its targets and by its focus."""

from pathlib import Path

#: A desktop of 1280 by 1024 pixels at 400 % (WCAG 2.2, 1.4.10), of one who wants no motion.
ZOOMED = {"viewport": {"width": 320, "height": 256}, "reduced_motion": "reduce"}
MEASURES = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def measure(person, name):
    """The faults of the page that a person sees, {which page, and what: where}."""
    found = person.page.evaluate(MEASURES)
    return {f"{name}, {person.language}, {what}": where for what, where in found.items() if where}
