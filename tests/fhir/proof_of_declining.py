"""What would the test of declining be worth if it noticed nothing?  Only `make proofs` asks.

Each test takes one rule out of redaction, or a part of a rule.
"""

import random
from collections import Counter

import pytest
from test_fhir_declining import SEED, a_plan, assert_it_says_nothing, sampled

from bb2.fhir import redaction
from bb2.fhir.redaction import _Redaction


class Everything:
    """Any name is in it."""

    def __contains__(self, _name):
        return True


def never(*_arguments):
    return False


WITHOUT = {
    "the elements that say it by name": (redaction, "HIDDEN_KEYS", frozenset()),
    "names and addresses outside a provider": (_Redaction, "_is_hidden_by_name", never),
    "what no record shows": (redaction, "_paths", lambda declared: [path.split(".") for path in declared]),
    "the systems, extensions and codes of a person": (redaction, "is_personal", never),
    "extensions of unknown makers": (redaction, "is_unknown", never),
    "the words for an identifier": (redaction, "words_say_person_number", never),
    "the form of a Medicare number": (redaction, "may_hold_a_medicare_number", never),
    "text in extensions": (redaction, "IN_WORDS", frozenset()),
    "references in words alone": (redaction, "NAMED_ELEMENTS", Everything()),
    "references to people and homes": (_Redaction, "_says_only_where", never),
    "records about people and homes": (_Redaction, "_is_about_care", lambda *_: True),
    "the rest of an address": (redaction, "OF_A_PLACE", frozenset({"state", "text"})),
    "labels and names by their place": (_Redaction, "_is_hidden", never),
}


def plant(tried):
    """In 3,000 records, one after another."""
    dice = random.Random(SEED)
    while tried.total() < 3000:
        _version, who, record = dice.choice(sampled())
        tried[record["id"]] += 1
        assert_it_says_nothing(record, who, a_plan(dice))


@pytest.mark.parametrize("rule", WITHOUT)
def test_that_a_rule_is_missing_is_noticed(rule, monkeypatch):
    where, name, instead = WITHOUT[rule]
    monkeypatch.setattr(where, name, instead)
    tried = Counter()
    with pytest.raises(AssertionError):
        plant(tried)
    print(f"without {rule}: noticed after {tried.total()} records")
