"""What of a record goes out under a token without a demographic scope?  All but what says who the person is.

Three rules take the rest out, at any depth, for every resource type, whatever source it comes from:

1. Declared: the `demographic_elements` of the record's plugin, and of the plugin of each contained record; narrative.
2. People: contained records about people go; of a reference to a person stays only where it points.
3. Named: what `bb2.fhir.personal` knows as the person's, wherever it stands, with the element that it labels.

The rest keeps its tokens: a number goes out as it was loaded (`1.00` stays `1.00`; FHIR, "decimal").
"""

import json
import re

import orjson

from bb2.fhir.personal import MEDICARE_NUMBER, NAMING_KEYS, PERSONAL_KEYS, is_personal, may_hold_a_medicare_number

ABOUT_PEOPLE = frozenset({"Patient", "RelatedPerson", "Person"})
#: Elements that refer to a person whatever the form of the reference (R4 and STU3).
PEOPLE_ELEMENTS = frozenset({"patient", "beneficiary", "subscriber", "policyHolder", "subject"})
OF_A_REFERENCE = frozenset({"reference", "type"})  #: what stays of a reference to a person
PERSON_REFERENCE = re.compile(r"(?:Patient|Person)[/?]")
#: A reference that says where, and no more: relative or absolute, contained, or a URN.
POINTS_ONLY = re.compile(
    r"(?:https?://[^?#\s]*/)?[A-Za-z]+/[A-Za-z0-9.\-]{1,64}|#[A-Za-z0-9.\-]{1,64}|urn:[A-Za-z0-9:.\-]+"
)
#: A coded value under these labels what stands beside it: Identifier.type, supportingInfo.category, Coding.code.
LABELS = frozenset({"type", "category", "code", "coding"})
SAME, CHANGED, GONE = range(3)  #: what became of an element
SAYING_KEYS = NAMING_KEYS | PERSONAL_KEYS
_ABSENT = object()


def redacted(body, resource, resources):
    """The JSON of a record (str) without what says who the person is; the same str where nothing does.

    `resource` is the record's FhirResource, `resources` {type: FhirResource} those that may be contained in it.
    """
    # An escape could hide a Medicare number from a look at the text, so escaped text is written plainly first.
    record = orjson.loads(body)
    text = orjson.dumps(record).decode() if "\\" in body else body
    numbers = may_hold_a_medicare_number(text)
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
        return sum(_remove(record, path) for path in (*paths, ["text"])) > 0

    # Rules 2 and 3

    def _clean(self, element, root=False):
        """Clean an object.  GONE: it says who the person is as a whole, or nothing is left of it."""
        is_record, result, removed = root or "resourceType" in element, SAME, []
        if is_record and not root:
            if _is_person(element):
                return GONE
            if self._remove_declared(element, self.resources.get(str(element["resourceType"]))):
                result = CHANGED
        for key, value in element.items():
            if value.__class__ is str and key not in SAYING_KEYS and not self.numbers:
                continue  # most of a record
            found = self._member(key, value, element)
            if found == GONE:
                if not root and (key in NAMING_KEYS or key in LABELS):
                    return GONE
                removed.append(key)
            elif found == CHANGED:
                result = CHANGED
        for key in removed:
            _remove(element, [key])
        if not removed and result == SAME:
            return SAME
        if not is_record and not element.keys() - {"url", "id"}:
            return GONE  # an extension that lost its value, an object that lost its elements
        return CHANGED

    def _member(self, key, value, element):
        """Clean the value of one key of an object, or one member of the list under it."""
        kind = value.__class__
        if kind is str:
            if key in NAMING_KEYS and is_personal(key, value, element.get("system")):
                return GONE
            if self.numbers and MEDICARE_NUMBER.search(value):
                return GONE
            return GONE if key in PERSONAL_KEYS else SAME
        if key in PERSONAL_KEYS:
            return GONE
        if kind is dict:
            points = key in PEOPLE_ELEMENTS or self._refers_to_a_person(value)
            return self._only_where_it_points(value) if points else self._clean(value)
        return self._clean_list(key, value) if kind is list else SAME

    def _clean_list(self, key, members):
        found = [self._member(key, member, {}) for member in members]
        if GONE not in found:
            return CHANGED if CHANGED in found else SAME
        if key in LABELS or not all(isinstance(member, dict) for member in members):
            return GONE  # the whole label; and a list of plain values goes whole, in step with the list that extends it
        members[:] = [m for m, gone in zip(members, found, strict=True) if gone != GONE]
        return CHANGED if members else GONE

    def _refers_to_a_person(self, element):
        if "reference" not in element and "type" not in element:
            return False
        reference, kind = element.get("reference"), element.get("type")
        if isinstance(reference, str) and PERSON_REFERENCE.search(reference):
            return True
        return (isinstance(reference, str) and reference in self.people) or _names_a_person_type(kind)

    def _only_where_it_points(self, element):
        """Of a reference to a person, nothing but that; GONE where it points to a record that is taken out."""
        reference = element.get("reference")
        if not isinstance(reference, str) or not POINTS_ONLY.fullmatch(reference) or MEDICARE_NUMBER.search(reference):
            return GONE
        if reference in self.people:
            return GONE
        more = element.keys() - OF_A_REFERENCE
        for key in more:
            del element[key]
        return CHANGED if more else SAME


def _remove(element, path):
    """Take out the element at a path, and the `_element` that extends it; True where there was one."""
    if isinstance(element, list):
        removed = sum(_remove(member, path) for member in element) > 0
        element[:] = [member for member in element if not removed or member != {}]
        return removed
    if not isinstance(element, dict):
        return False
    key, *rest = path
    if not rest:
        return sum(element.pop(k, _ABSENT) is not _ABSENT for k in (key, f"_{key}")) > 0
    removed = _remove(element.get(key), rest)
    if removed and not element[key]:
        del element[key]
    return removed


def _contained(record):
    contained = record.get("contained")
    return [c for c in contained if isinstance(c, dict)] if isinstance(contained, list) else []


def _is_person(record):
    return _names_a_person_type(record.get("resourceType"))


def _names_a_person_type(text):
    return isinstance(text, str) and text.rpartition("/")[2].strip() in ABOUT_PEOPLE
