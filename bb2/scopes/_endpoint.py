"""What can an access token open, and how is it described to those who call it?"""

from dataclasses import dataclass
from functools import cached_property
from re import findall

from bb2.scopes._checks import (
    API_VERSIONS,
    ScopeError,
    refuse_forgotten_commas,
    refuse_odd_endpoint,
    refuse_unknown_versions,
)

FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a request says to an Endpoint: the `{name}` of its path, or else a parameter of its query."""

    name: str
    summary: str  #: what it says, in a few words
    values: tuple[str, ...] = ()  #: those that are accepted; empty: any.  Another never reaches the view.
    required: bool = False  #: in the query; what stands in the path always is
    example: str = ""

    def __post_init__(self):
        refuse_forgotten_commas(self)
        if self.example and self.values and self.example not in self.values:
            raise ScopeError(f"{self.name}: the example {self.example!r} is not among its values")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One operation that an access token can open: methods and a route pattern, relative to the API version.

    The rest tells what is behind it; OpenAPI, the test client and the documentation show that.
    """

    path: str  #: `fhir/Coverage/{id}`, `connect/userinfo`, `insurance/card.{format}`
    methods: tuple[str, ...] = ("GET",)
    resource: object = None  #: a FhirResource, where it answers FHIR
    interaction: str | None = None  #: FHIR RESTful interaction: `read`, `search-type`
    versions: tuple[str, ...] = tuple(API_VERSIONS)
    summary: str = ""  #: what it answers, in a line for developers
    produces: tuple[str, ...] = ("application/json",)  #: the media types of its answers, but for refusals
    #: Of the path and the query.  What a FHIR search can say is its FhirResource's `search_params`.
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self):
        refuse_forgotten_commas(self)
        refuse_unknown_versions(self, self.path)
        refuse_odd_endpoint(self.path, self.methods, self.produces)
        names = [parameter.name for parameter in self.parameters]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ScopeError(f"{self.path} declares {sorted(twice)} twice")

    def __str__(self):
        return f"{self.methods[0]} {self.path}"

    @cached_property
    def path_parameters(self):
        """A Parameter for each `{name}` of the path, declared or not."""
        declared = {parameter.name: parameter for parameter in self.parameters}
        names = findall(r"{([^}:]+)[^}]*}", self.path)
        return tuple(declared.get(name) or Parameter(name=name, summary="") for name in names)

    @cached_property
    def query_parameters(self):
        """The declared parameters that do not stand in the path."""
        return tuple(parameter for parameter in self.parameters if parameter not in self.path_parameters)


#: Served by the core, from every plugin's claims.
USERINFO = Endpoint(
    path="connect/userinfo",
    methods=("GET", "POST"),
    summary="Who the person is, as OpenID Connect claims",
)
