"""The first call with fhirclient, the SMART client: it finds every address in the server's metadata.

pip install fhirclient
CLIENT_ID=... CLIENT_SECRET=... python with_fhirclient.py
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from fhirclient.client import FHIRClient
from fhirclient.models.explanationofbenefit import ExplanationOfBenefit

BASE = os.environ.get("BASE", "http://localhost:8000")
REDIRECT_URI = os.environ.get("REDIRECT_URI", "http://localhost:3000/callback")


class Callback(BaseHTTPRequestHandler):
    """Takes the one answer, as a path with a query."""

    def do_GET(self):
        self.server.answer = self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Thank you. Go back to the terminal.")

    def log_message(self, *_):
        """The address holds a code: it is not printed."""


client = FHIRClient(
    {
        "api_base": f"{BASE}/v2/fhir",
        "app_id": os.environ["CLIENT_ID"],
        "app_secret": os.environ["CLIENT_SECRET"],
        "redirect_uri": REDIRECT_URI,
        "scope": "patient/ExplanationOfBenefit.read",
    }
)

with HTTPServer(("localhost", urlsplit(REDIRECT_URI).port), Callback) as listener:
    print("Open this address, sign in as BBUser00000 with the password PW00000! and say Yes:")
    print(client.authorize_url, flush=True)
    listener.handle_request()
answer = parse_qs(urlsplit(listener.answer).query)
if "code" not in answer:
    sys.exit(f"No code came back: {answer.get('error')}")

client.handle_callback(f"{REDIRECT_URI}?{urlsplit(listener.answer).query}")  # it checks the state
claims = ExplanationOfBenefit.where({"_count": "1"}).perform(client.server)
print(claims.total, "claims; the first is", claims.entry[0].resource.id)
