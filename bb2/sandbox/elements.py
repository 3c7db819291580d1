"""How are the small elements written that both FHIR versions write alike?"""

from collections.abc import Iterator
from datetime import date, datetime

from bb2.sandbox.claims import Claim
from bb2.sandbox.codes import Code
from bb2.sandbox.systems import VARIABLE


def coding(system: str, code: str, display: str | None = None) -> dict:
    if display:
        return {"system": system, "code": code, "display": display}
    return {"system": system, "code": code}


def concept(*codings: dict) -> dict:
    return {"coding": list(codings)}


def variable(name: str, code: Code) -> dict:
    """A coding in the value list of a CMS variable: each variable is its own code system."""
    return coding(VARIABLE + name, code.code, code.display)


def extension(name: str, key: str, value: object) -> dict:
    return {"url": VARIABLE + name, key: value}


def coded(name: str, code: Code) -> dict:
    return extension(name, "valueCoding", variable(name, code))


def identified(name: str, value: str) -> dict:
    return extension(name, "valueIdentifier", {"system": VARIABLE + name, "value": value})


def counted(name: str, count: int) -> dict:
    return extension(name, "valueQuantity", {"value": count})


def dollars(cents: int) -> float:
    """The nearest decimal, so that it is written with the cents and no more."""
    return cents / 100


def instant(moment: datetime) -> str:
    """FHIR's instant: to the millisecond, with the time zone; all here is UTC."""
    return moment.isoformat(timespec="milliseconds") + "+00:00"


def period(start: date, end: date) -> dict:
    return {"start": start.isoformat(), "end": end.isoformat()}


def observations(claim: Claim) -> Iterator[dict]:
    """The blood tests whose results lines give, to be contained."""
    for sequence, line in enumerate(claim.lines, start=1):
        if line.hemoglobin:
            yield {
                "resourceType": "Observation",
                "id": f"line-observation-{sequence}",
                "status": "unknown",
                "code": concept(variable("line_hct_hgb_type_cd", Code("R1", "Hemoglobin Test"))),
                "valueQuantity": {"value": line.hemoglobin / 10},
            }
