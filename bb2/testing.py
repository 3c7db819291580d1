"""A test kit for scopes: subclass ScopeTests (for a sensitivity, SensitivityTests), name it, and inherit the tests.

class TestClaim(ScopeTests):
    plugin = bb2_claim
    scope = "patient/Claim.read"

A scope whose endpoints are not FHIR has EndpointTests.  The kit needs the extra `bb2[testing]`.
"""

import atexit
import gc
import re
import secrets
import shutil
import tempfile
import weakref
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from jinja2 import BytecodeCache
from pyramid_jinja2 import IJinja2Environment
from sqlalchemy.orm import Session
from webtest import Form, TestApp
from webtest.app import TestRequest, TestResponse

import bb2
from bb2.db import make_engine
from bb2.fhir.load import load_records
from bb2.identity.builtin import ensure_beneficiary
from bb2.models import Account, Base
from bb2.notices.postman import deliver
from bb2.oauth.clients import add_client
from bb2.oauth.keys import SigningKeys
from bb2.scopes import Words, family_of, hookimpl, openid, profile
from bb2.settings import Settings

#: What plugin authors may rely on; the rest is for bb2's own tests.
__all__ = ["ALICE", "BOB", "WHO", "ConsentServer", "EndpointTests", "ScopeTests", "SensitivityTests", "record"]

ALICE, BOB = "-1001", "-1002"  #: synthetic patients, who sign in as `alice` and `bob`
PASSWORD = "correct horse"
REDIRECT_URI = "https://app.example/callback"
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
STATE = "a state of at least sixteen characters"


class CompiledTemplates(BytecodeCache):
    """The templates that a server of this process has compiled: the next one need not."""

    def __init__(self):
        self.compiled = {}

    def load_bytecode(self, bucket):
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket):
        self.compiled[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


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


class Page(TestResponse):
    """A response whose forms are read, each, without what is around them, which takes twice as long."""

    def _parse_forms(self):
        forms = [Form(self, text, self.parser_features) for text in FORM.findall(self.text)]
        self._forms_indexed = dict(enumerate(forms)) | {form.id: form for form in forms if form.id}


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
        settings = {"bb2.base_url": "http://localhost", "bb2.scopes": "*", "bb2.var": _var()} | (settings or {})
        self.settings = Settings.read(settings, {})
        kind = tuple(settings.items()), plugins
        unchanging = all(isinstance(plugin, ModuleType) for plugin in plugins)
        assemble = _assembled if unchanging else _assembled.__wrapped__
        self.engine = engine or _sqlite_engine(self, kind if unchanging else None)
        app = assemble(*kind, self.engine)
        super().__init__(app, extra_environ={"HTTP_HOST": "localhost"})
        self.scopes, self.sensitivities = app.registry["scopes"], app.registry["sensitivities"]
        self.redirect_uri = REDIRECT_URI
        self.signed_in = None  #: who, and with which cookies
        with self.db() as db:
            for username, patient, name in (("alice", ALICE, "Alice"), ("bob", BOB, "Bob")):
                _account(db, username, patient, name)
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
        """Sign in, whoever was signed in before."""
        self.reset()
        (token,) = CSRF_TOKEN.findall(self.get("/sign-in").text)[:1]  # to parse the page would take as long as all else
        typed = {"csrf_token": token, "username": username, "password": PASSWORD, "answer": "sign-in"}
        answer = self.post("/sign-in", typed)
        self.signed_in = username, dict(self.cookies)
        return answer

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


class EndpointTests:
    """What holds for every scope that opens something, FHIR or not, whoever wrote it."""

    plugin = None  #: the plugin module
    scope = None  #: the scope's name
    beside = ()  #: the plugin modules whose records it reads
    settings = None  #: settings for the server, {name: text}

    def server(self, *others, **options):
        plugins = (openid, *others, *self.beside, _as_granted(self.plugin))
        return ConsentServer(*plugins, records=self.records(), settings=self.settings, **options)

    def records(self):
        """The records that the server holds."""
        return ()

    def declared(self):
        scopes = self.plugin.register_scopes()
        return next(s for s in (scopes if isinstance(scopes, list) else [scopes]) if s.name == self.scope)

    def requests(self):
        """(Endpoint, version, path) of what the scope opens to GET, for Alice.

        Of a parameter of the path, with each of its values, or with its example.
        """
        for endpoint in self.declared().endpoints:
            names = [parameter.name for parameter in endpoint.path_parameters]
            choices = [parameter.values or (parameter.example,) for parameter in endpoint.path_parameters]
            paths = [endpoint.path.format(**dict(zip(names, chosen, strict=True))) for chosen in product(*choices)]
            for version, path in product(endpoint.versions, paths if "GET" in endpoint.methods else ()):
                yield endpoint, version, path

    def test_the_beneficiary_is_asked_in_the_scopes_own_words(self):
        page = self.server().consent_page(self.scope)
        assert str(self.declared().consent) in page.html.get_text()

    def test_the_beneficiary_is_asked_in_spanish_too(self):
        page = self.server().consent_page(self.scope, lang="es")
        words = self.declared().consent
        assert page.html.find("html")["lang"] == "es"
        for field in ("consent", "detail", "reach"):
            assert _says_spanish(getattr(self.declared(), field)), f'no Spanish in {field}: Words("…", es="…")'
        assert (words.in_language("es") if hasattr(words, "in_language") else str(words)) in page.html.get_text()

    def test_a_granted_scope_opens_every_endpoint_that_it_declares(self):
        server = self.server()
        token = server.grant(self.scope)
        assert token["scope"] == self.scope
        for endpoint, version, path in self.requests():
            assert server.api(path, token, version=version).content_type in endpoint.produces

    def test_another_scope_does_not_open_it(self):
        server = self.server()
        token = server.grant("openid")
        for _endpoint, version, path in self.requests():
            refusal = server.api(path, token, version=version, status=403)
            assert self.scope in refusal.headers["WWW-Authenticate"]

    def test_no_token_does_not_open_it(self):
        server = self.server()
        for _endpoint, version, path in self.requests():
            server.get(f"/{version}/{path}", status=401)

    def test_discovery_names_it(self):
        server = ConsentServer(openid, *self.beside, self.plugin, settings=self.settings)
        named = self.scope in server.get("/.well-known/openid-configuration").json["scopes_supported"]
        assert named is not self.declared().deprecated

    def test_declining_personal_information_takes_away_a_demographic_scope_only(self):
        token = self.server().grant(f"openid {self.scope}", share_demographic=False)
        assert (self.scope in token["scope"].split()) is not self.declared().demographic

    def test_it_can_be_left_out_on_its_own(self):
        server = self.server(profile)
        token = server.grant(f"profile {self.scope}", leave_out=(self.scope,))
        assert token["scope"] == "profile"
        for _endpoint, version, path in self.requests():
            refusal = server.api(path, token, version=version, status=403)
            assert "The beneficiary left this out" in refusal.text


def _as_granted(plugin):
    """The plugin as it was when people granted what is deprecated now: all that it opens, it opens still."""
    scopes = plugin.register_scopes()
    scopes = list(scopes) if isinstance(scopes, (list, tuple)) else [scopes]
    if not any(scope.deprecated for scope in scopes):
        return plugin
    granted = [replace(scope, deprecated=False) for scope in scopes]
    return SimpleNamespace(**vars(plugin) | {"register_scopes": hookimpl(lambda: granted)})


def _says_spanish(words):
    """Nothing needs no translation; a translation string has its own in a catalogue, which nobody sees from here."""
    return "es" in words.translations if isinstance(words, Words) else not words or type(words) is not str


class ScopeTests(EndpointTests):
    """What holds for every FHIR scope, whoever wrote it."""

    def resource(self):
        return self.declared().endpoints[0].resource

    def records(self):
        """One record of Alice and one of Bob; the defaults suit most resource types."""
        return [record(self.resource(), "a-1", ALICE), record(self.resource(), "b-1", BOB)]

    def own_and_other(self):
        own, other = self.records()
        return own["id"], other["id"]

    def requests(self):
        for endpoint in self.declared().endpoints:
            for version in endpoint.versions:
                yield endpoint, version, endpoint.path.format(id=self.own_and_other()[0])

    def test_another_patients_record_is_not_found(self):
        if self.resource().read not in self.declared().endpoints:
            return
        server, (_own, other) = self.server(), self.own_and_other()
        token = server.grant(self.scope)
        for version in self.resource().versions:
            server.fhir(f"{self.resource().type}/{other}", token, version=version, status=404)

    def test_search_returns_the_patients_own_records_only(self):
        if self.resource().search not in self.declared().endpoints:
            return
        server, (own, _other) = self.server(), self.own_and_other()
        token = server.grant(self.scope)
        for version in self.resource().versions:
            found = server.fhir(self.resource().type, token, version=version).json
            assert [entry["resource"]["id"] for entry in found["entry"]] == [own]

    def test_the_capability_statement_names_it(self):
        server = self.server()
        for version in self.resource().versions:
            resources = server.get(f"/{version}/fhir/metadata").json["rest"][0]["resource"]
            assert self.resource().type in [resource["type"] for resource in resources]

    def test_no_demographic_element_leaves_without_a_demographic_scope(self):
        if self.declared().demographic:
            return
        server = self.server()
        token = server.grant(self.scope, share_demographic=False)
        for _endpoint, version, path in self.requests():
            assert WHO not in server.api(path, token, version=version).text


class SensitivityTests:
    """What holds for every sensitivity, whoever wrote it."""

    plugin = None  #: the plugin module
    key = None  #: the sensitivity's key
    opener = None  #: the plugin module whose scope opens records that can carry it
    scope = None  #: that scope's name
    settings = None  #: settings for the server, {name: text}

    def carrying(self):
        """Records (dicts) of Alice that carry it, for every API version of their type; or {version: dicts}."""
        raise NotImplementedError

    def free(self):
        """The same, of records that do not carry it."""
        raise NotImplementedError

    def server(self):
        server = ConsentServer(openid, self.opener, self.plugin, settings=self.settings)
        with server.db() as db:
            server.load(db, self.carrying())
            server.load(db, self.free())
        return server

    def declared(self, server):
        return next(each for each in server.sensitivities if each.key == self.key)

    def resource(self, server):
        return server.scopes[self.scope].endpoints[0].resource

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_the_beneficiary_is_asked_in_its_own_words(self, language):
        server = self.server()
        page = server.consent_page(self.scope, lang=language)
        for words in ("question", "detail", "share", "withhold"):
            said = getattr(self.declared(server), words)
            assert (said.in_language(language) if hasattr(said, "in_language") else said) in page.html.get_text()

    def test_a_scope_that_opens_no_such_record_brings_no_question(self):
        server = self.server()
        assert str(self.declared(server).question) not in server.consent_page("openid").html.get_text()

    def test_a_record_that_carries_it_leaves_only_if_it_is_shared_and_then_with_its_label(self):
        server = self.server()
        for share in ((), (self.key,)):
            token = server.grant(self.scope, share_sensitive=share)
            for version in self.resource(server).versions:
                free, carrying = _of(self.free(), version), _of(self.carrying(), version)
                found = server.fhir(f"{self.resource(server).type}?_count=50", token, version=version).json
                labels = {entry["resource"]["id"]: _labels(entry["resource"]) for entry in found.get("entry", ())}
                assert found["total"] == len(labels)
                assert labels.keys() == {each["id"] for each in (*free, *(carrying if share else ()))}
                for each in carrying:
                    path = f"{self.resource(server).type}/{each['id']}"
                    server.fhir(path, token, version=version, status=200 if share else 404)
                    assert not share or self.declared(server).label in labels[each["id"]]
                assert not any(self.declared(server).label in labels[each["id"]] for each in free)


def _of(records, version):
    return records[version] if isinstance(records, dict) else records


def _labels(record):
    return [coding.get("code") for coding in record.get("meta", {}).get("security", ())]


WHO = "this says who the person is"


def record(resource, id, patient):
    """A small record of this type that belongs to the patient; each demographic element says WHO."""
    if resource.patient_element == "id":
        return {"resourceType": resource.type, "id": patient}
    made = {"resourceType": resource.type, "id": id}
    for path in resource.demographic_elements:
        element = made
        *parents, last = path.split(".")
        for parent in parents:
            element = element.setdefault(parent, {})
        element[last] = WHO
    made[resource.patient_element] = {"reference": f"Patient/{patient}", "display": WHO}
    return made


def challenge(verifier):
    """The S256 code_challenge of a verifier (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def consent_form(page):
    """The form of the authorization page that holds the answer."""
    (answer,) = (form for form in FORM.findall(page.text) if 'name="screen"' in form)
    return Form(page, answer)  # `page.forms` parses the page, and each form of it once more


def answer_of(response):
    """The parameters of a redirect to the client, {name: value}."""
    return {name: value for name, (value,) in parse_qs(urlsplit(response.location).query).items()}


def code_of(response):
    return answer_of(response)["code"]


@cache
def _keys():
    return SigningKeys.generate()


@lru_cache(maxsize=64)
def _assembled(settings, plugins, engine):
    """The application; the next server with the same plugins, settings and engine need not wait for it.

    It may be shared, since whatever it remembers from one request to the next is in the database.
    """
    app = bb2.make_app(
        Settings.read(dict(settings), {}), engine, {_name(plugin): plugin for plugin in plugins}, _keys()
    )
    app.registry.getUtility(IJinja2Environment, ".jinja2").bytecode_cache = COMPILED
    return app


@cache
def _var():
    """The path of a folder for what a server keeps in files."""
    folder = tempfile.mkdtemp(prefix="bb2-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _empty_database():
    """The path of an SQLite file with bb2's tables, to be copied."""
    folder = tempfile.mkdtemp(prefix="bb2-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "empty.sqlite"
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


FREE = []  #: engines whose server is gone
LAST = {}  #: the engine of the last server of a kind (settings and plugins): its application is assembled


def _sqlite_engine(server, kind):
    """An engine on an empty database, which another server gets when this one is gone."""
    engine = _free_engine(LAST.get(kind))
    if engine is None:
        folder = tempfile.mkdtemp(prefix="bb2-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        engine = make_engine(f"sqlite:///{folder}/bb2.sqlite")
    engine.dispose()
    for left_over in "-wal", "-shm":
        Path(f"{engine.url.database}{left_over}").unlink(missing_ok=True)
    shutil.copy(_empty_database(), engine.url.database)
    LAST[kind] = engine
    weakref.finalize(server, FREE.append, engine)
    return engine


def _free_engine(wanted):
    """This one, another, or None."""
    if wanted not in FREE:
        gc.collect(1)  # a server goes with its pages, which hold one another
    if wanted in FREE:
        FREE.remove(wanted)
        return wanted
    return FREE.pop(0) if FREE else None


def _account(db, username, patient, name):
    person = ensure_beneficiary(db, patient, name, "Doe")
    db.add(Account(username=username, password_hash=_password_hash(), beneficiary=person))


@cache
def _password_hash():
    """Argon2id too, but quick to verify: thousands of tests sign in, and nothing here needs guarding."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def _name(plugin):
    return f"test:{getattr(plugin, '__name__', None) or getattr(plugin, 'name', id(plugin))}"
