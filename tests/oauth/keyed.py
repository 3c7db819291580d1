"""Apps that prove who they are with a key: their keys, their assertions, and a site that publishes keys."""

import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from bb2.oauth.assertions import ASSERTION_TYPE
from bb2.oauth.secrets import new_secret
from oauth.steps import another_app

TOKEN_URL = "http://localhost/v2/o/token/"
KEY_OF = {"RS384": ("RSA", 2048), "ES384": ("EC", "P-384"), "RS256": ("RSA", 2048), "ES256": ("EC", "P-256")}


@cache
def key_for(alg, kid=None):
    """A private key for this algorithm; the same whenever it is asked for."""
    kind, size = KEY_OF[alg]
    parameters = {"kid": kid or f"{alg} key", "use": "sig", "alg": alg}
    return (RSAKey if kind == "RSA" else ECKey).generate_key(size, parameters=parameters)


def public(*keys):
    """Their JSON Web Key Set, as an app registers it."""
    return KeySet(keys).as_dict(private=False)


def app_with_key(server, alg="ES384", **registration):
    """Another app of the server, with a key for this algorithm and no secret."""
    return another_app(server, **({"jwks": public(key_for(alg))} | registration))


def claims(app, **changes):
    """The claims of a good assertion, changed; a claim that is None is left out."""
    now = int(time.time())
    good = {"iss": app.client_id, "sub": app.client_id, "aud": TOKEN_URL, "exp": now + 120, "jti": new_secret()}
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(said, key, alg="ES384", **header):
    header = {"alg": alg, "kid": key.kid} | header
    return jwt.encode({k: v for k, v in header.items() if v is not None}, said, key, algorithms=[alg])


def asserting(assertion):
    """The parameters of a request with this assertion and nothing else to prove who sends it."""
    return {
        "client_id": None,
        "client_secret": None,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


def proof(app, alg="ES384", **changes):
    """Those of a good assertion of an app that `app_with_key` made."""
    return asserting(signed(claims(app, **changes), key_for(alg), alg))


class Site:
    """A web site on this machine that answers every request with `body` (bytes) and `status`, after `delay` seconds."""

    def __init__(self, tls=None):
        self.status, self.body, self.headers, self.delay, self.asked = 200, b"", {}, 0, []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                self.send_response(site.status)
                for name, value in site.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for byte in site.body if site.delay else [site.body]:
                    time.sleep(site.delay)
                    self.wfile.write(bytes([byte]) if site.delay else byte)

            def log_message(self, *args):
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """The other side went away: that is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            self.url = f"https://localhost:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def publish(self, *keys):
        self.body = json.dumps(public(*keys)).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
