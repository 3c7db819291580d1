"""An app beside the demo client, on a socket of this machine: with a long name, a picture, and all its links."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from pictures import picture

NAME = "The Family’s Companion for-Claims-and-ForEveryPrescriptionWithoutAnyPlaceToBreak"
SITE = "https://my-very-own-health-companion-for-everybody.example"
LINKS = ("--website", SITE, "--privacy-policy", f"{SITE}/privacy", "--terms", f"{SITE}/terms")
PAGE = b"<!doctype html><html lang=en><title>The app</title><h1>Welcome back to the app</h1>"
VERIFIER = "the verifier of this app, which is as long as it has to be".replace(" ", "-").replace(",", "-")


class SecondApp:
    """`redirect_uri` is a page that is there; `folder` keeps its picture until it is registered."""

    def __init__(self, server, redirect_uri, folder):
        (folder / "logo.png").write_bytes(picture((200, 120)))
        options = ("--name", NAME, *LINKS, "--redirect-uri", redirect_uri, "--logo", str(folder / "logo.png"))
        registered = json.loads(server.command("client", "add", *options, "--json"))
        self.server, self.redirect_uri, self.token = server, redirect_uri, None
        self.id, self.secret = registered["client_id"], registered["client_secret"]

    def connect(self, person, lang="en"):
        """Send the person to us."""
        challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": self.id, "redirect_uri": self.redirect_uri, "lang": lang}
        asked |= {"state": "the state of this app", "code_challenge": challenge, "code_challenge_method": "S256"}
        person.visit(f"/v2/o/authorize?{urlencode(asked)}")

    def answer(self, person):
        """What the app is told by the URL at which the person came back."""
        assert person.heading == "Welcome back to the app"
        told = parse_qs(urlsplit(person.page.url).query)
        assert told["state"] == ["the state of this app"]
        return {name: value for name, (value,) in told.items()}

    def redeem(self, code):
        """Get the tokens for a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        form |= {"client_id": self.id, "client_secret": self.secret, "code_verifier": VERIFIER}
        self.token = requests.post(f"{self.server.url}/v2/o/token/", form, timeout=10).json()["access_token"]

    def read(self, path="fhir/Coverage"):
        """The status with which a read is answered."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(f"{self.server.url}/v2/{path}", headers=headers, timeout=10).status_code
