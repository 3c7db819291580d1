"""oauthlib, put together from the two grants that beneficiaries' apps use, and no other."""

import base64
import hashlib
import re
import time

from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    InvalidRequestError,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import UnsupportedGrantTypeError, UnsupportedResponseTypeError
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from bb2.oauth.secrets import new_secret

ID_TOKEN_LIFETIME = 3600  # seconds
LEAST_STATE = 16  # characters
# RFC 7636, 4.2: what S256 makes of a verifier
S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
#: The parameters that are read; whatever else a request carries, oauthlib never sees.
AUTHORIZATION_PARAMETERS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "aud",
    "resource",
    "client_secret",
)
TOKEN_PARAMETERS = (
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
)


class AuthorizationServer(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):
    """oauthlib's endpoints over a `bb2.oauth.validator.Validator`.

    `fhir_bases` are the URLs that `aud` and `resource` may name; `issuer` and `signing_keys` make id_tokens.
    """

    def __init__(self, validator, issuer, signing_keys, fhir_bases):
        self.issuer, self.signing_keys, self.fhir_bases = issuer, signing_keys, fhir_bases
        self.validator = validator
        code, refresh = AuthorizationCodeGrant(validator), RefreshTokenGrant(validator)
        code.custom_validators.pre_auth.append(self._check_authorization_request)
        for grant in code, refresh:
            grant.register_token_modifier(self._add_id_token)
        bearer = BearerToken(validator, token_generator=lambda request: new_secret(), expires_in=validator.lifetime)
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        TokenEndpoint.__init__(
            self, "authorization_code", bearer, {"authorization_code": code, "refresh_token": refresh}
        )
        RevocationEndpoint.__init__(self, validator)

    def validate_token_request(self, request):
        """Refuse an unknown grant_type (RFC 6749, 5.2), which oauthlib would take for authorization_code."""
        super().validate_token_request(request)
        if not request.grant_type:
            raise InvalidRequestError("Missing grant_type parameter.", request=request)
        if request.grant_type not in self.grant_types:
            raise UnsupportedGrantTypeError(request=request)

    def _check_authorization_request(self, request):
        """What this server asks beyond RFC 6749: `code` only, `state`, PKCE with S256, and our own FHIR base."""
        if twice := sorted(request.duplicate_params):
            raise InvalidRequestError(f"Duplicate {twice[0]} parameter.", request=request)
        if request.client_secret is not None:
            raise InvalidRequestError("A client_secret must never be sent through a browser", request=request)
        if request.response_type not in (None, "code"):
            raise UnsupportedResponseTypeError(request=request)
        if not request.state or len(request.state) < LEAST_STATE:
            raise InvalidRequestError(f"state must have at least {LEAST_STATE} characters", request=request)
        if request.code_challenge_method != "S256":
            raise InvalidRequestError("code_challenge_method must be S256", request=request)
        if not S256_CHALLENGE.fullmatch(request.code_challenge or ""):
            raise InvalidRequestError("code_challenge must be the base64url of a SHA-256", request=request)
        for name in "aud", "resource":
            named = request._params.get(name)
            if named and named.rstrip("/") not in self.fhir_bases:
                raise InvalidRequestError(f"{name} must be a FHIR base of this server", request=request)
        return {}

    def _add_id_token(self, token, token_handler, request):
        """OpenID Connect Core 2 and 3.1.3.3, for the scopes that ask for it."""
        if any(scope.id_token for scope in self.validator.scopes.named(request.scopes)):
            now = int(time.time())
            claims = {
                "iss": self.issuer,
                "sub": request.consent.beneficiary.sub,
                "aud": request.client_id,
                "iat": now,
                "exp": now + ID_TOKEN_LIFETIME,
                "auth_time": int(request.authenticated_at.timestamp()),
                "at_hash": _half_hash(token["access_token"]),
            }
            if request.grant_type == "authorization_code" and request.nonce:
                claims["nonce"] = request.nonce
            token["id_token"] = self.signing_keys.sign(claims)
        return token


def _half_hash(value):
    """The left half of SHA-256, for RS256 (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()
