"""What leaves a record under a token without a demographic scope?  Whatever does not say who the person is.

Three rules take the rest out, at any depth, for every resource type, whatever source it comes from:

1. Declared: the `demographic_elements` of the record's plugin, and of the plugin of each contained record; narrative.
2. People: contained records about people go; of a reference to a person stays only where it points.
3. Named: what `bb2.fhir.personal` knows as the person's, wherever it stands, with the element that it labels.

The rest keeps its tokens: a number goes out as it was loaded (`1.00` stays `1.00`; FHIR, "decimal").
"""

import json

import orjson

from bb2.fhir.personal import MEDICARE_NUMBER, PERSONAL_KEYS, TELLING_KEYS, is_personal

ABOUT_PEOPLE = frozenset({"Patient", "RelatedPerson", "Person"})
#: Elements that refer to a person whatever the form of the reference (R4 and STU3).
PEOPLE_ELEMENTS = frozenset({"patient", "beneficiary", "subscriber", "policyHolder", "subject"})
OF_A_REFERENCE = frozenset({"reference", "type"})  #: what stays of a reference to a person
#: A coded value under these labels what stands beside it: Identifier.type, supportingInfo.category, Coding.code.
LABELS = frozenset({"type", "category", "code", "coding"})
SAME, CHANGED, GONE = range(3)  #: what became of an element


def redacted(body, resource, resources):
    """The JSON of a record (str) without what says who the person is; the same str where nothing does.

    `resource` is the record's FhirResource, `resources` {type: FhirResource} those that may be contained in it.
    """
    # An escape could hide a Medicare number from a look at the text, so escaped text is written plainly first.
    record = orjson.loads(body)
    text = orjson.dumps(record).decode() if "\\" in body else body
    numbers = MEDICARE_NUMBER.search(text) is not None
    if not _Redaction(record, resource, resources, numbers).changes:
        return body
    exact = json.loads(body, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    _Redaction(exact, resource, resources, numbers)
    return orjson.dumps(exact).decode()


class _Redaction:
    """Takes out of a record (a dict), in place, what the three rules name; `changes` says whether there was any."""

    def __init__(self, record, resource, resources, numbers):
        self.resources, self.numbers = resources, numbers
        self.people = {f"#{other.get('id')}" for other in _contained(record) if _is_person(other)}
        declared = self._remove_declared(record, resource)
        self.changes = self._clean(record, root=True) != SAME or declared

    # Rule 1

    def _remove_declared(self, record, resource):
        paths = [path.split(".") for path in resource.demographic_elements] if resource else []
        return any([_remove(record, path) for path in (*paths, ["text"])])

    # Rules 2 and 3

    def _clean(self, element, root=False):
        """Clean an object.  GONE: it says who the person is as a whole, or nothing is left of it."""
        removed, result = [], SAME
        is_record = root or "resourceType" in element
        if is_record and not root:
            if _is_person(element):
                return GONE
            if self._remove_declared(element, self.resources.get(element["resourceType"])):
                result = CHANGED
        for key, value in element.items():
            found = self._member(key, value, element)
            if found == GONE:
                if key in TELLING_KEYS or (key in LABELS and not is_record):
                    return GONE
                removed.append(key)
            elif found == CHANGED:
                result = CHANGED
        for key in removed:
            result = CHANGED
            element.pop(key, None)
        if result == CHANGED and not is_record and not element.keys() - {"url", "id"}:
            return GONE  # an extension that lost its value, an object that lost its elements
        return result

    def _member(self, key, value, element):
        """Clean the value of one key of an object."""
        if key in PERSONAL_KEYS:
            return GONE
        kind = value.__class__
        if kind is dict:
            if key in PEOPLE_ELEMENTS or self._refers_to_a_person(value):
                return self._only_where_it_points(value)
            return self._clean(value)
        if kind is list:
            return self._clean_list(key, value)
        if kind is str:
            if is_personal(key, value, element):
                return GONE
            if self.numbers and MEDICARE_NUMBER.search(value):
                return GONE
        return SAME

    def _clean_list(self, key, members):
        found = [self._member(key, member, {}) for member in members]
        if GONE in found:
            if key in LABELS or key.startswith("_"):
                return GONE  # the whole label; and what extends a list of values stays in step with it, or goes
            members[:] = [m for m, gone in zip(members, found, strict=True) if gone != GONE]
            return CHANGED if members else GONE
        return CHANGED if CHANGED in found else SAME

    def _refers_to_a_person(self, element):
        reference = element.get("reference")
        if isinstance(reference, str):
            return "Patient/" in reference or "Person/" in reference or reference in self.people
        return "display" in element and _is_person({"resourceType": element.get("type")})

    def _only_where_it_points(self, element):
        """Of a reference to a person, nothing but that; GONE where it points to a record that is taken out."""
        if not isinstance(element.get("reference"), str) or element["reference"] in self.people:
            return GONE
        more = element.keys() - OF_A_REFERENCE
        for key in more:
            del element[key]
        return CHANGED if more else SAME


def _remove(element, path):
    """Take out the element at a path, and the `_element` that extends it; True where there was one."""
    if isinstance(element, list):
        return any([_remove(member, path) for member in element])
    if not isinstance(element, dict):
        return False
    if len(path) > 1:
        return _remove(element.get(path[0]), path[1:])
    absent = object()
    return any([element.pop(key, absent) is not absent for key in (path[0], f"_{path[0]}")])


def _contained(record):
    contained = record.get("contained")
    return [c for c in contained if isinstance(c, dict)] if isinstance(contained, list) else []


def _is_person(element):
    kind = element.get("resourceType")
    return isinstance(kind, str) and kind in ABOUT_PEOPLE
