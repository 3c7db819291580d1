"""The words in which a scope is declared.

Each module of this folder without an underscore declares built-in scopes, and is an example to copy for a new one.
"""

from dataclasses import dataclass
from functools import cached_property
from re import fullmatch

from bb2.hookspecs import hookimpl
from bb2.scopes._checks import (
    API_VERSIONS,
    ScopeError,
    Words,
    refuse_empty_words,
    refuse_forgotten_commas,
    refuse_odd_elements,
    refuse_unknown_versions,
)
from bb2.scopes._endpoint import FHIR_JSON, USERINFO, Endpoint, Parameter
from bb2.scopes._sensitivity import Sensitivity

__all__ = [
    "API_VERSIONS",
    "CONTRACT",
    "USERINFO",
    "Endpoint",
    "FhirResource",
    "Include",
    "Parameter",
    "Scope",
    "ScopeError",
    "SearchParam",
    "Sensitivity",
    "Words",
    "hookimpl",
]

#: The version of the contract between the core and its plugins: the names that `bb2.scopes` and `bb2.fhir` export, the
#: hooks, what `configure` and its views are given, and `bb2.testing`; `tests/contract.txt` lists it.  A change over
#: which plugins would stumble raises the first number, and what is added the second.
CONTRACT = "1.0"

#: What a search parameter can be (FHIR, "Search Parameter Types").  A string is found by how it begins, in any
#: case, with accents or without.
SEARCH_TYPES = ("token", "date", "string", "reference")

# SMART App Launch 2.2, "Scopes for requesting FHIR Resources": version 1 (.read) and 2 (.rs).
SMART_SCOPE = r"patient/(?P<type>[A-Z][A-Za-z]*)\.(?P<permission>read|rs|r|s)"
SMART_INTERACTIONS = {
    "read": frozenset({"read", "search-type"}),
    "rs": frozenset({"read", "search-type"}),
    "r": frozenset({"read"}),
    "s": frozenset({"search-type"}),
}
# RFC 6749, 3.3: %x21 / %x23-5B / %x5D-7E
SCOPE_NAME = r"[\x21\x23-\x5b\x5d-\x7e]+"


@dataclass(frozen=True, kw_only=True)
class SearchParam:
    """A search parameter of a resource type: its name, its FHIR type, and where the value lies."""

    name: str
    type: str  #: one of SEARCH_TYPES
    path: tuple[str, ...]  #: dotted element paths; the first that a record has is indexed
    code_system: str | None = None  #: the system of a code that is given without one
    codes: tuple[str, ...] = ()  #: the codes accepted without a system; empty: all.  Any case.
    definition: str | None = None  #: canonical URL of the SearchParameter, for the CapabilityStatement

    def __post_init__(self):
        refuse_forgotten_commas(self)
        if self.type not in SEARCH_TYPES:
            accepted = ", ".join(SEARCH_TYPES)
            raise ScopeError(f"search parameter {self.name} has type {self.type!r}; accepted: {accepted}")
        if not fullmatch(r"[a-z][A-Za-z0-9-]*", self.name):
            raise ScopeError(f"{self.name!r} is no name of a search parameter; accepted: such as service-date")
        if not self.path:
            raise ScopeError(f"search parameter {self.name} has no path: say where its value lies")
        refuse_odd_elements(f"search parameter {self.name}", "path", self.path)


@dataclass(frozen=True)
class Include:
    """Records that a search of a resource type can bring along: `_include=ExplanationOfBenefit:coverage`."""

    name: str  #: of the reference search parameter: `coverage`
    path: str  #: the dotted path of the References: `insurance.coverage`
    types: tuple[str, ...]  #: the resource types that they can point to; included are those that the token may read

    def __post_init__(self):
        refuse_forgotten_commas(self)


@dataclass(frozen=True)
class FhirResource:
    """A FHIR resource type: whose a record is, who it tells of, and how it is searched."""

    type: str
    patient_element: str = "patient"  #: the Reference that names the patient; `id` for the Patient itself
    search_params: tuple[SearchParam, ...] = ()
    includes: tuple[Include, ...] = ()  #: what `_include` brings along
    #: Elements that say who the person is, as dotted paths: taken out for a token without a demographic scope.
    demographic_elements: tuple[str, ...] = ()
    versions: tuple[str, ...] = tuple(API_VERSIONS)
    stu3_elements: tuple[str, ...] = ()  #: top-level elements that only STU3 has; the loader tells the version by them
    r4_elements: tuple[str, ...] = ()  #: the same for R4
    profiles: tuple[str, ...] = ()  #: canonical URLs, for the R4 CapabilityStatement

    def __post_init__(self):
        refuse_forgotten_commas(self)
        refuse_unknown_versions(self, self.type)
        refuse_odd_elements(self.type, "demographic_elements", self.demographic_elements)
        self._refuse_nested_patient()
        self._refuse_rival_searches()
        self._refuse_confirming_searches()

    def _refuse_nested_patient(self):
        """Records whose patient is not found belong to nobody: they would never be shown, and nobody told."""
        if not fullmatch(r"[a-z][A-Za-z]*", self.patient_element):
            raise ScopeError(
                f"{self.type}: patient_element is {self.patient_element!r}; accepted: an element at the top of a "
                "record, such as patient"
            )

    def _refuse_rival_searches(self):
        names = [param.name for param in self.search_params]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ScopeError(f"{self.type} declares the search parameter {twice[0]} twice")
        if theirs := sorted({"patient", self.patient_element} & set(names)):
            raise ScopeError(f"{self.type} has the search parameter {theirs[0]} already: it names the person")

    def _refuse_confirming_searches(self):
        """What is taken out of a record, a search must not confirm."""
        for param in self.search_params:
            for path in param.path:
                for hidden in self.demographic_elements:
                    within = param.type == "string" and hidden.startswith(f"{path}.")
                    if within or f"{path}.".startswith(f"{hidden}."):
                        raise ScopeError(
                            f"{self.type}: the search parameter {param.name} looks at {path}, and {hidden} is "
                            "demographic: a search would confirm what is taken out; leave one of them out"
                        )

    @cached_property
    def read(self):
        id = Parameter(name="id", summary="The id of the record")
        return self._endpoint(f"fhir/{self.type}/{{id}}", "read", f"One {self.type} of the person", (id,))

    @cached_property
    def search(self):
        return self._endpoint(f"fhir/{self.type}", "search-type", f"Search the {self.type} records of the person")

    def _endpoint(self, path, interaction, summary, parameters=()):
        return Endpoint(
            path=path,
            resource=self,
            interaction=interaction,
            versions=self.versions,
            summary=summary,
            produces=(FHIR_JSON,),
            parameters=parameters,
        )

    @property
    def include_values(self):
        """The values of `_include` that a search of this type accepts."""
        names = [*(include.name for include in self.includes), "*"] if self.includes else []
        return [f"{self.type}:{name}" for name in names]

    def scopes(self, *, consent, demographic, detail="", reach="", order=0, deprecated=False):
        """The four scopes that SMART has for this resource type, in the same words: `.read .r .s .rs`."""
        return [
            Scope(
                name=f"patient/{self.type}.{permission}",
                consent=consent,
                detail=detail,
                reach=reach,
                demographic=demographic,
                order=order,
                deprecated=deprecated,
                endpoints=tuple(e for e in (self.read, self.search) if e.interaction in interactions),
            )
            for permission, interactions in SMART_INTERACTIONS.items()
        ]

    def patient_of(self, record):
        """The Patient.id whose record this is, or None.  `record` is a dict."""
        if self.patient_element == "id":
            return record.get("id")
        reference = record.get(self.patient_element)
        value = reference.get("reference") if isinstance(reference, dict) else None
        named = (
            fullmatch(r"(?:.*/)?Patient/([A-Za-z0-9.\-]{1,64})(?:/_history/.*)?", value)
            if isinstance(value, str)
            else None
        )
        return named and named[1]


def family_of(name):
    """`patient/Coverage` for the spellings of one SMART permission; the name itself for another scope."""
    smart = fullmatch(SMART_SCOPE, name)
    return f"patient/{smart['type']}" if smart else name


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One OAuth scope: what it opens, and how the beneficiary is asked for it."""

    name: str
    consent: str  #: the line on the authorization page: plain str, `Words`, or a translation string
    detail: str = ""  #: the smaller text under it
    reach: str = ""  #: how far back its records go, as a sentence of the page's list of what the app may do
    demographic: bool  #: says who the beneficiary is; can be declined on its own
    order: int = 0  #: where its line stands on the page, among those of its kind: lower comes first
    endpoints: tuple[Endpoint, ...] = ()
    claims: tuple[str, ...] = ()  #: OpenID Connect claims that userinfo releases, and an id_token where the app asks
    id_token: bool = False  #: the token response carries an id_token (OpenID Connect Core 3.1.3.3)
    id_token_claims: tuple[str, ...] = ()  #: those of `claims` that the id_token carries, asked for or not
    offline: bool = False  #: asks for access while the person is away; never granted to a one-time app
    deprecated: bool = False  #: neither advertised nor granted anew; what was granted works until its consent ends

    def __post_init__(self):
        if not fullmatch(SCOPE_NAME, self.name):
            raise ScopeError(f"{self.name!r} is not a scope name (RFC 6749, 3.3)")
        refuse_forgotten_commas(self)
        refuse_empty_words(self.consent, f"{self.name} has no consent words: say what the beneficiary would share")
        if not isinstance(self.demographic, bool):
            raise ScopeError(f"{self.name}: demographic must be True or False")
        if not set(self.id_token_claims) <= set(self.claims):
            raise ScopeError(f"{self.name}: id_token_claims must be among its claims")
        for endpoint in self.endpoints:
            if endpoint.path.startswith("fhir/") and not endpoint.resource:
                raise ScopeError(
                    f"{self.name} opens {endpoint} without a FhirResource: declare one, and use its endpoints"
                )
            if endpoint.path.startswith(("o/", "connect/")) and endpoint != USERINFO:
                raise ScopeError(f"{self.name} opens {endpoint}: the paths under o/ and connect/ are the server's own")
            if endpoint.resource and not self._names(endpoint):
                raise ScopeError(
                    f"{self.name} declares {endpoint}, which its name does not say: "
                    "take it out, or name the scope patient/TYPE.read, .r, .s or .rs (SMART App Launch 2.2)"
                )

    @cached_property
    def family(self):
        return family_of(self.name)

    @property
    def opens_records(self):
        return any(endpoint.resource for endpoint in self.endpoints)

    def covers(self, other):
        """True when whoever was granted this scope needs nothing more for `other`."""
        return self.family == other.family and set(other.endpoints) <= set(self.endpoints)

    def _names(self, endpoint):
        """True when the SMART grammar reads this FHIR interaction out of the scope's name."""
        smart = fullmatch(SMART_SCOPE, self.name)
        if not smart or smart["type"] != endpoint.resource.type:
            return False
        return endpoint.interaction in SMART_INTERACTIONS[smart["permission"]]
