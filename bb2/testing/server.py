"""A whole server, the beneficiary who answers its pages, and the app that calls it."""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import contextmanager
from hashlib import sha256
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.orm import Session
from webtest import Form, TestApp
from webtest.app import TestRequest, TestResponse

from bb2.fhir.load import load_records
from bb2.identity.builtin import plain
from bb2.identity.sessions import Browser, cookie_name, new_session
from bb2.models import Account, BrowserSession
from bb2.notices.postman import deliver
from bb2.oauth.clients import add_client
from bb2.scopes import family_of
from bb2.settings import Settings
from bb2.testing.reuse import Lease, add_people, assembled, folder_for_files

REDIRECT_URI = "https://app.example/callback"
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
CONTROL = re.compile(r"<(?:form|input|button)\b[^>]*>|</(?:form|button)>")
FORM_ID = re.compile(r'<form\b[^>]*\bid="([^"]+)"')
STATE = "a state of at least sixteen characters"


class KeptPost:
    """Keeps the mails in `sent`."""

    def __init__(self):
        self.sent = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def send(self, message, address):
        self.sent.append(message)


class Forms(Mapping):
    """The forms of a page by their numbers and ids; each is read, without what is around it, when it is asked for."""

    def __init__(self, page):
        texts = FORM.findall(page.text)
        self._page, self._texts, self._read = page, texts, {}
        ids = {found[1]: number for number, text in enumerate(texts) if (found := FORM_ID.match(text))}
        self._numbers = {number: number for number in range(len(texts))} | ids

    def __getitem__(self, key):
        number = self._numbers[key]
        if number not in self._read:
            self._read[number] = Form(self._page, self._texts[number], self._page.parser_features)
        return self._read[number]

    def __iter__(self):
        return iter(self._numbers)

    def __len__(self):
        return len(self._numbers)


class Page(TestResponse):
    """A response that reads only those of its forms that are used, as reading takes longer than making the page."""

    def _parse_forms(self):
        self._forms_indexed = Forms(self)


class PageRequest(TestRequest):
    ResponseClass = Page


class ConsentServer(TestApp):
    """The whole application on a database of its own, with one client and two beneficiaries, Alice and Bob.

    `records`: dicts for every API version of their type, or {version: dicts}.  `client`: keywords of
    `bb2.oauth.clients.add_client`.  `settings`: as in an ini file, {name: text}.
    `engine`: an empty database with bb2's tables; None: a new SQLite file.
    """

    RequestClass = PageRequest

    def __init__(self, *plugins, records=(), client=None, settings=None, engine=None):
        settings = {"bb2.base_url": "http://localhost", "bb2.scopes": "*", "bb2.var": folder_for_files()} | (
            settings or {}
        )
        self.settings = Settings.read(settings, {})
        kind = tuple(settings.items()), plugins
        unchanging = all(isinstance(plugin, ModuleType) for plugin in plugins)
        assemble = assembled if unchanging else assembled.__wrapped__
        self.lease = None if engine else Lease(kind if unchanging else None)
        self.engine = engine or self.lease.engine
        app = assemble(*kind, self.engine)
        super().__init__(app, extra_environ={"HTTP_HOST": "localhost"})
        self.scopes, self.sensitivities = app.registry["scopes"], app.registry["sensitivities"]
        self.redirect_uri = REDIRECT_URI
        self.signed_in = None  #: who, and with which cookies
        with self.db() as db:
            if engine:
                add_people(db)
            self.load(db, records)
            wanted = {"name": "The App", "redirect_uris": [REDIRECT_URI]} | (client or {})
            added, self.client_secret = add_client(db, self.scopes, **wanted)
            self.client_id = added.client_id

    def db(self):
        """A session on the server's database, committed at the end of `with`."""
        return _committed(self.engine)

    def load(self, db, records):
        """Load records, as the constructor has them."""
        resources = self.scopes.resources
        for version in ("v1", "v2"):
            if isinstance(records, dict):
                chosen = records.get(version, ())
            else:
                chosen = [r for r in records if version in resources[r["resourceType"]].versions]
            load_records(db, resources, version, chosen, self.sensitivities)

    # The beneficiary's steps

    def sign_in(self, username="alice"):
        """Be signed in, whoever was before, with a session as the sign-in page begins it, but without that page.

        So the trail has no sign-in, no browser is known, and no password was asked: tests of these go through the page.
        """
        self.reset()
        with self.db() as db:
            value, session = new_session(db, BrowserSession)
            session.beneficiary = db.get_one(Account, plain(username)).beneficiary
            session.authenticated_at = session.seen_at
        self._have_cookie(cookie_name(Browser.kind, self.settings.secure), value)
        self.signed_in = username, dict(self.cookies)

    def _have_cookie(self, name, value):
        """Set a cookie to this very value, which WebTest would put in quotes."""
        self.set_cookie(name, value)
        (ours,) = (cookie for cookie in self.cookiejar if cookie.name == name)
        ours.value = value

    def authorization_request(self, scope=None, **changes):
        """The parameters of a good authorization request, changed; a parameter that is None is left out."""
        self.verifier = secrets.token_urlsafe(48)
        good = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": STATE,
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def consent_page(self, scope=None, *, version="v2", username="alice", **changes):
        """What the beneficiary sees, signed in, when the client asks for this scope."""
        if username and self.signed_in != (username, self.cookies):
            self.sign_in(username)
        asked = self.authorization_request(scope, **changes)
        page = self.get(f"/{version}/o/authorize", asked, status=303).follow()
        if username and page.status_int == 303:  # to the sign-in: the session has ended meanwhile
            self.sign_in(username)
            page = self.get(f"/{version}/o/authorize", asked, status=303).follow()
        assert page.status_int == 200, page.location
        return page

    def approve(self, page, share_demographic=True, share_sensitive=(), leave_out=()):
        """Say Yes on the authorization page.  Returns the redirect to the client.

        `share_sensitive`: the keys of the sensitivities to share; of the others nothing is touched.
        `leave_out`: scopes, or families of them, whose lines are taken out one by one.
        """
        form = consent_form(page)
        if "demographic" in form.fields:
            form["demographic"] = "share" if share_demographic else "withhold"
        for key in share_sensitive:
            form[f"sensitive-{key}"] = "share"
        for name in leave_out:
            form[f"line-{family_of(name)}"] = False
        return form.submit("answer", value="yes", status=303)

    def mails(self):
        """Send what waits, as a running server does within seconds.  Returns it: [EmailMessage], oldest first."""
        with KeptPost() as post:
            deliver(self.engine, self.settings, post)
        return post.sent

    # The client's steps

    def token_request(self, code, **changes):
        """The parameters that exchange a code, changed; a parameter that is None is left out."""
        good = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def refresh(self, token, *, version="v2", status=200, **changes):
        """The answer to a refresh with a token response's refresh token."""
        asked = {
            "grant_type": "refresh_token",
            "refresh_token": token["refresh_token"],
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        asked = {name: value for name, value in (asked | changes).items() if value is not None}
        return self.post(f"/{version}/o/token/", asked, status=status).json

    def grant(
        self,
        scope=None,
        *,
        share_demographic=True,
        share_sensitive=(),
        leave_out=(),
        version="v2",
        username="alice",
    ):
        """Consent to a scope, exchange the code, and return the token response."""
        page = self.consent_page(scope, version=version, username=username)
        answer = self.approve(page, share_demographic, share_sensitive, leave_out)
        return self.post(f"/{version}/o/token/", self.token_request(code_of(answer))).json

    def api(self, path, token, *, version="v2", status=200, **options):
        """GET `connect/userinfo` or another path of an API version with a token response's access token."""
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return self.get(f"/{version}/{path}", headers=headers, status=status, **options)

    def fhir(self, path, token, **options):
        """GET a FHIR path, such as `Coverage/part-a-1`, with a token response's access token."""
        return self.api(f"fhir/{path}", token, **options)


@contextmanager
def _committed(engine):
    with Session(engine, expire_on_commit=False) as db, db.begin():
        yield db


def challenge(verifier):
    """The S256 code_challenge of a verifier (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def consent_form(page):
    """The form of the authorization page that holds the answer, without its words: to read those takes longer."""
    (answer,) = (form for form in FORM.findall(page.text) if 'name="screen"' in form)
    return Form(page, "".join(CONTROL.findall(answer)))


def answer_of(response):
    """The parameters of a redirect to the client, {name: value}."""
    return {name: value for name, (value,) in parse_qs(urlsplit(response.location).query).items()}


def code_of(response):
    return answer_of(response)["code"]
