"""Databases that the tests of a module share: what they only read is loaded once."""

import pytest
from sqlalchemy import text

from bb2.models import Base


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_engine(request):
    """As `engine` of the folder above, for the tests of a module together."""
    if request.param == "sqlite":
        return None
    engine = request.getfixturevalue("postgresql")
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return engine
