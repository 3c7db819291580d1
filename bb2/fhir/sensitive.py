"""Which records may a token see of those that carry a sensitivity, and how does one that goes out say so?

The label is `meta.security` of FHIR, with HL7's ActCode; a record is stored as it came, and labelled when it goes out.
"""

import json
from dataclasses import dataclass

import orjson

from bb2.sensitivities import Sensitivities

#: HL7 v3 ActCode, as each FHIR release names it.
ACT_CODE = {"v1": "http://hl7.org/fhir/v3/ActCode", "v2": "http://terminology.hl7.org/CodeSystem/v3-ActCode"}


@dataclass(frozen=True)
class Answers:
    """What a beneficiary answered about each sensitivity, {key: shared}; None: nobody asked, and nothing is shared."""

    sensitivities: Sensitivities
    shared: dict | None

    def withheld(self, resource):
        """(Withheld, …) of the records of a FhirResource."""
        return self.sensitivities.withheld(self.shared, resource.type)

    def labels(self, record, resource, version):
        """[Coding]: the security labels of a FhirRecord, one for each sensitivity that it carries."""
        carried = self.sensitivities.carried(resource.type, record.judgements, lambda: orjson.loads(record.body))
        return [{"system": ACT_CODE[version], "code": each.label, "display": each.label_display} for each in carried]


def hidden(record, withheld):
    """True where one of these Withheld hides a FhirRecord."""
    if not withheld:
        return False
    if record.judgements is not None:
        return not all(each.free in record.judgements for each in withheld)
    content = orjson.loads(record.body)
    return any(each.hides(content) for each in withheld)


def with_security(body, labels):
    """The JSON of a record (str) with these Codings in `meta.security` too; its numbers keep their digits."""
    record = json.loads(body, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    if not isinstance(record.get("meta"), dict):
        record["meta"] = {}
    kept = record["meta"].get("security")
    kept = kept if isinstance(kept, list) else []
    # A list, as what an odd record says there may be no key of a set.
    there = [(coding.get("system"), coding.get("code")) for coding in kept if isinstance(coding, dict)]
    more = [label for label in labels if (label["system"], label["code"]) not in there]
    record["meta"]["security"] = [*kept, *more]
    return orjson.dumps(record).decode()
