"""How does a developer sign in and out?  With e-mail and password, then the second factor, if they have one."""

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults

from bb2 import audit
from bb2.developers import accounts, links, second_factor
from bb2.identity import passkeys
from bb2.views.developer.arriving import leading_on, wanted, way_on
from bb2.views.developer.credentials import code_tries, enter, first_step, is_password_of, mail_tries
from bb2.views.developer.fields import code_field
from bb2.views.developer.own import render
from bb2.views.errors import no_longer_open
from bb2.views.fields import email_address
from bb2.views.forms import Form


@view_defaults(route_name="developer_sign_in", permission=NO_PERMISSION_REQUIRED)
class SignIn:
    def __init__(self, request):
        self.request, self.db = request, request.db

    @view_config(request_method="GET")
    def ask(self):
        return self.show()

    def show(self, wrong=False, email=""):
        # RFC 9110, 15.5.4, as for beneficiaries: a 401 would have to name a scheme of HTTP authentication.
        response = render(
            self.request, "sign_in", 403 if wrong else 200, wrong=wrong, email=email, next=wanted(self.request)
        )
        if wrong:
            self.db.commit()  # the refusal is on record, though the answer is an error
        return response

    @view_config(request_method="POST")
    def answer(self):
        email, password = (str(self.request.POST.get(name, "")) for name in ("email", "password"))
        developer = accounts.find(self.db, email_address(email) or email)
        tried, id = (developer.password_hash, developer.id) if developer else (None, None)
        if not is_password_of(self.request, developer, developer.email if developer else email, password):
            audit.record(self.db, "developer.refused", **({"developer_id": id} if id else {}))
            return self.show(wrong=True, email=email)
        developer = accounts.lock(self.db, id)
        if developer is None or developer.password_hash != tried:  # it was changed meanwhile
            return self.show(wrong=True, email=email)
        if developer.email_verified_at is None:
            return self.verify_first(developer)
        return first_step(self.request, developer, "password")

    def verify_first(self, developer):
        """Nobody signs in before they have followed the link, of which they get another one."""
        mail_tries(self.request, developer.email).count()
        links.send(self.db, developer, links.VERIFY)
        return HTTPSeeOther(self.request.route_path("developer_mailed"))


class CodeForm(Form):
    code = code_field("Code", "Six digits from your authenticator app, or one of your recovery codes.")


@view_defaults(route_name="developer_second_factor", permission=NO_PERMISSION_REQUIRED)
class SecondFactor:
    """For who has given the right password in this browser, a moment ago."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.developer = request.developer_browser.half_developer
        if self.developer is None:
            signed_in = request.developer_browser.developer is not None
            raise way_on(request) if signed_in else HTTPSeeOther(leading_on(request, "developer_sign_in"))

    @view_config(request_method="GET")
    def ask(self):
        return self.show(CodeForm())

    def show(self, form, status=200):
        has = {"totp": self.developer.totp_secret, "passkeys": passkeys.of_person(self.db, self.developer)}
        return render(self.request, "second_factor", status, form=form, next=wanted(self.request), **has)

    @view_config(request_method="POST")
    def answer(self):
        form, settings = CodeForm.of(self.request), self.request.registry["settings"]
        if not form.validate():
            return self.show(form, 422)
        id, tries = self.developer.id, code_tries(self.request, self.developer)
        tries.count()
        developer = accounts.lock(self.db, id)
        half = self.request.developer_browser.half_developer
        if developer is None or half is None:
            return HTTPSeeOther(leading_on(self.request, "developer_sign_in"))
        method = second_factor.method_of(self.db, settings, developer, form.code.data)
        if method is None:
            audit.record(self.db, "developer.refused", developer_id=id, method="code")
            form.code.errors = ["This code is not right, or it was used before. Wait for the next one, and type that"]
            response = self.show(form, 403)
            self.db.commit()
            return response
        response = enter(self.request, developer, method)
        self.db.commit()
        tries.take_back()
        return response


@view_config(route_name="developer_sign_out", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(request):
    """Of the developer only: whoever tests as a beneficiary in the same browser goes on."""
    if developer := request.developer_browser.developer:
        audit.record(request.db, "developer.signed_out", developer_id=developer.id)
    request.developer_browser.sign_out()
    return HTTPSeeOther(request.route_path("developer"))


@exception_view_config(BadCSRFToken, route_name="developer_sign_in")
@exception_view_config(BadCSRFToken, route_name="developer_second_factor")
def left(error, request):
    """The session has ended; or a button was pressed twice, and the developer is signed in: that page knows."""
    return no_longer_open(request, (leading_on(request, "developer_sign_in"), "Go on"))
