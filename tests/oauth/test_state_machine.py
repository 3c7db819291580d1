"""Thousands of steps in any order, and every token opens what the model says: no more, and no less.

`make test` takes some hundred steps on each database, `make proofs` 10,000.
"""

import os
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from bb2.clock import utcnow
from bb2.oauth import consents
from bb2.oauth.validator import Validator
from bb2.registry import ScopeRegistry
from bb2.views.consent import ConsentPage
from oauth.machine import OneBeneficiary

STEPS = int(os.environ.get("STEPS", "300"))  #: at least so many, on each database
SEED = int(os.environ.get("SEED", "5"))  #: another number tells other stories; the same number tells the same
STORY = 25  # steps: in a long one, little is left open


def take(server, steps, taken, phases=(Phase.generate, Phase.shrink)):
    """Take at least so many steps, in stories with a beneficiary and apps of their own; count them in `taken`."""
    number = SEED
    while taken.total() < steps:  # hypothesis ends a story early now and then
        stories = settings(
            max_examples=-(-(steps - taken.total()) // STORY),
            stateful_step_count=STORY + 1,  # the registration is one
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seed(number)(lambda: OneBeneficiary(server, taken)), settings=stories)
        number += 1


def test_every_token_opens_what_the_model_says(unlimited):
    begun, taken = time.monotonic(), Counter()
    take(unlimited, STEPS, taken)
    seconds, database = time.monotonic() - begun, unlimited.engine.name
    print(f"{database}: {taken.total()} steps in {seconds:.0f} s, seed {SEED}: {dict(taken.most_common())}")
    assert taken.total() >= STEPS


@pytest.mark.parametrize("unlimited", ["sqlite"], indirect=True)
class TestTheMachineNotices:
    """What it would be worth if it noticed nothing?  Each test takes one line out of the server."""

    @pytest.fixture
    def noticed(self, unlimited):
        def noticed():
            taken = Counter()
            with pytest.raises(AssertionError):
                take(unlimited, 2000, taken, phases=(Phase.generate,))
            print(f"noticed after {taken.total()} steps")

        return noticed

    def test_that_a_newer_consent_does_not_close_the_older(self, noticed, monkeypatch):
        monkeypatch.setattr(consents, "activate", lambda db, consent: setattr(consent, "activated_at", utcnow()))
        noticed()

    def test_that_a_code_is_redeemed_twice(self, noticed, monkeypatch):
        monkeypatch.setattr(Validator, "invalidate_authorization_code", lambda *_arguments: None)
        noticed()

    def test_that_a_replay_closes_nothing(self, noticed, monkeypatch):
        monkeypatch.setattr(consents, "close_replayed", lambda *_arguments: None)
        noticed()

    def test_that_less_after_back_ends_nothing(self, noticed, monkeypatch):
        monkeypatch.setattr(ConsentPage, "takes_back", lambda *_arguments: False)
        noticed()

    def test_that_a_narrowed_app_keeps_what_it_had(self, noticed, monkeypatch):
        allowed = ScopeRegistry.allowed
        monkeypatch.setattr(
            ScopeRegistry, "allowed", lambda self, scopes, registered, _asks: allowed(self, scopes, registered, True)
        )
        noticed()
