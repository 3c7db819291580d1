"""The people that the tests of this folder look at: made once."""

import gc

import pytest

from bb2.sandbox import PERSONAS, people

VERSIONS = ("v1", "v2")


@pytest.fixture(scope="session")
def everyone():
    """(person, records) of the personas, but the one with 1,000 claims, and of six others."""
    thousand = PERSONAS["thousand"].number
    made = [(person, person.records()) for person in people(24) if person.number != thousand]
    gc.freeze()  # hundreds of thousands of objects stay to the end: looking through them again and again takes seconds
    return made


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
