"""An OpenID Connect provider that a test tells how to go wrong; as it stands, it does everything right."""

import time
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey

from other_server import OtherServer, send

KEY, STRANGERS_KEY = (ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}) for _ in range(2))


class WrongProvider(OtherServer):
    """`with` a provider.  `wrong` holds what it does otherwise, {name: value}:

    `discovery`, `claims`, `header`, `tokens`, `userinfo`: changes of these, where None takes a member away;
    `key`: the key that signs; `jwks`: the keys that it publishes; `at`: {path: a function of the handler}.
    """

    def __init__(self, client_id):
        super().__init__(WrongProvider.reply)
        self.client_id = client_id
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.wrong, self.nonce, self.posted = {}, None, []

    def reply(self):
        """The answer to a request; `self` is the handler."""
        server = self.server
        path = self.path.partition("?")[0]
        if path in server.wrong.get("at", {}):
            return server.wrong["at"][path](self)
        if path == "/token":
            server.posted.append({name: value for name, (value,) in parse_qs(self.posted).items()})
        documents = {
            "/.well-known/openid-configuration": server.discovery,
            "/jwks": lambda: {"keys": server.wrong.get("jwks", [KEY.as_dict(private=False)])},
            "/token": server.tokens,
            "/userinfo": lambda: changed({"sub": "7", "patient": "-1001"}, server.wrong.get("userinfo")),
        }
        return send(self, documents[path](), content_type="application/json")

    def discovery(self):
        places = ("authorization", "token", "userinfo", "end_session")
        good = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"}
        return changed(good | {f"{p}_endpoint": f"{self.issuer}/{p}" for p in places}, self.wrong.get("discovery"))

    def tokens(self):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "sub": "7", "exp": now + 60, "iat": now}
        claims = changed(claims | {"nonce": self.nonce}, self.wrong.get("claims"))
        header = changed({"alg": "ES256", "kid": "one"}, self.wrong.get("header"))
        id_token = jwt.encode(header, claims, self.wrong.get("key", KEY), algorithms=[header["alg"]])
        tokens = {"access_token": "of the provider", "token_type": "Bearer", "id_token": id_token}
        return changed(tokens, self.wrong.get("tokens"))


def changed(good, changes):
    return {name: value for name, value in (good | (changes or {})).items() if value is not None}
