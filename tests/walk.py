"""A walk to every page there is, over HTTP without a browser."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

from pyramid_jinja2 import IJinja2Environment

import broken_pages
import enrolling
from bb2.clock import utcnow
from bb2.identity import closing
from bb2.identity.builtin import ensure_beneficiary
from bb2.models import Beneficiary, BrowserSession, Client, Passkey, ProviderSignIn, SandboxPerson
from bb2.oauth.secrets import hashed
from bb2.testing import ALICE, BOB, PASSWORD, ConsentServer, consent_form
from bb2.testing.reuse import folder_for_files
from bb2.views.provider_problems import PROBLEMS
from built_in import BUILT_IN
from oauth.steps import earlier, newest_connection, share_less, stop_form
from running import free_port

FAMILIES = ("patient/ExplanationOfBenefit", "patient/Coverage", "patient/Patient", "profile")
ALL_LINES = [f"line-{family}" for family in FAMILIES]


@cache
def walked(language):
    """The Walk of a browser that prefers the language."""
    return Walk(start(ConsentServer), language)


def start(make_server):
    """A server on which every page can be reached."""
    settings = {"bb2.demographic_default": "ask"}
    return make_server(*BUILT_IN, broken_pages, client={"name": "Carely"}, settings=settings)


def change(server, model, key, **values):
    """Set columns of a row behind the server's back, as an operator may."""
    with server.db() as db:
        row = db.get(model, key) if model is Client else db.query(model).filter_by(patient=key).one()
        for name, value in values.items():
            setattr(row, name, value)


def change_client(server, **values):
    change(server, Client, server.client_id, **values)


def form_with(page, field):
    return next(form for form in page.forms.values() if field in form.fields)


class Walk:
    """Goes to every page there is; keeps each with a name."""

    def __init__(self, server, language):
        self.server, self.language = server, language
        self.pages = {}  #: {name: page}
        self.templates = set()  #: the names of those that were rendered
        server.extra_environ["HTTP_ACCEPT_LANGUAGE"] = language
        for part in (self.sign_in, self.consent, self.connections, self.passkeys):
            part()
        for part in (self.people, self.sign_out, self.errors):
            part()
        self.create_account()
        self.provider()
        self.note_templates(server)
        self.server = None  # the walk in the other language may have its application

    def note_templates(self, server):
        environment = server.app.registry.getUtility(IJinja2Environment, name=".jinja2")
        self.templates |= {Path(name).name for _loader, name in environment.cache}

    def see(self, name, page):
        self.pages[name] = page
        return page

    def get(self, name, path, *arguments, **options):
        return self.see(name, self.server.get(path, *arguments, status="*", **options))

    def sign_in(self):
        self.get("home", "/")
        form = self.get("sign in", "/sign-in").forms[0]
        form["username"], form["password"] = "alice", "wrong"
        self.see("wrong password", form.submit("answer", value="sign-in", status=403))
        page = self.server.get("/v2/o/authorize", self.server.authorization_request()).follow().follow()
        self.see("sign in for an app", page)

    def consent(self):
        server = self.server
        page = self.see("consent", server.consent_page())
        form = consent_form(page)
        self.see("no choice", form.submit("answer", value="yes"))
        self.see("no answer", form.submit("answer", value=""))
        form["screen"], form["demographic"] = "another", "share"
        self.see("changed", form.submit("answer", value="yes"))
        for access in ("one-time", "research"):
            change_client(server, access=access, website="https://carely.example", terms="https://carely.example/t")
            self.see(access, server.consent_page())
        self.see("personal information only", server.consent_page("patient/Patient.read"))
        self.see("no records", server.consent_page("openid"))
        change_client(server, access="ongoing")

    def connections(self):
        server = self.server
        token = server.grant(share_demographic=True)
        self.get("connected", "/connections")
        self.get("home signed in", "/")
        path = newest_connection(server)
        self.get("a connection, nothing read", path)
        server.fhir("Coverage", token)
        server.app.registry["tally"].flush()
        self.get("a connection", path)
        for change in "less", "stop":
            self.get(f"a connection, {change}?", f"{path}/{change}")
        self.see("everything taken out", share_less(server, *ALL_LINES).follow())
        self.see("nothing taken out", share_less(server).follow())
        self.see("shares less", share_less(server, "line-patient/Patient").follow())
        change_client(server, disabled_at=utcnow(), access="research")
        for name in "/connections", path:
            self.get(f"switched off, {name}", name)
        change_client(server, disabled_at=None, access="ongoing")
        self.see("ended", stop_form(server.get(f"{path}/stop")).submit().follow())
        self.get("a connection, ended", path)
        self.receipts()
        server.grant()
        self.see("all ended", stop_form(self.get("stop all?", "/connections/stop")).submit().follow())
        self.get("connection not found", "/connections/999999")

    def receipts(self):
        """One of each decision."""
        page = self.get("receipts", "/connections/receipts")
        for number, link in enumerate(page.html.select(".calls a")):
            self.get(f"receipt {number}", link["href"])
        self.server.sign_in("bob")
        self.get("no receipts", "/connections/receipts")
        self.server.sign_in()

    def passkeys(self):
        server, page = self.server, self.get("passkeys", "/account/passkeys")
        self.see("passkey not added", form_with(page, "credential").submit(status=400))
        with server.db() as db:
            person = db.query(Beneficiary).filter_by(patient=ALICE).one()
            known = {"public_key": b"", "sign_count": 0, "backup_eligible": True, "backed_up": True, "transports": []}
            db.add(Passkey(credential_id="a", beneficiary=person, name="", created_at=utcnow(), **known))
        self.get("passkey added", "/account/passkeys?done=added")
        earlier(server, BrowserSession, "authenticated_at", minutes=11)
        form = form_with(self.get("to confirm", "/account/passkeys"), "current")
        form["current"] = "wrong"
        self.see("wrong password, to confirm", form.submit("answer", value="confirm", status=403))
        form = form_with(server.get("/account/passkeys"), "passkey")
        self.see("passkey removed", form.submit("answer", value="remove").follow())
        page = server.get("/sign-in")
        self.see("no such passkey", form_with(page, "credential").submit(status=403))

    def people(self):
        server = self.server
        self.get("nobody to sign in as", "/sandbox/people")
        with server.db() as db:
            for number in 0, 1, 40:  # two personas and somebody else
                person = ensure_beneficiary(db, f"-10{number}", "Ada", "Lovelace")
                db.add(SandboxPerson(number=number, beneficiary=person, day=date(2026, 11, 1)))
        self.get("people to sign in as", "/sandbox/people")

    def sign_out(self):
        """As an app asks for it."""
        self.server.sign_in()
        form = next(f for f in self.get("sign out?", "/v2/connect/logout").forms.values() if "connect" in f.action)
        self.get("sign out, by a wrong link", "/v2/connect/logout", {"client_id": "unknown"})
        self.see("signed out", form.submit("answer", value="sign-out"))

    def errors(self):
        server = self.server
        self.get("nothing there", "/nothing/there")
        self.get("refused", "/refused")
        self.get("broken", "/broken")
        self.get("busy", "/busy")
        self.see("no session", server.post("/sign-in", status=400))
        self.get("no such request", "/consent/unknown")
        for redirect_uri in ("https://elsewhere.example/", None):
            asked = server.authorization_request(redirect_uri=redirect_uri, client_id=redirect_uri and server.client_id)
            self.get(f"unreachable {redirect_uri}", "/v2/o/authorize", asked)
        for first, second in (("no", "yes"), ("yes", "yes"), ("yes", "no")):
            form = consent_form(server.consent_page())
            form["demographic"] = "share"
            form.submit("answer", value=first, status=303)
            self.see(f"{first}, then {second}", form.submit("answer", value=second, status=409))
        page = server.consent_page()
        change_client(server, disabled_at=utcnow())
        self.see("switched off meanwhile", consent_form(page).submit("answer", value="yes", status=400))
        self.get("switched off", "/v2/o/authorize", server.authorization_request())
        self.refused_sign_ins()

    def create_account(self):
        server = self.server
        server.reset()
        with server.db() as db:
            server.load(db, enrolling.RECORDS)
        self.get("create an account", "/account/create")
        self.get("nothing typed any more", "/account/create/unknown/notice")
        self.see("nothing typed", enrolling.inform(server, 422, number=""))
        self.see("nobody's card", enrolling.inform(server, 403, sex="male"))
        page = self.see("security notice", enrolling.inform(server, zip="10001"))
        page = self.see("another address", page.forms[0].submit().follow())
        self.see("nothing chosen", page.forms[0].submit().follow().forms[0].submit(status=422))
        self.see("account created", enrolling.create(server).follow())
        elsewhere = with_records_elsewhere()
        elsewhere.extra_environ |= server.extra_environ
        self.see("accounts are made elsewhere", elsewhere.get("/account/create", status=404))
        self.see("passwords are set elsewhere", elsewhere.get("/sign-in/trouble", status=404))
        self.trouble()
        self.account()

    def trouble(self):
        """As the person whose account was just made; then wrong answers, until a pause."""
        server = self.server
        server.reset()
        self.get("trouble signing in", "/sign-in/trouble")
        self.see("nobody said", enrolling.forgot(server, number=""))
        first = self.see("secret question", enrolling.forgot(server).follow())
        self.see("nothing answered", enrolling.answer(first, ""))
        self.see("wrong answer", enrolling.answer(first, "wrong"))
        enrolling.forgot(server)
        self.see("begun again in another tab", enrolling.answer(first, enrolling.CHOSEN["answer"]))
        page = server.get("/sign-in/trouble/question")
        known = self.see("new password", enrolling.answer(page, enrolling.CHOSEN["answer"]).follow())
        self.see("the answer, sent twice", enrolling.answer(page, "twice"))
        form = next(form for form in known.forms.values() if "tell" in form.fields)
        self.see("user name", form.submit("tell"))
        form = next(form for form in known.forms.values() if "again" in form.fields)
        self.see("no new password", form.submit(status=422))
        form["password"] = form["again"] = "plum rocket sofa nine"
        self.see("new password set", form.submit().follow())

    def account(self):
        server = self.server
        for page in "", "/email", "/password", "/question":
            self.get(f"account{page}", f"/account{page}")
        for page, field in (("email", "email"), ("password", "again"), ("question", "answer")):
            form = next(f for f in server.get(f"/account/{page}").forms.values() if field in f.fields)
            form[field] = ""
            self.see(f"account/{page}, nothing typed", form.submit(status=422))
        form = next(f for f in server.get("/account/password").forms.values() if "current" in f.fields)
        form["current"], form["password"], form["again"] = "wrong", *["marigold rocket sofa"] * 2
        self.see("not the password", form.submit(status=403))
        form = next(f for f in server.get("/account/email").forms.values() if "email" in f.fields)
        form["email"] = "carol@example.com"
        self.see("e-mail saved", form.submit().follow())
        form = next(f for f in server.get("/account").forms.values() if f.action.endswith("everywhere"))
        self.see("signed out everywhere", form.submit())
        page = enrolling.forgot(server).follow()
        for _ in range(6):
            paused = enrolling.answer(page, "wrong")
        self.see("too many wrong answers", paused)

    def refused_sign_ins(self):
        for act, name in ((lambda db: closing.close(db, BOB), "closed"), (merge_bob, "merged")):
            with self.server.db() as db:
                act(db)
            self.see(f"sign in, {name}", self.sign_in_as("bob", PASSWORD))
        form = self.server.get("/sign-in").forms[0]
        form["username"], form["password"] = "alice", "wrong"
        tries = [form.submit("answer", value="sign-in", status="*") for _ in range(11)]
        self.see("too many wrong passwords", tries[-1])

    def sign_in_as(self, username, password):
        form = self.server.get("/sign-in").forms[0]
        form["username"], form["password"] = username, password
        return form.submit("answer", value="sign-in", status="*")

    def provider(self):
        """The pages around a sign-in elsewhere; nobody listens where the provider should be."""
        server = at_provider()
        server.reset()
        server.extra_environ["HTTP_ACCEPT_LANGUAGE"] = self.language
        asked = server.authorization_request("openid")
        page = self.see("provider: sign in", server.get("/v2/o/authorize", asked).follow().follow())
        self.see("provider: sign in without an app", server.get("/sign-in"))
        self.see("provider: not there", page.forms[0].submit("answer", value="sign-in", status=503))
        self.see("provider: lost", server.get("/sign-in/callback?state=unknown", status=400))
        for problem in PROBLEMS:
            self.see(f"provider: {problem}", problem_page(server, problem, page.forms[0]["request"].value))
        self.note_templates(server)


@cache
def with_records_elsewhere():
    """A server whose records are in another one, so that no card is found here."""
    return ConsentServer(*BUILT_IN, settings=enrolling.ELSEWHERE)


@cache
def at_provider():
    """A server whose people sign in elsewhere."""
    secret = Path(folder_for_files()) / "provider-secret"
    secret.write_text("the secret of the tests")
    settings = {"identity": "oidc", "oidc_issuer": f"http://localhost:{free_port()}", "oidc_name": "MyHealth"}
    settings |= {"oidc_client_id": "us", "oidc_client_secret": str(secret), "oidc_claim": "patient"}
    settings = {f"bb2.{name}": value for name, value in settings.items()}
    return ConsentServer(*BUILT_IN, client={"name": "Carely"}, settings=settings)


def problem_page(server, problem, request_id):
    """The page of a sign-in at a provider of which this came."""
    moment = utcnow()
    begun = {"session_hash": hashed(server.cookies["beneficiary"]), "request_id": request_id, "problem": problem}
    state = f"{problem} {request_id}"
    with server.db() as db:
        times = {"expires_at": moment + timedelta(hours=1), "used_at": moment}
        db.add(ProviderSignIn(state_hash=hashed(state), **begun, **times))
    return server.get("/sign-in/callback", {"state": state}, status=PROBLEMS[problem].status)


def merge_bob(db):
    closing.merge(db, BOB, ALICE)
