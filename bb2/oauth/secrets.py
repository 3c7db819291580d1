"""How are codes, tokens and client secrets made and kept?  Random, 256 bits, and stored as SHA-256 only.

A slow hash protects what people choose; a random value of 256 bits cannot be guessed, and needs none.
"""

import hashlib
import hmac
import secrets


def new_secret():
    """A random value of 256 bits in the characters of a bearer token (RFC 6750, 2.1)."""
    return secrets.token_urlsafe(32)


def hashed(secret):
    """What is stored in place of a secret: 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(secret, stored):
    """True when `stored` is the hash of this secret, in constant time."""
    return hmac.compare_digest(hashed(secret), stored)
