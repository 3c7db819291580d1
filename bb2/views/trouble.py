"""Trouble signing in: who somebody is, their secret question, then a new password or their user name.

Whoever the person is, and whether they are anybody here, the pages and the refusals are the same.
"""

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults
from wtforms import StringField

from bb2 import audit
from bb2.identity import builtin, passkeys, recovery
from bb2.identity.cards import medicare_number
from bb2.identity.questions import QUESTIONS, is_answer
from bb2.views.arriving import asked_for, named_request, path, sign_in_link, trouble_link, way_on
from bb2.views.errors import no_longer_open
from bb2.views.fields import MOST, born_field, last_name_field, medicare_number_field
from bb2.views.forms import Form, Required
from bb2.views.limited import client_address
from bb2.views.new_password import PasswordForm, own_words
from bb2.views.pages import PageError, _, render
from bb2.views.sign_in import enter
from bb2.views.tries import Tries, by_address


class WhoForm(Form):
    number = medicare_number_field()
    last_name = last_name_field()
    suffix = StringField(
        _("Suffix, if your card shows one"),
        description=_("Such as Jr., Sr. or III. Most people leave this empty."),
        render_kw={"autocomplete": "honorific-suffix", "maxlength": 20},
    )
    born = born_field()

    def told(self):
        return recovery.Told(
            medicare_number(self.number.data), self.last_name.data, self.suffix.data or "", self.born.data
        )


class AnswerForm(Form):
    answer = StringField("", [Required(_("Type your answer"))], render_kw={"autocomplete": "off", "maxlength": MOST})


class Step:
    """One page of the way: each keeps the app's request, and shows where the person is."""

    def __init__(self, request):
        self.request, self.db, self.browser = request, request.db, request.browser
        self.kept = named_request(request)

    def page(self, name, status=200, **values):
        return render(self.request, name, status, kept=self.kept, sign_in=self.path("sign_in"), **values)

    def path(self, route):
        return path(self.request, route, self.kept)

    def to(self, route):
        return HTTPSeeOther(self.path(route))

    def tries(self, own, shared):
        """Too many of them make a pause, which holds nobody's sign-in up."""
        phone = self.request.registry["settings"].support_phone
        return Tries(
            self.request,
            own,
            shared,
            event="account.recovery_paused",
            asked=asked_for(self.kept),
            advice=_(
                "You can still sign in, if you know your user name and password. If not, call ${phone}.",
                mapping={"phone": phone},
            ),
            way_on=sign_in_link(self.request, self.kept),
        )

    def begun(self, answered):
        """The Recovery of this browser that has come so far; else the way leads back to where it can go on."""
        found = recovery.of_browser(self.db, self.browser.session_hash)
        if found is None or (answered and found.answered_at is None):
            raise self.to("trouble_question" if found else "trouble")
        if self.request.method == "POST" and self.request.POST.get("recovery") != found.id:
            raise self.over()
        return found

    def over(self):
        return PageError(
            409,
            _("This page is no longer open"),
            _("You may have begun again in another tab, or waited too long. Nothing was changed."),
            way_on=trouble_link(self.request, self.kept),
        )


@view_defaults(route_name="trouble", permission=NO_PERMISSION_REQUIRED)
class Who(Step):
    def __init__(self, request):
        super().__init__(request)
        settings = request.registry["settings"]
        if settings.fhir_source != "sql":  # nobody can be found by a Medicare number there
            raise PageError(
                404,
                _("Trouble signing in"),
                _("To get a new password, call ${phone}.", mapping={"phone": settings.support_phone}),
                way_on=sign_in_link(request, self.kept),
            )

    @view_config(request_method="GET")
    def ask(self):
        return self.page("trouble", form=WhoForm())

    @view_config(request_method="POST")
    def answer(self):
        form = WhoForm.of(self.request)
        if not form.validate():
            return self.page("trouble", 422, form=form)
        told, session_hash = form.told(), self.browser.begin()
        self.tries_of(told).count()
        recovery.begin(self.db, told, session_hash)
        return self.to("trouble_question")

    def tries_of(self, told):
        settings, address = self.request.registry["settings"], client_address(self.request)
        own = {("recovery", "number", told.number, address or ""): settings.limit_recovery_number}
        return self.tries(own | by_address(self.request, "recovery", settings.limit_recovery_address), {})


@view_defaults(route_name="trouble_question", permission=NO_PERMISSION_REQUIRED)
class Question(Step):
    @view_config(request_method="GET")
    def ask(self):
        begun = self.begun(answered=False)
        return self.to("trouble_password") if begun.answered_at else self.show(begun, AnswerForm())

    def show(self, begun, form, status=200, wrong=False):
        form.answer.label.text = QUESTIONS[begun.question]
        links = {"again": self.path("trouble"), "create": self.path("create_account")}
        return self.page("trouble_question", status, begun=begun, form=form, wrong=wrong, **links)

    @view_config(request_method="POST")
    def answer(self):
        begun, form = self.begun(answered=False), AnswerForm.of(self.request)
        if not form.validate():
            return self.show(begun, form, 422)
        right = self.is_right(begun, form.answer.data)
        begun = self.begun(answered=False)
        if not (right and recovery.recognize(self.db, begun)):
            person = begun.account and begun.account.beneficiary_id
            audit.record(self.db, "account.recovery_refused", beneficiary_id=person, **asked_for(self.kept))
            self.db.commit()
            return self.show(begun, AnswerForm(), 403, wrong=True)
        person = begun.account.beneficiary
        audit.record(self.db, "account.recovered", beneficiary_id=person.id, **asked_for(self.kept))
        self.browser.renew(person)
        return self.to("trouble_password")

    def is_right(self, begun, answer):
        """Only wrong answers stay counted: for the person as they were told of, so that none but who knows all of it
        can use up what they are allowed."""
        settings, address = self.request.registry["settings"], client_address(self.request)
        kept, fingerprint = recovery.answer_hash(begun), begun.fingerprint
        own = {("recovery", "answer", fingerprint, address or ""): settings.limit_recovery_answer}
        shared = {("recovery", "anywhere", fingerprint): settings.limit_recovery_anywhere}
        tries = self.tries(own, shared)
        tries.count()
        right = is_answer(kept, answer)
        if right:
            tries.take_back()
        return right


@view_defaults(route_name="trouble_password", permission=NO_PERMISSION_REQUIRED)
class NewPassword(Step):
    @view_config(request_method="GET")
    def ask(self):
        return self.show(self.begun(answered=True), PasswordForm())

    def show(self, begun, form, status=200, **values):
        values["passkeys"] = passkeys.of_person(self.db, begun.account.beneficiary)
        return self.page("trouble_password", status, begun=begun, form=form, account=begun.account, **values)

    @view_config(request_method="POST")
    def answer(self):
        begun = self.begun(answered=True)
        form = PasswordForm.of(self.request, own_words=own_words(begun.account))
        if not form.validate():
            return self.show(begun, form, 422)
        self.db.commit()
        password_hash = builtin.hashed_password(form.password.data)
        begun = self.begun(answered=True)
        account = recovery.choose_password(self.db, begun, password_hash)
        if account is None:
            raise self.over()
        self.record("account.password_changed", account, by="answer")
        if passkeys.remove_all(self.db, account.beneficiary):  # one of them may be of somebody who had got in
            self.record("passkey.removed", account, by="recovery")
        enter(self.request, account.beneficiary, self.kept, account)
        return self.to("trouble_done")

    @view_config(request_method="POST", request_param="tell")
    def tell(self):
        """The user name, if that is all that was forgotten."""
        begun = self.begun(answered=True)
        self.record("account.username_told", begun.account)
        return self.show(begun, PasswordForm(), told=True)

    def record(self, event, account, **details):
        audit.record(self.db, event, beneficiary_id=account.beneficiary_id, **asked_for(self.kept), **details)


@exception_view_config(BadCSRFToken, route_name="trouble")
@exception_view_config(BadCSRFToken, route_name="trouble_question")
@exception_view_config(BadCSRFToken, route_name="trouble_password")
def left(error, request):
    """The session has ended; or a button was pressed twice, and the link leads on to the next page."""
    return no_longer_open(request, (path(request, "trouble_question", named_request(request)), _("Go on")))


@view_config(route_name="trouble_done", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def done(request):
    """The new password holds, and its person is signed in."""
    person, kept = request.browser.beneficiary, named_request(request)
    if person is None:
        return HTTPSeeOther(path(request, "sign_in", kept))
    accounts = builtin.accounts_of(request.db, person)
    return render(request, "trouble_done", kept=kept, accounts=accounts, way_on=way_on(request, kept and kept.id))
