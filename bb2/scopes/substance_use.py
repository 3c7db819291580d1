"""Does a claim tell of treatment for the use of alcohol or drugs (42 CFR Part 2)?  Such claims are asked for alone.

The codes are in substance_use.csv, with their sources; `bb2.sensitive_codes` names a file with more.
"""

import csv
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path

from bb2.scopes import ScopeError, Sensitivity, Words, hookimpl

KEY = "substance-use"
LIST = files("bb2.scopes").joinpath("substance_use.csv")
KINDS = (
    *("icd-10-cm", "icd-9-cm", "icd-10-pcs", "icd-9-procedure"),
    *("hcpcs", "ms-drg", "revenue", "place", "ndc", "drug"),
)
BY_BEGINNING = ("icd-10-cm", "icd-9-cm", "icd-10-pcs", "icd-9-procedure", "ndc")
DIGITS = {"ms-drg": 3, "revenue": 4, "place": 2}  #: kinds whose codes may come with fewer or more leading zeros
#: What a code of these kinds looks like: of other systems, and of other volumes of one, it is no such code.
FORMS = {
    "icd-10-cm": re.compile(r"[A-Z][0-9][A-Z0-9]{1,4}"),
    "icd-9-cm": re.compile(r"[0-9]{3,5}"),
    "icd-10-pcs": re.compile(r"[A-Z0-9]{7}"),
    "icd-9-procedure": re.compile(r"[0-9]{3,4}"),
}
DIAGNOSES, PROCEDURES = ("icd-10-cm", "icd-9-cm"), ("icd-10-pcs", "icd-9-procedure")
#: The kinds of code that a system has, by what its name says: CMS's, HL7's, CARIN's and object identifiers.
SYSTEMS = (
    (re.compile(r"ndc|2\.16\.840\.1\.113883\.6\.69$"), ("ndc", "drug")),
    (re.compile(r"rxnorm|2\.16\.840\.1\.113883\.6\.88$"), ("drug",)),
    (re.compile(r"drg"), ("ms-drg",)),
    (re.compile(r"hcpcs|cpt|2\.16\.840\.1\.113883\.6\.(?:12|285)$"), ("hcpcs",)),
    (re.compile(r"rev_cntr$|rev_cd$|revenue"), ("revenue",)),
    (re.compile(r"place[-_ ]?of[-_ ]?service|plc_?of_?srvc"), ("place",)),
    (re.compile(r"icd|2\.16\.840\.1\.113883\.6\.(?:4|90|103|104)$"), (*DIAGNOSES, *PROCEDURES)),
)
#: The same for a code of no known system, by the element that it stands in.
ELEMENTS = {
    "diagnosis": DIAGNOSES,
    "procedure": PROCEDURES,
    "productOrService": ("hcpcs", "ndc", "drug"),
    "service": ("hcpcs", "ndc", "drug"),
    "modifier": ("hcpcs",),
    "programCode": ("hcpcs",),
    "revenue": ("revenue",),
    "prescription": ("ndc", "drug"),
    "medicationCodeableConcept": ("ndc", "drug"),
    "packageCode": ("ms-drg",),
    "locationCodeableConcept": ("place",),
}
#: As which of them the codes of a contained record count.
CONTAINED = {
    "Condition": "diagnosis",
    "Procedure": "procedure",
    "Medication": "service",
    "MedicationRequest": "medicationCodeableConcept",
}


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of the list, by kind."""

    beginnings: dict  #: {kind: (codes, codes that are taken out)}
    whole: dict  #: {kind: {code}}
    words: re.Pattern  #: in the name of a drug

    def names(self, kind, code, display):
        """True when this code of this kind is on the list."""
        if kind == "drug":
            return self.words.search(f"{display} {code}") is not None
        code = plain(code)
        if kind in FORMS and not FORMS[kind].fullmatch(code):
            return False
        if kind in BY_BEGINNING:
            listed, excepted = self.beginnings.get(kind, ((), ()))
            return code.startswith(listed) and not code.startswith(excepted)
        return padded(kind, code) in self.whole.get(kind, ())


def plain(code):
    """A code without punctuation, in capital letters: `f10.20` is F1020."""
    return re.sub(r"[^A-Za-z0-9]", "", code).upper()


def padded(kind, code):
    """A plain code with as many leading zeros as its kind has."""
    return code.lstrip("0").zfill(DIGITS[kind]) if kind in DIGITS else code


def carries(codes, record):
    """True when a code of the list stands anywhere in a record (a dict)."""
    # With each dict, the nearest element around it, or kind of contained record, that says what its codes are.
    waiting = [(record, None)]
    while waiting:
        value, element = waiting.pop()
        if "resourceType" in value:
            element = CONTAINED.get(str(value["resourceType"]), element)
        if ("code" in value or "text" in value or "display" in value) and _tells(codes, value, element):
            return True
        for key, inner in value.items():
            if inner.__class__ is dict:
                waiting.append((inner, key if key in ELEMENTS else element))
            elif inner.__class__ is list:
                waiting += [(each, key if key in ELEMENTS else element) for each in _dicts(inner)]
    return False


def _dicts(members):
    """The dicts of a list, and of lists in it."""
    for each in members:
        if each.__class__ is dict:
            yield each
        elif each.__class__ is list:
            yield from _dicts(each)


def _tells(codes, value, element):
    """True for a Coding with a code of the list, or whatever names a drug where one is named."""
    code, display, text = value.get("code"), _text(value.get("display")), _text(value.get("text"))
    if code.__class__ is int:  # careless, but what it says is clear
        code = str(code)
    if code.__class__ is str and _is_listed(codes, _text(value.get("system")), code, display, element):
        return True
    names_drugs = (text or (display and code is None)) and "drug" in ELEMENTS.get(element, ())
    return bool(names_drugs) and codes.names("drug", text, display)


def _text(value):
    return value if isinstance(value, str) else ""


@lru_cache(65_536)  # claims name the same codes over and over
def _is_listed(codes, system, code, display, element):
    return any(codes.names(kind, code, display) for kind in _kinds_of(system.lower().rstrip("/"), element))


def _kinds_of(system, element):
    """The kinds that a code may be of, by its system, or else by the element that it stands in."""
    kinds = next((kinds for pattern, kinds in SYSTEMS if pattern.search(system)), None)
    if kinds is None:
        return ELEMENTS.get(element, ())
    if "icd-9-procedure" in kinds:  # a diagnosis and a procedure of ICD-9 may have the same digits
        return PROCEDURES if element == "procedure" else (*DIAGNOSES, "icd-10-pcs")
    return kinds


# The list


def read_codes(rows):
    """The Codes of [(kind, code)], as they stand in the list.  ScopeError: a row that cannot be meant."""
    beginnings, whole, words = {kind: ([], []) for kind in BY_BEGINNING}, {}, []
    for kind, code in rows:
        if kind not in KINDS or not re.search("[A-Za-z0-9]", code):
            raise ScopeError(f"{KEY}: no codes are {kind},{code}; accepted: {', '.join(KINDS)}, each with a code")
        if kind == "drug":
            words.append(re.escape(code.strip()))
        elif kind in BY_BEGINNING:
            beginnings[kind][code.strip().startswith("-")].append(plain(code))
        else:
            whole.setdefault(kind, set()).update(_range(kind, code))
    return Codes(
        {kind: (tuple(listed), tuple(excepted)) for kind, (listed, excepted) in beginnings.items()},
        whole,
        re.compile("|".join(words), re.IGNORECASE),
    )


def _range(kind, code):
    """`H0001-H0022`: twenty-two codes; `0906`: one."""
    first, _, last = (plain(part) for part in code.partition("-"))
    letters = re.match("[A-Z]*", first)[0]
    if not last:
        return {padded(kind, first)}
    low, high = first.removeprefix(letters), last.removeprefix(letters)
    if not (low.isdigit() and high.isdigit() and len(low) == len(high) and low <= high):
        raise ScopeError(f"{KEY}: {kind},{code} is no range from one code to another")
    return {padded(kind, f"{letters}{number:0{len(low)}}") for number in range(int(low), int(high) + 1)}


def rows_of(text, columns):
    """The rows of a CSV text, without comments; {column: value}."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    if lines and not set(columns) <= set(rows[0] if rows else lines[0].split(",")):
        raise ScopeError(f"a list of codes begins with the line {','.join(columns)}")
    return rows


def added(settings):
    """[(kind, code)] that the operator adds."""
    path = settings.sensitive_codes
    rows = rows_of(Path(path).read_text("utf-8"), ("sensitivity", "kind", "code")) if path else []
    return [(row["kind"] or "", row["code"] or "") for row in rows if row["sensitivity"] == KEY]


@hookimpl
def register_sensitivities(settings):
    listed = [(row["kind"], row["code"]) for row in rows_of(LIST.read_text("utf-8"), ("kind", "code"))]
    listed += added(settings)
    return Sensitivity(
        key=KEY,
        name=Words(
            "Claims about treatment for alcohol or drug use",
            es="Reclamos sobre tratamiento por consumo de alcohol o drogas",
        ),
        question=Words(
            "Share claims about treatment for alcohol or drug use?",
            es="¿Compartir los reclamos sobre tratamiento por consumo de alcohol o drogas?",
        ),
        detail=Words(
            "A federal law (42 CFR Part 2) gives these claims special protection. They are left out unless you say "
            "yes. Your other claims can be shared without them. We ask everyone this question.",
            es="Una ley federal (42 CFR Parte 2) protege estos reclamos de manera especial. No se incluyen a menos que "
            "usted diga que sí. Sus otros reclamos se pueden compartir sin ellos. Hacemos esta pregunta a todas las "
            "personas.",
        ),
        share=Words("Yes, share these claims", es="Sí, compartir estos reclamos"),
        withhold=Words("No, leave these claims out", es="No, no incluir estos reclamos"),
        resource_types=("ExplanationOfBenefit", "Claim", "ClaimResponse"),
        carries=partial(carries, read_codes(listed)),
        rules="2\n" + "\n".join(f"{kind},{code}" for kind, code in sorted(listed)),  # 2: of the code that reads them
        label="ETH",
        label_display="substance abuse information sensitivity",
    )
