"""Which key do all workers share, and no table holds?  A file beside the signing keys, made when it is first needed.

What follows from it, such as the secret of a mailed link, whoever has the database alone cannot work out.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex

NAME = "own.key"
SIZE = 32  # bytes


class OwnKeyError(Exception):
    """The file is no key; the message says what to mend."""


def derived(folder, purpose):
    """32 bytes for one purpose, the same for every worker."""
    return hmac.new(ensure_own_key(Path(folder)), purpose.encode(), sha256).digest()


def derived_text(folder, purpose):
    """The same in the characters of a URL."""
    return urlsafe_b64encode(derived(folder, purpose)).rstrip(b"=").decode()


@cache
def ensure_own_key(folder):
    """The key of a folder, which never changes; of workers that make it at once, the first one's stays."""
    path = folder / NAME
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != SIZE:
        raise OwnKeyError(f"{path} is no key: put the right file back; without it, authenticator apps do not work")
    return key


def _make(path):
    """Written for its owner only; it gets its name when it is whole and on the disk, unless another was quicker."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(f".{token_hex(4)}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(token_bytes(SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
