"""My account: what a person can see and change of their own sign-in.  Of the built-in directory."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from sqlalchemy import select

from bb2 import audit
from bb2.identity import builtin, questions, recovery
from bb2.identity.sessions import end_sessions
from bb2.models import AuditEvent, Client
from bb2.oauth import consents
from bb2.views.credentials import is_password_of, remember_browser
from bb2.views.errors import page
from bb2.views.fields import current_password_field, email_address, email_field, new_answer_field, question_field
from bb2.views.forms import Checked, Form, Required
from bb2.views.new_password import PasswordForm, own_words
from bb2.views.own import signed_in
from bb2.views.pages import PageError, _, render

ACCOUNT = _("My account")
SIGN_INS = 5  #: that the page shows
DONE = {
    "email": _("Your e-mail address is saved"),
    "no-email": _("Your e-mail address is removed"),
    "password": _("Your password is changed"),
    "question": _("Your secret question is saved"),
}
WRONG = _("This is not your password. Please type it again")


class EmailForm(Form):
    email = email_field(
        _("E-mail address"),
        Required(_("Type an e-mail address")),
        Checked(email_address, _("Check the e-mail address: it looks like name@example.com")),
        description=_("For example: name@example.com"),
    )


class ChangePasswordForm(PasswordForm):
    current = current_password_field(_("The password that you have now"))

    def __iter__(self):
        return iter((self.current, self.password, self.again))  # as they stand on the page


class QuestionForm(Form):
    question = question_field()
    answer = new_answer_field(_("Something that you will not forget, and others do not know."))
    current = current_password_field(_("Your password"))


class OwnPage:
    """A page of somebody who is signed in."""

    def __init__(self, request):
        self.request, self.db, self.person = request, request.db, signed_in(request)
        self.accounts = builtin.accounts_of(self.db, self.person)

    def page(self, name, status=200, **values):
        return render(self.request, name, status, person=self.person, accounts=self.accounts, **values)

    def done(self, what):
        return HTTPSeeOther(self.request.route_path("account", _query={"done": what}))

    def record(self, event, **details):
        audit.record(self.db, event, beneficiary_id=self.person.id, **details)

    def account_of(self, password):
        """The Account of the person with this password, under the person's lock; None: it is nobody's.

        Wrong ones are counted as at a sign-in.
        """
        pause = {"asked": {"beneficiary_id": self.person.id}, "way_on": (self.request.route_path("account"), ACCOUNT)}
        pause |= {"advice": _("You are still signed in. Your password was not changed."), "also": None}
        for account in self.accounts:
            tried = account.password_hash
            if is_password_of(self.request, account, account.username, password, **pause):
                open_ = consents.lock(self.db, self.person.id)
                return account if open_ and account.password_hash == tried else None
        self.record("account.refused")
        self.db.commit()  # it is on record, though the answer is an error
        return None


@view_config(route_name="account", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def show(request):
    own = OwnPage(request)
    done = DONE.get(request.GET.get("done"))
    return own.page("account", done=done, questions=questions.QUESTIONS, sign_ins=_sign_ins(own.db, own.person))


def _sign_ins(db, person):
    """The last times that the person signed in: [(AuditEvent, name of the app for which, or None)], newest first."""
    theirs = (
        select(AuditEvent, Client.name)
        .join(Client, Client.client_id == AuditEvent.client_id, isouter=True)
        .where(AuditEvent.beneficiary_id == person.id, AuditEvent.event == "account.signed_in")
    )
    return db.execute(theirs.order_by(AuditEvent.id.desc()).limit(SIGN_INS)).all()


@view_defaults(route_name="account_email", permission=NO_PERMISSION_REQUIRED)
class Email(OwnPage):
    """Where notices go; nobody comes back into an account by it."""

    @view_config(request_method="GET")
    def ask(self):
        return self.page("account_email", form=EmailForm(data={"email": self.person.email}))

    @view_config(request_method="POST")
    def save(self):
        form = EmailForm.of(self.request)
        if not form.validate():
            return self.page("account_email", 422, form=form)
        return self.change(email_address(form.email.data), "email")

    @view_config(request_method="POST", request_param="remove")
    def remove(self):
        return self.change(None, "no-email")

    def change(self, email, done):
        if self.person.email != email:
            self.person.email = email
            self.record("account.email_changed")
        return self.done(done)


@view_defaults(route_name="account_password", permission=NO_PERMISSION_REQUIRED)
class Password(OwnPage):
    @view_config(request_method="GET")
    def ask(self):
        return self.show(ChangePasswordForm())

    def show(self, form, status=200):
        return self.page("account_password", status, form=form, trouble=self.request.route_path("trouble"))

    @view_config(request_method="POST")
    def save(self):
        words = own_words(self.accounts[0]) if self.accounts else ()
        form = ChangePasswordForm.of(self.request, own_words=words)
        if not form.validate():
            return self.show(form, 422)
        password_hash = builtin.hashed_password(form.password.data)
        account = self.account_of(form.current.data)
        if account is None:
            form.current.errors = [WRONG]
            return self.show(form, 403)
        browser = self.request.browser
        browser.sign_in(self.person)  # under a new session id
        recovery.change_password(self.db, account, password_hash, but=browser.session_hash)
        remember_browser(self.request, account)
        self.record("account.password_changed", by="password")
        return self.done("password")


@view_defaults(route_name="account_question", permission=NO_PERMISSION_REQUIRED)
class Question(OwnPage):
    @view_config(request_method="GET")
    def ask(self):
        chosen = next((account.secret_question for account in self.accounts), None)
        return self.show(QuestionForm(data={"question": chosen}))

    def show(self, form, status=200):
        return self.page("account_question", status, form=form, trouble=self.request.route_path("trouble"))

    @view_config(request_method="POST")
    def save(self):
        form = QuestionForm.of(self.request)
        if not form.validate():
            return self.show(form, 422)
        answer_hash = questions.answer_hash(form.answer.data)
        account = self.account_of(form.current.data)
        if account is None:
            form.current.errors = [WRONG]
            return self.show(form, 403)
        recovery.change_question(self.db, account, form.question.data, answer_hash)
        self.record("account.question_changed")
        return self.done("question")


@view_config(route_name="sign_out_everywhere", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out_everywhere(request):
    """Every session of the person ends.  Browsers stay known: that opens nothing, and a new password ends it."""
    own = OwnPage(request)
    consents.lock(own.db, own.person.id)
    own.record("account.signed_out_everywhere")
    request.browser.sign_out()
    own.db.flush()
    end_sessions(own.db, own.person.id)
    return page(
        request,
        PageError(
            200,
            _("You are signed out everywhere"),
            _("Nobody is signed in to your account now, on any phone or computer."),
            _("If somebody else may know your password, sign in and change it."),
            _("The apps that you connected keep their access until you stop sharing with them."),
            way_on=(request.route_path("sign_in"), _("Sign in")),
        ),
    )
