"""oauthlib's questions, answered from one request's database session.

RFC 6749 (authorization code, refresh), RFC 7636 (PKCE, S256 only), RFC 7009 (revocation).
"""

from base64 import b64decode
from datetime import timedelta
from urllib.parse import unquote_plus

from oauthlib.oauth2 import InvalidGrantError, InvalidRequestError, InvalidScopeError, RequestValidator
from sqlalchemy import select

from bb2.clock import utcnow
from bb2.models import AccessToken, AuthorizationCode, Client, Consent, RefreshToken
from bb2.oauth import consents
from bb2.oauth.clients import is_registered
from bb2.oauth.errors import printable
from bb2.oauth.secrets import hashed, same_secret


class Validator(RequestValidator):
    """One for each request."""

    def __init__(self, db, scope_registry, settings):
        self.db = db
        self.scopes = scope_registry
        self.settings = settings
        self.replayed = None  #: (consent id, audit event) when a code or refresh token came a second time
        self.revoke_consent = False  #: revocation ends the consent, not only its tokens

    # Clients

    def validate_client_id(self, client_id, request, *args, **kwargs):
        request.client = self._client(client_id)
        return request.client is not None

    def client_authentication_required(self, request, *args, **kwargs):
        client = self._client(request.client_id)
        return client is None or client.secret_hash is not None or _presents_secret(request)

    def authenticate_client(self, request, *args, **kwargs):
        """With a secret, in the Basic header or in the body, not in both (RFC 6749, 2.3.1)."""
        client_id, secret = request.client_id, request.client_secret
        if "Authorization" in request.headers and not _is_bearer(request):
            if request.client_secret is not None:
                raise InvalidRequestError("Two client authentication methods were used", request=request)
            client_id, secret = _basic_credentials(request.headers["Authorization"])
            if request.client_id not in (None, client_id):
                return False
        client = self._client(client_id)
        if client is None or client.secret_hash is None or not same_secret(secret or "", client.secret_hash):
            return False
        request.client, request.client_id = client, client.client_id
        return True

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        """A public client names itself; its codes are protected by PKCE."""
        request.client = self._client(client_id)
        return request.client is not None and request.client.secret_hash is None

    def _client(self, client_id):
        """The client that is switched on; None for any other, so that a disabled app is refused everywhere."""
        client = self.db.get(Client, client_id) if client_id and "\x00" not in client_id else None
        return client if client and client.disabled_at is None else None

    def validate_redirect_uri(self, client_id, redirect_uri, request, *args, **kwargs):
        return is_registered(request.client, redirect_uri)

    def get_default_redirect_uri(self, client_id, request, *args, **kwargs):
        return None

    def validate_response_type(self, client_id, response_type, client, request, *args, **kwargs):
        return response_type == "code"

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        """A one-time app never refreshes, not with a token from before it became one either."""
        return grant_type == "authorization_code" or client.access != "one-time"

    # Scopes

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return [name for name in request.client.scopes if name in self.scopes]

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        """Refuse what is unknown or not registered; drop the demographic scopes that the app is not registered for."""
        kept = []
        for name in dict.fromkeys(scopes):
            if name not in self.scopes:
                raise InvalidScopeError(f"{printable(name)[:80]} is not a scope of this server", request=request)
            registered = self.scopes.may_have(name, client.scopes, client.asks_demographic)
            if not registered and not self.scopes[name].demographic:
                raise InvalidScopeError(f"The app is not registered for {name}", request=request)
            if registered and not (self.scopes[name].offline and client.access == "one-time"):
                kept.append(name)
        if not kept:
            raise InvalidScopeError("The app is not registered for any of these scopes", request=request)
        request.scopes = kept
        return True

    # PKCE

    def is_pkce_required(self, client_id, request):
        return True

    def get_code_challenge_method(self, code, request):
        return "S256"

    def get_code_challenge(self, code, request):
        return request.authorization_code.code_challenge

    # Authorization codes

    def validate_code(self, client_id, code, client, request, *args, **kwargs):
        request.consent = self._locked_consent(AuthorizationCode.code_hash, code, client)
        if request.consent is None:
            raise InvalidGrantError("The authorization code is unknown", request=request)
        request.authorization_code = self.db.get(AuthorizationCode, hashed(code))
        self._refuse_spent_code(request)
        request.authenticated_at = request.authorization_code.authenticated_at
        request.nonce = request.authorization_code.nonce
        request.scopes = self._still_allowed(request)
        return True

    def _locked_consent(self, hash_column, secret, client):
        """The Consent under which this client got a code or token, with the beneficiary's lock held; else None."""
        of_secret = select(Consent.id, Consent.beneficiary_id).join(hash_column.class_)
        of_secret = of_secret.where(hash_column == hashed(secret), Consent.client_id == client.client_id)
        found = self.db.execute(of_secret).one_or_none()
        if found is None:
            return None
        consents.lock(self.db, found.beneficiary_id)
        return self.db.get(Consent, found.id)

    def _refuse_spent_code(self, request):
        code, consent, now = request.authorization_code, request.consent, utcnow()
        if code.redeemed_at:
            self.replayed = (consent.id, "code.replayed")
            raise InvalidGrantError("The authorization code was used before; what it opened is closed", request=request)
        if code.expires_at <= now:
            raise InvalidGrantError("The authorization code has expired", request=request)
        if consent.revoked_at or (consent.expires_at and consent.expires_at <= now):
            raise InvalidGrantError("The authorization was ended before the code was redeemed", request=request)
        if consents.superseded(self.db, consent):
            raise InvalidGrantError("The beneficiary has since answered anew; use the newer code", request=request)

    def confirm_redirect_uri(self, client_id, code, redirect_uri, client, request, *args, **kwargs):
        if request.authorization_code.redirect_uri != redirect_uri:
            # RFC 6749, 5.2; oauthlib by itself would say invalid_request
            raise InvalidGrantError("redirect_uri is not the one of the authorization request", request=request)
        return True

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs):
        request.authorization_code.redeemed_at = utcnow()

    # Refresh tokens

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        request.consent = self._locked_consent(RefreshToken.token_hash, refresh_token, client)
        if request.consent is None:
            raise InvalidGrantError("The refresh token is unknown", request=request)
        request.spent_token = self.db.get(RefreshToken, hashed(refresh_token))
        self._refuse_spent_token(request)
        request.authenticated_at = request.spent_token.authenticated_at
        return True

    def _refuse_spent_token(self, request):
        token = request.spent_token
        if ended := consents.why_ended(request.consent, utcnow()):
            raise InvalidGrantError(f"The refresh token is closed: {ended}", request=request)
        if token.revoked_at:
            raise InvalidGrantError("The refresh token was revoked", request=request)
        if token.used_at and not self._repeats_lost_response(token, request.client):
            self.replayed = (request.consent.id, "token.replayed")
            raise InvalidGrantError(
                "The refresh token was used before; every token of this authorization is closed", request=request
            )

    def _repeats_lost_response(self, token, client):
        """The operator allows a confidential client to repeat its last refresh within some seconds."""
        window = timedelta(seconds=self.settings.refresh_replay_window)
        successor = self.db.get(RefreshToken, token.successor_hash)
        last = successor.used_at is None and successor.revoked_at is None
        return client.secret_hash is not None and last and utcnow() < token.used_at + window

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return self._still_allowed(request)

    def is_within_original_scope(self, request_scopes, refresh_token, request, *args, **kwargs):
        granted = self.get_original_scopes(refresh_token, request)
        return all(self.scopes.covered(name, granted) for name in request_scopes)

    def _still_allowed(self, request):
        """The consent's scopes that are installed and that the app is registered for now."""
        client = request.client
        allowed = self.scopes.allowed(request.consent.scopes, client.scopes, client.asks_demographic)
        if not allowed:
            raise InvalidGrantError("The app is registered for nothing of what was granted any more", request=request)
        return allowed

    # Tokens

    def save_bearer_token(self, token, request, *args, **kwargs):
        consent, now = request.consent, utcnow()
        if request.grant_type == "authorization_code":
            consents.activate(self.db, consent)
        if request.client.access == "one-time":
            token.pop("refresh_token", None)
        self.db.add(
            AccessToken(
                token_hash=hashed(token["access_token"]),
                consent=consent,
                scopes=list(request.scopes),
                issued_at=now,
                expires_at=now + timedelta(seconds=token["expires_in"]),
            )
        )
        if "refresh_token" in token:
            self._save_refresh_token(token["refresh_token"], request, now)
        token["patient"] = consent.beneficiary.patient  # SMART App Launch 2.2, launch context
        if consent.expires_at:
            token["access_grant_expiration"] = consent.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _save_refresh_token(self, value, request, now):
        consent = request.consent
        self.db.add(
            RefreshToken(
                token_hash=hashed(value), consent=consent, authenticated_at=request.authenticated_at, issued_at=now
            )
        )
        if request.grant_type != "refresh_token":
            return
        spent = request.spent_token
        if spent.successor_hash:
            self.db.get(RefreshToken, spent.successor_hash).revoked_at = now
        spent.used_at, spent.successor_hash = spent.used_at or now, hashed(value)
        consents.record(self.db, "token.refreshed", consent)

    def lifetime(self, request):
        """Seconds that the access token lives: no longer than the consent."""
        seconds = self.settings.access_token_lifetime
        if request.consent.expires_at:
            left = int((request.consent.expires_at - utcnow()).total_seconds())
            seconds = max(1, min(seconds, left))
        return seconds

    def revoke_token(self, token, token_type_hint, request, *args, **kwargs):
        """The token and its siblings, or its consent; never what is another client's (RFC 7009, 2.1)."""
        for token_hash in AccessToken.token_hash, RefreshToken.token_hash:
            consent = self._locked_consent(token_hash, token, request.client)
            if consent and self.revoke_consent:
                consents.end(self.db, consent, by="client")
            elif consent:
                consents.close_tokens(self.db, consent)
                consents.record(self.db, "token.revoked", consent)


def _presents_secret(request):
    return request.client_secret is not None or ("Authorization" in request.headers and not _is_bearer(request))


def _is_bearer(request):
    """An earlier person's bearer token on a code exchange: published clients send one, and it is not for us."""
    return request.headers["Authorization"].partition(" ")[0].lower() == "bearer"


def _basic_credentials(header):
    """(client id, secret) of an HTTP Basic header, form-urlencoded inside (RFC 6749, 2.3.1), or (None, None)."""
    scheme, _, value = header.partition(" ")
    try:
        client_id, colon, secret = b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None, None
    if scheme.lower() != "basic" or not colon:
        return None, None
    return unquote_plus(client_id), unquote_plus(secret)
