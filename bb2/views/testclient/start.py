"""The start of a trial: which app asks, for what, of whom?  Then the browser goes to authorize, as from any app."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults
from sqlalchemy import select
from wtforms import PasswordField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from bb2.clock import now
from bb2.identity.builtin import plain
from bb2.models import Account
from bb2.oauth.authentication import fits
from bb2.oauth.secrets import new_secret
from bb2.views.developer.own import render
from bb2.views.errors import page
from bb2.views.forms import Form, OneOf, SeveralOf
from bb2.views.pages import PageError
from bb2.views.personas import personas_there
from bb2.views.testclient.apps import DEMO, callback_of, demo_app, own_apps
from bb2.views.testclient.trials import held_secrets, last_app, player
from bb2.views.testclient.wire import request_line

SOMEBODY, HERE = "", "here"  #: in place of a persona: whoever signs in, and who is signed in already
VERSIONS = [("v2", "Version 2 (FHIR R4)"), ("v1", "Version 1 (FHIR STU3)")]
LANGUAGES = [("", "As the browser asks for"), ("en", "English"), ("es", "Español (Spanish)")]


class StartForm(Form):
    app = SelectField("App", description="An app of yours is asked for its secret, if it has one.")
    secret = PasswordField(
        "Client secret of your app",
        description="It stays sealed with this trial, and is forgotten with it. Leave it empty for the demo app, and "
        "for an app without a secret.",
        render_kw={"autocomplete": "off", "maxlength": 200},
    )
    person = SelectField("Sign in as")
    version = OneOf("API", missing="Choose a version", choices=VERSIONS)
    language = SelectField("Language of the authorization page", choices=[SelectChoice(*each) for each in LANGUAGES])
    scope = SeveralOf("Scopes", choices=(), description="With no box ticked, the app asks for all that it may.")

    def validate_secret(self, field):
        client = self.own.get(self.app.data)
        field.data = (field.data or "").strip() or self.held.get(self.app.data)
        if client is None or client.public:
            return
        if not field.data:
            raise StopValidation(f"Paste the secret of {client.name}. For one that is lost, My apps gives another")
        if not fits(field.data, client, self.moment):
            raise StopValidation(
                f"This is not the secret of {client.name}. For one that is lost, My apps gives another"
            )


@view_defaults(route_name="testclient", permission=NO_PERMISSION_REQUIRED)
class Start:
    def __init__(self, request):
        self.request, self.db = request, request.db
        self.demo, self.apps = demo_app(request), own_apps(request)
        if self.demo is None and not self.apps.playable:
            raise PageError(
                404, "There is no demo app", "Whoever runs this server can make one with the command bb2 init."
            )
        self.personas = _personas(request)
        person = request.browser.beneficiary
        self.there = person is not None  #: a beneficiary is signed in, in this browser
        self.username = person and _username(self.db, person, self.personas)

    @view_config(request_method="GET")
    def ask(self):
        base_url = self.request.registry["settings"].base_url
        if self.request.host != urlsplit(base_url).netloc:  # the app is answered there, where its cookie must be
            return HTTPSeeOther(f"{base_url}{self.request.path_qs}")
        wanted = self.request.GET
        known = {
            "app": wanted.get("app", last_app(self.request)),
            "person": wanted.get("person"),
            "version": wanted.get("version", "v2"),
            "language": wanted.get("language", ""),
            "scope": wanted.get("scope", "").split(),
        }
        return self._show(self._form(data=known))

    @view_config(request_method="POST")
    def answer(self):
        form = self._form()
        if not form.validate():
            return self._show(form, 422)
        pending = self._pending(form)
        self.request.trial.keep(self.request.trial.kept | {"pending": pending})
        if self.request.POST.get("answer") == "show":
            return render(self.request, "testclient_request", pending=pending)
        return HTTPSeeOther(pending["start"])

    def _form(self, **known):
        """The form with its choices.  `known`: the data of one that was not posted; what is no choice is the first."""
        form = StartForm.of(self.request, **known)
        form.own, form.moment = {client.client_id: client for client in self.apps.playable}, now(self.db)
        demo = [(DEMO, f"{self.demo['name']}, the demo app")] if self.demo else []
        form.app.choices = _choices(demo + [(client.client_id, client.name) for client in self.apps.playable])
        form.person.choices = _choices(self._people())
        registry = self.request.registry["scopes"]
        form.scope.choices = _choices((name, name) for name in registry.one_of_each_family())
        if known:
            for field in (form.app, form.person, form.language, form.version):
                values = [choice.value for choice in field.choices]
                field.data = field.data if field.data in values else values[0]
        form.held = self._held(form)
        if form.app.data in form.held:
            form.secret.description = (
                f"This browser still holds that of {form.own[form.app.data].name}, sealed: leave it empty."
            )
        return form

    def _held(self, form):
        """{client_id: secret} of the apps whose secret need not be typed; one that counts no more is none."""
        held = held_secrets(self.request).items()
        return {
            app: secret for app, secret in held if app in form.own and fits(secret or "", form.own[app], form.moment)
        }

    def _people(self):
        """[(value, label)]"""
        here = [(HERE, f"{self.username or 'Whoever'}: is signed in now")] if self.there else []
        told = [(name, f"{name}: {persona.shows}") for name, persona in self.personas.items()]
        return [*here, *told, (SOMEBODY, "Somebody else: the sign-in asks who")]

    def _show(self, form, status=200):
        chosen = self.personas.get(form.person.data) or next(iter(self.personas.values()), None)
        return render(
            self.request,
            "testclient",
            status,
            form=form,
            apps=self.apps,
            callback=callback_of(self.request),
            persona=chosen,
            signed_in=self.there and (self.username or "Somebody"),
            developer=self.request.developer_browser.developer,
        )

    def _pending(self, form):
        """What is kept until the browser comes back."""
        app = self._app(form)
        state, verifier = new_secret(), new_secret()
        asked = {
            "response_type": "code",
            "client_id": app["client_id"],
            "redirect_uri": callback_of(self.request),
            "scope": " ".join(form.scope.data),
            "state": state,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "lang": form.language.data,
            **self._who(form.person.data),
        }
        asked = {name: value for name, value in asked.items() if value}
        start = f"/{form.version.data}/o/authorize/?{urlencode(asked)}"
        choices = {name: getattr(form, name).data for name in ("app", "person", "version", "language")}
        return {
            "app": app,
            "version": form.version.data,
            "state": state,
            "verifier": verifier,
            "start": start,
            "parameters": asked,
            "request": request_line(self.request, start),
            "scope": form.scope.data,
            "again": urlencode(choices | {"scope": asked.get("scope", "")}),
        }

    def _app(self, form):
        """The app that plays: its secret, and whose it is."""
        client = form.own.get(form.app.data)
        if client is None:
            return self.demo | {"developer_id": None}
        return player(client, None if client.public else form.secret.data)

    def _who(self, chosen):
        """A persona is named to the sign-in, which asks anew where somebody else is signed in."""
        if chosen == HERE:
            return {}
        anew = self.there and (not chosen or chosen != self.username)
        return {"login_hint": chosen, "prompt": "login" if anew else ""}


def _personas(request):
    """{user name: Persona} of those who can sign in; none where another provider knows the people."""
    if request.registry["settings"].identity != "builtin":
        return {}
    return {p.username: p for p in personas_there(request.db) if p.has_account and p.merged_into is None}


def _username(db, person, personas):
    """A user name of a Beneficiary, or None; that of a persona is spelt as here."""
    found = db.scalar(select(Account.username).where(Account.beneficiary_id == person.id).limit(1))
    return next((name for name in personas if plain(name) == found), found)


def _choices(pairs):
    return [SelectChoice(value, label) for value, label in pairs]


@exception_view_config(BadCSRFToken, route_name="testclient")
@exception_view_config(BadCSRFToken, route_name="testclient_act")
def over(error, request):
    """The trial has ended, by itself after a while; or the browser keeps no cookies."""
    return page(
        request,
        PageError(
            400,
            "This trial has ended",
            "A trial is forgotten after a while without a click. Nothing was sent. Please begin again.",
            way_on=(request.route_path("testclient"), "Test client"),
        ),
    )
