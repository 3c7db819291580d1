"""The apps that play with other people's clients, and a person's visit to one.

An app is a generator: told its settings, it yields the authorization URL, is sent the callback URL, and returns what
it saw, {"token", "statuses", "refreshed", "status_after_refresh", "status_after_revocation"}.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit

from clients.authlib_app import authlib_app
from clients.browser_app import browser_app
from clients.fhirclient_app import fhirclient_app
from clients.node_app import node_app
from clients.requests_oauthlib_app import requests_oauthlib_app
from journey import sign_in_and_answer

USERNAME, PASSWORD = "BBUser00000", "PW00000!"
SCOPE = (
    "openid profile launch/patient offline_access"
    " patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
)
#: {name: (app, how it is registered)}
LIBRARIES = {
    "authlib": (authlib_app, "secret"),
    "requests-oauthlib": (requests_oauthlib_app, "secret"),
    "fhirclient": (fhirclient_app, "secret"),
    "openid-client": (node_app("openid-client"), "secret"),
    "oauth4webapi": (node_app("oauth4webapi"), "public"),
    "simple-oauth2": (node_app("simple-oauth2"), "secret"),
    "fhirclient.js": (node_app("fhirclient"), "secret"),
}
APPS = LIBRARIES | {
    "authlib with a key": (authlib_app, "key"),
    "fhirclient, public": (fhirclient_app, "public"),
    "openid-client with a key, pushing its requests": (node_app("openid-client", pushes=True), "key"),
    "fhirclient.js in a browser": (browser_app, "browser"),
}


class Visit:
    """One person's visit to an app; `told` gives the settings for each kind of registration."""

    def __init__(self, name, told):
        journey, kind = APPS[name]
        self.settings = told(kind)
        self.app = journey(self.settings)
        self.url = next(self.app)  #: where the app sends the person

    @property
    def asked(self):
        """The parameters of the authorization request that the person's browser carries."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def answer(self, **answer):
        """Sign in and answer; returns what the app is redirected with, {name: value}."""
        return sign_in_and_answer(self.url, USERNAME, PASSWORD, **answer)

    def end(self, parameters):
        """Come back to the app; returns what it saw, or raises what its library refuses with."""
        try:
            self.app.send(f"{self.settings['redirect_uri']}?{urlencode(parameters)}")
        except StopIteration as ended:
            return ended.value
        raise AssertionError("the app asks a second time")
