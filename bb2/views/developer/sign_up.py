"""How does somebody become a developer here?  Their address is confirmed by a link, together with their password.

The answer is the same whether an address is known or not; the mail says which.
"""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.clock import now
from bb2.developers import accounts, links
from bb2.identity.builtin import hashed_password
from bb2.notices.post import ConsolePost, post_of
from bb2.views.developer.credentials import first_step, is_password_of, mail_tries, trouble
from bb2.views.developer.fields import (
    ConfirmForm,
    DeveloperPassword,
    address_field,
    name_field,
    organization_field,
    own_words,
    plain_line,
)
from bb2.views.developer.own import mails_or_refuses, render
from bb2.views.fields import email_address, new_password_field
from bb2.views.forms import Required
from bb2.views.pages import PageError

NOT_YOURS = "This is not the password that you chose. Please type it again"


class SignUpForm(DeveloperPassword):
    """The password is typed once: the page behind the mailed link asks for it again."""

    name = name_field()
    organization = organization_field()
    email = address_field(
        description="We send you a link to it, and nothing that you did not ask for.",
        autocomplete="username",  # a password manager keeps it with the password
    )
    password = new_password_field("Password", Required("Choose a password"))


@view_defaults(route_name="developer_sign_up", permission=NO_PERMISSION_REQUIRED)
class SignUp:
    def __init__(self, request):
        self.request, self.db, self.settings = request, request.db, request.registry["settings"]
        mails_or_refuses(request)

    @view_config(request_method="GET")
    def ask(self):
        return render(self.request, "sign_up", form=SignUpForm())

    @view_config(request_method="POST")
    def answer(self):
        form = SignUpForm.of(self.request)
        about = [plain_line(field.data or "") for field in (form.name, form.organization, form.email)]
        form.own_words = own_words(self.settings, *about)
        if not form.validate():
            return render(self.request, "sign_up", 422, form=form)
        name, organization, email = *about[:2], accounts.plain(email_address(form.email.data))
        mail_tries(self.request, email).count()
        password_hash = hashed_password(form.password.data)
        about = {"name": name, "organization": organization, "password_hash": password_hash}
        if developer := accounts.sign_up(self.db, email=email, **about):
            links.send(self.db, developer, links.VERIFY)
            audit.record(self.db, "developer.signed_up", developer_id=developer.id)
        elif known := accounts.find(self.db, email):
            audit.record(self.db, "developer.signed_up_again", developer_id=known.id)
        return HTTPSeeOther(self.request.route_path("developer_mailed"))


@view_config(route_name="developer_mailed", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def mailed(request):
    """The same for everybody: nothing here knows to whom a mail went, or whether."""
    return render(request, "mailed", printed=isinstance(post_of(request.registry["settings"]), ConsolePost))


@view_defaults(route_name="developer_verify", permission=NO_PERMISSION_REQUIRED)
class Verify:
    """The page behind the mailed link.  To open it does nothing: programs that look through mail open links too."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.link = links.find(self.db, request.registry["settings"], links.VERIFY, request.matchdict["link"])
        if self.link is None:
            raise over(request)

    @view_config(request_method="GET")
    def ask(self):
        return self.show(ConfirmForm())

    def show(self, form, status=200):
        return render(self.request, "verify", status, form=form, email=self.link.email)

    @view_config(request_method="POST")
    def answer(self):
        form = ConfirmForm.of(self.request)
        if not form.validate():
            return self.show(form, 422)
        link, developer = self.link, self.link.developer
        tried, id = developer.password_hash, developer.id
        if not is_password_of(self.request, developer, developer.email, form.current.data):
            form.current.errors = [NOT_YOURS]
            return self.show(form, 403)
        developer = accounts.lock(self.db, id)
        if developer is None or developer.password_hash != tried or not links.use(self.db, link):
            raise over(self.request)
        developer.email_verified_at = developer.email_verified_at or now(self.db)
        audit.record(self.db, "developer.verified", developer_id=developer.id)
        return first_step(self.request, developer, "password")


def over(request):
    """A link that opens nothing: it may never have been one."""
    return PageError(
        410,
        "This link does not work any more",
        "It may have been used already, or a newer one has taken its place, or too much time has gone by.",
        "If you followed it already, simply sign in. If not, set a new password: for that we send you a new link.",
        way_on=(request.route_path("developer_sign_in"), "Sign in"),
        also=trouble(request),
    )
