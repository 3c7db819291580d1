"""What leaves a record under a token without a demographic scope?  Whatever says who the person is.

Three rules, for every resource type, whatever source it comes from:

1. the `demographic_elements` that its plugin declares;
2. narrative (`text`), contained records about people, and the `display` and `identifier` of a reference to the patient;
3. any identifier of a person that CMS issues (Medicare number, HICN, their hashes), wherever it stands.
"""

import re

import orjson

#: Identifier systems that stand for the person (CMS, Blue Button identifier systems).
PERSONAL_SYSTEM = re.compile(r"us-mbi|us-medicare|hicn|mbi-hash|us-ssn", re.IGNORECASE)
PERSONAL_SYSTEM_BYTES = re.compile(PERSONAL_SYSTEM.pattern.encode(), re.IGNORECASE)
ABOUT_PEOPLE = {"Patient", "RelatedPerson", "Person"}


def redacted(body, resource):
    """The JSON of a record (str) without its demographic elements; the same str where it has none."""
    record = orjson.loads(body)
    before = _Removals()
    for path in resource.demographic_elements:
        before.remove(record, path.split("."))
    before.remove(record, ["text"])
    before.remove_people(record)
    before.remove_names_of_references(record)
    if PERSONAL_SYSTEM_BYTES.search(body.encode()):
        before.remove_personal_identifiers(record)
    return orjson.dumps(record).decode() if before.count else body


class _Removals:
    """Takes elements out of a record, and counts them."""

    def __init__(self):
        self.count = 0

    def remove(self, element, path):
        """Take out the element at a path, and the `_element` that extends it; a list stands for each of its members."""
        if isinstance(element, list):
            for member in element:
                self.remove(member, path)
        elif isinstance(element, dict):
            if len(path) > 1:
                self.remove(element.get(path[0]), path[1:])
            else:
                for key in (path[0], f"_{path[0]}"):
                    self.count += element.pop(key, self) is not self

    def remove_people(self, record):
        contained = record.get("contained")
        if isinstance(contained, list):
            kept = [c for c in contained if not (isinstance(c, dict) and c.get("resourceType") in ABOUT_PEOPLE)]
            self.count += len(contained) - len(kept)
            record["contained"] = kept
            for other in kept:
                self.remove(other, ["text"])
            if not kept:
                del record["contained"]

    def remove_names_of_references(self, element):
        """A reference may carry a name or a number of the person beside the id."""
        if isinstance(element, list):
            for member in element:
                self.remove_names_of_references(member)
        elif isinstance(element, dict):
            reference = element.get("reference")
            if isinstance(reference, str) and ("Patient/" in reference or "RelatedPerson/" in reference):
                self.remove(element, ["display"])
                self.remove(element, ["identifier"])
            for member in element.values():
                if isinstance(member, (dict, list)):
                    self.remove_names_of_references(member)

    def remove_personal_identifiers(self, element):
        if isinstance(element, list):
            kept = [member for member in element if not _is_personal(member)]
            self.count += len(element) - len(kept)
            element[:] = kept
            for member in element:
                self.remove_personal_identifiers(member)
        elif isinstance(element, dict):
            for key in [key for key, member in element.items() if _is_personal(member)]:
                self.remove(element, [key])
            for member in element.values():
                self.remove_personal_identifiers(member)


def _is_personal(element):
    system = element.get("system") if isinstance(element, dict) else None
    return isinstance(system, str) and bool(PERSONAL_SYSTEM.search(system))
