"""An OpenID Connect provider on a socket of this machine: the npm package `oidc-provider`, run by Node."""

import json
import subprocess
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from clients.node_app import FOLDER, NODE
from running import free_port

CALLBACK = "http://localhost/sign-in/callback"


class RealProvider:
    """`with` a provider that has these clients (dicts, as it takes them) and accounts, {login: claims}."""

    def __init__(self, clients, accounts):
        port = free_port()
        self.issuer = f"http://localhost:{port}"
        self.command = [str(NODE), FOLDER / "oidc_provider.mjs", str(port), json.dumps(clients), json.dumps(accounts)]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline() == "listening\n"
        return self

    def __exit__(self, *_error):
        self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()


class Person:
    """Somebody's browser at the provider.  `pages` are the names of those that it was shown: `login`, `consent`."""

    def __init__(self, login):
        self.login, self.http, self.pages, self.asked = login, requests.Session(), [], []

    def sign_in(self, url, answer="yes"):
        """Go to this URL, do what the provider asks, and return the URL with which it sends the browser back to us."""
        while not url.startswith(CALLBACK):
            self.asked.append(url)
            answered = self.http.get(url, allow_redirects=False)
            if answered.status_code == 200:
                answered = self._fill_in(url, Form(answered.text), answer)
            assert answered.is_redirect, (answered.status_code, answered.text)
            url = urljoin(url, answered.headers["Location"])
        return url

    def _fill_in(self, url, form, answer):
        self.pages.append(form.title)
        values = form.values | {"login": self.login, "answer": answer, "logout": "yes"}
        return self.http.post(urljoin(url, form.action), values, allow_redirects=False)


class Form(HTMLParser):
    """The one form of a page: where it goes, and what it hides."""

    def __init__(self, text):
        super().__init__()
        self.action, self.values, self.title, self._in_title = "", {}, "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self._in_title = tag == "h1"
        if tag == "form":
            self.action = attrs.get("action", "")
        elif tag == "input":
            self.values[attrs["name"]] = attrs.get("value", "")

    def handle_data(self, data):
        if self._in_title:
            self.title += data.strip()

    def handle_endtag(self, tag):
        self._in_title = False
