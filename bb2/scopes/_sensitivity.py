"""How does a plugin declare that some records are asked for one by one?"""

from collections.abc import Callable
from dataclasses import dataclass
from re import fullmatch

from bb2.scopes._checks import ScopeError, refuse_empty_words, refuse_forgotten_commas


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """A kind of record that goes out only where the beneficiary said Yes to a question of its own.

    Withheld is the default, and no setting changes it.  The words are plain str, `Words`, or translation strings.
    """

    key: str  #: `substance-use`: its name in the store, in the consent and in the form
    name: str  #: what such records are, as a line of a list
    question: str  #: on the authorization page
    detail: str  #: the smaller text under it: what is meant, and what becomes of the other records
    share: str  #: the answer that shares them
    withhold: str  #: the answer that leaves them out; it stands when the page opens
    resource_types: tuple[str, ...]  #: the types that can carry it; a scope that opens one of them brings the question
    carries: Callable[[dict], bool]  #: does this record (its JSON, of any API version) carry it?  In doubt: True
    #: Another text whenever `carries` may answer otherwise: every record is then withheld until it is judged anew.
    rules: str
    label: str  #: the ActCode of `meta.security` (HL7 v3 ActCode, _InformationSensitivityPolicy): `ETH`
    label_display: str  #: the display of that code

    def __post_init__(self):
        if not fullmatch(r"[a-z][a-z0-9-]{0,39}", self.key):
            raise ScopeError(f"{self.key!r} is no key of a sensitivity; accepted: small letters, digits and -")
        refuse_forgotten_commas(self)
        for words in ("name", "question", "detail", "share", "withhold"):
            refuse_empty_words(getattr(self, words), f"{self.key} has no {words}: say it to the beneficiary")
        if not self.resource_types or not all(fullmatch("[A-Z][A-Za-z]*", each) for each in self.resource_types):
            raise ScopeError(f"{self.key}: resource_types must name the FHIR resource types that can carry it")
        if not callable(self.carries):
            raise ScopeError(f"{self.key}: carries must be a function of a record")
        for field in ("rules", "label", "label_display"):
            refuse_empty_words(getattr(self, field), f"{self.key} has no {field}")
