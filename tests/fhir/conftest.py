"""Databases that the tests of a module share: what they only read is loaded once."""

import pytest

from databases import emptied


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_engine(request):
    """As `engine` of the folder above, for the tests of a module together."""
    return None if request.param == "sqlite" else emptied(request.getfixturevalue("postgresql"))
