"""Which keys does a client publish at its `jwks_uri`?  Fetched when they are needed, and kept for a while."""

import time
from dataclasses import dataclass
from threading import Lock

from bb2.oauth.client_keys import keys_of
from bb2.oauth.fetch import FetchError


@dataclass(frozen=True)
class Answer:
    """What a URL said, and when."""

    keys: list  #: as they came, any JSON
    at: float  #: on the monotonic clock
    failed: bool = False


class PublishedKeys:
    """The keys of every `jwks_uri`, in this process.  A URL is asked by one request at a time, and not too often."""

    def __init__(self, fetcher):
        self.fetcher = fetcher
        self.lifetime = 600  #: seconds that an answer is good for
        self.pause = 10  #: least seconds between two requests to one URL, whatever the assertions name
        self.answers = {}
        self.locks = {}

    def keys(self, url, anew=False):
        """The keys at this URL, a list; FetchError when it does not answer.  `anew`: not those that are kept."""
        with self.locks.setdefault(url, Lock()):
            kept = self.answers.get(url)
            if kept is None or self._is_old(kept, anew):
                kept = self.answers[url] = self._asked(url)
        if kept.failed:
            raise FetchError(f"{url} could not be fetched")
        return kept.keys

    def _is_old(self, kept, anew):
        age = time.monotonic() - kept.at
        return age >= (self.pause if anew or kept.failed else self.lifetime)

    def _asked(self, url):
        try:
            return Answer(keys_of(self.fetcher.json(url)), time.monotonic())
        except FetchError:
            return Answer([], time.monotonic(), failed=True)
