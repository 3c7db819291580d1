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
    r"race|ethnic|ethnicity|sex|birthsex|gender|gndr|sexual|pronouns?|tribal|religion|nationality|citizenship|marital"
    r"|birth|birthdate|birthplace|birthtime|dob|born|age|maiden|death|dead|deceased|srnm|surname|geolocation"
    r"|mbi|hicn?|ssn|passport|mrn"  # numbers
    r"|(?:medicare|medicaid|member|subscriber|insured|beneficiary|patient|pat|ptnt|account)"
    r"[^a-z]?(?:id|identifier|number|no|num|nbr|name|cntl|control|account|acct)"
    r"|(?:medical|mdcl)[^a-z](?:record|rec|rcrd)"
    r")(?:[^a-z]|$)"
)
#: Where the beneficiary lives, and how to reach or name them (CMS's variables: `bene_mlg_cntct_zip_cd`,
#: `bene_cnty_cd`, `bene_state_cd`; `state_code` and `state_cnty_fips_cd_01`, which name nobody else).
HOME = re.compile(
    r"(?:^|[^a-z])bene[^a-z](?:.*[^a-z])?(?:zip|cnty|county|state|addr|address|city|name|phone|tel|email)(?:[^a-z]|$)"
    r"|^(?:state|cnty|county|zip)(?:[^a-z](?:cnty|county|fips))*[^a-z](?:cd|code)(?:[^a-z]|$)"
)
#: HL7's extensions of a Patient, of a name, an address or a telephone number, by the beginning of their names.
OF_A_PERSON = ("patient-", "individual-", "humanname-", "own-", "contactpoint-", "iso21090-en", "iso21090-ad")
#: The same by object identifier: social security, HICN, MBI, driver's licences, passports; race and ethnicity.
OIDS = re.compile(r"urn:oid:2\.16\.840\.1\.113883\.(?:4\.(?:1|572|927|3\.\d+|330\.\d+)|6\.238)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Words that say of an identifier, where no code does, that it is a number of the person.
NUMBER_WORDS = re.compile(
    r"\b(?:medic(?:are|aid) (?:number|no|id|card|claim|beneficiary)|member|subscriber|insured|beneficiary|patient"
    r"|mbi|hicn?|ssn|social security|mrn|medical record|passport|driver)",
    re.IGNORECASE,
)
#: Whose extensions and systems are known: HL7's and CMS's.  What another extension says, nobody can tell.
KNOWN = re.compile(r"https?://(?:[a-z0-9\-]+\.)*(?:hl7\.org|cms\.gov|cms\.hhs\.gov)(?:/|$)", re.IGNORECASE)

#: Systems of codes that say what an identifier or a supporting information is, by their last part …
TYPE_SYSTEMS = ("v2-0203", "0203", "identifier-type", "C4BBIdentifierType", "C4BBSupportingInfoType")
#: … and those of HL7's codes that mean a number of the person: of a member, subscriber, patient, account, licence.
PERSON_NUMBERS = (
    *("AN", "ANON", "DL", "HC", "MA", "MB", "MC", "MR", "NH", "NI", "PI", "PN", "PPN", "PT", "SB", "SN", "SS"),
)
TYPE_CODES = frozenset((*PERSON_NUMBERS, "pat", "um", "patientaccountnumber", "medicalrecordnumber"))

#: Codes for who a person is in systems that have codes for everything: birth date, age, race, ethnicity, sex, sex
#: assigned at birth, name; female, male.
LOINC = ("21112-8", "30525-0", "32624-9", "69490-1", "46098-0", "76689-9", "54125-0")
SNOMED_CT = ("248152002", "248153007")
CODES = frozenset(
    [("http://loinc.org", code) for code in LOINC] + [("http://snomed.info/sct", code) for code in SNOMED_CT]
)


def _and_what_extends(*names):
    """The names of elements, and of what extends them: FHIR's JSON writes that beside a plain value, as `_name`."""
    return frozenset(name for plain in names for name in (plain, f"_{plain}"))


#: Elements that say it by their own name, in any record: an extension loses its value with them, and goes.
PERSONAL_KEYS = _and_what_extends(
    *("subscriberId", "birthDate", "deceasedBoolean", "deceasedDateTime", "maritalStatus"),
    *("multipleBirthBoolean", "multipleBirthInteger", "note", "authorString"),
    *("valueHumanName", "valueAddress", "valueContactPoint", "valueContactDetail", "valueContributor"),
    *("valueAnnotation", "valueAttachment", "valueBase64Binary", "valueMarkdown", "valueSignature"),
)
#: Parts of names and addresses, and what else a provider has as well as a person: only a provider's may go out.
PROVIDERS_HAVE_THEM_TOO = _and_what_extends(
    *("gender", "address", "telecom", "contact", "photo", "communication", "position"),
    *("family", "given", "line", "city", "district", "postalCode"),
)
#: Elements whose text can say it of the whole object that they stand in: an extension, an identifier, a narrative.
NAMING_KEYS = frozenset({"url", "system", "code", "div"})

#: Between the parts of a Medicare number: nothing, or what people write there, but no mark of JSON's structure.
BETWEEN = r"[^A-Za-z0-9\",:{}\[\]]{0,3}"
#: The form of a Medicare number, with or without dashes or spaces (CMS, "Understanding the MBI format").  CMS's pretend
#: numbers have letters that real ones avoid, so every letter counts.  Before 2018 it was a social security number and a
#: letter or two (HICN): these are known by their dashes only, as a taxonomy code of a provider is nine digits and an X.
MEDICARE_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9])[1-9][A-Z][A-Z0-9][0-9]{BETWEEN}[A-Z][A-Z0-9][0-9]{BETWEEN}[A-Z]{{2}}[0-9]{{2}}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9\-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?:-?[A-Z][A-Z0-9]?)?(?![A-Za-z0-9\-])",
    re.IGNORECASE | re.ASCII,
)
#: The same with A for every letter and 0 for every digit: found several times as fast in a text without one.
SHAPES = tuple(f"0A{third}0A{sixth}0AA00".encode() for third in "0A" for sixth in "0A")
WITH_DASHES = b"000-00-0000"
STRUCTURE = b'",:{}[]'  #: of JSON, which ends a number; any other mark may stand in the middle of one
SHAPE_OF_BYTE = bytes(
    48 if chr(b).isdigit() else 65 if chr(b).isalpha() else 124 if b in STRUCTURE else 45 for b in range(128)
)
SHAPE_OF_BYTE += b"-" * 128


def may_hold_a_medicare_number(text):
    """False when no Medicare number stands in this text (str)."""
    shape = text.encode().translate(SHAPE_OF_BYTE)
    if WITH_DASHES in shape:
        return True
    shape = shape.translate(None, b"-")
    return any(wanted in shape for wanted in SHAPES)


@lru_cache(16_384)  # records name the same few systems over and over
def is_personal(key, value, system):
    """True when the string under this key says that the element is the person's.  `system` stands beside a code."""
    if key in ("url", "system"):
        return _names_a_person(value)
    if key == "code":
        of_type = value in TYPE_CODES and str(system).endswith(TYPE_SYSTEMS)
        variable = value.startswith("http") or str(system).endswith("/codesystem/information")
        return of_type or (system, value) in CODES or (variable and _names_a_person(value))
    return key == "div"


@lru_cache(4096)
def is_unknown(uri):
    """True for the URL of an extension, or a system, of which nobody but its maker knows what it says.

    A URL without a scheme is a part of the extension around it (FHIR, "Extensibility").
    """
    return not isinstance(uri, str) or (":" in uri and KNOWN.match(uri) is None)


@lru_cache(4096)
def names_a_number(text):
    """True when these words (str) for an identifier say that it is a number of the person, not of a provider."""
    named = NUMBER_WORDS.search(text) or WORDS.search(text.lower())
    return named is not None and "provider" not in text.lower()


def says_person_number(kind):
    """True when an Identifier.type (CodeableConcept) says that the identifier is a number of the person."""
    if not isinstance(kind, dict):
        return False
    return words_say_person_number(kind) or any(
        is_personal("code", str(c.get("code")), str(c.get("system"))) for c in _codings(kind)
    )


def words_say_person_number(kind):
    """The same by the words alone: the text of an Identifier.type, and the displays of its codes."""
    words = [kind.get("text"), *(coding.get("display") for coding in _codings(kind))]
    return any(isinstance(text, str) and names_a_number(text) for text in words)


def _codings(kind):
    codings = kind.get("coding")
    return [c for c in codings if isinstance(c, dict)] if isinstance(codings, list) else []


def _names_a_person(uri):
    """True for the URI of an identifier, a code system, an extension or a variable that stands for the person."""
    last = CAMEL.sub("-", uri.rstrip("/").rpartition("/")[2]).lower()
    named = WORDS.search(last) or HOME.search(last) or OIDS.fullmatch(uri)
    return bool(named) or last == "us-medicare" or last.startswith(OF_A_PERSON)
