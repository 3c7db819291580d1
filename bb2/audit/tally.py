"""What happens too often for a row each?  It is counted here, and written to the trail in batches.

A read of records writes nothing while the app waits; refused requests, which anybody can send, do not fill the disk.
"""

import atexit
import logging
import os
import signal
import sys
import weakref
from threading import Lock, Timer, current_thread, main_thread

from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from bb2.audit import IDS, line
from bb2.clock import utcnow
from bb2.models import AuditEvent

EVERY = 1.0  # seconds between batches
MOST = 10_000  # different events that wait for the database: beyond, they stand in the log only

log = logging.getLogger(__name__)
told = logging.getLogger("bb2.audit")


class Tally:
    """Like events of a server process, counted until the next batch.  Nobody who counts waits for the database."""

    def __init__(self, engine):
        self.engine = engine
        self.every = None  #: seconds between batches; None: they are written when `flush` is called
        self._begin()
        # A forked process has a tally of its own: what was counted before is its parent's to write.
        begin = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (of_this := begin()) and of_this())

    def _begin(self):
        self._counting, self._writing = Lock(), Lock()
        self._waiting = {}  # {event: [how often, first when]}
        self._timer = None

    def count(self, event, *, correlation_id=None, client_id=None, beneficiary_id=None, consent_id=None, **details):
        """Count an event, and tell the log at once.  `details` are text and numbers, and as `audit.record` has them."""
        ids = (correlation_id, client_id, beneficiary_id, consent_id)
        told.info("%s", line(event, dict(zip(IDS, ids, strict=True)), details))
        self._add({(event, ids, tuple(sorted(details.items()))): [1, utcnow()]})

    def _add(self, counts):
        """Count these too, and see that they are written soon."""
        with self._counting:
            for key, (number, first_at) in counts.items():
                if key in self._waiting:
                    self._waiting[key][0] += number
                elif len(self._waiting) < MOST:
                    self._waiting[key] = [number, first_at]
            if self.every is not None and self._timer is None:
                self._timer = _started(Timer(self.every, self.flush))

    def flush(self):
        """Write what was counted, in one INSERT.  False when the database does not take it: then it is kept."""
        with self._writing:
            with self._counting:
                counts, self._waiting, self._timer = self._waiting, {}, None
            try:
                if counts:
                    with self.engine.begin() as connection:
                        connection.execute(insert(AuditEvent), [_row(*item) for item in counts.items()])
            except SQLAlchemyError as error:
                log.warning("%d kinds of event wait for the database", len(counts), exc_info=error)
                self._add(counts)
                return False
            return True

    def forget(self):
        """Let go of what was counted."""
        with self._counting:
            self._waiting = {}

    def start(self):
        """From now on, write by itself: every second where there is something, and when the process ends."""
        self.every = EVERY
        atexit.register(self.flush)
        # Where SIGTERM would end the process on the spot, let it end as it does by itself.
        if current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _leave)


def _started(timer):
    """The timer, running; None where no thread can be had: the next event tries again."""
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        return None
    return timer


def _row(key, counted):
    (event, ids, details), (number, first_at) = key, counted
    details = dict(details) | {"count": number}
    return {"at": first_at, "event": event, "details": details} | dict(zip(IDS, ids, strict=True))


def _leave(_signal, _frame):
    sys.exit(0)
