"""Do the other FHIR servers answer?"""

import time
from threading import Lock

from bb2.fhir.transport import BadAnswer, Budget, Unavailable

HEALTHY_FOR = 10  #: seconds: anybody may ask for our health, and the other server shall not feel it
SECONDS = 5
MOST = 1_048_576  # bytes


class Health:
    """Of {API version: Transport}.  One thread asks, once in a while; the others go by what it found the last time."""

    def __init__(self, transports):
        self.transports, self.asking = transports, Lock()
        self.known_until, self.problem = 0.0, "nobody has asked the FHIR server yet"

    def check(self):
        # Strangers may ask: threads that waited for a slow server would be missing for the records.
        if time.monotonic() >= self.known_until and self.asking.acquire(blocking=False):
            try:
                self.problem = self._found()
                self.known_until = time.monotonic() + HEALTHY_FOR
            finally:
                self.asking.release()
        if self.problem:
            raise Unavailable(self.problem)

    def _found(self):
        """What is wrong with the first that does not answer; None where all do."""
        for version, server in self.transports.items():
            try:
                status, content_type = server.look("metadata", Budget(SECONDS, MOST))
                if status != 200 or "json" not in content_type:
                    raise BadAnswer(f"it answered {status}, and not with a CapabilityStatement")
            except (Unavailable, BadAnswer) as problem:
                return f"the FHIR server of {version}: {problem}"
        return None
