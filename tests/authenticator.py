"""A passkey authenticator in software, and the browser around it (WebAuthn Level 3, 5.1 and 6).

What it answers can be bent, so that the server is seen to refuse what is not right.
"""

import json
from hashlib import sha256
from secrets import token_bytes

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

ORIGIN = "http://localhost"
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
SYNCED = PRESENT | VERIFIED | ELIGIBLE | BACKED_UP


def _bytes(number, size):
    return number.to_bytes(size, "big")


class ES256:
    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def cose(self):
        at = self.private.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: _bytes(at.x, 32), -3: _bytes(at.y, 32)}

    def sign(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


class EdDSA:
    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()

    def cose(self):
        return {1: 1, 3: -8, -1: 6, -2: self.private.public_key().public_bytes_raw()}

    def sign(self, data):
        return self.private.sign(data)


class RS256:
    def __init__(self):
        self.private = rsa.generate_private_key(65537, 2048)

    def cose(self):
        public = self.private.public_key().public_numbers()
        return {1: 3, 3: -257, -1: _bytes(public.n, 256), -2: _bytes(public.e, 3)}

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Authenticator:
    """One passkey, made by `create` and used by `get`; both return what a script sends to the server, as JSON.

    Attributes and keywords bend it: `origin`, `rp_id`, `flags`, `count` (0: it does not count), `user_handle`,
    `client_data` (members of clientDataJSON).
    """

    def __init__(self, algorithm=ES256, flags=SYNCED):
        self.key, self.id, self.flags = algorithm(), token_bytes(32), flags
        self.count, self.user_handle = 0, None

    def create(self, options, **bent):
        options = json.loads(options)
        self.user_handle = bent.pop("user_handle", base64url_to_bytes(options["user"]["id"]))
        client_data = self._client_data("webauthn.create", options, **bent)
        about = bytes(16) + _bytes(len(self.id), 2) + self.id + cbor2.dumps(bent.get("cose", self.key.cose()))
        data = self._data(options["rp"]["id"], ATTESTED, **bent) + about
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(clientDataJSON=client_data, attestationObject=made, transports=["internal"])

    def get(self, options, **bent):
        options = json.loads(options)
        client_data = self._client_data("webauthn.get", options, **bent)
        data = self._data(options["rpId"], 0, **bent)
        signature = bent.get("signature") or self.key.sign(data + sha256(client_data).digest())
        handle = bent.get("user_handle", self.user_handle)
        return self._credential(
            clientDataJSON=client_data, authenticatorData=data, signature=signature, userHandle=handle
        )

    def _client_data(self, kind, options, origin=ORIGIN, client_data=None, **_bent):
        said = {"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": False}
        return json.dumps(said | (client_data or {})).encode()

    def _data(self, asked_by, attested, flags=None, count=None, rp_id=None, **_bent):
        flags = (self.flags if flags is None else flags) | attested
        count = self.count if count is None else count
        return sha256((rp_id or asked_by).encode()).digest() + bytes([flags]) + _bytes(count, 4)

    def _credential(self, transports=(), **response):
        id = bytes_to_base64url(self.id)
        encoded = {name: value and bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps(
            {
                "type": "public-key",
                "id": id,
                "rawId": id,
                "response": encoded | {"transports": list(transports)},
                "clientExtensionResults": {},
            }
        )
