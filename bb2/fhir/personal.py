"""Which names in a FHIR record stand for who a person is?  Systems, extensions, types of identifier, and forms.

What is not here stays: dual eligibility, Medicare status and reasons for entitlement, state buy-in and the reference year
are facts of the coverage; clinical codes, providers and the ids of claims are the claim; `bene_id` is the Patient.id that
every record and every token response has.
"""

import re
from functools import lru_cache

#: Words in the last part of a system's, an extension's or a variable's name (`us-core-race`, `patient-birthPlace`, `dob_dt`).
WORDS = re.compile(
    r"(?:^|[^a-z])(?:"
    r"race|ethnicity|sex|birthsex|gender|gndr|sexual|tribal|religion|nationality|citizenship"  # traits
    r"|birth|birthdate|dob|maiden"
    r"|mbi|hicn?|ssn|passport"  # numbers
    r")(?:[^a-z]|$)"
)
#: Where the beneficiary lives (CMS's variables: `bene_mlg_cntct_zip_cd`, `bene_cnty_cd`, `bene_state_cd`).
HOME = re.compile(r"(?:^|[^a-z])bene[^a-z].*(?:zip|cnty|county|state|addr|city)")
#: The same by object identifier: social security, HICN, MBI, driver's licences, passports.
OIDS = re.compile(r"urn:oid:2\.16\.840\.1\.113883\.4\.(?:1|572|927|3\.\d+|330\.\d+)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Systems of codes that say what an identifier or a supporting information is, by their last part …
TYPE_SYSTEMS = ("v2-0203", "0203", "identifier-type", "C4BBIdentifierType", "C4BBSupportingInfoType")
#: … and those of their codes that mean a number of the person: of a member, subscriber, patient, account, licence.
TYPE_CODES = frozenset(
    "AN ANON DL HC MA MB MC MR NH NI PI PN PPN PT SB SN SS pat um patientaccountnumber medicalrecordnumber".split()
)

#: Elements that say it by their own name, in any record.
PERSONAL_KEYS = frozenset({"subscriberId", "_subscriberId", "birthDate", "_birthDate"})
#: What one of these holds is said of the whole object: an extension, an identifier or coding, a narrative.
TELLING_KEYS = frozenset({"url", "system", "div", "valueHumanName", "valueAddress", "valueContactPoint"})

#: The form of a Medicare number, with or without dashes (CMS, "Understanding the MBI format").  CMS's pretend numbers
#: have letters that real ones avoid, so every letter counts.
MEDICARE_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])[1-9][A-Z][A-Z0-9][0-9]-?[A-Z][A-Z0-9][0-9]-?[A-Z]{2}[0-9]{2}(?![A-Za-z0-9])"
)


def is_personal(key, value, element):
    """True when the string under this key of an element (a dict) says that the element is the person's."""
    if key in ("url", "system"):
        return names_a_person(value)
    if key == "code":
        of_type = value in TYPE_CODES and str(element.get("system")).endswith(TYPE_SYSTEMS)
        return of_type or (value.startswith("http") and names_a_person(value))
    return key == "div"


@lru_cache(8192)  # a record names the same few systems over and over
def names_a_person(uri):
    """True for the URI of an identifier, a code system, an extension or a variable that stands for the person."""
    last = CAMEL.sub("-", uri.rstrip("/").rpartition("/")[2]).lower()
    named = WORDS.search(last) or HOME.search(last) or OIDS.fullmatch(uri)
    return bool(named) or last == "us-medicare" or last.startswith("patient-")
