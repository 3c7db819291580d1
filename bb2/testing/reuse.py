"""What does a test's server take over from the ones before it?  Thousands are made, and most of each is as it was."""

import atexit
import gc
import shutil
import tempfile
import weakref
from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import BytecodeCache
from pyramid_jinja2 import IJinja2Environment
from sqlalchemy.orm import Session

import bb2
from bb2.db import make_engine
from bb2.identity.builtin import PUBLISHED_HASHER, ensure_beneficiary
from bb2.models import Account, Base
from bb2.oauth.keys import SigningKeys
from bb2.settings import Settings

ALICE, BOB = "-1001", "-1002"  #: synthetic patients, who sign in as `alice` and `bob`
PASSWORD = "correct horse"


class CompiledTemplates(BytecodeCache):
    """The templates that a server of this process has compiled: the next one need not."""

    def __init__(self):
        self.compiled = {}

    def load_bytecode(self, bucket):
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket):
        self.compiled[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


@cache
def _keys():
    return SigningKeys.generate()


@lru_cache(maxsize=64)
def assembled(settings, plugins, engine):
    """The application; the next server with the same plugins, settings and engine need not wait for it.

    It may be shared, since whatever it remembers from one request to the next is in the database.
    """
    app = bb2.make_app(
        Settings.read(dict(settings), {}), engine, {_name(plugin): plugin for plugin in plugins}, _keys()
    )
    app.registry.getUtility(IJinja2Environment, ".jinja2").bytecode_cache = COMPILED
    return app


def _new_folder():
    """The path of a folder that goes with this process."""
    folder = tempfile.mkdtemp(prefix="bb2-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def folder_for_files():
    """The path of a folder for what a server keeps in files."""
    return _new_folder()


def add_people(db):
    """Add Alice and Bob, who sign in with PASSWORD."""
    for username, patient, name in (("alice", ALICE, "Alice"), ("bob", BOB, "Bob")):
        person = ensure_beneficiary(db, patient, name, "Doe")
        db.add(Account(username=username, password_hash=_password_hash(), beneficiary=person))


@cache
def _new_database():
    """The path of an SQLite file with bb2's tables, Alice and Bob, to be copied."""
    path = Path(_new_folder()) / "new.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with Session(engine) as db, db.begin():
        add_people(db)
    engine.dispose()
    return path


FREE = defaultdict(list)  #: {kind of server (settings and plugins): engines that nobody has}


class Lease:
    """An engine on a new database with Alice and Bob; a server and its copies have it until all of them are gone.

    Then another server of this kind gets it: an application is assembled for its engine, and need not be once more.
    """

    def __init__(self, kind):
        self.engine = engine = _free_engine(kind) or make_engine(f"sqlite:///{_new_folder()}/bb2.sqlite")
        engine.dispose()
        # A new file, not new content: a connection that nobody has closed yet keeps the old one, and harms only that.
        for part in "", "-wal", "-shm":
            Path(f"{engine.url.database}{part}").unlink(missing_ok=True)
        shutil.copy(_new_database(), engine.url.database)
        weakref.finalize(self, FREE[kind].append, engine)


def _free_engine(kind):
    if not FREE[kind]:
        gc.collect(1)  # a server goes with its pages, which hold one another
    return FREE[kind].pop() if FREE[kind] else None


@cache
def _password_hash():
    """Argon2id too, but quick to verify: thousands of tests sign in, and nothing here needs guarding."""
    return PUBLISHED_HASHER.hash(PASSWORD)


def _name(plugin):
    return f"test:{getattr(plugin, '__name__', None) or getattr(plugin, 'name', id(plugin))}"
