"""The beneficiary's journey over HTTP, for tests with a real server and a real client."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from bb2.oauth.secrets import new_secret
from bb2.testing import challenge


class Forms(HTMLParser):
    """The forms of a page: where each is sent, and its fields as they stand: hidden ones, and boxes that are ticked.

    `answer` is the one that has a button of this name.
    """

    def __init__(self, page):
        super().__init__()
        self.forms, self.answer = [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append((attributes["action"], {}))
        elif tag == "input" and (attributes.get("type") == "hidden" or _ticked(attributes)):
            self.forms[-1][1][attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and attributes.get("name") == "answer" and "form" not in attributes:
            self.answer = self.forms[-1]


def _ticked(attributes):
    return attributes.get("type") == "checkbox" and "checked" in attributes


def sign_in_and_answer(authorize_url, username, password, **answer):
    """Go from an authorization request to the client's redirect; returns its parameters, {name: value}.

    `answer` is what the person chooses on the authorization page: `answer="yes"`, `demographic="withhold"`.
    """
    browser = requests.Session()
    redirect = _submit(browser, browser.get(authorize_url), username=username, password=password, answer="sign-in")
    page = browser.get(urljoin(redirect.url, redirect.headers["Location"]))
    redirect = _submit(browser, page, **answer)
    query = parse_qs(urlsplit(redirect.headers["Location"]).query)
    return {name: value for name, (value,) in query.items()}


def _submit(browser, page, **fields):
    """Send the form of a page that holds the answer."""
    action, hidden = Forms(page.text).answer
    return browser.post(urljoin(page.url, action), data=hidden | fields, allow_redirects=False)


def connect(url, credentials, redirect_uri, username, password, **answer):
    """An app's whole way to its tokens at the server at `url`; returns the token response.

    `credentials`: {"client_id", "client_secret"}; `answer` as in `sign_in_and_answer`.
    """
    return token_response(url, redemption(url, credentials, redirect_uri, username, password, **answer))


def redemption(url, credentials, redirect_uri, username, password, **answer):
    """The form with which the app then redeems its code: the last step of `connect`."""
    verifier = new_secret()
    asked = {
        "response_type": "code",
        "client_id": credentials["client_id"],
        "redirect_uri": redirect_uri,
        "state": new_secret(),
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    authorize_url = requests.Request("GET", f"{url}/v2/o/authorize/", params=asked).prepare().url
    redirect = sign_in_and_answer(authorize_url, username, password, **answer)
    form = {"grant_type": "authorization_code", "code": redirect["code"], "code_verifier": verifier}
    return form | {"redirect_uri": redirect_uri} | credentials


def token_response(url, form):
    """The answer of the token endpoint, which must be good."""
    response = requests.post(f"{url}/v2/o/token/", form)
    assert response.status_code == 200, response.text
    return response.json()
