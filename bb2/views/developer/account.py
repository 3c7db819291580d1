"""The developer's account: who they are, their address and password, where they are signed in, and its end."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from wtforms.validators import ValidationError

from bb2 import audit
from bb2.developers import accounts, links, second_factor
from bb2.developers.sessions import end_sessions
from bb2.identity import passkeys
from bb2.identity.builtin import hashed_password
from bb2.views.developer.confirmed import Confirmed
from bb2.views.developer.credentials import mail_tries
from bb2.views.developer.fields import (
    ConfirmForm,
    DeveloperPassword,
    address_field,
    current_password_field,
    name_field,
    organization_field,
    own_words,
    plain_line,
)
from bb2.views.developer.own import DeveloperPage, mails_or_refuses, render
from bb2.views.developer.sign_up import over
from bb2.views.errors import page
from bb2.views.fields import email_address, new_password_field, once_more_field
from bb2.views.forms import Form, Required
from bb2.views.pages import PageError

DONE = {
    "about": "Your name and organization are saved",
    "address": "Look in your mail: the new address counts once you have followed the link",
    "password": "Your password is changed, and everybody else is signed out",
    "authenticator": "Your authenticator app is set up",
    "authenticator-removed": "The authenticator app is removed",
    "passkey-added": "Your passkey is ready",
    "passkey-removed": "The passkey is removed",
}


@view_config(route_name="developer_account", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show(request):
    own = DeveloperPage(request)
    return own.page(
        "account",
        done=DONE.get(request.GET.get("done")),
        passkeys=passkeys.of_person(own.db, own.developer),
        codes_left=second_factor.codes_left(own.db, own.developer),
        protected=second_factor.is_needed(own.db, own.developer),
    )


def done(request, what):
    return HTTPSeeOther(request.route_path("developer_account", _query={"done": what}))


class AboutForm(Form):
    name = name_field()
    organization = organization_field()


@view_defaults(route_name="developer_about", permission=NO_PERMISSION_REQUIRED)
class About(DeveloperPage):
    @view_config(request_method="GET")
    def ask(self):
        about = {"name": self.developer.name, "organization": self.developer.organization}
        return self.page("account_about", form=AboutForm(data=about))

    @view_config(request_method="POST")
    def save(self):
        form = AboutForm.of(self.request)
        if not form.validate():
            return self.page("account_about", 422, form=form)
        self.lock()
        self.developer.name, self.developer.organization = (plain_line(field.data) for field in form)
        self.record("developer.changed")
        return done(self.request, "about")


class AddressForm(Form):
    email = address_field("New e-mail address", "We send a link to it. Until you follow that, nothing changes.")
    current = current_password_field()


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_address", permission=NO_PERMISSION_REQUIRED)
class Address(Confirmed):
    """Whose address it is already is told to nobody but by mail to that address."""

    template, form = "account_email", AddressForm

    def __init__(self, request):
        super().__init__(request)
        mails_or_refuses(request)

    def prepared(self, form):
        email = accounts.plain(email_address(form.email.data))
        mail_tries(self.request, email).count()
        return email

    def act(self, form, email):
        known = accounts.find(self.db, email)
        if known and known.email_verified_at and known.id != self.developer.id:
            audit.record(self.db, "developer.signed_up_again", developer_id=known.id)
        else:
            links.send(self.db, self.developer, links.EMAIL, email)
        self.record("developer.email_asked")
        return done(self.request, "address")


@view_defaults(route_name="developer_email", permission=NO_PERMISSION_REQUIRED)
class NewAddress:
    """The page behind the link that went to the new address; nobody need be signed in."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.link = links.find(self.db, request.registry["settings"], links.EMAIL, request.matchdict["link"])
        if self.link is None:
            raise over(request)

    @view_config(request_method="GET")
    def ask(self):
        return render(self.request, "new_address", email=self.link.email)

    @view_config(request_method="POST")
    def answer(self):
        link = self.link
        developer = accounts.lock(self.db, link.developer_id)
        if developer is None or not links.use(self.db, link):
            raise over(self.request)
        if not accounts.change_email(self.db, developer, link.email):
            raise over(self.request)
        audit.record(self.db, "developer.email_changed", developer_id=developer.id)
        told = f"You sign in with {developer.email} from now on. The earlier address is told of it."
        way_on = self.request.route_path("developer_account"), "Account"
        return page(self.request, PageError(200, "Your e-mail address is changed", told, way_on=way_on))


class PasswordForm(DeveloperPassword):
    current = current_password_field("The password that you have now")
    password = new_password_field("New password", Required("Choose a new password"))
    again = once_more_field("New password, once more", Required("Type the new password once more"))


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_password", permission=NO_PERMISSION_REQUIRED)
class Password(Confirmed):
    template, form = "account_password", PasswordForm

    def typed(self):
        who, settings = self.developer, self.request.registry["settings"]
        return PasswordForm.of(self.request, own_words=own_words(settings, who.name, who.organization, who.email))

    def prepared(self, form):
        self.db.commit()  # SQLite's one writer shall be free meanwhile
        return hashed_password(form.password.data)

    def act(self, form, password_hash):
        browser = self.request.developer_browser
        browser.sign_in(self.developer)  # under a new session id
        accounts.change_password(self.db, self.developer, password_hash, but=browser.session_hash)
        self.record("developer.password_changed", by="password")
        return done(self.request, "password")


@view_config(route_name="developer_sign_out_everywhere", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out_everywhere(request):
    own = DeveloperPage(request)
    id = own.developer.id
    accounts.lock(own.db, id)
    own.record("developer.signed_out_everywhere")
    request.developer_browser.sign_out()
    own.db.flush()
    end_sessions(own.db, id)
    told = "Nobody is signed in to your account now, on any computer or phone. Your apps go on working."
    way_on = request.route_path("developer_sign_in"), "Sign in"
    return page(request, PageError(200, "You are signed out everywhere", told, way_on=way_on))


class CloseForm(ConfirmForm):
    email = address_field("Your e-mail address, to be sure", "")

    def __init__(self, *arguments, own="", **options):
        super().__init__(*arguments, **options)
        self.own = own

    def validate_email(self, field):
        if accounts.plain(field.data or "") != self.own:
            raise ValidationError("Type the e-mail address of this account")


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_close", permission=NO_PERMISSION_REQUIRED)
class Close(Confirmed):
    template, form = "account_close", CloseForm

    def typed(self):
        return CloseForm.of(self.request, own=self.developer.email)

    def shown(self):
        return {"apps": accounts.apps_of(self.db, self.developer)}

    def act(self, form, prepared):
        self.record("developer.closed", apps=len(accounts.apps_of(self.db, self.developer)))
        self.request.developer_browser.sign_out()
        self.db.flush()
        accounts.close(self.db, self.developer)
        told = "Your apps are deleted, and your name and address are removed. You may sign up again at any time."
        way_on = self.request.route_path("developer"), "Start"
        return page(self.request, PageError(200, "Your account is closed", told, way_on=way_on))
