"""What has this browser come to at the test client?

A trial holds tokens and, where a developer plays an app of their own, its secret.  To call with them, they must be
known and not hashed; so they are sealed under a key that follows from the browser's cookie, which is kept nowhere:
who reads the database opens nothing with it.
"""

import json

from joserfc import jwe
from joserfc.errors import ExceededSizeError
from joserfc.jwk import OctKey

from bb2.identity.sessions import CookieSession
from bb2.models import ClientTrial

SEALED = {"alg": "dir", "enc": "A256GCM"}  # RFC 7518, 4.5 and 5.3


class Trial(CookieSession):
    """A session of nobody's: whether a person or a developer signs in or out meanwhile is no matter to its forms."""

    kind, model = "testclient", ClientTrial

    @property
    def kept(self):
        """What `keep` was told last, a dict; empty where nothing was begun, or too much for joserfc to open."""
        sealed = self._session and self._session.sealed
        try:
            return json.loads(jwe.decrypt_compact(sealed, self._key()).plaintext) if sealed else {}
        except ExceededSizeError:
            return {}

    def keep(self, what):
        self.begin()
        self._session.sealed = jwe.encrypt_compact(SEALED, json.dumps(what).encode(), self._key())

    def _key(self):
        return OctKey.import_key(bytes.fromhex(self.secret_for("seal")))


def includeme(config):
    config.add_request_method(Trial, "trial", reify=True)
