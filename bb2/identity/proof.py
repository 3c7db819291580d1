"""Does an id_token of the provider prove who has just signed in, in this browser?  (OpenID Connect Core 3.1.3.7)"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.errors import JoseError

from bb2.oauth.client_keys import ALGORITHMS, fitting

SKEW = 60  # seconds by which the provider's clock may differ from ours


class NoProofError(Exception):
    """The id_token proves nothing; the message is for the log, and holds no value of it."""


@dataclass(frozen=True)
class Expected:
    """What the id_token of one sign-in must say."""

    issuer: str
    client_id: str
    nonce: str
    now: datetime
    earliest: datetime | None  #: the person must have signed in since; None: whenever that was


def proven(id_token, keys, access_token, expected):
    """The claims of an id_token (any text), signed by one of the provider's keys; else NoProofError.

    `keys` gets the provider's keys, as its key set has them; with True, those that it has at this very moment.
    """
    try:
        token = jwt.decode(id_token, lambda signature: _key(signature.headers(), keys), algorithms=list(ALGORITHMS))
        claims = token.claims
        _registry(expected).validate(claims)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NoProofError(f"the id_token is refused: {getattr(error, 'error', '') or type(error).__name__}") from None
    _check_parties(claims, expected)
    _check_access_token(claims, token.header["alg"], access_token)
    _check_sign_in(claims, expected.earliest)
    return claims


def signed_in_at(claims, now):
    """When the person proved to the provider who they are: `auth_time` where it says so; never after `now`."""
    moment = claims.get("auth_time")
    return min(datetime.fromtimestamp(moment, UTC), now) if _is_time(moment) else now


def _key(header, keys):
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in ALGORITHMS:
        raise NoProofError(f"the id_token must be signed with one of {', '.join(ALGORITHMS)}")
    if not isinstance(kid, str):
        raise NoProofError("the id_token names no key")
    found = fitting(keys(), alg, kid) or fitting(keys(True), alg, kid)
    if not found:
        raise NoProofError("the provider publishes no key with the kid of the id_token")
    return found[0]


def _registry(expected):
    return jwt.JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=SKEW,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": expected.nonce},
    )


def _check_parties(claims, expected):
    """Beside us nobody is named, unless the provider says for whom it made the token."""
    several = claims["aud"] not in (expected.client_id, [expected.client_id])
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise NoProofError("the id_token was made for another client")
    if not isinstance(claims["nonce"], str):  # of a list, the library takes any member
        raise NoProofError("the nonce is no text")


def _check_access_token(claims, alg, access_token):
    """OpenID Connect Core 3.1.3.8"""
    if "at_hash" in claims:
        whole = hashlib.new(f"sha{alg[-3:]}", access_token.encode()).digest()
        if claims["at_hash"] != urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode():
            raise NoProofError("the id_token is of another access token")


def _check_sign_in(claims, earliest):
    """Where the app wants a fresh sign-in, the provider must say that it had one (OpenID Connect Core 3.1.2.1)."""
    if earliest is None:
        return
    if not _is_time(claims.get("auth_time")):
        raise NoProofError("auth_time is missing, though max_age was asked")
    if claims["auth_time"] < earliest.timestamp() - SKEW:
        raise NoProofError("the person signed in too long ago: prompt and max_age were passed over")


def _is_time(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**33
