"""Sign in through an OpenID Connect provider: the page before it, and the way back from there."""

import logging
from datetime import timedelta

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults

from bb2 import audit
from bb2.clock import now
from bb2.fhir import FhirError
from bb2.identity import under_way
from bb2.identity.proof import signed_in_at
from bb2.identity.provider import ProviderError
from bb2.matching import NoMatchError
from bb2.oauth import consents, requests
from bb2.oauth.errors import printable
from bb2.views.arriving import asked_for, named_request, path, sign_in_link, sign_out, waiting_request, way_on
from bb2.views.consent import decline
from bb2.views.errors import page
from bb2.views.fields import email_address
from bb2.views.pages import PageError, _
from bb2.views.provider_problems import OF_THE_ACCOUNT, PROBLEMS, SignInFailed
from bb2.views.tries import Tries, by_address

log = logging.getLogger(__name__)


@view_defaults(route_name="sign_in", permission=NO_PERMISSION_REQUIRED)
class SignIn:
    """The page that says which app asks, and where the person will sign in."""

    def __init__(self, request):
        self.request, self.db = request, request.db
        self.kept = named_request(request)

    @view_config(request_method="GET", renderer="bb2:templates/provider_sign_in.jinja2")
    def ask(self):
        return {"kept": self.kept}

    @view_config(request_method="POST")
    def answer(self):
        posted = self.request.POST
        if posted.get("answer") == "cancel":
            return self.back_to_app(posted.get("request"), PROBLEMS.get(posted.get("problem")))
        return self.to_provider()

    def back_to_app(self, request_id, problem):
        """Cancel; or the way back after a problem, of which the app is told no more than it needs."""
        if self.kept and requests.claim_answer(self.db, self.kept, "cancel"):
            told = (problem.error, "The beneficiary could not sign in") if problem else ()
            return decline(self.request, self.kept, "cancel", *told)
        # It has expired, or is answered: that page says so.
        return HTTPSeeOther(way_on(self.request, request_id if isinstance(request_id, str) else None))

    def to_provider(self):
        browser, kept = self.request.browser, self.kept
        browser.begin()
        earliest = self._earliest()
        someone_else = under_way.failed(self.db, browser.session_hash, OF_THE_ACCOUNT)
        fresh = kept is not None and earliest is not None and earliest >= kept.created_at
        secrets = under_way.begin(self.db, browser, kept and kept.id, earliest)
        age = earliest and max(0, int((now(self.db) - earliest) / timedelta(seconds=1)))
        hint = kept and kept.login_hint
        self.db.commit()  # so that SQLite's one writer is free while the provider is asked
        try:
            uri = self.request.registry["provider"].authorization_uri(
                state=secrets.state,
                nonce=secrets.nonce,
                verifier=secrets.verifier,
                max_age=age,
                prompt="login" if fresh or someone_else else None,
                login_hint=hint,
                ui_locales=self.request.locale_name,
            )
        except ProviderError as error:
            log.warning("nobody can sign in: %s", error)
            raise SignInFailed(self.request, "down" if error.passing else "wrong", self.kept) from error
        return HTTPSeeOther(uri)

    def _earliest(self):
        """How fresh the sign-in there must be: as the app wants it.

        Where it names somebody, they are asked who they are: else the provider may send another back, unasked, and the
        app is told that the wrong person came.
        """
        kept = self.kept
        if kept is None or kept.named_beneficiary_id is None:
            return kept and kept.earliest_authenticated_at
        return max(kept.created_at, kept.earliest_authenticated_at or kept.created_at)


class ComingBack:
    """One return from the provider.  It counts once, and in the browser that was sent there."""

    def __init__(self, request):
        self.request, self.db, self.provider = request, request.db, request.registry["provider"]
        self.state = self._only("state")
        self.begun = under_way.of_browser(self.db, self.state, request.browser.session_hash)
        if self.begun is None:
            raise self._lost()
        self.kept = waiting_request(request, self.begun.request_id)

    def _only(self, name):
        """A parameter, if it came once."""
        values = self.request.GET.getall(name)
        return values[0] if len(values) == 1 else None

    def _lost(self):
        """Another browser, a session that has ended, a made-up address: nobody knows whose sign-in this was."""
        return PageError(
            400,
            _("This sign-in is no longer open"),
            _("You may have been away for a while, or started in another browser. Nothing was shared or changed."),
            _("If you came from an app, go back to the app and connect again."),
            way_on=sign_in_link(self.request, None),
        )

    def answer(self):
        if not under_way.claim(self.db, self.begun):
            return self._over()
        if self.begun.expires_at <= now(self.db):
            raise self._problem("late")
        if (error := self._only("error")) is not None:
            return self._refused(error)
        return self._enter(self._answer_of_provider())

    def _over(self):
        """Back, a second tab, an address sent twice: what came of it the first time, or where it led."""
        if self.begun.problem in PROBLEMS:
            raise SignInFailed(self.request, self.begun.problem, self.kept)
        return HTTPSeeOther(way_on(self.request, self.begun.request_id))

    def _refused(self, error):
        """OpenID Connect Core 3.1.2.6.  Whoever cancels there has cancelled here."""
        if self._only("iss") not in (None, self.provider.issuer):
            raise self._problem("wrong")
        if error == "access_denied":
            if self.kept and requests.claim_answer(self.db, self.kept, "cancel"):
                return decline(self.request, self.kept, "cancel")
            return HTTPSeeOther(path(self.request, "sign_in", self.kept))
        log.warning("the provider signed nobody in: %s", printable(error)[:60])
        raise self._problem("down" if error in ("server_error", "temporarily_unavailable") else "wrong")

    def _answer_of_provider(self):
        """The provider's Answer.  Only what fails stays counted: a code can be made up, and each is asked for there."""
        secrets = under_way.secrets_of(self.request.browser, self.state)
        moment, earliest = now(self.db), self.begun.earliest_authenticated_at
        tries = self._tries()
        tries.count()  # which commits: the way back is used up, and no transaction is open while the provider is asked
        try:
            answer = self.provider.answer(
                self._only("code") or "",
                verifier=secrets.verifier,
                nonce=secrets.nonce,
                now=moment,
                earliest=earliest,
                iss=self._only("iss"),
            )
        except ProviderError as error:
            log.warning("a sign-in at the provider failed: %s", error)
            raise self._problem("down" if error.passing else "wrong") from error
        tries.take_back()
        return answer

    def _tries(self):
        limit = self.request.registry["settings"].limit_sign_in_address
        return Tries(
            self.request,
            by_address(self.request, "provider", limit),
            event="account.paused",
            asked=asked_for(self.kept),
            way_on=sign_in_link(self.request, self.kept),
        )

    def _enter(self, answer):
        """Sign the person in, under a new session id, and send them on."""
        person = self._person(answer.claims)
        if not consents.lock(self.db, person.id):
            self.db.refresh(person)
            raise self._problem("merged" if person.merged_into_id else "closed", person)
        browser, earlier, earliest = self.request.browser, self.begun.session_hash, self.begun.earliest_authenticated_at
        moment = signed_in_at(answer.claims, now(self.db))
        browser.sign_in(person)
        browser.signed_in_at(max(moment, earliest or moment))  # the provider's clock may be behind ours
        under_way.move(self.db, earlier, browser.session_hash)
        person.language, person.email = self.request.locale_name, _email(answer.claims) or person.email
        audit.record(self.db, "account.signed_in", beneficiary_id=person.id, **asked_for(self.kept))
        on = way_on(self.request, self.begun.request_id)
        return HTTPSeeOther(self._signed_out_there(answer) or on)

    def _person(self, claims):
        try:
            return self.request.registry["matching"].person(self.db, claims)
        except NoMatchError as error:
            raise self._problem(error.reason) from error
        except FhirError as error:  # the log has why
            raise self._problem("records") from error

    def _signed_out_there(self, answer):
        """Where the person's session at the provider ends, which has done its work; from there they come back here.

        None: the operator does not want it, or the provider has no such place.
        """
        if not self.request.registry["settings"].oidc_sign_out:
            return None
        self.db.commit()
        try:
            uri = self.provider.end_session_uri(answer.hint, state=self.state, language=self.request.locale_name)
        except ProviderError as error:
            log.warning("nobody can be signed out at the provider: %s", error)
            return None
        if uri is None:
            log.warning("the provider has no end_session_endpoint: bb2.oidc_sign_out can do nothing")
        return uri

    def _problem(self, key, person=None):
        """The page of a problem, which is on record by now."""
        self.begun.problem = key
        who = person and person.id
        audit.record(self.db, "provider.failed", beneficiary_id=who, **asked_for(self.kept), reason=key)
        self.db.commit()
        return SignInFailed(self.request, key, self.kept)


def _email(claims):
    """Where notices go: an address of which the provider knows that it is the person's."""
    email = claims.get("email") if claims.get("email_verified") is True else None
    return email_address(email) if isinstance(email, str) else None


@view_config(route_name="sign_in_callback", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def come_back(request):
    return ComingBack(request).answer()


@exception_view_config(SignInFailed)
def failed(error, request):
    """What happened, another try, and the way back to the app that waits."""
    return page(request, error, "provider_problem", kept=error.kept, key=error.key)


@view_config(route_name="sign_out", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def leave(request):
    """Sign out here.  Somebody else can sign in only if the provider asks who it is."""
    kept = sign_out(request)
    if kept:
        kept.earliest_authenticated_at = now(request.db)
        return HTTPSeeOther(path(request, "sign_in", kept))
    settings = request.registry["settings"]
    if settings.oidc_sign_out:
        return HTTPSeeOther(request.route_path("home"))
    words = _(
        "You may still be signed in at ${provider}. If others use this computer or phone, sign out there too.",
        mapping={"provider": settings.oidc_name},
    )
    return page(request, PageError(200, _("You are signed out"), words))
