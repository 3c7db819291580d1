"""Sign in, cancel and sign out: beneficiaries, with the built-in directory."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.identity import builtin
from bb2.models import AuthorizationRequest
from bb2.oauth import requests
from bb2.views.consent import decline


@view_defaults(route_name="sign_in", permission=NO_PERMISSION_REQUIRED)
class SignIn:
    """The page knows the way on from an authorization request that is kept here, never from a URL that it is given."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.kept = self._kept_request()

    def _kept_request(self) -> AuthorizationRequest | None:
        kept = requests.of_browser(self.db, self.request.params.get("request"), self.request.browser.session_hash)
        return kept if kept and kept.answered_at is None and kept.client.disabled_at is None else None

    @view_config(request_method="GET")
    def ask(self):
        return self.show()

    def show(self, wrong=False, username=""):
        values = {"kept": self.kept, "wrong": wrong, "username": username}
        response = render_to_response("bb2:templates/sign_in.jinja2", values, request=self.request)
        response.status_int = 401 if wrong else 200
        if wrong:
            self.db.commit()  # the refusal is on record, though the answer is an error
        return response

    @view_config(request_method="POST")
    def answer(self):
        posted = self.request.POST
        if self.kept and posted.get("answer") == "cancel":
            if requests.claim_answer(self.db, self.kept, "cancel"):
                return decline(self.request, self.kept, "cancel")
            return HTTPSeeOther(self.request.route_path("consent", id=self.kept.id))
        username, password = (str(posted.get(name, "")) for name in ("username", "password"))
        beneficiary = builtin.authenticate(self.db, username, password)
        asked = {"correlation_id": self.kept.correlation_id, "client_id": self.kept.client_id} if self.kept else {}
        if beneficiary is None:
            audit.record(self.db, "account.refused", **asked)
            return self.show(wrong=True, username=username)
        self.request.browser.sign_in(beneficiary)
        audit.record(self.db, "account.signed_in", beneficiary_id=beneficiary.id, **asked)
        if self.kept:
            return HTTPSeeOther(self.request.route_path("consent", id=self.kept.id))
        return HTTPSeeOther(self.request.route_path("connections"))


@view_config(route_name="sign_out", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(request):
    """End the session; "Not you?" on the authorization page leads back to the request through sign-in."""
    kept = request.POST.get("request")
    if request.browser.beneficiary:
        audit.record(request.db, "account.signed_out", beneficiary_id=request.browser.beneficiary.id)
    kept = requests.of_browser(request.db, kept, request.browser.session_hash)
    request.browser.sign_out()
    if kept and kept.answered_at is None:
        kept.shown, kept.shown_to, kept.session_hash = None, None, request.browser.begin()
        return HTTPSeeOther(request.route_path("sign_in", _query={"request": kept.id}))
    return HTTPSeeOther(request.route_path("home"))
