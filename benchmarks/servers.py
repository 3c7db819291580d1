"""bb2 and two peers: how each is started, and how its pages are answered."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlencode

import psutil
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from http_client import Connection

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
WORKERS = 2
PEOPLE = 8
#: The settings of bb2 that limit how often something may be asked: counted all the same, but never reached here.
LIMITS = [f"LIMIT_{place}_{who}" for place in ("AUTHORIZE", "TOKEN", "INTROSPECT") for who in ("CLIENT", "ADDRESS")]
REDIRECT_URI = "https://app.example/callback"


class Server:
    """A server on a port of its own.  `paths`: of each endpoint; `scope`: what the app asks for."""

    name: str
    paths: dict
    scope: str

    def __init__(self, port, database_url):
        self.port, self.database_url = port, database_url
        self.url = f"http://localhost:{port}"
        self.folder = Path(tempfile.mkdtemp(prefix="bb2-benchmark-"))
        self.client = {"client_id": "benchmark", "client_secret": "secret-of-the-benchmark"}
        self.process = None

    def start(self):
        """Prepare the server's state, start it, and wait until it answers."""
        environ = os.environ | self.environ()
        self.prepare(environ)
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(self.command(), env=environ, cwd=self.cwd(), stdout=log, stderr=log)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}{self.paths['discovery']}").close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{self.name} does not answer: {(self.folder / 'log').read_text()}")

    def stop(self):
        """End it, and what it leaves: the `node` of its Python package is a script that starts the real one."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(20)
        for left in started:
            with suppress(psutil.NoSuchProcess):
                left.terminate()

    def memory(self):
        """Mebibytes of resident memory, of the process and what it started."""
        whole = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in [whole, *whole.children(recursive=True)]) // 2**20

    def granian(self, application):
        serve = [BIN / "granian", "--interface", "wsgi", "--port", str(self.port), "--workers", str(WORKERS)]
        return [*serve, "--blocking-threads", "1", "--no-ws", "--log-level", "warning", application]

    def cwd(self):
        return HERE

    def environ(self):
        return {}

    def prepare(self, environ):
        """What is done before the server starts."""

    def person(self, number):
        """The Connection of a browser in which this person is signed in."""
        raise NotImplementedError

    def approve(self, browser, asked):
        """The person says Yes to an authorization request (its query); returns the redirect to the app."""
        raise NotImplementedError


class Bb2(Server):
    name = "bb2"
    scope = "openid profile patient/Patient.read patient/ExplanationOfBenefit.read offline_access"
    paths: ClassVar = {
        "discovery": "/.well-known/openid-configuration",
        "authorize": "/v2/o/authorize/",
        "token": "/v2/o/token/",
        "introspect": "/v2/o/introspect/",
        "userinfo": "/v2/connect/userinfo",
    }

    def environ(self):
        generous = {f"BB2_{name}": "1000000 per minute" for name in LIMITS}
        state = {"VAR": str(self.folder), "BB2_PORT": str(self.port), "BB2_BENEFICIARIES": str(PEOPLE)}
        return state | generous | {"BB2_DATABASE_URL": self.database_url}

    def prepare(self, environ):
        bb2 = [BIN / "bb2"]
        subprocess.run([*bb2, "init"], env=environ, cwd=self.folder, check=True, capture_output=True)
        register = [*bb2, "client", "add", "--name", "Benchmark", "--redirect-uri", REDIRECT_URI, "--json"]
        printed = subprocess.run(register, env=environ, cwd=self.folder, check=True, capture_output=True).stdout
        self.client = {name: json.loads(printed)[name] for name in ("client_id", "client_secret")}

    def command(self):
        return self.granian("bb2_server:application")

    def person(self, number):
        browser = Connection(self.port)
        page = browser.get("/sign-in")
        form = {"csrf_token": _field(page, "csrf_token"), "answer": "sign-in"}
        form |= {"username": f"BBUser{number:05}", "password": f"PW{number:05}!"}
        assert browser.post("/sign-in", form).status == 303
        return browser

    def approve(self, browser, asked):
        page = browser.get(f"{self.paths['authorize']}?{asked}").location
        shown = browser.get(page)
        form = {name: _field(shown, name) for name in ("csrf_token", "screen")}
        boxes = dict.fromkeys(re.findall(r'name="(line-[^"]*)"', shown.body.decode()), "share")
        return browser.post(page, form | boxes | {"boxes": "1", "demographic": "share", "answer": "yes"})


class DjangoOAuthToolkit(Server):
    name = "django-oauth-toolkit"
    scope = "openid profile records"
    paths: ClassVar = {
        "discovery": "/o/.well-known/openid-configuration",
        "authorize": "/o/authorize/",
        "token": "/o/token/",
        "introspect": "/o/introspect/",
        "userinfo": "/o/userinfo/",
        "record": "/record/claim",
    }
    record = ""  #: the text of the record that it serves

    def environ(self):
        key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        host = unquote(self.database_url.partition("host=")[2])  # the folder of its socket
        database = {"DATABASE_URL": self.database_url, "DATABASE_HOST": host}
        site = {"DJANGO_SETTINGS_MODULE": "django_site.settings", "PYTHONPATH": str(self.cwd())}
        return database | site | {"ISSUER": f"{self.url}/o", "OIDC_KEY": key.decode()}

    def cwd(self):
        return HERE / "peers"

    def prepare(self, environ):
        given = json.dumps(self.client | {"redirect_uri": REDIRECT_URI, "record": self.record})
        made = subprocess.run(
            [sys.executable, "-m", "django", "prepare"],
            env=environ,
            cwd=self.cwd(),
            input=given,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        )
        self.sessions = json.loads(made.stdout)

    def command(self):
        return self.granian("django_site.wsgi:application")

    def person(self, number):
        browser = Connection(self.port)
        browser.cookies["sessionid"] = self.sessions[number]
        return browser

    def approve(self, browser, asked):
        page = f"{self.paths['authorize']}?{asked}"
        shown = browser.get(page).body.decode()
        hidden = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', shown)
        return browser.post(page, {**dict(hidden), "allow": "Authorize"})


class NodeOidcProvider(Server):
    name = "node-oidc-provider"
    scope = "openid profile"
    paths: ClassVar = {
        "discovery": "/.well-known/openid-configuration",
        "authorize": "/auth",
        "token": "/token",
        "introspect": "/token/introspection",
        "userinfo": "/me",
    }

    def cwd(self):
        return HERE / "peers" / "oidc_provider"

    def prepare(self, environ):
        if not (self.cwd() / "node_modules").is_dir():
            subprocess.run([BIN / "npm", "ci", "--silent"], cwd=self.cwd(), check=True)

    def command(self):
        return [BIN / "node", "server.mjs", str(self.port), *self.client.values(), REDIRECT_URI]

    def person(self, number):
        return Connection(self.port)

    def approve(self, browser, asked):
        answer = browser.get(f"{self.paths['authorize']}?{asked}&prompt=consent")
        while not answer.headers.get("location", "").startswith(REDIRECT_URI):
            assert answer.status in (302, 303), answer.body
            path = answer.location
            answer = browser.get(path)
            if path.startswith("/interaction/"):
                answer = browser.post(path, {"prompt": "yes"})
        return answer


def _field(page, name):
    """The value of a form's hidden field."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"'.encode(), page.body)
    assert found, page.body
    return found[1].decode()


def authorization_query(server, challenge):
    """The query of an authorization request."""
    return urlencode(
        {
            "client_id": server.client["client_id"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": server.scope,
            "state": "a state of the benchmark",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
