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
    #: (ZIP code, city, county)
    towns: tuple[tuple[str, str, str], ...]
    #: the state as claims write a provider's: SSA's two digits (CCW, PRVDR_STATE_CD)
    ssa: str
    #: the Medicare administrative contractors for institutions, for doctors, for equipment, and for home health and
    #: hospice (CMS, "Who are the MACs")
    part_a: str
    part_b: str
    dme: str
    home: str


_TOWNS = {
    "CA": (
        ("94110", "San Francisco", "San Francisco"),
        ("95819", "Sacramento", "Sacramento"),
        ("94703", "Berkeley", "Alameda"),
    ),
    "TX": (("78704", "Austin", "Travis"), ("77009", "Houston", "Harris"), ("79902", "El Paso", "El Paso")),
    "FL": (("33612", "Tampa", "Hillsborough"), ("32801", "Orlando", "Orange"), ("33130", "Miami", "Miami-Dade")),
    "NY": (("11215", "Brooklyn", "Kings"), ("10463", "Bronx", "Bronx"), ("11372", "Jackson Heights", "Queens")),
    "IL": (("60640", "Chicago", "Cook"), ("61701", "Bloomington", "McLean"), ("60804", "Cicero", "Cook")),
    "OH": (("44118", "Cleveland", "Cuyahoga"), ("43206", "Columbus", "Franklin"), ("45220", "Cincinnati", "Hamilton")),
    "PA": (
        ("19143", "Philadelphia", "Philadelphia"),
        ("15217", "Pittsburgh", "Allegheny"),
        ("18102", "Allentown", "Lehigh"),
    ),
    "NC": (("27701", "Durham", "Durham"), ("28801", "Asheville", "Buncombe"), ("28205", "Charlotte", "Mecklenburg")),
    "AZ": (("85705", "Tucson", "Pima"), ("86001", "Flagstaff", "Coconino"), ("85008", "Phoenix", "Maricopa")),
    "GA": (("30312", "Atlanta", "Fulton"), ("31401", "Savannah", "Chatham"), ("30901", "Augusta", "Richmond")),
}
REGIONS = (
    Region(0, "CA", _TOWNS["CA"], "05", "01111", "01112", "19003", "06014"),
    Region(1, "TX", _TOWNS["TX"], "45", "04411", "04412", "18003", "11004"),
    Region(2, "FL", _TOWNS["FL"], "10", "09101", "09102", "18003", "11004"),
    Region(3, "NY", _TOWNS["NY"], "33", "13201", "13202", "16013", "06014"),
    Region(4, "IL", _TOWNS["IL"], "14", "06101", "06102", "17013", "11004"),
    Region(5, "OH", _TOWNS["OH"], "36", "15201", "15202", "17013", "11004"),
    Region(6, "PA", _TOWNS["PA"], "39", "12501", "12502", "16013", "15004"),
    Region(7, "NC", _TOWNS["NC"], "34", "11501", "11502", "18003", "11004"),
    Region(8, "AZ", _TOWNS["AZ"], "03", "03101", "03102", "19003", "06014"),
    Region(9, "GA", _TOWNS["GA"], "11", "10211", "10212", "18003", "11004"),
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
    #: (facility, classification) of its type of bill, where they are not those of the claim's type
    bill: tuple[Code, str] | None = None


#: Practice: CMS specialty code and name, NUCC taxonomy.
_PRACTICES = {
    "addiction": ("79", "Addiction medicine", "207RA0401X"),
    "ambulance": ("59", "Ambulance service provider", "341600000X"),
    "cardiology": ("06", "Cardiology", "207RC0000X"),
    "emergency": ("93", "Emergency medicine", "207P00000X"),
    "endocrinology": ("46", "Endocrinology", "207RE0101X"),
    "equipment": ("54", "Medical supply company, other", "332B00000X"),
    "gastroenterology": ("10", "Gastroenterology", "207RG0100X"),
    "internist": ("11", "Internal medicine", "207R00000X"),
    "laboratory": ("69", "Clinical laboratory (billing independently)", "291U00000X"),
    "nephrology": ("39", "Nephrology", "207RN0300X"),
    "neurology": ("13", "Neurology", "2084N0400X"),
    "oncology": ("83", "Hematology/oncology", "207RH0003X"),
    "ophthalmology": ("18", "Ophthalmology", "207W00000X"),
    "opioid treatment": ("D5", "Opioid treatment program", "261QM2800X"),
    "orthopedics": ("20", "Orthopedic surgery", "207X00000X"),
    "pharmacy": ("A5", "Pharmacy", "3336C0003X"),
    "psychiatry": ("26", "Psychiatry", "2084P0800X"),
    "pulmonology": ("29", "Pulmonary disease", "207RP1001X"),
    "surgery": ("02", "General surgery", "208600000X"),
    "therapy": ("65", "Physical therapist in private practice", "225100000X"),
}
#: Institution: the last ten certification numbers of its type in a state (CMS, State Operations Manual 2779A), which
#: are given out last; its title, taxonomy.
_INSTITUTIONS = {
    "hospital": (870, "General Hospital", "282N00000X"),
    "hospice": (1790, "Hospice", "251G00000X"),
    "dialysis": (2890, "Kidney Care", "261QE0700X"),
    "nursing": (6490, "Skilled Nursing and Rehabilitation", "314000000X"),
    "home health": (7290, "Home Health Agency", "251E00000X"),
}
_BILLS = {"dialysis": (Code("7", "Clinic services or hospital-based renal dialysis facility"), "2")}
_BUSINESSES = {"ambulance": "Ambulance", "equipment": "Medical Supply", "laboratory": "Clinical Laboratory"}
_BUSINESSES |= {"pharmacy": "Pharmacy", "opioid treatment": "Opioid Treatment Program"}

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
        certification = f"{region.ssa}{first + which:04d}"
        bill = _BILLS.get(kind)
        return Provider(npi(serial), f"{place} {title}", None, taxonomy, region.ssa, certification, region, bill)
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
