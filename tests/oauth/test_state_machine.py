"""Thousands of steps in any order, and every token opens what the model says: no more, and no less.

`make test` takes fifty steps on each database, `make proofs` 10,000.
"""

import os
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from oauth.machine import OneBeneficiary

STEPS = int(os.environ.get("STEPS", "50"))  #: at least so many, on each database
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
