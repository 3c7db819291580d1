"""Which apps has a developer, and how are they registered and changed?"""

import json
from hashlib import sha256
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.clock import now
from bb2.developers.accounts import apps_of
from bb2.models import Client
from bb2.oauth import client_ends, clients
from bb2.oauth.errors import ClientError
from bb2.oauth.secrets import new_secret
from bb2.views.developer.app_forms import KEY, LISTS, PUBLIC, SECRET, AppForm, kind_of, sentence, values_of
from bb2.views.developer.own import DeveloperPage
from bb2.views.developer.own_app import FOR_OPERATORS, AppPage
from bb2.views.testclient.trials import hold

#: What a page says was done, and what follows from it.
DONE = {
    "registered": "This app is registered already.",
    "changed": "Your changes are saved. What you took away stopped at once.",
    "widened": "Your changes are saved. People who are connected already must say yes again before your app gets what "
    "you added.",
    "unchanged": "Nothing has changed.",
    "disabled": "Your app is switched off. It is refused everywhere until you switch it on.",
    "enabled": "Your app is switched on.",
    "stopped": "The secret before counts no more.",
    "logo": "Your logo is saved.",
    "no-logo": "Your logo is taken away.",
}


class Editor:
    """What the pages have in common on which an app is registered or changed."""

    def form(self, client=None):
        """Of what was posted, or of the app."""
        known = {"db": self.db, "registry": self.request.registry["scopes"], "client": client}
        if self.request.method == "POST":
            return AppForm.of(self.request, **known)
        return AppForm(data=self.start(client), **known)

    def shown(self, template, form, status=200, **values):
        language = "es" if self.request.POST.get("preview_language") == "es" else "en"
        query = urlencode([*form.preview, *values.pop("preview", ()), ("lang", language)])
        return self.page(
            template, status, form=form, preview=f"/developer/preview?{query}", language=language, **values
        )

    def asks_for_preview(self):
        """Without scripts, a button shows the page for what was chosen so far."""
        return self.request.POST.get("show") == "preview"


@view_defaults(route_name="developer_apps", permission=NO_PERMISSION_REQUIRED)
class Apps(DeveloperPage):
    @view_config(request_method="GET")
    def show(self):
        gone = "deleted" if "deleted" in self.request.GET else None
        return self.page("apps", apps=apps_of(self.db, self.developer), gone=gone, most=most(self.request))


@view_defaults(route_name="developer_app_new", permission=NO_PERMISSION_REQUIRED)
class NewApp(DeveloperPage, Editor):
    """The form has a ticket, from which the client_id follows: pressed twice, its button registers one app."""

    @view_config(request_method="GET")
    def ask(self):
        if self.has_too_many():
            return self.full()
        return self.new(self.form())

    def start(self, _client):
        settings, registry = self.request.registry["settings"], self.request.registry["scopes"]
        known = {"scopes": registry.one_of_each_family(), "access": "ongoing", "kind": SECRET, "id_token_alg": "RS256"}
        if settings.sandbox:
            known["redirect_uris"] = f"{settings.base_url}/testclient/callback"
        return known

    def new(self, form, status=200):
        return self.shown("app_new", form, status, ticket=self.ticket())

    def ticket(self):
        """What was posted, or a new one; a file that somebody sends in its place is none."""
        posted = self.request.POST.get("ticket")
        return posted if isinstance(posted, str) and posted else new_secret()

    def full(self):
        return self.page(
            "apps", 403, apps=apps_of(self.db, self.developer), gone=None, most=most(self.request), full=True
        )

    @view_config(request_method="POST")
    def register(self):
        form = self.form()
        if self.asks_for_preview():
            return self.new(form)
        client_id = self.client_id()
        # Of two requests at once, the second waits, and finds what the first has registered.
        self.lock()
        if (there := self.db.get(Client, client_id)) and not there.deleted_at:
            return HTTPSeeOther(
                self.request.route_path("developer_app", client_id=client_id, _query={"done": "registered"})
            )
        if self.has_too_many():
            return self.full()
        if not form.validate():
            return self.new(form, 422)
        try:
            client, secret = self.registered(form, None if there else client_id)
        except ClientError as error:  # somebody took the name at this moment
            self.db.rollback()
            form.name.errors = [sentence(error)]
            return self.new(form, 409)
        return self.page("app_registered", client=client, secret=secret, kind=form.kind.data)

    def client_id(self):
        """Hexadecimal, as any; of this browser's session and the form's ticket, so that nobody chooses it."""
        return self.request.developer_browser.secret_for(f"register {self.ticket()}")[:40]

    def registered(self, form, client_id):
        client, secret = clients.add_client(
            self.db,
            self.request.registry["scopes"],
            public=form.kind.data == PUBLIC,
            client_id=client_id,
            developer_id=self.developer.id,
            **form.keys,
            **form.registration,
        )
        self.record("client.registered", client_id=client.client_id, by="developer")
        if not self.request.registry["settings"].sandbox:  # an operator looks at it first
            client_ends.switch_off(self.db, client, client_ends.OPERATOR)
        elif secret:
            hold(self.request, client, secret)
        return client, secret

    def has_too_many(self):
        return len(apps_of(self.db, self.developer)) >= most(self.request)


@view_config(route_name="developer_app", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show(request):
    own = AppPage(request)
    scopes = request.registry["scopes"].named(own.client.scopes)
    return own.page(
        "app",
        done=DONE.get(request.GET.get("done")),
        kind=kind_of(own.client),
        scopes=scopes,
        missing=[name for name in own.client.scopes if name not in request.registry["scopes"]],
        overlap=overlap(own.db, own.client),
        may_switch_on=client_ends.may_switch_on(own.client, client_ends.DEVELOPER),
    )


@view_defaults(route_name="developer_app_edit", permission=NO_PERMISSION_REQUIRED)
class EditApp(AppPage, Editor):
    """The form has a fingerprint of the app as it was when the page was made: another tab is not overwritten unseen."""

    @view_config(request_method="GET")
    def ask(self):
        return self.edit(self.form(self.client))

    def start(self, client):
        return values_of(client)

    def edit(self, form, status=200, problem=None):
        known = [("client_id", self.client.client_id), ("logo", self.client.logo or "")]
        version = fingerprint(self.described)
        return self.shown("app_edit", form, status, preview=known, version=version, problem=problem)

    @view_config(request_method="POST")
    def save(self):
        form = self.form(self.client)
        if self.asks_for_preview():
            return self.edit(form)
        if self.request.POST.get("version") != fingerprint(self.described):
            return self.edit(form, 409, problem=self.differing(form))
        if not form.validate() or self.needs_operator(form):
            return self.edit(form, 422)
        before, kind = self.described, kind_of(self.client)
        try:
            clients.change_client(self.db, self.request.registry["scopes"], self.client, **form.registration)
        except ClientError as error:  # somebody took the name at this moment
            self.db.rollback()
            form.name.errors = [sentence(error)]
            return self.edit(form, 409)
        secret = self.proves(form, kind)
        self.record_changes(before)
        if secret:
            return self.page("app_secret_shown", secret=secret, overlap=None)
        return self.done(self.outcome(before))

    def needs_operator(self, form):
        """Tell the fields that change what an approved app is trusted by: who it is, where it leads, what it gets."""
        if not self.approved:
            return False
        wanted, registry = form.registration, self.request.registry["scopes"]
        fields = [name for name in ("name", "access", *LISTS) if wanted[name] != getattr(self.client, name)]
        has = registry.allowed(self.client.scopes, self.client.scopes, self.client.asks_demographic)
        gets = registry.allowed(wanted["scopes"], wanted["scopes"], wanted["asks_demographic"])
        if wanted["asks_demographic"] and not self.client.asks_demographic:
            fields.append("asks_demographic")
        elif not all(registry.covered(name, has) for name in gets):
            fields.append("scopes")
        for name in fields:
            form[name].errors = [FOR_OPERATORS]
        return bool(fields)

    def proves(self, form, kind):
        """Let the app prove who it is as the form says.  Returns the secret that it got, or None."""
        if form.kind.data == KEY:
            clients.set_keys(self.client, **form.keys)
        elif form.kind.data != kind and form.kind.data == PUBLIC:
            clients.set_public(self.client)
        elif form.kind.data != kind:
            return clients.give_secret(self.client)
        return None

    def outcome(self, before):
        if self.described == before:
            return "unchanged"
        registry, had = self.request.registry["scopes"], (before["scopes"], before["asks_demographic"])
        now_has = registry.allowed(self.client.scopes, self.client.scopes, self.client.asks_demographic)
        return "changed" if registry.allowed(now_has, *had) == now_has else "widened"

    def differing(self, form):
        """The labels of what the app is registered as that differs from what was typed."""
        known = AppForm.of_app(self.client, db=self.db, registry=self.request.registry["scopes"])
        return [field.label.text for field in form if _typed(field) != _typed(known[field.name])]


def _typed(field):
    return field.data.split() if isinstance(field.data, str) else field.data or []


def fingerprint(described):
    """Another one whenever the app is registered as something else."""
    return sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()[:16]


def overlap(db, client):
    """Until when the secret before does too; None where it does not."""
    ends = client.previous_secret_hash and client.previous_secret_ends_at
    return ends if ends and ends > now(db) else None


def most(request):
    return request.registry["settings"].apps_per_developer
