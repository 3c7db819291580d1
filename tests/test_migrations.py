"""The migrations make the tables of bb2.models, on both databases, and take them away again."""

import pytest
from alembic import command
from sqlalchemy import inspect, text

from bb2 import migrations
from bb2.db import make_engine
from bb2.models import Base
from databases import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """An engine on a database without any tables."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    else:
        engine = make_engine(new_database(request.getfixturevalue("postgresql_url"), "migrations"))
    yield engine
    engine.dispose()


def test_from_empty_to_head_gives_the_tables_of_the_models(empty):
    assert migrations.upgrade(empty) is True
    assert set(inspect(empty).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    with empty.begin() as connection:
        command.check(migrations.config(connection))  # fails where models and tables differ


def test_a_second_upgrade_has_nothing_to_do(empty):
    migrations.upgrade(empty)
    assert migrations.upgrade(empty) is False


def test_downgrade_takes_every_table_away(empty):
    migrations.upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(migrations.config(connection), "base")
    assert set(inspect(empty).get_table_names()) == {"alembic_version"}


def test_an_upgrade_that_fails_leaves_nothing_behind(empty, monkeypatch):
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE record (number INTEGER)"))  # in the way of a later step
    with pytest.raises(Exception, match="record"):
        migrations.upgrade(empty)
    assert set(inspect(empty).get_table_names()) <= {"record", "alembic_version"}
