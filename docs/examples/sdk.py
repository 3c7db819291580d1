"""The first call with CMS's SDK, which looks for a local server at http://localhost:8000.

pip install cms-bluebutton-sdk
CLIENT_ID=... CLIENT_SECRET=... python sdk.py
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

from cms_bluebutton import BlueButton

REDIRECT_URI = os.environ.get("REDIRECT_URI", "http://localhost:3000/callback")


class Callback(BaseHTTPRequestHandler):
    """Takes the one answer, {name: value}."""

    def do_GET(self):
        self.server.answer = dict(parse_qsl(urlsplit(self.path).query))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Thank you. Go back to the terminal.")

    def log_message(self, *_):
        """The address holds a code: it is not printed."""


sdk = BlueButton(
    {
        "environment": "LOCAL",
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
        "callback_url": REDIRECT_URI,
        "version": 2,
    }
)
auth_data = sdk.generate_auth_data()

with HTTPServer(("localhost", urlsplit(REDIRECT_URI).port), Callback) as listener:
    print("Open this address, sign in as BBUser00000 with the password PW00000! and say Yes:")
    print(sdk.generate_authorize_url(auth_data), flush=True)
    listener.handle_request()
answer = listener.answer
if "code" not in answer:
    sys.exit(f"No code came back: {answer.get('error')}")

token = sdk.get_authorization_token(auth_data, answer["code"], answer["state"])  # it checks the state
claims = sdk.get_explaination_of_benefit_data({"auth_token": token, "params": {"_count": 1}})["response"].json()
print(claims["total"], "claims; the first is", claims["entry"][0]["resource"]["id"])
