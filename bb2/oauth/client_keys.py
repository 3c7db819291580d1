"""Which public keys may a client prove itself with?  (RFC 7517, RFC 7518; SMART App Launch 2.2)"""

from collections import Counter

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from bb2.oauth.errors import ClientError

#: {JWS algorithm: type of its keys, and their curve}; SMART names the first two (RFC 7518, 3.1)
ALGORITHMS = {
    "RS384": ("RSA", None),
    "ES384": ("EC", "P-384"),
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
}
RSA_BITS = range(2048, 8193)  # shorter can be broken; longer only costs time
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}  # RFC 7518, 6.2.2, 6.3.2 and 6.4.1
MOST_KEYS = 20


def checked_jwks(jwks):
    """The JSON Web Key Set of a registration, {"keys": [...]}, if every key will do; else ClientError."""
    keys = keys_of(jwks)
    if not keys:
        raise ClientError('the key set must be {"keys": […]} with 1 to 20 keys (RFC 7517, 5)')
    for key in keys:
        if problem := key_problem(key):
            raise ClientError(f"key {key.get('kid') if isinstance(key, dict) else key!r}: {problem}")
    if twice := [kid for kid, times in Counter(key["kid"] for key in keys).items() if times > 1]:
        raise ClientError(f"two keys have the kid {twice[0]!r}")
    return {"keys": keys}


def keys_of(jwks):
    """The keys of a JSON Web Key Set as it came, a list of anything; empty for what is no key set."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return keys if isinstance(keys, list) and len(keys) <= MOST_KEYS else []


def fitting(keys, alg, kid):
    """Those of the keys (dicts) that can check a signature of this algorithm and key id, ready to use."""
    usable = (key for key in keys if key_problem(key) is None and key["kid"] == kid)
    return [_imported(key) for key in usable if (key["kty"], key.get("crv")) == ALGORITHMS[alg]]


def key_problem(key):
    """What is wrong with a JSON Web Key (anything that JSON can be), or None."""
    if not isinstance(key, dict):
        return "it is not a JSON Web Key"
    if PRIVATE_MEMBERS & key.keys():
        return "it is private: register the public key only, and make a new pair, as this one has been shown"
    if not isinstance(key.get("kid"), str) or not key["kid"] or not key["kid"].isprintable():
        return "it needs a kid, by which a signature names it, of printable characters"
    if key.get("use", "sig") != "sig":
        return "it is not for signatures"
    if (key.get("kty"), key.get("crv")) not in ALGORITHMS.values():
        return "it must be RSA, or EC on P-384 or P-256"
    if key.get("alg", "RS384") not in tuple(ALGORITHMS):  # a tuple, as it may be a list, which nothing can hash
        return f"its alg must be one of {', '.join(ALGORITHMS)}"
    try:
        if key["kty"] == "RSA" and base64_to_int(key["n"]).bit_length() not in RSA_BITS:
            return f"an RSA key must have {RSA_BITS[0]} to {RSA_BITS[-1]} bits"
        _imported(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return "it is not a JSON Web Key"
    return None


def _imported(key):
    return (RSAKey if key["kty"] == "RSA" else ECKey).import_key(key)
