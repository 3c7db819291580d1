"""Does a signed assertion prove which client sends it?  (RFC 7521, 4.2; RFC 7523, 3; SMART App Launch 2.2)"""

import json
from datetime import UTC, datetime

from joserfc import jws
from joserfc.errors import JoseError
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from bb2.clock import DatabaseTime
from bb2.db import can_be_known
from bb2.models import Client, UsedAssertion
from bb2.oauth.client_keys import ALGORITHMS, fitting, keys_of
from bb2.oauth.fetch import FetchError
from bb2.oauth.secrets import hashed

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_AHEAD = 300  # seconds that an assertion may live (SMART App Launch 2.2, client-confidential-asymmetric)
LONGEST_JTI = 512  # characters
SKEW = 30  # seconds that an app's clock may be ahead of ours


class AssertionRefused(Exception):
    """The assertion proves nothing; the message tells the app's developer why."""


class Assertions:
    """Checks client assertions.  It works beside the request's own transaction: keys are fetched under no lock, and an
    assertion is used up whatever becomes of the request.

    `audiences`: what `aud` may say: the issuer, and the URLs of the endpoints.
    """

    def __init__(self, engine, reader, published, audiences):
        self.engine, self.reader, self.published = engine, reader, published
        self.audiences = {audience.rstrip("/") for audience in audiences}

    def client_id_of(self, assertion):
        """The id of the client that this assertion proves, once; else AssertionRefused."""
        signature, alg, kid, claims = _read(assertion)
        client_id = claims.get("iss")
        keys, now = self._keys(client_id, alg, kid)
        if not _verified(signature, alg, keys):
            raise AssertionRefused("no active client has a key with this kid that fits the signature")
        self._check(claims, now.timestamp())
        self._use_once(client_id, claims)
        return client_id

    def _keys(self, client_id, alg, kid):
        """(the keys of this client that could have made the signature, the database's time)"""
        if not can_be_known(client_id):
            return [], None
        of_client = select(Client.jwks, Client.jwks_uri, DatabaseTime())
        with self.reader.connect() as connection:
            active = of_client.where(Client.client_id == client_id, Client.disabled_at.is_(None))
            jwks, jwks_uri, now = connection.execute(active).one_or_none() or (None, None, None)
        if not jwks_uri:
            return fitting(keys_of(jwks), alg, kid), now
        try:
            found = fitting(self.published.keys(jwks_uri), alg, kid)
            return found or fitting(self.published.keys(jwks_uri, anew=True), alg, kid), now
        except FetchError as error:
            raise AssertionRefused(str(error)) from error

    def _check(self, claims, now):
        """RFC 7523, 3, for a signature that is right.  `now` in seconds since 1970."""
        if claims.get("sub") != claims["iss"]:
            raise AssertionRefused("iss and sub must both be the client_id")
        named = claims.get("aud")
        named = named if isinstance(named, list) else [named]
        # Who is named beside us could play the assertion to us, so nobody is.
        if not named or not all(isinstance(aud, str) and aud.rstrip("/") in self.audiences for aud in named):
            raise AssertionRefused("aud must be the URL of the token endpoint, or the issuer")
        if not _is_time(claims.get("exp")) or claims["exp"] <= now:
            raise AssertionRefused("exp is missing, or past")
        if claims["exp"] > now + MOST_AHEAD + SKEW:
            raise AssertionRefused("exp must be at most five minutes ahead")
        for name in "nbf", "iat":
            if name in claims and (not _is_time(claims[name]) or claims[name] > now + SKEW):
                raise AssertionRefused(f"{name} is in the future")
        if not isinstance(claims.get("jti"), str) or not claims["jti"]:
            raise AssertionRefused("jti is missing")
        if len(claims["jti"]) > LONGEST_JTI or not _is_unicode(claims["jti"]):
            raise AssertionRefused(f"jti must be at most {LONGEST_JTI} characters of Unicode")

    def _use_once(self, client_id, claims):
        """One statement in a transaction of its own: of two at once, the database refuses the second."""
        used = {
            "jti_hash": hashed(f"{client_id} {claims['jti']}"),
            "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
        }
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(UsedAssertion).values(used))
        except IntegrityError as error:
            raise AssertionRefused("this assertion was used before: each needs a jti of its own") from error


def named_client(assertion):
    """The client id that an assertion (anything) names, true or not; None when it cannot be read."""
    try:
        *_header, claims = _read(assertion)
    except AssertionRefused:
        return None
    return claims.get("iss") if isinstance(claims.get("iss"), str) else None


def _read(assertion):
    """(signature to verify, algorithm, key id, claims) of a compact JWS that nobody has verified yet."""
    try:
        signature = jws.extract_compact(assertion.encode())
        header, claims = signature.headers(), json.loads(signature.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise AssertionRefused("client_assertion is not a JWT") from error
    if not isinstance(claims, dict):
        raise AssertionRefused("client_assertion is not a JWT")
    if header.get("alg") not in tuple(ALGORITHMS):  # a tuple, as it may be a list, which nothing can hash
        raise AssertionRefused(f"alg must be one of {', '.join(ALGORITHMS)}")
    if not isinstance(header.get("kid"), str):
        raise AssertionRefused("kid is missing: it names the key of the signature")
    return signature, header["alg"], header["kid"], claims


def _verified(signature, alg, keys):
    """True when one of these keys made the signature."""
    for key in keys:
        try:
            if jws.validate_compact(signature, key, [alg]):
                return True
        except (JoseError, ValueError):
            continue
    return False


def _is_time(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**40


def _is_unicode(text):
    """False where JSON had half of a surrogate pair, which no encoding can write."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
