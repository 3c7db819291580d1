"""Every record of many people is valid: `make proofs`, as `make test` looks at a few."""

import os

import pytest
from c4bb import faults
from checks import problems
from test_sandbox_validity import model

from bb2.sandbox import people

#: 1,000 people with STEPS=10000; they take some minutes.
PEOPLE = max(18, int(os.environ.get("STEPS", "200")) // 10)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_record_of_many_people_is_valid(version):
    checked = 0
    for person in people(PEOPLE, seed=int(os.environ.get("SEED", "1"))):
        for record in person.records()[version]:
            model(version, record["resourceType"]).model_validate(record)
            assert problems(version, record) == [], (person.username, record["id"])
            assert version == "v1" or faults(record) == [], (person.username, record["id"])
            checked += 1
    print(f"{checked} records of {PEOPLE} people in {version}")
