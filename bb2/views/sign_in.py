"""Sign in, cancel and sign out: beneficiaries, with the built-in directory."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.identity import builtin
from bb2.identity.known import ONE_YEAR, known_browser, remembered
from bb2.identity.sessions import cookie_name
from bb2.models import AuthorizationRequest
from bb2.oauth import consents, requests
from bb2.views.consent import decline
from bb2.views.limited import TooMany, client_address
from bb2.views.pages import PageError, _


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
        return self.show(username=(self.kept and self.kept.login_hint) or "")

    def show(self, wrong=False, username=""):
        values = {"kept": self.kept, "wrong": wrong, "username": username}
        response = render_to_response("bb2:templates/sign_in.jinja2", values, request=self.request)
        # RFC 9110, 15.5.4: the credentials were not enough, and others may be tried.  A 401 would have to name a scheme
        # of HTTP authentication (15.5.2), and a form is none.
        response.status_int = 403 if wrong else 200
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
        account = builtin.find_account(self.db, username)
        if not self._is_right(account, username, password):
            audit.record(self.db, "account.refused", **self._asked())
            return self.show(wrong=True, username=username)
        return self.welcome(account)

    def welcome(self, account, **how):
        """Sign in whose Account it is, who has shown it; `how`, for the audit trail.  Returns the way on."""
        if not consents.lock(self.db, account.beneficiary_id):
            self._refuse_closed(account.beneficiary)
        self._remember(account)
        self.request.browser.sign_in(account.beneficiary)
        audit.record(self.db, "account.signed_in", beneficiary_id=account.beneficiary_id, **self._asked(), **how)
        if self.kept:
            return HTTPSeeOther(self.request.route_path("consent", id=self.kept.id))
        return HTTPSeeOther(self.request.route_path("connections"))

    def _asked(self):
        """For the audit trail: the app's request that the person is signing in for."""
        return {"correlation_id": self.kept.correlation_id, "client_id": self.kept.client_id} if self.kept else {}

    def _is_right(self, account, username, password):
        """Is it the password?  Only wrong ones stay counted; TooMany when there were too many of them."""
        limits, (own, shared) = self.request.registry["limits"], self._tries(account, username)
        password_hash = account and account.password_hash
        self.db.commit()  # so that SQLite's one writer is free while this counts, and while it hashes
        # What one address is refused does not count for others: else it could lock the person out everywhere.
        for tries in own, shared:
            if wait := limits.count(tries):
                self._pause(wait)
        right = builtin.is_password(password_hash, password)
        if right:
            limits.count(own | shared, -1)
        return right

    def _tries(self, account, username):
        """The {key: limit} that only this address or browser uses up, and the one that others share.

        A browser that the person knows is counted apart: strangers cannot hold it up.
        """
        name, settings = builtin.plain(username), self.request.registry["settings"]
        known = known_browser(self.request.cookies.get(cookie_name("known", settings.secure)), account)
        if known:
            return {("sign_in", "browser", name, known): settings.limit_sign_in_account}, {}
        address = client_address(self.request)
        own = {("sign_in", "account", name, address or ""): settings.limit_sign_in_account}
        shared = {("sign_in", "anywhere", name): settings.limit_sign_in_anywhere}
        if address:
            shared["sign_in", "address", address] = settings.limit_sign_in_address
        return own, shared

    def _pause(self, wait):
        if wait.first:
            audit.record(self.db, "account.paused", **self._asked())
            self.db.commit()
        raise TooMany(wait, way_on=self._again())

    def _again(self):
        """The way on to this page, with the request of the app: its Cancel leads back there."""
        query = {"request": self.kept.id} if self.kept else None
        return self.request.route_path("sign_in", _query=query), _("Sign in")

    def _refuse_closed(self, person):
        """Nobody signs in as a person whose record is not served any more; they are told so, and whom to call."""
        self.db.refresh(person)
        audit.record(self.db, "account.refused", beneficiary_id=person.id, **self._asked(), reason="closed")
        self.db.commit()
        call = _(
            "If this is not right, call ${phone}.", mapping={"phone": self.request.registry["settings"].support_phone}
        )
        if person.merged_into_id:
            raise PageError(
                403,
                _("Your record has moved"),
                _("It was put together with another record of yours. Please sign in with the user name of that one."),
                call,
                way_on=self._again(),
            )
        raise PageError(
            403,
            _("Your account here is closed"),
            _("No app can see your Medicare information through it any more."),
            call,
            way_on=self._again(),
        )

    def _remember(self, account):
        """The browser is known to this person from now on."""
        secure = self.request.registry["settings"].secure
        name = cookie_name("known", secure)
        value = remembered(self.request.cookies.get(name), account)
        self.request.add_response_callback(
            lambda _request, response: response.set_cookie(
                name, value, max_age=ONE_YEAR, secure=secure, httponly=True, samesite="Lax"
            )
        )


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
