"""Which keys sign id_tokens, and with which are they checked?  A folder of files, one private JSON Web Key each.

A key file is there as a whole or not at all, never changes, and says from when its key signs (`nbf`).  So the folder
and the clock decide alone, and every worker comes to the same answer: all keys are published, and of each algorithm's
the latest signs whose time has come (RFC 7517; OpenID Connect Core 10.1.1).
"""

import fcntl
import json
import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from bb2.oauth.id_tokens import ID_TOKEN_LIFETIME

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256")  # RFC 7518, 3.1; every OpenID provider has the first
LOOK_AGAIN = 1  # seconds for which a worker believes what it last saw in the folder
CLOCKS_DIFFER = 60  # seconds by which apps' clocks may be behind


class SigningKeyError(Exception):
    """The signing keys are not as they must be; the message says what to mend."""


@dataclass(frozen=True)
class SigningKey:
    """A private key, and the time from which it signs."""

    jwk: RSAKey | ECKey
    signs_from: int  #: seconds since 1970

    @property
    def kid(self):
        return self.jwk.kid

    @property
    def alg(self):
        return self.jwk.alg

    @property
    def order(self):
        return self.signs_from, self.kid


def new_key(alg, signs_from):
    """A new SigningKey; its id begins with the time at which it was made."""
    named = {"kid": f"{int(time.time())}-{token_hex(4)}", "use": "sig", "alg": alg}
    if alg == "RS256":
        return SigningKey(RSAKey.generate_key(2048, parameters=named, auto_kid=False), signs_from)
    return SigningKey(ECKey.generate_key("P-256", parameters=named, auto_kid=False), signs_from)


def signer(keys, alg, now):
    """The key of an algorithm that signs: the latest whose time has come; before any's has, the first.

    `keys` are in order.  None where the algorithm has no key.
    """
    ours = [key for key in keys if key.alg == alg]
    begun = [key for key in ours if key.signs_from <= now]
    return begun[-1] if begun else next(iter(ours), None)


class SigningKeys:
    """The keys of this server as a worker sees them; `folder` None: these, for good."""

    def __init__(self, keys, folder=None):
        self._keys, self._folder = tuple(keys), folder
        self._looked_at, self._told = time.monotonic(), set()

    @classmethod
    def generate(cls):
        return cls(new_key(alg, 0) for alg in ALGORITHMS)

    @classmethod
    def load(cls, folder):
        """The keys of a folder.  SigningKeyError when there are none, or a file is no key."""
        keys = read_keys(folder)
        if signer(keys, "RS256", 0) is None:
            raise SigningKeyError(f"there is no signing key in {folder}: run `bb2 init`")
        return cls(keys, Path(folder))

    def jwks(self):
        """The public keys, as a JSON Web Key Set (dict)."""
        return KeySet([key.jwk for key in self._now()]).as_dict(private=False)

    def sign(self, claims, alg):
        """A JWT of these claims (RFC 7519)."""
        key = signer(self._now(), alg, time.time())
        if key is None:
            raise SigningKeyError(f"there is no signing key for {alg}: run `bb2 init`")
        return jwt.encode({"alg": alg, "kid": key.kid}, claims, key.jwk)

    def claims_of(self, token):
        """The claims of a JWT that one of these keys has signed, however long ago; None for any other text."""
        try:
            return jwt.decode(token, KeySet([key.jwk for key in self._now()]), algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):
            return None

    def _now(self):
        """What the folder holds, as it was a second ago at most: reading names is cheap, reading keys is not."""
        if self._folder is not None and time.monotonic() - self._looked_at >= LOOK_AGAIN:
            self._looked_at = time.monotonic()
            self._look_again()
        return self._keys

    def _look_again(self):
        known = {key.kid: key for key in self._keys}
        names = [path.stem for path in self._folder.glob("*.jwk")]
        if set(names) == set(known):
            return
        found = [known.get(name) or self._read(name) for name in names]
        if any(found):  # a folder that is gone for a moment takes no key away
            self._keys = tuple(sorted(filter(None, found), key=lambda key: key.order))

    def _read(self, name):
        """A key that came while the server runs; a bad file is told once, and stops nobody."""
        try:
            return read_key(self._folder / f"{name}.jwk")
        except SigningKeyError as error:
            if name not in self._told:
                log.error("%s", error)
            self._told.add(name)
            return None


def read_keys(folder):
    """The keys of a folder's files, a tuple of SigningKey in the order in which they sign."""
    return tuple(sorted((read_key(path) for path in Path(folder).glob("*.jwk")), key=lambda key: key.order))


def read_key(path):
    """The SigningKey of a file.  SigningKeyError says what is wrong with it, and nothing of what it holds."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        kind = {"RS256": RSAKey, "ES256": ECKey}[stored["alg"]]
        signs_from = int(stored.pop("nbf", stored["kid"].partition("-")[0]))  # the first keys had no nbf
        key = SigningKey(kind.import_key(stored), signs_from)
        strong = key.jwk.raw_value.key_size >= 2048 if kind is RSAKey else key.jwk.curve_name == "P-256"
        good = key.jwk.is_private and key.kid == path.stem and strong
    except OSError as error:
        raise SigningKeyError(f"the signing key {path} cannot be read: {error.strerror}") from None
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        good = False
    if not good:
        raise SigningKeyError(
            f"{path} is no signing key: it must hold one private JSON Web Key, RS256 (2048 bits or more) or "
            "ES256 (P-256), whose `kid` is the file's name and whose `nbf` is the time from which it signs; "
            "take it out of the folder, or put the right file back"
        )
    return key


def ensure_keys(folder):
    """Make a signing key of each algorithm that has none.  Returns the new ones, a list of SigningKey."""
    with _alone(folder):
        there = {key.alg for key in read_keys(folder)}
        return [_add(folder, new_key(alg, int(time.time()))) for alg in ALGORITHMS if alg not in there]


def rotate(folder, alg, publish_seconds):
    """Make the next key of an algorithm: published from now on, and signing when `publish_seconds` have passed."""
    with _alone(folder):
        now = int(time.time())
        ours = [key for key in read_keys(folder) if key.alg == alg]
        if waiting := [key for key in ours if key.signs_from > now and key is not signer(ours, alg, now)]:
            raise SigningKeyError(
                f"{alg} has its next key already, {waiting[0].kid}: `bb2 keys list` says when it signs"
            )
        latest = max((key.signs_from for key in ours), default=0)
        return _add(folder, new_key(alg, max(now + publish_seconds, latest + 1)))


def retire(folder, kid, force=False):
    """Publish a key no more.  SigningKeyError for an algorithm's last, and, without `force`, for one still needed."""
    with _alone(folder):
        keys, now = read_keys(folder), time.time()
        key = next((key for key in keys if key.kid == kid), None)
        if key is None:
            raise SigningKeyError(f"there is no signing key {kid}; `bb2 keys list` shows them")
        if not any(other.alg == key.alg and other is not key for other in keys):
            raise SigningKeyError(f"{kid} is the only {key.alg} key: `bb2 keys rotate` makes the next one")
        if not force and (needed := why_needed(keys, key, now)):
            raise SigningKeyError(f"{kid} {needed}; --force retires it all the same")
        (Path(folder) / f"{kid}.jwk").unlink()
        _sync(folder)


def why_needed(keys, key, now):
    """Why apps still need a key to check id_tokens with, in words; None when they do not.  `keys` are in order."""
    if key is signer(keys, key.alg, now):
        return "signs id_tokens"
    if key.signs_from > now:
        return None  # it has not signed any yet
    # The next one's time has come, so this one has signed nothing since.
    last_signed = min(other.signs_from for other in keys if other.alg == key.alg and other.order > key.order)
    alive_until = last_signed + ID_TOKEN_LIFETIME + CLOCKS_DIFFER
    return f"has signed id_tokens that live until {iso(alive_until)}" if now < alive_until else None


def iso(seconds):
    """Seconds since 1970 as people write them: `2027-12-21T18:30:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _add(folder, key):
    """Write a key for its owner only: its file gets its name when it is whole and on the disk."""
    path = Path(folder) / f"{key.kid}.jwk"
    unfinished = path.with_suffix(".part")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(key.jwk.as_dict(private=True) | {"nbf": key.signs_from}, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync(folder)
    return key


def _sync(folder):
    """What was renamed or taken out of a folder stays so when the power fails."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _alone(folder):
    """Of two commands that change the keys, one waits."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
