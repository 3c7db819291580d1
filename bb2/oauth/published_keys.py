"""Which keys does a client publish at its `jwks_uri`?  Fetched when they are needed, and kept for a while."""

import time
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from threading import Lock

from bb2.oauth.client_keys import keys_of
from bb2.oauth.fetch import FetchError

MOST_WAITING = 2  # request threads that wait for apps' sites at a time: the others must go on answering


@dataclass(frozen=True)
class Answer:
    """What a URL said, and when."""

    keys: list  #: as they came, any JSON
    at: float  #: on the monotonic clock


class Turn(Enum):
    """May this request ask a URL?"""

    OURS = auto()
    LATER = auto()  #: it was asked a moment ago
    ANOTHERS = auto()  #: another request is asking it
    NOBODYS = auto()  #: as many requests wait for sites as may


class PublishedKeys:
    """The keys of every `jwks_uri`, in this process.

    Who has signed nothing can make the server ask, by an assertion that names a key which nobody knows.  So one request
    at a time asks a URL, and not too often; none waits for another; and a site that fails takes no key away that
    is kept and still good.
    """

    def __init__(self, fetcher):
        self.fetcher = fetcher
        self.lifetime = 600  #: seconds that an answer is good for
        self.pause = 10  #: least seconds between two requests to one URL, whatever the assertions name
        self.answers = {}  #: {URL: its last Answer}
        self.tried = {}  #: {URL: when it was last asked, whatever came of it}
        self.asking = set()  #: the URLs for which a request waits now
        self.lock = Lock()  #: for the choice of who asks; never held while anything is waited for

    def keys(self, url, anew=False):
        """The keys at this URL, a list; FetchError when they cannot be had now.  `anew`: not those that are kept."""
        kept = self.answers.get(url)
        if self._is_good(kept) and not anew:
            return kept.keys
        turn = self._turn(url)
        if turn is Turn.OURS:
            return self._fetched(url)
        kept = self.answers.get(url)  # which another may have fetched by now
        if turn is Turn.LATER:
            if self._is_good(kept):
                return kept.keys
            raise FetchError(f"{url} could not be fetched")
        if turn is Turn.ANOTHERS and kept and not anew:
            return kept.keys  # however old: its successor is on the way
        raise FetchError(f"{url} is waited for already; try again")

    def _is_good(self, kept):
        return kept is not None and time.monotonic() - kept.at < self.lifetime

    def _turn(self, url):
        """Whose Turn it is to ask; where it is ours, no other request asks before `_fetched` has come to its end."""
        with self.lock:
            if url in self.asking:
                return Turn.ANOTHERS
            if time.monotonic() - self.tried.get(url, -inf) < self.pause:
                return Turn.LATER
            if len(self.asking) >= MOST_WAITING:
                return Turn.NOBODYS
            self.asking.add(url)
            return Turn.OURS

    def _fetched(self, url):
        try:
            keys = keys_of(self.fetcher.json(url))
            self.answers[url] = Answer(keys, time.monotonic())
            return keys
        finally:
            with self.lock:
                self.tried[url] = time.monotonic()
                self.asking.discard(url)
