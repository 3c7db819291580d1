"""oauthlib, put together from the two grants that beneficiaries' apps use, and no other."""

import json
import re
from urllib.parse import urlencode

from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    IntrospectEndpoint,
    InvalidClientError,
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

from bb2.clock import now
from bb2.oauth import pushed
from bb2.oauth.claims import WantedClaims, wanted_claims
from bb2.oauth.errors import InvalidTarget, UnmetAuthenticationRequirements
from bb2.oauth.secrets import new_secret

LEAST_STATE = 16  # characters
MOST_PARAMETER = 2048  # characters of each parameter that is kept: a request that anybody may send fills no disk
MOST_PUSHED = 8192  # bytes of a pushed request, credentials and all
# RFC 7636, 4.2: what S256 makes of a verifier
S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# RFC 7636, 4.1; the CMS SDKs pad with `=`, and hash the padding too
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}={0,2}")
# OpenID Connect Core 3.1.2.1; ten digits of seconds are three centuries
MAX_AGE = re.compile(r"[0-9]{1,10}")
PROMPTS = ("none", "login", "consent", "select_account")
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
    "login_hint",
    "id_token_hint",
    "claims",
    "ui_locales",
    "lang",
    "claims_locales",
    "acr_values",
    "display",
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
#: What is read and not kept; an id_token may be long.
UNKEPT = ("id_token_hint", *NOT_SUPPORTED)
#: How a client proves who it is, wherever it does: never a part of what it asks for.
AUTHENTICATION_PARAMETERS = ("client_secret", "client_assertion", "client_assertion_type")
TOKEN_PARAMETERS = (
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    *AUTHENTICATION_PARAMETERS,
    "code_verifier",
    "resource",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
)


class AuthorizationServer(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint, IntrospectEndpoint):
    """oauthlib's endpoints over a `bb2.oauth.validator.Validator`.

    `fhir_bases` are the URLs that `aud` and `resource` may name; `id_tokens` is an
    IdTokens: it makes them, and knows its own again.
    """

    def __init__(self, validator, id_tokens, fhir_bases):
        self.id_tokens, self.fhir_bases = id_tokens, fhir_bases
        self.validator = validator
        code, refresh = AuthorizationCodeGrant(validator), RefreshTokenGrant(validator)
        code.custom_validators.pre_auth += [
            self._check_authorization_request,
            self._check_openid_request,
            self._check_named_person,
        ]
        code.custom_validators.pre_token.append(_check_verifier)
        refresh.custom_validators.post_token.append(_name_scopes_once)
        for grant in code, refresh:
            grant.custom_validators.post_token.append(self._check_resource)
            grant.register_token_modifier(self._add_id_token)
        bearer = BearerToken(validator, token_generator=lambda request: new_secret(), expires_in=validator.lifetime)
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        TokenEndpoint.__init__(
            self, "authorization_code", bearer, {"authorization_code": code, "refresh_token": refresh}
        )
        RevocationEndpoint.__init__(self, validator)
        IntrospectEndpoint.__init__(self, validator)

    def create_pushed_response(self, uri, http_method, form, headers):
        """RFC 9126, 2: the client proves who it is, and its authorization request is checked whole, and kept."""
        request = Request(uri, http_method, form, headers)
        if len(urlencode(form)) > MOST_PUSHED:
            raise InvalidRequestError(f"An authorization request has at most {MOST_PUSHED} bytes", request=request)
        self._raise_on_invalid_client(request)
        if getattr(request, "request_uri", None) is not None:
            raise InvalidRequestError("request_uri is what this endpoint answers; it takes none", request=request)
        asked = {name: value for name, value in form if name not in AUTHENTICATION_PARAMETERS}
        asked |= {"client_id": request.client_id}
        self.validate_authorization_request("", body=urlencode(unpadded(asked.items())))
        request_uri = pushed.keep(self.validator.db, request.client_id, asked)
        return {}, json.dumps({"request_uri": request_uri, "expires_in": pushed.LIFETIME}), 201

    def validate_introspect_request(self, request):
        """RFC 7662, 2.1: a client that can prove nothing learns nothing."""
        super().validate_introspect_request(request)
        if request.client.public:
            raise InvalidClientError("Introspection is for apps that authenticate", request=request)

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
        for name in AUTHORIZATION_PARAMETERS:
            if name not in UNKEPT and len(getattr(request, name, None) or "") > MOST_PARAMETER:
                raise InvalidRequestError(f"{name} must have at most {MOST_PARAMETER} characters", request=request)
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
        self._check_audience(request)
        return {}

    def _check_audience(self, request):
        """`aud` (SMART App Launch 2.2) and `resource` (RFC 8707, 2.1) name one FHIR base, with a slash or without."""
        named = {name: getattr(request, name, None) for name in ("aud", "resource")}
        bases = {name: value.rstrip("/") for name, value in named.items() if value}
        for name, base in bases.items():
            if base not in self.fhir_bases:
                refused = InvalidTarget if name == "resource" else InvalidRequestError
                raise refused(f"{name} must be a FHIR base of this server", request=request)
        if len(set(bases.values())) > 1:
            raise InvalidTarget("aud and resource must name the same FHIR base", request=request)
        request.audience = next(iter(bases.values()), None)

    def _check_resource(self, request):
        """The access token is for what is asked for now, within what was granted (RFC 8707, 2.2)."""
        granted, asked = request.consent.audience, request.resource and request.resource.rstrip("/")
        if asked and asked not in ((granted,) if granted else self.fhir_bases):
            raise InvalidTarget("resource is not a FHIR base that was granted", request=request)
        request.audience = asked or granted

    def _check_openid_request(self, request):
        """OpenID Connect Core 3.1.2.1: refuse what would mislead if it were ignored."""
        for name, error in NOT_SUPPORTED.items():
            if getattr(request, name, None) is not None:
                raise error(request=request)
        if request.response_mode not in (None, "query"):
            raise InvalidRequestError("response_mode must be query", request=request)
        prompts = (request.prompt or "").split()
        if not set(prompts) <= set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
            raise InvalidRequestError(
                "prompt must be none alone, or of login, consent, select_account", request=request
            )
        if request.max_age is not None and not MAX_AGE.fullmatch(request.max_age):
            raise InvalidRequestError("max_age must be a number of seconds", request=request)
        return {}

    def _check_named_person(self, request):
        """Whom the app names, by `id_token_hint` or `claims`: nobody else will do (OpenID Connect Core 3.1.2.1)."""
        wanted = self._wanted_claims(request)
        if wanted.needs_acr:
            raise UnmetAuthenticationRequirements(request=request)
        subs = set(wanted.subs)
        if request.id_token_hint is not None:
            hint = self.id_tokens.read(request.id_token_hint)
            if hint is None or hint["aud"] != request.client_id:
                raise InvalidRequestError(
                    "id_token_hint must be an id_token of this server for this app", request=request
                )
            subs.add(hint["sub"])
        request.wanted_claims, request.named_beneficiary_id = wanted.kept, None
        if subs:
            request.named_beneficiary_id = self.validator.one_beneficiary(subs, request)
        return {}

    def _wanted_claims(self, request):
        if request.claims is None:
            return WantedClaims()
        try:
            return wanted_claims(request.claims, self.validator.scopes.claims)
        except ValueError as error:
            raise InvalidRequestError(f"claims: {error}", request=request) from None

    def _add_id_token(self, token, token_handler, request):
        id_token = self.id_tokens.make(
            request.client,
            request.consent,
            request.scopes,
            access_token=token["access_token"],
            authenticated_at=request.authenticated_at,
            issued_at=now(self.validator.db),
            nonce=request.nonce,
        )
        if id_token:
            token["id_token"] = id_token
        return token


def unpadded(parameters):
    """Parameters, [(name, value)], without the `=` with which the CMS SDKs pad the challenge (RFC 7636, 4.2)."""
    return [(name, value.rstrip("=") if name == "code_challenge" else value) for name, value in parameters]


def _check_verifier(request):
    """A verifier that is too short to be secret proves nothing (RFC 7636, 4.1 and 7.1)."""
    if request.code_verifier is not None and not VERIFIER.fullmatch(request.code_verifier):
        raise InvalidGrantError("code_verifier must be 43 to 128 unreserved characters", request=request)


def _name_scopes_once(request):
    request.scopes = list(dict.fromkeys(request.scopes))
