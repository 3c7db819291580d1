"""What does an id_token say, and whom does one name that comes back as a hint?  (OpenID Connect Core 2, 3.1.3, 12.2)"""

import base64
import hashlib

from bb2.oauth.claims import Person

ID_TOKEN_LIFETIME = 3600  # seconds
#: What every id_token says, or may say, whatever scopes are installed.
ID_TOKEN_CLAIMS = ("iss", "sub", "aud", "iat", "exp", "auth_time", "at_hash", "nonce")


class IdTokens:
    """Makes the id_tokens of one issuer, and reads them.

    `released(person, scopes)` answers {claim: value}: what the scopes release about a `bb2.oauth.claims.Person`.
    """

    def __init__(self, issuer, signing_keys, scope_registry, released):
        self.issuer, self.signing_keys = issuer, signing_keys
        self.scopes, self.released = scope_registry, released

    def make(self, client, consent, granted, *, access_token, authenticated_at, issued_at, nonce):
        """The id_token of a token response; None where no granted scope asks for one (OpenID Connect Core 3.1.3.3).

        Times are datetimes; `nonce` is the authorization request's, and a refresh has None (12.2).
        """
        scopes = self.scopes.named(granted)
        if not any(scope.id_token for scope in scopes):
            return None
        moment = int(issued_at.timestamp())
        claims = self._about(consent, scopes) | {
            "iss": self.issuer,
            "sub": consent.beneficiary.sub,
            "aud": client.client_id,
            "iat": moment,
            "exp": moment + ID_TOKEN_LIFETIME,
            "auth_time": int(authenticated_at.timestamp()),
            "at_hash": half_hash(access_token, client.id_token_alg),
        }
        if nonce:
            claims["nonce"] = nonce
        return self.signing_keys.sign(claims, client.id_token_alg)

    def _about(self, consent, scopes):
        """What it says of the person: what a scope puts there, and what the app asked for, if a scope releases it."""
        asked = (consent.claims or {}).get("id_token", {})
        names = {name for scope in scopes for name in scope.id_token_claims} | asked.keys()
        if not names:
            return {}
        of = consent.beneficiary
        person = Person(of.sub, of.patient, of.given_name, of.family_name)
        found = self.released(person, [scope.name for scope in scopes])
        return {name: value for name, value in found.items() if name in names}

    def read(self, token):
        """The claims of an id_token that was made here, expired or not; None for any other text."""
        claims = self.signing_keys.claims_of(token)
        ours = claims is not None and claims.get("iss") == self.issuer and "sub" in claims and "aud" in claims
        return claims if ours else None


def half_hash(value, alg):
    """The left half of the algorithm's own hash of an access token: `at_hash` (OpenID Connect Core 3.1.3.6)."""
    digest = hashlib.new(f"sha{alg[-3:]}", value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
