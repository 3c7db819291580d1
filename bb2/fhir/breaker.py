"""Is it worth asking now?  A server that has failed again and again is left alone for a while."""

import time
from threading import Lock

FAILURES = 5  #: one after another, until no more is asked
SECONDS = 10  #: until one request may try again


class Breaker:
    """A circuit breaker for the threads of one process.

    `failures` in a row open it.  After that one request in `seconds` is let through, and closes it when it succeeds.
    """

    def __init__(self, failures=FAILURES, seconds=SECONDS, clock=time.monotonic):
        self.most, self.seconds, self.clock = failures, seconds, clock
        self.failures, self.try_at = 0, 0.0
        self.lock = Lock()

    def allows(self):
        """True where a request may be made; who made it says how it went."""
        with self.lock:
            if self.failures < self.most:
                return True
            now = self.clock()
            if now < self.try_at:
                return False
            self.try_at = now + self.seconds  # the others wait for what this one finds
            return True

    def succeeded(self):
        with self.lock:
            self.failures = 0

    def failed(self):
        with self.lock:
            self.failures += 1
            self.try_at = self.clock() + self.seconds
