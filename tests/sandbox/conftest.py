"""The people that the tests of this folder look at: made once."""

import pytest

from bb2.sandbox import people

VERSIONS = ("v1", "v2")


@pytest.fixture(scope="session")
def everyone():
    """(person, records) of the twenty people that a sandbox has by default."""
    return [(person, person.records()) for person in people(20)]


@pytest.fixture(scope="session")
def claims(everyone):
    """(version, person, ExplanationOfBenefit) of all of them."""
    return [
        (version, person, record)
        for person, records in everyone
        for version in VERSIONS
        for record in records[version]
        if record["resourceType"] == "ExplanationOfBenefit"
    ]
