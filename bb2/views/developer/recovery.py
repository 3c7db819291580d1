"""How does a developer come back who forgot the password?  By a mailed link; a second factor is asked for still.

The answer is the same whether an address is known or not.
"""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.clock import now
from bb2.developers import accounts, links
from bb2.identity.builtin import hashed_password
from bb2.views.developer.credentials import first_step, mail_tries
from bb2.views.developer.fields import DeveloperPassword, address_field, own_words
from bb2.views.developer.own import mails_or_refuses, render
from bb2.views.developer.sign_up import over
from bb2.views.fields import email_address, new_password_field, once_more_field
from bb2.views.forms import Form, Required


class AddressForm(Form):
    email = address_field()


class NewPasswordForm(DeveloperPassword):
    password = new_password_field("New password", Required("Choose a new password"))
    again = once_more_field("New password, once more", Required("Type the new password once more"))


@view_defaults(route_name="developer_trouble", permission=NO_PERMISSION_REQUIRED)
class Trouble:
    def __init__(self, request):
        self.request, self.db = request, request.db
        mails_or_refuses(request)

    @view_config(request_method="GET")
    def ask(self):
        return render(self.request, "trouble", form=AddressForm())

    @view_config(request_method="POST")
    def answer(self):
        form = AddressForm.of(self.request)
        if not form.validate():
            return render(self.request, "trouble", 422, form=form)
        email = accounts.plain(email_address(form.email.data))
        mail_tries(self.request, email).count()
        found = accounts.find(self.db, email)
        developer = found and accounts.lock(self.db, found.id)  # of two forms at once, one link is the later
        if developer:
            links.send(self.db, developer, links.RECOVER)
        audit.record(self.db, "developer.recovery_asked", developer_id=developer and developer.id)
        return HTTPSeeOther(self.request.route_path("developer_mailed"))


@view_defaults(route_name="developer_recover", permission=NO_PERMISSION_REQUIRED)
class Recover:
    """The page behind the mailed link."""

    def __init__(self, request):
        self.request, self.db, self.settings = request, request.db, request.registry["settings"]
        self.link = self.found()

    def found(self):
        link = links.find(self.db, self.settings, links.RECOVER, self.request.matchdict["link"])
        if link is None:
            raise over(self.request)
        return link

    @view_config(request_method="GET")
    def ask(self):
        return self.show(NewPasswordForm())

    def show(self, form, status=200):
        return render(self.request, "recover", status, form=form, email=self.link.email)

    @view_config(request_method="POST")
    def answer(self):
        theirs = self.link.developer
        words = own_words(self.settings, theirs.name, theirs.organization, theirs.email)
        form = NewPasswordForm.of(self.request, own_words=words)
        if not form.validate():
            return self.show(form, 422)
        id = theirs.id
        self.db.commit()  # SQLite's one writer shall be free while the password is hashed
        password_hash = hashed_password(form.password.data)
        developer, link = accounts.lock(self.db, id), self.found()
        if developer is None or not links.use(self.db, link):
            raise over(self.request)
        self.request.developer_browser.sign_out()  # everybody is signed out, and here somebody may be, or half
        accounts.change_password(self.db, developer, password_hash)
        developer.email_verified_at = developer.email_verified_at or now(self.db)  # they read its mail
        audit.record(self.db, "developer.password_changed", developer_id=id, by="link")
        return first_step(self.request, developer, "link")
