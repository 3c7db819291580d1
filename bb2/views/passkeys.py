"""Passkeys: how a person adds one, removes one, and signs in with one."""

from datetime import timedelta

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from wtforms import PasswordField, StringField

from bb2 import audit
from bb2.clock import now
from bb2.db import need_not_last
from bb2.identity import passkeys
from bb2.identity.passkeys import NotAccepted, RelyingParty
from bb2.oauth import consents
from bb2.views.forms import Form
from bb2.views.limited import client_address
from bb2.views.pages import PageError, _
from bb2.views.sign_in import SignIn

FRESH = 600  # seconds after a sign-in in which a passkey may be added
LONGEST_NUMBER = 9  # digits: more is no number that a database has given


class Naming(Form):
    name = StringField(_("A name for it, if you like"), description=_("For example: My phone"))


class Confirming(Form):
    password = PasswordField(_("Password"), render_kw={"autocomplete": "current-password", "required": True})


class Passkeys:
    """`request.passkeys`: what views and templates may ask about the passkeys of who is signed in."""

    most = passkeys.MOST

    def __init__(self, request):
        self.request, self.db, self.person = request, request.db, request.browser.beneficiary

    @property
    def party(self):
        """The RelyingParty, where this page is at its origin; else None, and nothing about passkeys is shown."""
        party = RelyingParty.of(self.request.registry["settings"])
        return party if party and party.origin == self.request.host_url.lower() else None

    def needed_party(self):
        """The same, for what makes no sense without it."""
        if self.party is None:
            raise HTTPNotFound
        return self.party

    @property
    def kept(self):
        return passkeys.of_person(self.db, self.person)

    @property
    def fresh(self):
        """The person signed in not long ago: nobody adds a key in a browser that was left alone."""
        return self.request.browser.signed_in_since(now(self.db) - timedelta(seconds=FRESH))

    @property
    def offered(self):
        """A passkey can be, there is none, and the person has not said that they do not want one."""
        return self.party and self.person and self.person.passkey_declined_at is None and not self.kept

    @property
    def naming(self):
        """The form that names a new one."""
        return Naming(prefix="passkey-")


@view_defaults(route_name="passkeys", permission=NO_PERMISSION_REQUIRED)
class PasskeyPage(SignIn):
    """A person's passkeys.  Whoever wants to add one after a while shows first who they are, as at sign-in."""

    def __init__(self, request):
        super().__init__(request)
        self.person = request.browser.beneficiary

    @view_config(request_method="GET", renderer="bb2:templates/passkey_page.jinja2")
    def ask(self):
        if self.person is None:
            return HTTPSeeOther(self.request.route_path("sign_in"))
        return self.values(done=self.request.GET.get("done"))

    def values(self, **changes):
        return {"person": self.person, "done": None, "confirming": Confirming()} | changes

    @view_config(request_method="POST", renderer="bb2:templates/passkey_page.jinja2")
    def answer(self):
        """What the button says that was pressed; nothing where the session has ended meanwhile."""
        acts = {"add": self.add, "remove": self.remove, "decline": self.decline, "confirm": self.confirm}
        act = acts.get(self.request.POST.get("answer"))
        if act is None or self.person is None or not consents.lock(self.db, self.person.id):
            return self.back()
        return act()

    def add(self):
        name, answer = (str(self.request.POST.get(field, "")) for field in ("passkey-name", "credential"))
        browser, party = self.request.browser, self.request.passkeys.needed_party()
        try:
            added = passkeys.add(self.db, party, self.person, browser.session_hash, answer, _name(name))
        except NotAccepted as error:
            self.db.commit()  # its challenge was used, though the answer is an error
            raise PageError(
                400,
                _("The passkey was not added"),
                _("It took too long, or this device has a passkey for you already. Nothing was changed."),
                _("You can try again."),
                way_on=self._again(),
            ) from error
        audit.record(self.db, "passkey.added", beneficiary_id=self.person.id, backed_up=added.backed_up)
        return self.back(done="added")

    def remove(self):
        number = self.request.POST.get("passkey", "")
        known = isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
        if not known or not passkeys.remove(self.db, self.person, int(number)):
            return self.back()
        audit.record(self.db, "passkey.removed", beneficiary_id=self.person.id, by="beneficiary")
        return self.back(done="removed")

    def decline(self):
        """Not offered again, in any browser; the page of the account has it still."""
        self.person.passkey_declined_at = now(self.db)
        audit.record(self.db, "passkey.declined", beneficiary_id=self.person.id)
        return HTTPSeeOther(self.request.route_path("connections"))

    def confirm(self):
        account = passkeys.account_of(self.db, self.person)
        if not self._is_right(account, account.username, str(self.request.POST.get("password", ""))):
            audit.record(self.db, "account.refused")
            self.db.commit()
            self.request.response.status_int = 403
            confirming = Confirming()
            confirming.password.errors = [_("This is not your password. Please check it and try again.")]
            return self.values(confirming=confirming)
        self.welcome(account)
        return self.back()

    def back(self, **done):
        return HTTPSeeOther(self.request.route_path("passkeys", _query=done))

    def _again(self):
        return self.request.route_path("passkeys"), _("Passkeys")


def _name(text):
    """What a person calls a passkey, as it can be shown and kept."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[: passkeys.MOST_NAME]


@view_defaults(route_name="passkey_sign_in", permission=NO_PERMISSION_REQUIRED)
class PasskeySignIn(SignIn):
    """The same sign-in as with a password, but for what the person shows."""

    @view_config(request_method="GET")
    def ask(self):
        """An answer's page in the other language, or loaded again: the way back to where it began."""
        query = {name: self.request.GET[name] for name in ("request", "lang") if name in self.request.GET}
        return HTTPSeeOther(self.request.route_path("sign_in", _query=query))

    @view_config(request_method="POST")
    def answer(self):
        account = passkeys.account_of(self.db, self._right_passkey().beneficiary)
        way_on = self.welcome(account, method="passkey")
        confirming = self.request.POST.get("then") == "passkeys"
        return HTTPSeeOther(self.request.route_path("passkeys")) if confirming else way_on

    def _right_passkey(self):
        """The Passkey; only wrong answers stay counted, and apart from passwords: neither holds the other up."""
        session_hash, answer = self.request.browser.session_hash, str(self.request.POST.get("credential", ""))
        limits, tries = self.request.registry["limits"], self._tries_from_here()
        party = self.request.passkeys.needed_party()
        self.db.commit()  # so that SQLite's one writer is free while this counts
        if wait := limits.count(tries):
            self._pause(wait)
        try:
            found = passkeys.used(self.db, party, session_hash, answer)
        except NotAccepted as error:
            self._refuse(error)
        self.db.commit()
        limits.count(tries, -1)
        return found

    def _tries_from_here(self):
        address = client_address(self.request)
        limit = self.request.registry["settings"].limit_sign_in_address
        return {("passkey", "address", address): limit} if address else {}

    def _refuse(self, error):
        whose = error.passkey and error.passkey.beneficiary_id
        told = {"method": "passkey", "reason": error.reason}
        audit.record(self.db, "account.refused", beneficiary_id=whose, **self._asked(), **told)
        self.db.commit()  # the refusal is on record, and the challenge was used
        raise PageError(
            403,
            _("We could not sign you in with this passkey"),
            _("It took too long, or the passkey was removed here. Nothing was shared or changed."),
            _("Please try again, or sign in with your user name and password."),
            way_on=self._again(),
        ) from error


@view_config(route_name="passkey_request_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def request_options(request):
    """For the script: how to ask the browser for a passkey of this server."""
    party = request.passkeys.needed_party()
    need_not_last(request.db)
    return _json(passkeys.request_options(request.db, party, request.browser.begin()))


@view_config(route_name="passkey_creation_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def creation_options(request):
    """For the script: how to make a passkey; not for who signed in a while ago, and may have left the browser."""
    person, party = request.browser.beneficiary, request.passkeys.needed_party()
    if not (person and request.passkeys.fresh and consents.lock(request.db, person.id)):
        raise HTTPNotFound
    return _json(passkeys.creation_options(request.db, party, person, request.browser.session_hash))


def _json(text):
    return Response(text, content_type="application/json", charset="utf-8")


def includeme(config):
    config.add_request_method(Passkeys, "passkeys", reify=True)
