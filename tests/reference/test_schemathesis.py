"""Requests made from /openapi.json by schemathesis: every answer is one that the document has.

`make test` sends some hundred, `make proofs` STEPS of them.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bb2.openapi import samples
from bb2.settings import SETTINGS
from reference.stage import Stage

pytestmark = [
    pytest.mark.long,
    # What WebOb keeps of a body in a file is closed when it is forgotten.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STEPS = int(os.environ.get("STEPS", "180"))  #: at least so many requests
SEED = int(os.environ.get("SEED", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Good values and bad ones, for what the document says; and both at once.
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def stage():
    """It counts no tries: thousands of requests come from one address."""
    return Stage(settings={each.name: "off" for each in SETTINGS if each.name.startswith("bb2.limit_")})


def test_every_answer_is_one_that_the_document_has(stage):
    stage.need()
    schema = schemathesis.openapi.from_wsgi("/openapi.json", stage.server.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    sent, rounds = 0, 0

    def send(case):
        nonlocal sent
        sent += 1
        token = samples.ACCESS_TOKEN if sent % 4 else "unknown"
        headers = {"Authorization": f"Bearer {token}"} if "/fhir" in case.path or "/connect" in case.path else {}
        headers["Accept-Encoding"] = "identity"  # what calls the application would not unpack it
        case.call_and_validate(headers=headers, checks=CHECKS)

    while sent < STEPS:
        rounds += 1
        each = min(100, -(-(STEPS - sent) // (len(operations) * len(MODES))))
        for operation in operations:
            for mode in MODES if operation.body or any(operation.iter_parameters()) else MODES[:1]:
                _sending(send, operation.as_strategy(generation_mode=mode), each, SEED + rounds)()
    print(f"{sent} requests at {len(operations)} operations, seed {SEED}")


def _sending(send, strategy, most, number):
    """A function that sends so many cases of a strategy, which the number chooses."""

    @seed(number)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def sending(case):
        send(case)

    return sending
