"""oauthlib's questions, answered from one request's database session.

RFC 6749 (authorization code, refresh), RFC 7636 (PKCE, S256 only), RFC 7009 (revocation), RFC 7662 (introspection),
RFC 8707 (resource indicators).
"""

from datetime import timedelta

from oauthlib.oauth2 import (
    InvalidClientError,
    InvalidGrantError,
    InvalidScopeError,
    RequestValidator,
)
from oauthlib.openid.connect.core.exceptions import LoginRequired
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from bb2.clock import now
from bb2.db import can_be_known
from bb2.models import AccessToken, AuthorizationCode, Beneficiary, Consent, RefreshToken
from bb2.oauth import consents
from bb2.oauth.assertions import AssertionRefused
from bb2.oauth.authentication import credentials, fits
from bb2.oauth.clients import find_client, is_registered, registered_for
from bb2.oauth.errors import printable
from bb2.oauth.scope_names import why_unknown
from bb2.oauth.secrets import hashed


class Validator(RequestValidator):
    """One for each request."""

    def __init__(self, db, scope_registry, settings, assertions, introspection):
        self.db = db
        self.scopes = scope_registry
        self.settings = settings
        self.assertions, self.introspection = assertions, introspection
        self.client_id = None  #: of the client that proved or, where it is public, named itself
        self.replayed = None  #: (consent id, audit event) when a code or refresh token came a second time
        self.revoke_consent = False  #: revocation ends the consent, not only its tokens
        self._clients = {}  #: {client id: what was found of it}
        self.known = {}  #: the ids, for the audit trail, of the client and the consent that the request names

    # Clients

    def validate_client_id(self, client_id, request, *args, **kwargs):
        request.client = self._client(client_id)
        return request.client is not None

    def client_authentication_required(self, request, *args, **kwargs):
        if credentials(request):  # before the database is asked: an assertion is checked outside of any transaction
            return True
        client = self._client(request.client_id)
        return client is None or not client.public

    def authenticate_client(self, request, *args, **kwargs):
        """With a secret, in the Basic header or in the body (RFC 6749, 2.3.1), or with its key (RFC 7523, 2.2)."""
        shown = credentials(request)
        if shown is None:
            return False
        client = self._proven(shown, request)
        if client is None or request.client_id not in (None, client.client_id):
            return False
        request.client, request.client_id = client, client.client_id
        self.client_id = client.client_id
        return True

    def _proven(self, shown, request):
        """The client that the Credentials prove, or None."""
        if shown.assertion is None:
            client = self._client(shown.client_id)
            return client if fits(shown.secret, client, client and now(self.db)) else None
        try:
            return self._client(self.assertions.client_id_of(shown.assertion))
        except AssertionRefused as refused:
            raise InvalidClientError(f"The client assertion is refused: {refused}", request=request) from refused

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        """A public client names itself; its codes are protected by PKCE."""
        client = self._client(client_id)
        if client is None or not client.public:
            return False
        request.client, self.client_id = client, client.client_id
        return True

    def _client(self, client_id):
        """The client that is switched on; None for any other, so that a disabled app is refused everywhere."""
        if client_id not in self._clients:
            self._clients[client_id] = find_client(self.db, client_id)
        client = self._clients[client_id]
        if client:
            self.known["client_id"] = client.client_id
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

    # People

    def one_beneficiary(self, subs, request):
        """The id of the Beneficiary whom all of these `sub`s name; LoginRequired when they cannot be one person."""
        named = [sub for sub in subs if can_be_known(sub)]
        found = self.db.scalars(select(Beneficiary.id).where(Beneficiary.sub.in_(named))).all()
        if len(subs) != 1 or len(found) != 1:
            raise LoginRequired("The person whom the app names has no account here", request=request)
        return found[0]

    # Scopes

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        offered = {scope.name for scope in self.scopes.offered}
        return [name for name in request.client.scopes if name in offered]

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        """Refuse what is unknown or not registered; drop the demographic scopes that the app is not registered for."""
        kept = []
        for name in dict.fromkeys(scopes):
            if name not in self.scopes:
                raise InvalidScopeError(f"{printable(name)[:80]} {why_unknown(name)}", request=request)
            registered = self.scopes.may_have(name, client.scopes, client.asks_demographic)
            if not registered and not self.scopes[name].demographic:
                raise InvalidScopeError(f"The app is not registered for {name}", request=request)
            one_time = self.scopes[name].offline and client.access == "one-time"
            if registered and not one_time and not self.scopes[name].deprecated:
                kept.append(name)
        if not kept:
            raise InvalidScopeError(
                "The app may have none of these scopes: it is not registered for them, they are deprecated, "
                "or they are demographic and it asks for no demographic information",
                request=request,
            )
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
        request.authorization_code = self._locked(AuthorizationCode, code, client)
        if request.authorization_code is None:
            raise InvalidGrantError("The authorization code is unknown", request=request)
        request.consent = request.authorization_code.consent
        self._refuse_spent_code(request)
        request.authenticated_at = request.authorization_code.authenticated_at
        request.nonce = request.authorization_code.nonce
        request.scopes = self._still_allowed(request)
        return True

    def _locked(self, model, secret, client):
        """This client's code or token, as it is now that the beneficiary's lock is held; None for any other's."""
        found = consents.lock_holder_of(self.db, model, hashed(secret), client.client_id)
        if found is None:
            return None
        self.known |= {"consent_id": found.id, "beneficiary_id": found.beneficiary_id}
        self.known |= {"correlation_id": found.correlation_id}
        # What the first statement saw may be older than the lock.
        whole = joinedload(model.consent).joinedload(Consent.beneficiary)
        return self.db.get(model, hashed(secret), options=[whole], populate_existing=True)

    def _refuse_spent_code(self, request):
        code, consent, moment = request.authorization_code, request.consent, now(self.db)
        if code.redeemed_at:
            self.replayed = (consent.id, "code.replayed")
            raise InvalidGrantError("The authorization code was used before; what it opened is closed", request=request)
        if closed := consents.why_closed(consent.beneficiary):
            raise InvalidGrantError(f"The authorization code is closed: {closed}", request=request)
        if code.expires_at <= moment:
            raise InvalidGrantError("The authorization code has expired", request=request)
        if consent.revoked_at or (consent.expires_at and consent.expires_at <= moment):
            raise InvalidGrantError("The authorization was ended before the code was redeemed", request=request)
        if consents.superseded(self.db, consent):
            raise InvalidGrantError("The beneficiary has since answered anew; use the newer code", request=request)

    def confirm_redirect_uri(self, client_id, code, redirect_uri, client, request, *args, **kwargs):
        if request.authorization_code.redirect_uri != redirect_uri:
            # RFC 6749, 5.2; oauthlib by itself would say invalid_request
            raise InvalidGrantError("redirect_uri is not the one of the authorization request", request=request)
        return True

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs):
        request.authorization_code.redeemed_at = now(self.db)

    # Refresh tokens

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        request.spent_token = self._locked(RefreshToken, refresh_token, client)
        if request.spent_token is None:
            raise InvalidGrantError("The refresh token is unknown", request=request)
        request.consent = request.spent_token.consent
        self._refuse_spent_token(request)
        request.authenticated_at = request.spent_token.authenticated_at
        return True

    def _refuse_spent_token(self, request):
        token = request.spent_token
        consent = request.consent
        if ended := consents.why_closed(consent.beneficiary) or consents.why_ended(consent, now(self.db)):
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
        return not client.public and last and now(self.db) < token.used_at + window

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return self._still_allowed(request)

    def is_within_original_scope(self, request_scopes, refresh_token, request, *args, **kwargs):
        granted = self.get_original_scopes(refresh_token, request)
        return all(self.scopes.covered(name, granted) for name in request_scopes)

    def _still_allowed(self, request):
        """The consent's scopes that are installed and that the app is registered for now."""
        registration = registered_for(request.client, request.consent.granted_at)
        allowed = self.scopes.allowed(request.consent.scopes, *registration)
        if not allowed:
            raise InvalidGrantError("The app is registered for nothing of what was granted any more", request=request)
        return allowed

    # Tokens

    def save_bearer_token(self, token, request, *args, **kwargs):
        consent, moment = request.consent, now(self.db)
        if request.grant_type == "authorization_code":
            consents.activate(self.db, consent)
        if request.client.access == "one-time":
            token.pop("refresh_token", None)
        self.db.add(
            AccessToken(
                token_hash=hashed(token["access_token"]),
                consent=consent,
                scopes=list(request.scopes),
                audience=request.audience,
                issued_at=moment,
                expires_at=moment + timedelta(seconds=token["expires_in"]),
            )
        )
        if "refresh_token" in token:
            self._save_refresh_token(token["refresh_token"], request, moment)
        event = "token.refreshed" if request.grant_type == "refresh_token" else "token.issued"
        consents.record(self.db, event, consent, scopes=list(request.scopes))
        token["patient"] = consent.beneficiary.patient  # SMART App Launch 2.2, launch context
        if consent.expires_at:
            token["access_grant_expiration"] = consent.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _save_refresh_token(self, value, request, moment):
        consent = request.consent
        self.db.add(
            RefreshToken(
                token_hash=hashed(value), consent=consent, authenticated_at=request.authenticated_at, issued_at=moment
            )
        )
        if request.grant_type != "refresh_token":
            return
        spent = request.spent_token
        if spent.successor_hash:
            self.db.get(RefreshToken, spent.successor_hash).revoked_at = moment
        spent.used_at, spent.successor_hash = spent.used_at or moment, hashed(value)

    def lifetime(self, request):
        """Seconds that the access token lives: no longer than the consent."""
        seconds = self.settings.access_token_lifetime
        if request.consent.expires_at:
            left = int((request.consent.expires_at - now(self.db)).total_seconds())
            seconds = max(1, min(seconds, left))
        return seconds

    def introspect_token(self, token, token_type_hint, request, *args, **kwargs):
        return self.introspection.claims(self.db, token, request.client)

    def revoke_token(self, token, token_type_hint, request, *args, **kwargs):
        """The token and its siblings, or its consent; never what is another client's (RFC 7009, 2.1)."""
        for model in AccessToken, RefreshToken:
            found = self._locked(model, token, request.client)
            if found and self.revoke_consent:
                consents.end(self.db, found.consent, by="client")
            elif found:
                consents.close_tokens(self.db, found.consent)
                consents.record(self.db, "token.revoked", found.consent)
