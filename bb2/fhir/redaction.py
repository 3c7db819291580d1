"""What of a record goes out under a token without a demographic scope?  All but what says who the person is.

Four rules take the rest out, at any depth, for every resource type, whatever source it comes from:

1. Declared: the `demographic_elements` of the record's plugin, and of the plugin of each contained record; narrative.
2. People and places: of contained records only those of kinds that are known to be about care go out; a reference to
   any other, or to a person, says only where it points.
3. Named: what `bb2.fhir.personal` knows as the person's, wherever it stands, with the element that it labels.
4. Unknown: what could say it and cannot be judged goes too: names, addresses and papers outside a provider, free text
   in extensions and supporting information, extensions that neither HL7 nor CMS defines.

Nothing here knows the person, so what goes out is the same whoever they are: a guess cannot be confirmed by it.
The rest keeps its tokens: a number goes out as it was loaded (`1.00` stays `1.00`; FHIR, "decimal").
"""

import json
import re
from functools import cache

import orjson

from bb2.fhir.personal import (
    MEDICARE_NUMBER,
    NAMING_KEYS,
    PERSONAL_KEYS,
    PROVIDERS_HAVE_THEM_TOO,
    is_personal,
    is_unknown,
    may_hold_a_medicare_number,
    words_say_person_number,
)

ABOUT_PEOPLE = frozenset({"Patient", "RelatedPerson", "Person"})
PROVIDERS = frozenset({"Organization", "Practitioner", "PractitionerRole"})
#: Records about care: they may be contained, and what refers to them may name them.  A Location can be a home, an
#: Account or a Group can be a family's.
ABOUT_CARE = PROVIDERS | {
    *("Condition", "Medication", "MedicationRequest", "Observation", "Procedure"),
    *("ProcedureRequest", "ReferralRequest", "ServiceRequest"),
}
#: Elements that refer to a person, or to anything at all: they never say more than where they point (R4 and STU3).
PEOPLE_ELEMENTS = frozenset({"patient", "beneficiary", "subscriber", "policyHolder", "subject"})
POINTING_ELEMENTS = PEOPLE_ELEMENTS | {"valueReference", "locationReference", "authorReference"}
#: Elements that may name what they refer to in words alone: providers, payers, and the orders between them.
NAMED_ELEMENTS = frozenset(
    {
        *("provider", "facility", "organization", "insurer", "payor", "assigner", "referral", "requester", "agent"),
        *("recipient", "performer", "practitioner", "onBehalfOf", "managingOrganization", "partOf"),
        *("coding", "valueCoding"),
    }
)
OF_A_REFERENCE = frozenset({"reference", "type"})  #: what stays of a reference to a person
#: A reference that says where, and no more: relative or absolute, of a version or not, contained, or a URN.
POINTS_ONLY = re.compile(
    r"(?:https?://[^?#\s]*/)?[A-Za-z]+/[A-Za-z0-9.\-]{1,64}(?:/_history/[A-Za-z0-9.\-]{1,64})?"
    r"|#[A-Za-z0-9.\-]{1,64}|urn:[A-Za-z0-9:.\-]+"
)
TARGET = re.compile(
    r"(?:https?://[^?#\s]*/)?(?P<type>[A-Za-z]+)/[A-Za-z0-9.\-]{1,64}(?:/_history/[A-Za-z0-9.\-]{1,64})?"
)
#: A coded value under these labels what stands beside it: Identifier.type, supportingInfo.category, Coding.code.
LABELS = frozenset({"type", "category", "code", "coding"})
IN_WORDS = frozenset({"valueString", "_valueString"})
EXTENSIONS = frozenset({"extension", "modifierExtension"})
OF_A_PLACE = frozenset({"state", "country"})  #: what stays of where care was given, as that can be at home
OF_WHAT_EXTENDS = frozenset({"id", "extension"})  #: FHIR, "JSON": what may extend a plain value
ALWAYS_DECLARED = ("text", "meta.source", "processNote.text")  #: what is written for or about this one person
ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")  #: of orjson's JSON
SAME, CHANGED, GONE = range(3)  #: what became of an element
HIDDEN_KEYS = PERSONAL_KEYS | PROVIDERS_HAVE_THEM_TOO
#: Elements whose text is looked at, even where it holds no Medicare number, and those whose objects are.
SAYING_KEYS = NAMING_KEYS | HIDDEN_KEYS | PEOPLE_ELEMENTS | IN_WORDS
LOOKED_AT = HIDDEN_KEYS | POINTING_ELEMENTS | {"contained", "locationAddress", "name", "tag", "type", "valueIdentifier"}
NOTHING = {}
_ABSENT = object()


def redacted(body, resource, resources):
    """The JSON of a record (str) without what says who the person is; the same str where nothing does.

    `resource` is the record's FhirResource, `resources` {type: FhirResource} those that may be contained in it.
    """
    record = orjson.loads(body)
    # An escape could hide a Medicare number from a look at the text, so escaped text is written plainly first; what
    # is written as an escape even then (a tab, a quote) is no letter or digit, and may stand within a number.
    plain = ESCAPE.sub("-", orjson.dumps(record).decode()) if "\\" in body else body
    numbers = may_hold_a_medicare_number(plain)
    if not _Redaction(record, resource, resources, numbers).changes:
        return body
    if orjson.dumps(orjson.loads(body)).decode() == body:  # it writes each token as it was: nearly every stored record
        return orjson.dumps(record).decode()
    exact = json.loads(body, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    _Redaction(exact, resource, resources, numbers)
    return orjson.dumps(exact).decode()


class _Redaction:
    """Takes out of a record (a dict), in place, what the four rules name; `changes` says whether there was any."""

    def __init__(self, record, resource, resources, numbers):
        self.resources, self.numbers = resources, numbers
        self.in_provider = False  #: names and addresses are a provider's here
        self.hidden = {f"#{other.get('id')}" for other in _contained(record) if not self._is_about_care(other)}
        declared = self._remove_declared(record, resource)
        self.changes = self._clean("", record, root=True) != SAME or declared

    # Rule 1

    def _remove_declared(self, record, resource):
        paths = _paths(resource.demographic_elements if resource else ())
        return sum([_remove(record, path) for path in paths]) > 0

    # Rule 2

    def _is_about_care(self, record):
        kind = record.get("resourceType")
        return isinstance(kind, str) and self._is_type_of_care(kind)

    def _is_type_of_care(self, kind):
        return kind in ABOUT_CARE or (kind in self.resources and kind not in ABOUT_PEOPLE)

    def _clean_contained(self, record):
        """Clean a record within a record, of which the rules hold as of any."""
        if not self._is_about_care(record):
            return GONE
        declared = self._remove_declared(record, self.resources.get(record["resourceType"]))
        before, self.in_provider = self.in_provider, record["resourceType"] in PROVIDERS
        found = self._clean("", record)
        self.in_provider = before
        return CHANGED if declared else found

    def _says_only_where(self, key, element):
        """True for a reference to a person, and to whatever may be one's."""
        reference = element.get("reference", _ABSENT)
        if reference is _ABSENT or _names_a_person_type(element.get("type")):
            return _names_a_person_type(element.get("type"))
        if not isinstance(reference, str) or reference in self.hidden:
            return True
        if reference.startswith("#"):
            return False
        target = TARGET.fullmatch(reference)
        if target is None:
            return True
        kind = target["type"]
        return not (self._is_type_of_care(kind) or (kind == "Location" and key == "facility"))

    def _only_where_it_points(self, element):
        """Of a reference to a person, nothing but that; GONE where it points to a record that is taken out."""
        reference = element.get("reference")
        if not isinstance(reference, str) or not POINTS_ONLY.fullmatch(reference) or MEDICARE_NUMBER.search(reference):
            return GONE
        if reference in self.hidden:
            return GONE
        more = element.keys() - OF_A_REFERENCE
        if "type" in element and not str(element["type"]).isalpha():
            more.add("type")
        return _take_out(element, more)

    # Rules 3 and 4

    def _clean(self, name, element, root=False):
        """Clean an object that stands under a name.  GONE: it says who the person is as a whole, or nothing is left."""
        result, removed = SAME, []
        for key, value in element.items():
            kind = value.__class__
            if kind is str:
                if not self.numbers:  # most of a record
                    if key not in SAYING_KEYS:
                        continue
                    if key in NAMING_KEYS and not is_personal(key, value, _system(element)):
                        continue
                found = self._text(key, value, element)
            elif kind is dict:
                found = self._object(key, value, element)
            elif kind is list:
                found = self._list(key, value)
            else:
                found = GONE if key in HIDDEN_KEYS and self._is_hidden_by_name(key) else SAME
            if found == SAME:
                continue
            if found == CHANGED:
                result = CHANGED
            elif not root and (key in NAMING_KEYS or key in LABELS):
                return GONE
            else:
                removed.append(key)
        if "display" in element and "code" not in element and name not in NAMED_ELEMENTS:
            removed += ["display", "identifier"]  # a reference in words alone, to whom nobody can tell
        if root and not LABELS.isdisjoint(removed):  # an Observation of a birth date, whose code is gone
            removed += [key for key in element if key.startswith(("value", "_value"))]
        for key in removed:
            _remove(element, [key])
        if not removed and result == SAME:
            return SAME
        if not root and not element.keys() - {"url", "id"}:
            return GONE  # an extension that lost its value, an object that lost its elements
        return CHANGED

    def _is_hidden_by_name(self, key):
        return key in PERSONAL_KEYS or not self.in_provider

    def _text(self, key, value, around):
        """GONE for a text that says it, or that labels an object that does."""
        if key in NAMING_KEYS:
            if is_personal(key, value, _system(around)):
                return GONE
        elif key in IN_WORDS:
            if "url" in around or "category" in around:
                return GONE
        elif key in PEOPLE_ELEMENTS or (key in HIDDEN_KEYS and self._is_hidden_by_name(key)):
            return GONE
        return GONE if self.numbers and MEDICARE_NUMBER.search(value) else SAME

    def _object(self, key, value, around):
        """Clean an object under a key of the one around it, or a member of the list there."""
        if key in EXTENSIONS:
            return GONE if is_unknown(_text(value.get("url"))) else self._clean(key, value)
        if key in LOOKED_AT or key[:1] == "_":
            if key == "contained":
                return self._clean_contained(value)
            if self._is_hidden(key, value, around):
                return GONE
            if key in POINTING_ELEMENTS:
                return self._only_where_it_points(value)
            if key == "locationAddress" or key[:1] == "_":
                stays = OF_WHAT_EXTENDS if key[:1] == "_" else OF_A_PLACE
                return max(_take_out(value, value.keys() - stays), self._clean(key, value))
        if "resourceType" in value:
            return self._clean_contained(value)
        if ("reference" in value or "type" in value) and self._says_only_where(key, value):
            return self._only_where_it_points(value)
        return self._clean(key, value)

    def _is_hidden(self, key, value, around):
        """True for an object that goes as a whole: what its place or its label says is the person's, or unknown."""
        if key == "type":
            return "value" in around and words_say_person_number(value)
        if key in ("valueIdentifier", "tag"):
            return is_unknown(_system(value))
        if key == "name":
            return not self.in_provider
        return key in IN_WORDS or (key in HIDDEN_KEYS and self._is_hidden_by_name(key))

    def _list(self, key, members):
        """Clean a list under a key."""
        found = [self._object(key, m, NOTHING) if m.__class__ is dict else self._one_of_list(key, m) for m in members]
        if GONE not in found:
            return CHANGED if CHANGED in found else SAME
        if key in LABELS or not all(isinstance(member, dict) for member in members):
            return GONE  # the whole label; and a list of plain values goes whole, in step with the list that extends it
        members[:] = [m for m, gone in zip(members, found, strict=True) if gone != GONE]
        return CHANGED if members else GONE

    def _one_of_list(self, key, member):
        kind = member.__class__
        if kind is str:
            return self._text(key, member, NOTHING) if key in SAYING_KEYS or self.numbers else SAME
        if kind is list:
            return self._list(key, member)
        return GONE if key in HIDDEN_KEYS and self._is_hidden_by_name(key) else SAME


@cache
def _paths(declared):
    """[[keys]] of declared elements, and of those that no record shows."""
    return [path.split(".") for path in (*declared, *ALWAYS_DECLARED)]


def _take_out(element, keys):
    for key in keys:
        del element[key]
    return GONE if keys and not element else CHANGED if keys else SAME


def _remove(element, path):
    """Take out the element at a path, and the `_element` that extends it; True where there was one."""
    if isinstance(element, list):
        removed = sum([_remove(member, path) for member in element]) > 0
        element[:] = [member for member in element if not removed or member != {}]
        return removed
    if not isinstance(element, dict):
        return False
    key, *rest = path
    if not rest:
        return sum([element.pop(k, _ABSENT) is not _ABSENT for k in (key, f"_{key}")]) > 0
    removed = _remove(element.get(key), rest)
    if removed and not element[key]:
        del element[key]
    return removed


def _contained(record):
    contained = record.get("contained")
    return [c for c in contained if isinstance(c, dict)] if isinstance(contained, list) else []


def _system(element):
    return _text(element.get("system"))


def _text(value):
    """A text, or None for anything else that stands where one should: a list of texts is no name of a system."""
    return value if isinstance(value, str) else None


def _names_a_person_type(text):
    return text.__class__ is str and text.rpartition("/")[2].strip() in ABOUT_PEOPLE
