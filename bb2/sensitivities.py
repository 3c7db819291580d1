"""Which sensitivities are installed, what was a record judged to carry, and what does an answer leave out?

A judgement is kept with the record as text: ` -substance-use/3f2a91c0 `, free of it; ` +substance-use/3f2a91c0 `,
carries it.  The digits stand for the rules.  A record is withheld unless it is *known to be free*: so whatever was
loaded before the plugin, or judged by other rules, stays where it is until it is judged anew.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from bb2.plugins import declared
from bb2.scopes import ScopeError, Sensitivity

FREE, CARRIES = "-", "+"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Withheld:
    """One sensitivity whose records a token does not open."""

    free: str  #: stands in the judgements of each record that may go out all the same
    carries: Callable[[dict], bool] | None  #: judges a record without judgements; None: the plugin is gone

    def hides(self, record):
        """True unless the record (a dict) is known to be free; what nobody can judge is hidden."""
        return self.carries is None or self.carries(record)


class Sensitivities:
    """Every registered Sensitivity by its key."""

    def __init__(self, sensitivities=()):
        self._by_key = {sensitivity.key: sensitivity for sensitivity in sensitivities}
        self._marks = {key: f"{key}/{_rules(sensitivity)} " for key, sensitivity in self._by_key.items()}

    @classmethod
    def from_plugins(cls, manager, settings):
        """Ask every plugin of the manager for its sensitivities; an error names the plugin."""
        found, plugins = {}, {}
        for plugin, sensitivity in declared(manager.hook.register_sensitivities, Sensitivity, settings=settings):
            if sensitivity.key in found:
                rivals = f"{plugins[sensitivity.key]} and {plugin}"
                raise ScopeError(f"the sensitivity {sensitivity.key} is declared twice, by {rivals}")
            found[sensitivity.key], plugins[sensitivity.key] = sensitivity, plugin
        return cls(found[key] for key in sorted(found))

    def __iter__(self):
        return iter(self._by_key.values())

    def __contains__(self, key):
        return key in self._by_key

    def asked_with(self, scopes):
        """The sensitivities that the beneficiary is asked about where these Scopes are requested."""
        types = {endpoint.resource.type for scope in scopes for endpoint in scope.endpoints if endpoint.resource}
        return [sensitivity for sensitivity in self if types & set(sensitivity.resource_types)]

    def withheld(self, answers, resource_type):
        """(Withheld, …) of the records of a type, for a Consent's answers, {key: shared}; None: nobody was asked.

        A No to a plugin that is gone stays a No: free are those records that were judged so while it was there.
        """
        answers = answers if isinstance(answers, dict) else {}
        withheld = [
            Withheld(f" {FREE}{self._marks[each.key]}", _carefully(each))
            for each in self
            if resource_type in each.resource_types and answers.get(each.key) is not True
        ]
        gone = [key for key, shared in answers.items() if key not in self and shared is not True]
        return (*withheld, *(Withheld(f" {FREE}{key}/", None) for key in gone))

    def carried(self, resource_type, judgements, parse):
        """The Sensitivities that a record carries.  `judgements` None: none are known; `parse()` gives its dict."""
        found = []
        for each in self:
            if resource_type not in each.resource_types:
                continue
            mark = self._marks[each.key]
            free, carries = (judgements is not None and f" {sign}{mark}" in judgements for sign in (FREE, CARRIES))
            if carries or (not free and _carefully(each)(parse())):
                found.append(each)
        return found

    def judge(self, record, before=""):
        """The judgements of a record (a dict), as text; those of plugins that are gone stay from `before`."""
        kept = [judged for judged in before.split() if judged[1:].partition("/")[0] not in self]
        made = [f"{CARRIES if self._carries(each, record) else FREE}{self._marks[each.key].strip()}" for each in self]
        return "".join(f" {judged}" for judged in (*kept, *made)) + " " if kept or made else ""

    @property
    def marks(self):
        """What stands in the judgements of a record that was judged by the rules of today, one for each sensitivity."""
        return list(self._marks.values())

    def _carries(self, sensitivity, record):
        return record.get("resourceType") in sensitivity.resource_types and _carefully(sensitivity)(record)


def _carefully(sensitivity):
    """Its `carries`; a record on which it fails carries it, since nobody knows better."""

    def carries(record):
        try:
            return bool(sensitivity.carries(record))
        except Exception as error:  # its message may repeat what the record says
            log.warning("%s cannot judge a record, which is withheld: %s", sensitivity.key, type(error).__name__)
            return True

    return carries


def _rules(sensitivity):
    """Eight digits that change with its rules."""
    rules = "\n".join((sensitivity.key, sensitivity.rules, *sorted(sensitivity.resource_types)))
    return sha256(rules.encode()).hexdigest()[:8]


NONE_INSTALLED = Sensitivities()
