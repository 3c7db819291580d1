"""What does a test's server take over from the ones before it?  Thousands are made, and most of each is as it was."""

import atexit
import gc
import shutil
import tempfile
import weakref
from functools import cache, lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from jinja2 import BytecodeCache
from pyramid_jinja2 import IJinja2Environment

import bb2
from bb2.db import make_engine
from bb2.models import Base
from bb2.oauth.keys import SigningKeys
from bb2.settings import Settings

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


@cache
def folder_for_files():
    """The path of a folder for what a server keeps in files."""
    folder = tempfile.mkdtemp(prefix="bb2-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _empty_database():
    """The path of an SQLite file with bb2's tables, to be copied."""
    folder = tempfile.mkdtemp(prefix="bb2-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "empty.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


FREE = []  #: engines whose server is gone
LAST = {}  #: the engine of the last server of a kind (settings and plugins): its application is assembled


def sqlite_engine(server, kind):
    """An engine on an empty database, which another server gets when this one is gone."""
    engine = _free_engine(LAST.get(kind))
    if engine is None:
        folder = tempfile.mkdtemp(prefix="bb2-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        engine = make_engine(f"sqlite:///{folder}/bb2.sqlite")
    engine.dispose()
    # A new file, not new content: a connection that nobody has closed yet keeps the old one, and harms only that.
    for part in "", "-wal", "-shm":
        Path(f"{engine.url.database}{part}").unlink(missing_ok=True)
    shutil.copy(_empty_database(), engine.url.database)
    LAST[kind] = engine
    weakref.finalize(server, FREE.append, engine)
    return engine


def _free_engine(wanted):
    """This one, another, or None."""
    if wanted not in FREE:
        gc.collect(1)  # a server goes with its pages, which hold one another
    if wanted in FREE:
        FREE.remove(wanted)
        return wanted
    return FREE.pop(0) if FREE else None


@cache
def password_hash():
    """Argon2id too, but quick to verify: thousands of tests sign in, and nothing here needs guarding."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def _name(plugin):
    return f"test:{getattr(plugin, '__name__', None) or getattr(plugin, 'name', id(plugin))}"
