"""Databases for tests, and what is asked of them."""

from contextlib import contextmanager
from functools import cache

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url

from bb2.models import Base


def new_database(server_url, name):
    """The URL (text) of a new, empty database beside the one of this URL, whose name begins its own."""
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    name = f"{url.database}_{name}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def emptied(engine):
    """The engine of a database with bb2's tables, after every row is gone.

    TRUNCATE makes new files for every table, which takes ten times as long.
    """
    with engine.begin() as connection:
        sequences = connection.scalars(text("SELECT sequencename FROM pg_sequences")).all()
        numbers = ", ".join(f"setval('{sequence}', 1, false)" for sequence in sequences)
        # As a replica, the server asks no trigger and no foreign key.
        connection.exec_driver_sql(f"SET LOCAL session_replication_role = replica; {_deletes()}; SELECT {numbers}")
    return engine


@cache
def _deletes():
    """The SQL that takes every row out of bb2's tables."""
    return "; ".join(str(table.delete()) for table in Base.metadata.sorted_tables)


def hurry(server_url):
    """Let the server answer before what it wrote is on the disk: the tests' power does not fail."""
    engine = create_engine(make_url(server_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@contextmanager
def statements(engine):
    """The SQL that is sent to the database meanwhile, a list; SQLite's BEGIN is none."""
    sent = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def just_before(engine, sql, act):
    """Call a function without arguments once, when the first statement with this SQL in it is about to be sent."""

    acts = [act]

    def note(connection, cursor, statement, *_):
        if sql in statement and acts:
            acts.pop()()

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not acts, "there was no such statement"
