"""How often may something be tried?  Counted in the database, or in Valkey where the operator has one.

What is counted is a key, and the table holds its hash: no name and no address can be read there.  A count is written
in a statement of its own, so that it stays when the request that it counts is undone.
"""

import logging
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import ceil

from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from sqlalchemy import Float, Integer, String, bindparam, case, func, select, true, union_all
from sqlalchemy.dialects import postgresql, sqlite

from bb2.clock import DatabaseTime
from bb2.db import unsynced
from bb2.models import RateLimit
from bb2.settings import SettingError

log = logging.getLogger(__name__)
PATIENCE = 0.5  #: seconds that Valkey has for an answer
PAUSE = 10  #: seconds without asking Valkey after it gave none
INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
counter = RateLimit.__table__


@dataclass(frozen=True)
class Wait:
    """A limit is reached: `seconds` until its window ends.  `first`: by this try, and not by an earlier one."""

    seconds: int
    first: bool


class Limits:
    """Counts tries.  A Valkey that does not answer locks nobody out: the database counts meanwhile."""

    def __init__(self, database, valkey=None):
        self.database, self.valkey = database, valkey
        self._asks_valkey_from = 0.0

    @classmethod
    def of(cls, settings, engine):
        """As the settings say.  `engine` runs single statements, each a transaction of its own."""
        return cls(DatabaseCounter(engine), settings.limits_url and _valkey(settings.limits_url))

    def count(self, tries, cost=1):
        """Count one try under each of `tries`, {key: RateLimitItem, or None for no limit}.

        Returns the longest Wait that follows from it, or None: it may go on.  A negative cost takes tries back.
        """
        limits = {item.key_for(hashed_key(key)): item for key, item in tries.items() if item}
        if not limits:
            return None
        counted = self._hit({key: item.get_expiry() for key, item in limits.items()}, cost)
        waits = [
            Wait(max(1, ceil(seconds)), first=hits - cost <= limits[key].amount)
            for key, (hits, seconds) in counted.items()
            if hits > limits[key].amount
        ]
        return max(waits, key=lambda wait: wait.seconds, default=None)

    def _hit(self, windows, cost):
        if self.valkey and time.monotonic() >= self._asks_valkey_from:
            try:
                return {key: self._hit_valkey(key, seconds, cost) for key, seconds in windows.items()}
            except self.valkey.base_exceptions as error:
                log.warning("Valkey does not answer (%s): the database counts meanwhile", type(error).__name__)
                self._asks_valkey_from = time.monotonic() + PAUSE
        return self.database.hit(windows, cost)

    def _hit_valkey(self, key, seconds, cost):
        return self.valkey.incr(key, seconds, amount=cost), self.valkey.get_expiry(key) - time.time()


class DatabaseCounter:
    """Counts in the table rate_limit, by fixed windows."""

    def __init__(self, engine):
        self.engine = engine

    def hit(self, windows, cost=1):
        """Count under each key of {key: seconds of its window}: {key: (hits, seconds left)}, in one statement."""
        given = {"hits": cost}
        # In one order, so that two requests that count under the same keys do not wait for each other.
        for number, (key, seconds) in enumerate(sorted(windows.items())):
            given |= {f"key{number}": key, f"seconds{number}": float(seconds)}
        with unsynced(self.engine) as connection:
            found = connection.execute(_upsert(self.engine.dialect.name, len(windows)), given).all()
        return {row.key: (row.hits, (row.expires_at - row.now).total_seconds()) for row in found}


@cache
def _upsert(dialect, keys):
    """The statement that counts under so many keys.

    Rows from SELECTs, as SQLAlchemy would compile an INSERT of several VALUES anew every time.
    """
    rows = [
        select(
            bindparam(f"key{number}", type_=String),
            bindparam("hits", type_=Integer),
            DatabaseTime(bindparam(f"seconds{number}", type_=Float)),
        ).where(true())  # SQLite could take ON CONFLICT for a join's ON otherwise
        for number in range(keys)
    ]
    added = INSERTS[dialect](counter).from_select(["key", "hits", "expires_at"], union_all(*rows))
    open_, now = counter.c.expires_at > DatabaseTime(), DatabaseTime().label("now")
    # Beside what it returns, the statement lets PostgreSQL answer before the count is on the disk.
    soon = [func.set_config("synchronous_commit", "off", True)] if dialect == "postgresql" else []
    return added.on_conflict_do_update(
        index_elements=[counter.c.key],
        set_={
            "hits": case((open_, counter.c.hits + added.excluded.hits), else_=added.excluded.hits),
            "expires_at": case((open_, counter.c.expires_at), else_=added.excluded.expires_at),
        },
    ).returning(counter.c.key, counter.c.hits, counter.c.expires_at, now, *soon)


def hashed_key(key):
    """What stands for a key, a tuple of texts: ("token", "address", "192.0.2.1")."""
    return sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()


def _valkey(url):
    """The library's storage in Valkey, or in Redis, which speaks the same protocol."""
    try:
        return storage_from_string(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    except ConfigurationError as error:
        raise SettingError(f"bb2.limits_url needs the client for it: pip install bb2[valkey] ({error})") from error
