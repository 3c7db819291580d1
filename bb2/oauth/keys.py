"""Which keys sign id_tokens?  Files of one private JSON Web Key each; the newest signs (RFC 7517, RFC 7518).

Keys are loaded once: reading an RSA key takes longer than signing fifty times with it.
"""

import json
import os
import time
from pathlib import Path
from secrets import token_hex

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ALGORITHM = "RS256"


class NoSigningKey(Exception):
    """There is no signing key yet: `bb2 init` makes one."""


class SigningKeys:
    """The keys of this server; the first signs."""

    def __init__(self, keys):
        self.keys = keys

    @classmethod
    def generate(cls):
        return cls([new_key()])

    @classmethod
    def load(cls, folder):
        """The keys of a folder, newest first.  NoSigningKey when there are none."""
        files = sorted(Path(folder).glob("*.jwk"), reverse=True)
        if not files:
            raise NoSigningKey(f"there is no signing key in {folder}: run `bb2 init`")
        return cls([RSAKey.import_key(json.loads(file.read_text())) for file in files])

    def jwks(self):
        """The public keys, as a JSON Web Key Set (dict)."""
        return KeySet(self.keys).as_dict(private=False)

    def sign(self, claims):
        """A JWT of these claims (RFC 7519)."""
        key = self.keys[0]
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def new_key():
    # The id begins with the time, so that the newest key is the last by name.
    kid = f"{int(time.time())}-{token_hex(4)}"
    return RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig", "alg": ALGORITHM}, auto_kid=False)


def ensure_key(folder):
    """Make a signing key if there is none, readable by its owner only.  Returns the path of a new one, or None."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.glob("*.jwk")):
        return None
    key = new_key()
    path = folder / f"{key.kid}.jwk"
    unfinished = path.with_suffix(".part")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(key.as_dict(private=True), file)
    unfinished.rename(path)
    return path
