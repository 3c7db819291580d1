"""Which names in a FHIR record stand for who a person is?  Systems, extensions, types of identifier, and forms.

What is not here stays: dual eligibility, Medicare status and reasons for entitlement, state buy-in and the reference
year are facts of the coverage; clinical codes, providers and the ids of claims are the claim; `bene_id` is the
Patient.id, which every record and every token response has.
"""

import re
from functools import lru_cache

#: Words in the last part of the name of a system, extension or variable: `us-core-race`, `us-core-birthsex`, `dob_dt`.
WORDS = re.compile(
    r"(?:^|[^a-z])(?:"
    r"race|ethnicity|sex|birthsex|gender|gndr|sexual|tribal|religion|nationality|citizenship"  # traits
    r"|birth|birthdate|dob|maiden|death|srnm|surname"
    r"|mbi|hicn?|ssn|passport"  # numbers
    r")(?:[^a-z]|$)"
)
#: Where the beneficiary lives (CMS's variables: `bene_mlg_cntct_zip_cd`, `bene_cnty_cd`, `bene_state_cd`).
HOME = re.compile(r"(?:^|[^a-z])bene[^a-z](?:.*[^a-z])?(?:zip|cnty|county|state|addr|address|city)(?:[^a-z]|$)")
#: The same by object identifier: social security, HICN, MBI, driver's licences, passports; race and ethnicity.
OIDS = re.compile(r"urn:oid:2\.16\.840\.1\.113883\.(?:4\.(?:1|572|927|3\.\d+|330\.\d+)|6\.238)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Systems of codes that say what an identifier or a supporting information is, by their last part …
TYPE_SYSTEMS = ("v2-0203", "0203", "identifier-type", "C4BBIdentifierType", "C4BBSupportingInfoType")
#: … and those of their codes that mean a number of the person: of a member, subscriber, patient, account, licence.
PERSON_NUMBERS = (
    "AN",
    "ANON",
    "DL",
    "HC",
    "MA",
    "MB",
    "MC",
    "MR",
    "NH",
    "NI",
    "PI",
    "PN",
    "PPN",
    "PT",
    "SB",
    "SN",
    "SS",
)  # HL7's
TYPE_CODES = frozenset((*PERSON_NUMBERS, "pat", "um", "patientaccountnumber", "medicalrecordnumber"))

#: Elements that say it by their own name, in any record: an extension loses its value with them, and goes.
PERSONAL_KEYS = frozenset(
    {"subscriberId", "_subscriberId", "birthDate", "_birthDate", "valueHumanName", "valueAddress", "valueContactPoint"}
)
#: Elements whose text can say it of the whole object that they stand in: an extension, an identifier, a narrative.
NAMING_KEYS = frozenset({"url", "system", "code", "div"})

#: The form of a Medicare number, with or without dashes (CMS, "Understanding the MBI format").  CMS's pretend numbers
#: have letters that real ones avoid, so every letter counts.
MEDICARE_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])[1-9][A-Z][A-Z0-9][0-9]-?[A-Z][A-Z0-9][0-9]-?[A-Z]{2}[0-9]{2}(?![A-Za-z0-9])", re.IGNORECASE
)
#: The same with A for every letter and 0 for every digit: found several times as fast in a text without one.
SHAPES = tuple(f"0A{third}0A{sixth}0AA00".encode() for third in "0A" for sixth in "0A")
SHAPE_OF_BYTE = bytes(48 if chr(b).isdigit() else 65 if chr(b).isalpha() else 46 for b in range(128)) + b"." * 128


def may_hold_a_medicare_number(text):
    """False when no Medicare number stands in this text (str)."""
    shape = text.encode().translate(SHAPE_OF_BYTE, b"-")
    return any(wanted in shape for wanted in SHAPES)


@lru_cache(16_384)  # records name the same few systems over and over
def is_personal(key, value, system):
    """True when the string under this key says that the element is the person's.  `system` stands beside a code."""
    if key in ("url", "system"):
        return _names_a_person(value)
    if key == "code":
        of_type = value in TYPE_CODES and str(system).endswith(TYPE_SYSTEMS)
        return of_type or (value.startswith("http") and _names_a_person(value))
    return key == "div"


def says_person_number(kind):
    """True when an Identifier.type (CodeableConcept) says that the identifier is a number of the person."""
    if not isinstance(kind, dict):
        return False
    text, codings = kind.get("text"), kind.get("coding")
    coded = [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []
    named = isinstance(text, str) and WORDS.search(text.lower()) is not None
    return named or any(is_personal("code", str(c.get("code")), str(c.get("system"))) for c in coded)


def _names_a_person(uri):
    """True for the URI of an identifier, a code system, an extension or a variable that stands for the person."""
    last = CAMEL.sub("-", uri.rstrip("/").rpartition("/")[2]).lower()
    named = WORDS.search(last) or HOME.search(last) or OIDS.fullmatch(uri)
    return bool(named) or last == "us-medicare" or last.startswith("patient-")
