"""How is an OpenID Connect provider asked who somebody is?  (OpenID Connect Core 1.0, the authorization code flow)

Its addresses and keys are discovered and kept for a while.  Nothing of what it says, and no secret, goes to the log.
"""

import logging
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from threading import BoundedSemaphore, Lock
from urllib.parse import urlsplit

from bb2.identity.client_proof import proof_of
from bb2.identity.proof import Expected, NoProofError, proven
from bb2.oauth.client_keys import keys_of
from bb2.oauth.fetch import Fetcher, FetchError
from bb2.oauth.requests import answer_uri
from bb2.settings import SettingError, is_loopback

log = logging.getLogger(__name__)
DISCOVERY = "/.well-known/openid-configuration"
LIFETIME = 3600  # seconds for which its addresses and keys are kept
PAUSE = 10  # least seconds between two requests for its keys, whatever an id_token names
AT_ONCE, PATIENCE = 4, 1  # threads that ask it at a time, and seconds for which another waits: the rest go on answering
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")
#: Claims that say nothing of the person: how, when and for whom an id_token was made.
FORMAL = {
    *("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "typ", "nonce", "auth_time", "at_hash", "c_hash", "s_hash"),
    *("acr", "amr", "sid", "sub"),
}


class ProviderError(Exception):
    """The provider could not be asked, or its answer cannot be used; the message is for the log."""

    def __init__(self, message, passing=False):
        super().__init__(message)
        self.passing = passing  #: True: it may be better in a while


@dataclass(frozen=True)
class Answer:
    """Who signed in, as the provider says it."""

    claims: dict
    hint: str | None  #: the id_token; None: it says who the person is, and may stand in no URL


class Provider:
    """The provider that the settings describe.  SettingError for a file that cannot be used."""

    def __init__(self, settings):
        self.issuer, self.client_id, self.claim = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_claim
        self.scope, self.proof = settings.oidc_scope, proof_of(settings)
        self.callback = f"{settings.base_url}/sign-in/callback"
        self.loopback = settings.sandbox and is_loopback(self.issuer)
        self.fetcher = Fetcher(loopback=self.loopback, trusted=True)
        self.discovered = Document(self.fetcher, f"{self.issuer.rstrip('/')}{DISCOVERY}")
        self.key_sets = {}  #: {jwks_uri: Document}
        self.turns = BoundedSemaphore(AT_ONCE)
        # A `sub` that is a number of the person, such as one of Medicare's, says who they are too.
        self.formal = FORMAL - ({"sub"} if settings.oidc_identifier_system else set())

    def authorization_uri(self, *, state, nonce, verifier, **more):
        """Where the person signs in.  `more`: `max_age`, `prompt`, `login_hint`, `ui_locales`; None is left out."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": self.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        asked |= {name: value for name, value in more.items() if value is not None}
        with self._asking():
            return answer_uri(self._metadata()["authorization_endpoint"], asked)

    def answer(self, code, *, verifier, nonce, now, earliest, iss=None):
        """The Answer for a code; else ProviderError.  `iss`: as it came along with the code (RFC 9207)."""
        with self._asking():
            metadata = self._metadata()
            required = metadata.get("authorization_response_iss_parameter_supported") is True
            if iss != self.issuer and (required or iss is not None):
                raise ProviderError("the code came from another issuer")
            tokens = self._tokens(metadata, code, verifier)
            expected = Expected(self.issuer, self.client_id, nonce, now, earliest)
            claims = proven(tokens["id_token"], self._keys, tokens["access_token"], expected)
            hint = tokens["id_token"] if self.formal.issuperset(claims) else None
            if self.claim not in claims and "userinfo_endpoint" in metadata:
                claims = self._userinfo(metadata["userinfo_endpoint"], tokens["access_token"], claims["sub"]) | claims
            return Answer(claims, hint)

    def end_session_uri(self, hint, *, state, language):
        """Where the person is signed out there, and sent back to us (OpenID Connect RP-Initiated Logout 1.0).

        None: the provider has no such place.  Without the `hint` of an Answer it may ask them whether they mean it.
        """
        with self._asking():
            uri = self._metadata().get("end_session_endpoint")
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": self.callback, "state": state}
        asked |= {"ui_locales": language} | ({"id_token_hint": hint} if hint else {})
        return uri and answer_uri(uri, asked)

    @contextmanager
    def _asking(self):
        """Whatever goes wrong is a ProviderError, in one line of the log; and not all threads wait at a time."""
        if not self.turns.acquire(timeout=PATIENCE):
            raise ProviderError("too many sign-ins wait for the provider", passing=True)
        try:
            yield
        except FetchError as error:
            raise ProviderError(str(error), passing=error.passing) from error
        except (NoProofError, SettingError) as error:
            raise ProviderError(str(error)) from error
        finally:
            self.turns.release()

    def _metadata(self):
        """The provider's description of itself; one that cannot be used is not kept."""
        try:
            return self._checked(self.discovered.read())
        except ProviderError:
            return self._checked(self.discovered.read(anew=True))

    def _checked(self, metadata):
        """OpenID Connect Discovery 1.0, 4.3; with addresses that can be used."""
        if not isinstance(metadata, dict) or metadata.get("issuer") != self.issuer:
            raise ProviderError("the provider describes itself as another issuer than bb2.oidc_issuer")
        for name in (*NEEDED, *(name for name in OPTIONAL if name in metadata)):
            if not self._is_usable(metadata.get(name)):
                raise ProviderError(f"the provider's {name} is missing, or no https URL")
        return metadata

    def _is_usable(self, url):
        if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "#" in url:
            return False
        try:
            scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
        except ValueError:
            return False
        return bool(host) and (scheme == "https" or (scheme == "http" and self.loopback and is_loopback(url)))

    def _tokens(self, metadata, code, verifier):
        """The token response (OpenID Connect Core 3.1.3)."""
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback}
        form, headers = self.proof(metadata)
        tokens = self.fetcher.json(metadata["token_endpoint"], asked | {"code_verifier": verifier} | form, headers)
        if not isinstance(tokens, dict):
            tokens = {}
        if not all(isinstance(tokens.get(name), str) for name in ("id_token", "access_token")):
            raise ProviderError("the provider's token response has no id_token, or no access_token")
        if not tokens["access_token"].isascii() or not tokens["access_token"].isprintable():
            raise ProviderError("the provider's access token is no header's value")
        return tokens

    def _keys(self, anew=False):
        uri = self._metadata()["jwks_uri"]
        return keys_of(self.key_sets.setdefault(uri, Document(self.fetcher, uri)).read(anew))

    def _userinfo(self, url, access_token, sub):
        """What the provider tells beside the id_token, about the same person (OpenID Connect Core 5.3.2)."""
        claims = self.fetcher.json(url, headers={"Authorization": f"Bearer {access_token}"})
        if not isinstance(claims, dict) or claims.get("sub") != sub:
            raise ProviderError("the provider's userinfo is no JSON object, or about another person")
        return claims


class Document:
    """A JSON document that is kept for a while: of several threads that need it one asks, and the others wait."""

    def __init__(self, fetcher, url):
        self.fetcher, self.url = fetcher, url
        self.lock, self.kept, self.at = Lock(), None, -inf

    def read(self, anew=False):
        """What it says; `anew`: not what was fetched before, unless just now.  FetchError when it cannot be had.

        A site that fails takes nothing away that is kept.
        """
        with self.lock:
            age = time.monotonic() - self.at
            if age < (PAUSE if anew else LIFETIME):
                return self.kept
            try:
                self.kept = self.fetcher.json(self.url)
            except FetchError:
                if self.kept is None:
                    raise
            self.at = time.monotonic()
            return self.kept
