"""How often may a person try something?  What goes wrong stays counted, and too much of it makes a pause.

What one address is refused does not count for others: else it could lock a person out everywhere.
"""

from bb2 import audit
from bb2.views.limited import TooMany, client_address


class Tries:
    """The tries of one request: {key: limit} that only this address or browser uses up, and that others share.

    `pause`: what is told to who must wait, and of whom; as `pause_for` has it.
    """

    def __init__(self, request, own, shared=None, **pause):
        self.request, self.limits, self.pause = request, request.registry["limits"], pause
        self.own, self.shared = own, shared or {}

    def count(self):
        """Count one.  Commits what the request has done so far: SQLite's one writer shall be free meanwhile."""
        self.request.db.commit()
        for tries in self.own, self.shared:
            if wait := self.limits.count(tries):
                pause_for(self.request, wait, **self.pause)

    def take_back(self):
        """It was right, and need not stay counted."""
        self.limits.count(self.own | self.shared, -1)


def by_address(request, place, limit):
    """{key: limit} of whatever one address tries there; none where nobody can say from where a request came."""
    address = client_address(request)
    return {(place, "address", address): limit} if address else {}


def pause_for(request, wait, event, *, asked, way_on, advice=None, also=None):
    """Tell the person to wait; the trail has the `event` once, with what it knows of the app (`asked`)."""
    if wait.first:
        audit.record(request.db, event, **asked)
        request.db.commit()
    raise TooMany(wait, advice, way_on=way_on, also=also)
