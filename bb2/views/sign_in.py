"""Sign in, cancel and sign out: beneficiaries, with the built-in directory."""

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults

from bb2 import audit
from bb2.identity import builtin
from bb2.oauth import consents
from bb2.views import arriving
from bb2.views.arriving import asked_for, named_request, path, sign_in_link, trouble_link, way_on
from bb2.views.consent import cancel
from bb2.views.credentials import is_password_of, remember_browser
from bb2.views.errors import no_longer_open
from bb2.views.pages import PageError, _, render

FORGOTTEN = _(
    "If you forgot your password, you need not wait. Choose “Trouble signing in?”, and you can set a new one."
)


def enter(request, person, kept, account=None, **how):
    """Sign a Beneficiary in, and send them on.  With an Account, this browser is known to its person from now on.

    `how`, for the audit trail: the `method`, where it is not the usual one.
    """
    told = asked_for(kept) | how
    if account:
        told["new_browser"] = remember_browser(request, account)
    request.browser.sign_in(person)
    person.language = request.locale_name
    audit.record(request.db, "account.signed_in", beneficiary_id=person.id, **told)
    return HTTPSeeOther(way_on(request, kept and kept.id))


@view_defaults(route_name="sign_in", permission=NO_PERMISSION_REQUIRED)
class SignIn:
    """The page knows the way on from an authorization request that is kept here, never from a URL that it is given."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.kept = named_request(request)

    def path(self, route):
        return path(self.request, route, self.kept)

    @view_config(request_method="GET")
    def ask(self):
        return self.show(username=(self.kept and self.kept.login_hint) or "")

    def show(self, wrong=False, username=""):
        links = {"trouble": self.path("trouble"), "create": self.path("create_account")}
        # RFC 9110, 15.5.4: the credentials were not enough, and others may be tried.  A 401 would have to name a scheme
        # of HTTP authentication (15.5.2), and a form is none.
        status = 403 if wrong else 200
        response = render(self.request, "sign_in", status, kept=self.kept, wrong=wrong, username=username, **links)
        if wrong:
            self.db.commit()  # the refusal is on record, though the answer is an error
        return response

    @view_config(request_method="POST")
    def answer(self):
        posted = self.request.POST
        if self.kept and posted.get("answer") == "cancel":
            return cancel(self.request, self.kept) or HTTPSeeOther(way_on(self.request, self.kept.id))
        username, password = (str(posted.get(name, "")) for name in ("username", "password"))
        account = builtin.find_account(self.db, username)
        tried, person_id = (account.password_hash, account.beneficiary_id) if account else (None, None)
        # First what can be done now: who signs in again at once only comes back to the pause.
        pause = {"asked": asked_for(self.kept), "advice": FORGOTTEN, "way_on": trouble_link(self.request, self.kept)}
        pause["also"] = sign_in_link(self.request, self.kept)
        if not is_password_of(self.request, account, username, password, **pause):
            audit.record(self.db, "account.refused", **asked_for(self.kept))
            return self.show(wrong=True, username=username)
        # Nothing of the account is read between here and the lock: what it says then, it says under the lock.
        if not consents.lock(self.db, person_id):
            self._refuse_closed(account.beneficiary)
        if account.password_hash != tried:  # it was changed meanwhile, and every session that it had opened was ended
            return self.show(wrong=True, username=username)
        return enter(self.request, account.beneficiary, self.kept, account)

    def _refuse_closed(self, person):
        """Nobody signs in as a person whose record is not served any more; they are told so, and whom to call."""
        self.db.refresh(person)
        audit.record(self.db, "account.refused", beneficiary_id=person.id, **asked_for(self.kept), reason="closed")
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
                way_on=sign_in_link(self.request, self.kept),
            )
        raise PageError(
            403,
            _("Your account here is closed"),
            _("No app can see your Medicare information through it any more."),
            call,
            way_on=sign_in_link(self.request, self.kept),
        )


@exception_view_config(BadCSRFToken, route_name="sign_in")
def left(error, request):
    """The session has ended; or a button was pressed twice, and the person is signed in: that page knows."""
    kept = request.POST.get("request")
    return no_longer_open(request, (way_on(request, kept if isinstance(kept, str) else None), _("Go on")))


@view_config(route_name="sign_out", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(request):
    kept = arriving.sign_out(request)
    return HTTPSeeOther(path(request, "sign_in", kept) if kept else request.route_path("home"))
