"""Passkeys: how a person adds one, removes one, and signs in with one."""

from datetime import timedelta

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from wtforms import StringField

from bb2 import audit
from bb2.clock import now
from bb2.db import need_not_last
from bb2.identity import builtin, passkeys
from bb2.identity.passkeys import NotAccepted, RelyingParty
from bb2.models import Passkey
from bb2.oauth import consents
from bb2.views.account import WRONG, OwnPage
from bb2.views.arriving import asked_for, sign_in_link
from bb2.views.fields import current_password_field
from bb2.views.forms import Form
from bb2.views.own import number_of
from bb2.views.pages import PageError, _
from bb2.views.sign_in import SignIn, enter
from bb2.views.tries import Tries, by_address

FRESH = 600  # seconds after a sign-in in which a passkey may be added


class Naming(Form):
    name = StringField(_("A name for it, if you like"), description=_("For example: My phone"))


class ConfirmForm(Form):
    current = current_password_field(_("Your password"))


class OwnPasskeys:
    """What views and templates may ask about the passkeys of who is signed in: of one kind of people."""

    most = passkeys.MOST

    def __init__(self, request, browser):
        self.request, self.db, self.browser, self.person = request, request.db, browser, browser.person

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
        return self.browser.signed_in_since(now(self.db) - timedelta(seconds=FRESH))

    @property
    def naming(self):
        """The form that names a new one."""
        return Naming(prefix="passkey-")


class Passkeys(OwnPasskeys):
    """`request.passkeys`: of beneficiaries."""

    def __init__(self, request):
        super().__init__(request, request.browser)

    @property
    def party(self):
        """None too where another server says who a person is."""
        return super().party if self.request.registry["settings"].identity == "builtin" else None

    @property
    def offered(self):
        """A passkey can be, there is none, and the person has not said that they do not want one."""
        return self.party and self.person and self.person.passkey_declined_at is None and not self.kept


@view_defaults(route_name="passkeys", permission=NO_PERMISSION_REQUIRED)
class PasskeyPage(OwnPage):
    """A person's passkeys.  Whoever wants to add one after a while shows first who they are, as at sign-in."""

    @view_config(request_method="GET")
    def ask(self):
        return self.show(ConfirmForm(), done=self.request.GET.get("done"))

    def show(self, form, status=200, **values):
        return self.page("passkey_page", status, confirming=form, **values)

    def back(self, **done):
        return HTTPSeeOther(self.request.route_path("passkeys", _query=done))

    @view_config(request_method="POST")
    def unknown(self):
        return self.back()

    @view_config(request_method="POST", request_param="answer=add")
    def add(self):
        name, answer = (str(self.request.POST.get(field, "")) for field in ("passkey-name", "credential"))
        browser, party = self.request.browser, self.request.passkeys.needed_party()
        if not consents.lock(self.db, self.person.id):
            return self.back()
        try:
            added = passkeys.add(self.db, party, self.person, browser.session_hash, answer, shown_name(name))
        except NotAccepted as error:
            self.db.commit()  # its challenge was used, though the answer is an error
            raise PageError(
                400,
                _("The passkey was not added"),
                _("It took too long, or this device has a passkey for you already. Nothing was changed."),
                _("You can try again."),
                way_on=(self.request.route_path("passkeys"), _("Passkeys")),
            ) from error
        self.record("passkey.added", backed_up=added.backed_up)
        return self.back(done="added")

    @view_config(request_method="POST", request_param="answer=remove")
    def remove(self):
        number = number_of(self.request.POST.get("passkey"))
        if number is None or not passkeys.remove(self.db, self.person, number):
            return self.back()
        self.record("passkey.removed", by="beneficiary")
        return self.back(done="removed")

    @view_config(request_method="POST", request_param="answer=decline")
    def decline(self):
        """Not offered again, in any browser; the page of the account has it still."""
        self.person.passkey_declined_at = now(self.db)
        self.record("passkey.declined")
        return HTTPSeeOther(self.request.route_path("connections"))

    @view_config(request_method="POST", request_param="answer=confirm")
    def confirm(self):
        form = ConfirmForm.of(self.request)
        if not form.validate():
            return self.show(form)
        account = self.account_of(form.current.data)
        if account is None:
            form.current.errors = [WRONG]
            return self.show(form, 403)
        enter(self.request, self.person, None, account)
        return self.back()


def shown_name(text):
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
        passkey = self._right_passkey()
        person = passkey.beneficiary
        if not consents.lock(self.db, person.id):
            self._refuse_closed(person)
        if self.db.get(Passkey, passkey.id, populate_existing=True) is None:  # it was removed meanwhile
            self._refuse("unknown")
        (account, *_others) = builtin.accounts_of(self.db, person)
        way_on = enter(self.request, person, self.kept, account, method="passkey")
        confirming = self.request.POST.get("then") == "passkeys"
        return HTTPSeeOther(self.request.route_path("passkeys")) if confirming else way_on

    def _right_passkey(self):
        """The Passkey; only wrong answers stay counted, and apart from passwords: neither holds the other up."""
        session_hash, answer = self.request.browser.session_hash, str(self.request.POST.get("credential", ""))
        tries, party = self._tries(), self.request.passkeys.needed_party()
        tries.count()
        try:
            found = passkeys.used(self.db, party, session_hash, answer)
        except NotAccepted as error:
            self._refuse(error.reason, error.passkey)
        self.db.commit()
        tries.take_back()
        return found

    def _tries(self):
        limit = self.request.registry["settings"].limit_sign_in_address
        return Tries(
            self.request,
            by_address(self.request, "passkey", limit),
            event="account.paused",
            asked=asked_for(self.kept),
            advice=_("You can sign in with your password meanwhile."),
            way_on=sign_in_link(self.request, self.kept),
        )

    def _refuse(self, reason, passkey=None):
        whose = passkey and passkey.beneficiary_id
        told = asked_for(self.kept) | {"method": "passkey", "reason": reason}
        audit.record(self.db, "account.refused", beneficiary_id=whose, **told)
        self.db.commit()  # the refusal is on record, and the challenge was used
        raise PageError(
            403,
            _("We could not sign you in with this passkey"),
            _("It took too long, or the passkey was removed here. Nothing was shared or changed."),
            _("Please try again, or sign in with your user name and password."),
            way_on=sign_in_link(self.request, self.kept),
        )


@view_config(route_name="passkey_request_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def request_options(request):
    """For the script: how to ask the browser for a passkey of this server."""
    party = request.passkeys.needed_party()
    need_not_last(request.db)
    return as_json(passkeys.request_options(request.db, party, request.browser.begin()))


@view_config(route_name="passkey_creation_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def creation_options(request):
    """For the script: how to make a passkey; not for who signed in a while ago, and may have left the browser."""
    person, party = request.browser.beneficiary, request.passkeys.needed_party()
    if not (person and request.passkeys.fresh and consents.lock(request.db, person.id)):
        raise HTTPNotFound
    username = builtin.accounts_of(request.db, person)[0].username
    return as_json(passkeys.creation_options(request.db, party, person, username, request.browser.session_hash))


def as_json(text):
    return Response(text, content_type="application/json", charset="utf-8")


def includeme(config):
    config.add_request_method(Passkeys, "passkeys", reify=True)
