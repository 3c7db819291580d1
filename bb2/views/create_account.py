"""How does a person with a Medicare card make an account?  Four pages; what was typed waits on the server meanwhile."""

from datetime import date

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from bb2 import audit
from bb2.clock import now
from bb2.identity import enrollment
from bb2.identity.builtin import hashed_password
from bb2.identity.cards import Card
from bb2.identity.questions import answer_hash
from bb2.models import Account
from bb2.views.arriving import asked_for, named_request, path, sign_in_link, trouble_link, way_on
from bb2.views.enrollment_forms import Credentials, Information
from bb2.views.errors import page
from bb2.views.limited import client_address
from bb2.views.pages import PageError, _, render
from bb2.views.sign_in import enter
from bb2.views.tries import Tries, by_address

#: In their order; none can be opened before the one in front of it was sent.
PAGES = ("information", "notice", "address", "sign-in")


class OnTheWay:
    """A page on the way to an account; the app's request that brought the person goes along all the way."""

    def __init__(self, request):
        self.request, self.db, self.kept = request, request.db, named_request(request)

    def path(self, route, **parts):
        return path(self.request, route, self.kept, **parts)

    def show(self, template, status=200, **values):
        here = self.path(self.request.matched_route.name, **self.request.matchdict)
        return render(self.request, template, status, kept=self.kept, here=here, **values)


@view_defaults(permission=NO_PERMISSION_REQUIRED, route_name="create_account_step")
class CreateAccount(OnTheWay):
    def __init__(self, request):
        super().__init__(request)
        settings = request.registry["settings"]
        if settings.fhir_source != "sql":
            raise PageError(
                404,
                _("Accounts are not made here"),
                _("To get an account, call ${phone}.", mapping={"phone": settings.support_phone}),
                way_on=sign_in_link(request, self.kept),
            )

    def step(self, draft, name):
        return self.path("create_account_step", draft=draft.id, step=name)

    def draft(self, name):
        """The draft whose page `name` may be opened now; whoever skipped a page is led back to it."""
        draft = enrollment.of_browser(self.db, self.request.matchdict["draft"], self.request.browser.session_hash)
        if draft is None:
            raise gone(self)
        if draft.reached < PAGES.index(name):
            raise HTTPSeeOther(self.step(draft, PAGES[draft.reached]))
        return draft

    def reach(self, draft, name):
        """On to the page `name`."""
        draft.reached = max(draft.reached, PAGES.index(name))
        enrollment.prolong(self.db, draft)
        return HTTPSeeOther(self.step(draft, name))

    # 1: who the person is

    @view_config(route_name="create_account", request_method="GET")
    def begin(self):
        return self.ask_information(Information())

    @view_config(route_name="create_account", request_method="POST")
    def begun(self):
        return self.take_information(None)

    @view_config(match_param="step=information", request_method="GET")
    def information(self):
        typed = self.draft("information").typed
        days = {name: date.fromisoformat(typed[name]) for name in ("born", "started")}
        return self.ask_information(Information(data=typed | days | {"mine": True, "agreed": True}))

    @view_config(match_param="step=information", request_method="POST")
    def information_again(self):
        return self.take_information(self.draft("information"))

    def ask_information(self, form, status=200, refused=False):
        links = {"sign_in": self.path("sign_in"), "trouble": self.path("trouble")}
        return self.show("enroll_information", status, form=form, refused=refused, **links)

    def take_information(self, draft):
        form = Information.of(self.request)
        if not form.validate():
            return self.ask_information(form, 422)
        patient = self.found(form.claim)
        if patient is None:
            audit.record(self.db, "account.not_created", **asked_for(self.kept))
            self.db.commit()  # it is on record, though the answer is an error
            return self.ask_information(form, 403, refused=True)
        if draft is None:
            draft = enrollment.keep(self.db, self.request.browser.begin(), patient)
        elif draft.patient != patient:
            draft.patient, draft.reached = patient, 0
        draft.typed = draft.typed | form.typed
        return self.reach(draft, "notice")

    def found(self, claim):
        """The Patient.id of who can make an account, or None.  Only wrong tries stay counted.

        What one address is refused does not count for others, and what all are refused counts by the whole card: so
        whoever has found a card cannot try every day of birth, and whoever knows a number alone holds nobody up.
        """
        tries = self.tries_of(claim)
        tries.count()
        patient = enrollment.find(self.db, claim)
        if patient is not None:
            self.db.rollback()  # nothing was written, and SQLite's one writer is free while this counts
            tries.take_back()
        return patient

    def tries_of(self, claim):
        settings, address = self.request.registry["settings"], client_address(self.request)
        own = {("enroll", "number", claim.number, address or ""): settings.limit_enroll_number}
        shared = {("enroll", "anywhere", *claim.card): settings.limit_enroll_anywhere}
        return Tries(
            self.request,
            own,
            shared | by_address(self.request, "enroll", settings.limit_enroll_address),
            event="account.creation_paused",
            asked=asked_for(self.kept),
            advice=_("If you cannot wait, call ${phone}.", mapping={"phone": settings.support_phone}),
            way_on=(self.path("create_account"), _("Create an account")),
            also=trouble_link(self.request, self.kept),
        )

    # and that it is theirs

    @view_config(match_param="step=notice", request_method="GET")
    def notice(self):
        return self.show("enroll_notice", back=self.step(self.draft("notice"), "information"))

    @view_config(match_param="step=notice", request_method="POST")
    def noticed(self):
        return self.reach(self.draft("notice"), "address")

    # 2: where they live

    @view_config(match_param="step=address", request_method="GET")
    def address(self):
        draft = self.draft("address")
        known, typed = Card.of(self.db, draft.patient).address, draft.typed["zip"]
        return self.show(
            "enroll_address",
            zip=typed,
            on_file=", ".join(filter(None, known)),
            same=known[0] == typed,
            back=self.step(draft, "information"),
        )

    @view_config(match_param="step=address", request_method="POST")
    def addressed(self):
        return self.reach(self.draft("address"), "sign-in")

    # 3: how they will sign in

    @view_config(match_param="step=sign-in", request_method="GET")
    def credentials(self):
        return self.show("enroll_credentials", form=Credentials(data=self.draft("sign-in").typed))

    @view_config(match_param="step=sign-in", request_method="POST")
    def create(self):
        draft, form = self.draft("sign-in"), Credentials.of(self.request)
        draft.typed = draft.typed | form.typed
        if self.request.POST.get("go") == "back":
            return self.reach(draft, "address")
        form.own_words = (form.username.data, draft.typed["number"], draft.typed["last_name"])
        good, patient = form.validate(), draft.patient
        try:
            self.db.commit()  # what was typed is kept, and SQLite's one writer is free while this hashes
        except StaleDataError:  # another tab has just made the account
            self.db.rollback()
            raise gone(self) from None
        if good:
            try:
                return self.enter(self.made(form, patient))
            except enrollment.UsernameTaken:
                self.db.rollback()
                others = ", ".join(enrollment.suggestions(self.db, form.username.data))
                taken = _("Somebody has this user name. These are free: ${others}", mapping={"others": others})
                form.username.errors = [taken]
            except enrollment.NotPossible:
                self.db.rollback()
                raise gone(self) from None
        form.password.errors = form.password.errors or [_("Type your password again: it is not kept")]
        return self.show("enroll_credentials", 422, form=form)

    def made(self, form, patient):
        return enrollment.create(
            self.db,
            patient,
            username=form.username.data,
            email=form.address,
            password_hash=hashed_password(form.password.data),
            secret_question=form.question.data,
            secret_answer_hash=answer_hash(form.answer.data),
        )

    def enter(self, account):
        """The person has just shown who they are, and chosen a password: they need not type it again."""
        audit.record(self.db, "account.created", beneficiary_id=account.beneficiary_id, **asked_for(self.kept))
        enter(self.request, account.beneficiary, self.kept, account)
        return HTTPSeeOther(self.path("account_created"))

    @view_config()
    def no_such_page(self):
        raise HTTPNotFound


# 4: that it is done


@view_config(route_name="account_created", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def created(request):
    """To whoever is signed in: their user name, and since when they have it."""
    way = OnTheWay(request)
    account = own_account(way)
    if account is None:
        return HTTPSeeOther(way.path("sign_in"))
    return way.show("enroll_done", account=account, on=way_on(request, way.kept and way.kept.id))


def gone(way):
    """Where to go from a draft that is no longer there: who has just made an account sees it, others begin again."""
    account = own_account(way)
    if account and account.created_at and account.created_at > now(way.db) - enrollment.LIFETIME:
        return HTTPSeeOther(way.path("account_created"))
    return PageError(
        410,
        _("What you typed is no longer here"),
        _("For your safety, we keep it for a short time only."),
        _("If you had just finished, your account is ready: sign in. If not, please begin again."),
        way_on=(way.path("create_account"), _("Begin again")),
        also=sign_in_link(way.request, way.kept),
    )


def own_account(way):
    """The Account of who is signed in, the newest; or None."""
    person = way.request.browser.beneficiary
    theirs = select(Account).where(Account.beneficiary_id == (person and person.id))
    return way.db.scalars(theirs.order_by(Account.created_at.desc()).limit(1)).one_or_none()


@exception_view_config(BadCSRFToken, route_name="create_account")
@exception_view_config(BadCSRFToken, route_name="create_account_step")
def left(error, request):
    """Somebody signed in meanwhile in this browser, or the session has ended: on with the draft, if it is there."""
    way = OnTheWay(request)
    draft = enrollment.of_browser(way.db, request.matchdict.get("draft"), request.browser.session_hash)
    if draft:
        return HTTPSeeOther(way.path("create_account_step", draft=draft.id, step=PAGES[draft.reached]))
    found = gone(way)
    return page(request, found) if isinstance(found, PageError) else found
