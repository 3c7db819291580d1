"""Odd bytes at every route that there is: never a 5xx, and always the shape of the place.

`make test` sends some hundred requests on each database, `make proofs` 10,000.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from oauth.doors import People, assert_in_shape
from oauth.wire import send

pytestmark = pytest.mark.long

STEPS = int(os.environ.get("STEPS", "150"))  #: at least so many requests on each database
SEED = int(os.environ.get("SEED", "5"))


@pytest.fixture(scope="module")
def people(unlimited):
    return People(unlimited)


def test_whatever_is_sent_the_answer_has_the_shape_of_its_place(people):
    doors, sent = people.doors(), 0
    for door in doors:

        @seed(SEED)
        @settings(
            max_examples=-(-STEPS // len(doors)),
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(request=door.requests())
        def knock(request):
            nonlocal sent
            sent += 1
            assert_in_shape(request, send(people.app, **request), people.secrets)

        knock()
    print(f"{sent} requests at {len(doors)} routes, seed {SEED}")
    assert sent >= STEPS


@pytest.mark.parametrize("path", ["/v2/o/authorize", "/sign-in", "/consent/x", "/consent/%ff", "/%ff"])
def test_a_query_that_is_not_utf_8_gets_a_page(people, path):
    for query in b"lang=%ff", b"request=%ff", b"%ff=%ff", b"client_id=%ff&lang=es":
        request = {"path": path, "method": "GET", "query": query}
        response = send(people.app, **request)
        assert_in_shape(request, response, people.secrets)
        assert 400 <= response.status_int < 500
