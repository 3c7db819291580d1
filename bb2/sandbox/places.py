"""Where do the pretend beneficiaries live, and which pretend providers are nearby?"""

from dataclasses import dataclass
from functools import lru_cache

from bb2.sandbox.codes import Code
from bb2.sandbox.identifiers import npi


@dataclass(frozen=True)
class Region:
    number: int
    #: of the beneficiary's address; claims never carry it
    state: str
    zips: tuple[str, ...]
    #: the state as claims write a provider's: SSA's two digits (CCW, PRVDR_STATE_CD)
    ssa: str
    #: the Medicare administrative contractors for institutions, for doctors and for equipment (CMS)
    part_a: str
    part_b: str
    dme: str


REGIONS = (
    Region(0, "CA", ("94110", "95819", "94703"), "05", "01111", "01112", "19003"),
    Region(1, "TX", ("78704", "77009", "79902"), "45", "04411", "04412", "18003"),
    Region(2, "FL", ("33612", "32801", "33130"), "10", "09101", "09102", "18003"),
    Region(3, "NY", ("11215", "10463", "11372"), "33", "13201", "13202", "16013"),
    Region(4, "IL", ("60640", "61701", "60804"), "14", "06101", "06102", "17013"),
    Region(5, "OH", ("44118", "43206", "45220"), "36", "15201", "15202", "17013"),
    Region(6, "PA", ("19143", "15217", "18102"), "39", "12501", "12502", "16013"),
    Region(7, "NC", ("27701", "28801", "28205"), "34", "11501", "11502", "18003"),
    Region(8, "AZ", ("85705", "86001", "85008"), "03", "03101", "03102", "19003"),
    Region(9, "GA", ("30312", "31401", "30901"), "11", "10211", "10212", "18003"),
)


@dataclass(frozen=True)
class Provider:
    npi: str
    name: str
    #: CMS specialty; None for an institution
    specialty: Code | None
    #: NUCC health care provider taxonomy (its text is the AMA's, so the code alone)
    taxonomy: str
    ssa: str
    #: CMS certification number; None for a person
    certification: str | None
    region: Region


#: Practice: CMS specialty code and name, NUCC taxonomy.
_PRACTICES = {
    "ambulance": ("59", "Ambulance service provider", "341600000X"),
    "cardiology": ("06", "Cardiology", "207RC0000X"),
    "emergency": ("93", "Emergency medicine", "207P00000X"),
    "endocrinology": ("46", "Endocrinology", "207RE0101X"),
    "equipment": ("54", "Medical supply company, other", "332B00000X"),
    "gastroenterology": ("10", "Gastroenterology", "207RG0100X"),
    "internist": ("11", "Internal medicine", "207R00000X"),
    "laboratory": ("69", "Clinical laboratory (billing independently)", "291U00000X"),
    "nephrology": ("39", "Nephrology", "207RN0300X"),
    "oncology": ("83", "Hematology/oncology", "207RH0003X"),
    "ophthalmology": ("18", "Ophthalmology", "207W00000X"),
    "orthopedics": ("20", "Orthopedic surgery", "207X00000X"),
    "pharmacy": ("A5", "Pharmacy", "3336C0003X"),
    "psychiatry": ("26", "Psychiatry", "2084P0800X"),
    "pulmonology": ("29", "Pulmonary disease", "207RP1001X"),
    "therapy": ("65", "Physical therapist in private practice", "225100000X"),
}
#: Institution: first of its certification numbers (CMS, State Operations Manual 2779A), its title, taxonomy.
_INSTITUTIONS = {
    "hospital": (100, "General Hospital", "282N00000X"),
    "hospice": (1500, "Hospice", "251G00000X"),
    "nursing": (5000, "Skilled Nursing and Rehabilitation", "314000000X"),
    "home health": (7000, "Home Health Agency", "251E00000X"),
}
_BUSINESSES = {"ambulance": "Ambulance", "equipment": "Medical Supply", "laboratory": "Clinical Laboratory"}
_BUSINESSES["pharmacy"] = "Pharmacy"

#: Names from the landscape, so that no doctor shares a beneficiary's name.
_LANDSCAPE = (
    "Alderbrook",
    "Cedar Hollow",
    "Elmfield",
    "Fernwood",
    "Hazelmoor",
    "Larkspur",
    "Maplecrest",
    "Oakhaven",
)
_LANDSCAPE += ("Pinecliff", "Quailridge", "Riverbend", "Sagebrush", "Thornbury", "Willowmere")
_KINDS = (*sorted(_PRACTICES), *sorted(_INSTITUTIONS))


@lru_cache(maxsize=1024)
def provider(region: Region, kind: str, which: int) -> Provider:
    """The same (region, kind, which) is the same provider, whoever sees them."""
    serial = (region.number * len(_KINDS) + _KINDS.index(kind)) * 100 + which
    place = _LANDSCAPE[(serial * 5 + which) % len(_LANDSCAPE)]
    if kind in _INSTITUTIONS:
        first, title, taxonomy = _INSTITUTIONS[kind]
        # 99 stands for foreign countries (State Operations Manual 2779A), so no real institution is meant.
        certification = f"99{first + region.number * 10 + which:04d}"
        return Provider(npi(serial), f"{place} {title}", None, taxonomy, region.ssa, certification, region)
    code, specialty, taxonomy = _PRACTICES[kind]
    name = f"{place} {_BUSINESSES[kind]}" if kind in _BUSINESSES else f"Dr. {place.replace(' ', '')}"
    return Provider(npi(serial), name, Code(code, specialty), taxonomy, region.ssa, None, region)


@dataclass(frozen=True)
class Neighbourhood:
    """The providers that one person goes to, year after year."""

    region: Region
    which: int

    def __getitem__(self, kind: str) -> Provider:
        return provider(self.region, kind, self.which)
