"""How is the database reached?  A session for each request that writes, bare connections for the hot path."""

import os
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

BUSY_TIMEOUT = 5  # seconds that a writer waits for another on SQLite


def make_engine(url):
    """An engine for a database URL (SQLite or PostgreSQL), set up so that what was committed is kept."""
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        _make_private(Path(url.database))
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(url, hide_parameters=True, pool_pre_ping=False, pool_size=10, max_overflow=20)


def _make_private(path):
    """A database holds health records: its file, and a folder made for it, are their owner's only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def reader(engine):
    """The same database for single statements, which read: no transaction is opened or ended around them."""
    if engine.dialect.name == "sqlite":  # it commits by itself, until _begin_immediate
        return engine.execution_options(begins_nothing=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def can_be_known(id):
    """Can it be an id that was given out here?  No database looks for what it cannot hold, such as a NUL."""
    return isinstance(id, str) and id.isascii() and id.isprintable()


def need_not_last(db):
    """What this transaction writes may be lost when the power fails: PostgreSQL need not wait for the disk.

    A later transaction that waits brings it to the disk too (PostgreSQL documentation, "Asynchronous Commit").
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SET LOCAL synchronous_commit TO off"))


@contextmanager
def unsynced(engine):
    """A `reader` connection for a count, which the power may take when it fails: SQLite need not wait for the disk."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            yield connection
            return
        database = connection.connection.driver_connection
        database.execute("PRAGMA synchronous = NORMAL")
        try:
            yield connection
        finally:
            database.execute("PRAGMA synchronous = FULL")


def _configure_sqlite(connection, record):
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_immediate does
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection):
    """Take SQLite's write lock at once: two transactions that read and then write would otherwise deadlock."""
    if not connection.get_execution_options().get("begins_nothing"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def commit_tween_factory(handler, registry):
    """Commit the request's session when the answer is good, and before it is sent; otherwise nothing was done."""

    def commit_tween(request):
        try:
            response = handler(request)
            if "db" in request.__dict__ and response.status_int < 400:
                request.db.commit()
            return response
        except Exception:  # what fails at the commit is answered in the shape of its place, as what fails before
            request.db.rollback()
            return request.invoke_exception_view(reraise=True)
        finally:
            if "db" in request.__dict__:
                request.db.close()

    return commit_tween


def includeme(config):
    engine = config.registry["engine"]
    config.registry["reader"] = reader(engine)
    config.add_request_method(lambda request: Session(engine), "db", reify=True)
    config.add_tween("bb2.db.commit_tween_factory")
