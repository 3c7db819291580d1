"""How do we prove to the OpenID Connect provider who we are, as its client?  With a secret, or with a key."""

import json
import time
from base64 import b64encode
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from bb2.oauth.assertions import ASSERTION_TYPE
from bb2.oauth.secrets import new_secret
from bb2.settings import SettingError

ASSERTION_LIFETIME = 60  # seconds
LEAST_RSA_BITS = 2048


def proof_of(settings):
    """A function: the provider's metadata -> (form, headers) that prove it at the token endpoint.

    SettingError for a file that cannot be used.
    """
    if settings.oidc_client_key:
        return Key.read(settings.oidc_client_id, settings.oidc_client_key)
    return Secret(settings.oidc_client_id, settings.oidc_client_secret)


class Secret:
    """Who we are, by a secret in a file (RFC 6749, 2.3.1): as HTTP Basic, or in the form where only that is taken."""

    def __init__(self, client_id, path):
        self.client_id, self.path = client_id, path
        self._read()

    def _read(self):
        try:
            secret = self.path.read_text("utf-8").strip()
        except (OSError, ValueError):
            secret = ""
        if not secret or not secret.isprintable():
            raise SettingError(f"the file of bb2.oidc_client_secret does not hold one line: {self.path}")
        return secret

    def __call__(self, metadata):
        secret = self._read()
        methods = metadata.get("token_endpoint_auth_methods_supported")
        if isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods:
            return {"client_id": self.client_id, "client_secret": secret}, {}
        both = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        return {}, {"Authorization": f"Basic {b64encode(both.encode()).decode()}"}


class Key:
    """Who we are, by assertions that a private key signs (`private_key_jwt`, OpenID Connect Core 9)."""

    def __init__(self, client_id, key, alg):
        self.client_id, self.key, self.alg = client_id, key, alg

    @classmethod
    def read(cls, client_id, path):
        """From a file.  PEM names no `kid`, so none is sent: the provider has its own names for our keys."""
        try:
            key = _imported(path.read_text("ascii"))
            is_rsa = isinstance(key, RSAKey)
            alg = "RS256" if is_rsa else {"P-256": "ES256", "P-384": "ES384"}[key.curve_name]
            if not key.is_private or (is_rsa and key.raw_value.key_size < LEAST_RSA_BITS):
                raise ValueError("too little")
        except (OSError, JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise SettingError(
                "the file of bb2.oidc_client_key does not hold a private key without a passphrase, RSA (2048 bits or "
                f"more) or EC (P-256, P-384), as PEM or as a JSON Web Key: {path}"
            ) from None
        return cls(client_id, key, alg)

    def __call__(self, metadata):
        now = int(time.time())  # the provider's clock decides, and it is none of ours
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": metadata["token_endpoint"], "jti": new_secret()}
        claims |= {"iat": now, "exp": now + ASSERTION_LIFETIME}
        named = {"kid": self.key.kid} if self.key.kid else {}
        assertion = jwt.encode({"alg": self.alg} | named, claims, self.key, algorithms=[self.alg])
        form = {"client_id": self.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return form, {}


def _imported(text):
    """An RSAKey or ECKey of a text; of PEM, only trying tells which it is."""
    if text.lstrip().startswith("{"):
        stored = json.loads(text)
        return {"RSA": RSAKey, "EC": ECKey}[stored["kty"]].import_key(stored)
    try:
        return RSAKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(text)
