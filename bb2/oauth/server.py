"""oauthlib, put together from the two grants that beneficiaries' apps use, and no other."""

import base64
import hashlib
import re
import time

from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    InvalidGrantError,
    InvalidRequestError,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import UnsupportedGrantTypeError, UnsupportedResponseTypeError
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.exceptions import (
    RegistrationNotSupported,
    RequestNotSupported,
    RequestURINotSupported,
)

from bb2.oauth.secrets import new_secret

ID_TOKEN_LIFETIME = 3600  # seconds
LEAST_STATE = 16  # characters
# RFC 7636, 4.2: what S256 makes of a verifier
S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# RFC 7636, 4.1; the CMS SDKs pad with `=`, and hash the padding too
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}={0,2}")
# OpenID Connect Core 3.1.2.1; ten digits of seconds are three centuries
MAX_AGE = re.compile(r"[0-9]{1,10}")
PROMPTS = {"none", "login", "consent", "select_account"}
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
    "prompt",
    "max_age",
    "response_mode",
    "request",
    "request_uri",
    "registration",
)
#: OpenID Connect Core 3.1.2.6: what is answered as not supported, since an app that is ignored would be misled.
NOT_SUPPORTED = {
    "request": RequestNotSupported,
    "request_uri": RequestURINotSupported,
    "registration": RegistrationNotSupported,
}
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
        code.custom_validators.pre_auth += [self._check_authorization_request, self._check_openid_request]
        code.custom_validators.pre_token.append(_check_verifier)
        refresh.custom_validators.post_token.append(_name_scopes_once)
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
            raise UnsupportedGrantTypeError("grant_type must be authorization_code or refresh_token", request=request)

    def _check_authorization_request(self, request):
        """What this server asks beyond RFC 6749: `code` only, `state`, PKCE with S256, and our own FHIR base."""
        if twice := sorted(request.duplicate_params):
            raise InvalidRequestError(f"Duplicate {twice[0]} parameter.", request=request)
        if request.client_secret is not None:
            raise InvalidRequestError("A client_secret must never be sent through a browser", request=request)
        if request.response_type not in (None, "code"):
            raise UnsupportedResponseTypeError("response_type must be code", request=request)
        if not request.state or len(request.state) < LEAST_STATE:
            raise InvalidRequestError(f"state must have at least {LEAST_STATE} characters", request=request)
        if any("\x00" in (value or "") for value in (request.state, request.nonce)):
            raise InvalidRequestError("state and nonce may hold no NUL", request=request)
        if request.code_challenge is None:
            raise InvalidRequestError("PKCE is needed: code_challenge is missing (RFC 7636)", request=request)
        if request.code_challenge_method != "S256":
            raise InvalidRequestError("code_challenge_method must be S256", request=request)
        if not S256_CHALLENGE.fullmatch(request.code_challenge):
            raise InvalidRequestError("code_challenge must be the base64url of a SHA-256", request=request)
        for name in "aud", "resource":
            named = getattr(request, name, None)
            if named and named.rstrip("/") not in self.fhir_bases:
                raise InvalidRequestError(f"{name} must be a FHIR base of this server", request=request)
        return {}

    def _check_openid_request(self, request):
        """OpenID Connect Core 3.1.2.1: refuse what would mislead if it were ignored."""
        for name, error in NOT_SUPPORTED.items():
            if getattr(request, name, None) is not None:
                raise error(request=request)
        if request.response_mode not in (None, "query"):
            raise InvalidRequestError("response_mode must be query", request=request)
        prompts = (request.prompt or "").split()
        if not set(prompts) <= PROMPTS or ("none" in prompts and len(prompts) > 1):
            raise InvalidRequestError(
                "prompt must be none alone, or of login, consent, select_account", request=request
            )
        if request.max_age is not None and not MAX_AGE.fullmatch(request.max_age):
            raise InvalidRequestError("max_age must be a number of seconds", request=request)
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
            if request.nonce:  # of the code; a refresh has none (OpenID Connect Core 12.2)
                claims["nonce"] = request.nonce
            token["id_token"] = self.signing_keys.sign(claims)
        return token


def _check_verifier(request):
    """A verifier that is too short to be secret proves nothing (RFC 7636, 4.1 and 7.1)."""
    if request.code_verifier is not None and not VERIFIER.fullmatch(request.code_verifier):
        raise InvalidGrantError("code_verifier must be 43 to 128 unreserved characters", request=request)


def _name_scopes_once(request):
    request.scopes = list(dict.fromkeys(request.scopes))


def _half_hash(value):
    """The left half of SHA-256, for RS256 (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()
