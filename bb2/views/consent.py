"""The authorization page, and its answer (RFC 6749, 4.1.2)."""

from dataclasses import asdict
from datetime import datetime

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from sqlalchemy import select

from bb2 import audit
from bb2.clock import now
from bb2.consent import BOXES, ConsentScreen, NoChoice, NothingShared, consent_screen
from bb2.db import need_not_last
from bb2.models import Consent
from bb2.oauth import consents, requests
from bb2.openapi.errors import oauth_error
from bb2.sharing import sharing, words
from bb2.views.pages import PageError, _, render


def kept_request(request):
    """The authorization request that this browser brought, or a page that says how to go on."""
    kept = requests.of_browser(request.db, request.matchdict["id"], request.browser.session_hash)
    if kept is None:
        raise PageError(
            400,
            _("This request is no longer open"),
            _("You may have been away for a while, or started in another browser."),
            _("Go back to the app and connect again."),
            _("If you had said yes before, you find the app under “My connected apps”, and can stop sharing there."),
            way_on=(request.route_path("connections"), _("My connected apps")),
        )
    if kept.client.disabled_at and not kept.answered_at:
        raise PageError(
            400,
            _("${app} is switched off", mapping={"app": kept.client.name}),
            _("This app may not ask for Medicare information at the moment. Nothing was shared."),
        )
    return kept


def back_to_app(request, kept, **answer):
    """A redirect to the app with the answer, its `state` and our `iss` (RFC 6749, 4.1.2; RFC 9207)."""
    answer = [*answer.items(), ("state", kept.state), ("iss", request.registry["settings"].base_url)]
    return HTTPSeeOther(requests.answer_uri(kept.redirect_uri, answer))


def decline(request, kept, answer, error="access_denied", description="The beneficiary did not approve access"):
    """No, Cancel, or the wrong person: the app is told, and nothing else changes."""
    if answer == "cancel" and kept.shown_to is None:  # anybody can do this without end: it gets no row each
        request.registry["tally"].count("consent.declined", client_id=kept.client_id, answer=answer)
    else:
        audit.record(
            request.db,
            "consent.declined",
            correlation_id=kept.correlation_id,
            client_id=kept.client_id,
            beneficiary_id=kept.shown_to,
            answer=answer,
            shown=kept.shown,
        )
    told = oauth_error(request.registry["settings"].base_url, error, description)
    return back_to_app(request, kept, **told)


def cancel(request, kept, *told):
    """Back to the app before anybody was asked; None where no app waits, or the request was answered meanwhile."""
    if kept and requests.claim_answer(request.db, kept, "cancel"):
        return decline(request, kept, "cancel", *told)
    return None


def screen_of(request, client, scopes, asked_at):
    """The page of a Client that asks for the scopes of these names, in the language of the request."""
    registry, months = request.registry, request.registry["settings"].consent_months
    return consent_screen(
        registry["scopes"],
        registry["sensitivities"],
        # What was deprecated since the app asked is not granted any more.
        [scope.name for scope in registry["scopes"].offered if scope.name in scopes],
        client=client,
        language=request.locale_name,
        translate=request.localizer.translate,
        demographic_default=registry["settings"].demographic_default,
        expires_at=consents.expiry(client.access, asked_at, months) if client.access == "ongoing" else None,
    )


@view_defaults(route_name="consent", permission=NO_PERMISSION_REQUIRED)
class ConsentPage:
    def __init__(self, request):
        self.request, self.settings = request, request.registry["settings"]

    @view_config(request_method="GET")
    def ask(self):
        kept = kept_request(self.request)
        if kept.answered_at:
            return self.answered(kept)
        if not self.request.browser.signed_in_since(kept.earliest_authenticated_at):
            return self.sign_in(kept)
        if kept.named_beneficiary_id not in (None, self.request.browser.beneficiary.id):
            return self.another_person(kept)
        return self.show(kept)

    def sign_in(self, kept):
        return HTTPSeeOther(self.request.route_path("sign_in", _query={"request": kept.id}))

    def another_person(self, kept):
        """The app names somebody else, who may sign in now; if not, it is told (OpenID Connect Core 3.1.2.1)."""
        if self.request.browser.authenticated_at < kept.created_at:
            return self.sign_in(kept)
        description = "Another person signed in than the one whom the app names"
        return self.claim(kept, "other") or decline(self.request, kept, "other", "login_required", description)

    def show(self, kept, problem=None, choice=None):
        """Render the page, and keep what it shows: the answer is read against that.

        `choice`: the Choice of a person who asks what it means, before it is an answer.
        """
        request = self.request
        # From when the app asked, so that Back or a second tab shows the same page, which has the same digest.
        screen = screen_of(request, kept.client, kept.scopes, kept.created_at)
        shares = self.shares(kept, screen)
        self.keep_shown(kept, screen)
        values = {"screen": screen, "kept": kept, "client": kept.client, "problem": problem, "choice": choice}
        values["person"], values["chosen"] = request.browser.beneficiary, self.chosen() or screen.demographic_default
        values["shares"], values["unticked"] = shares, self.unticked(screen)
        values["chosen_sharing"] = choice and sharing(screen, screen.granted(choice), choice.share_sensitive)
        return render(request, "consent", words=words, **values)

    def chosen(self):
        """What was chosen before a problem stays chosen: a No may not turn into the default on the way."""
        choices = self.request.POST.getall("demographic") if self.request.method == "POST" else []
        return choices[0] if choices in (["share"], ["withhold"]) else None

    def shares(self, kept, screen):
        """The keys of what was chosen to be shared, on this very page, in either language; else nothing is."""
        posted = self.request.POST
        if self.request.method != "POST":
            return set()
        shown = ConsentScreen.from_json(kept.shown)
        same = {screen.digest} | ({shown.digest} if shown.language != screen.language else set())
        if posted.get("screen") not in same:
            return set()
        return {each.key for each in screen.questions if posted.getall(each.field) == ["share"]}

    def unticked(self, screen):
        """The families whose boxes the person has cleared: they stay so, also where the page has changed."""
        posted = self.request.POST
        return screen.unticked(posted.getall) if self.request.method == "POST" and BOXES in posted else set()

    def keep_shown(self, kept, screen):
        """What the page shows, and to whom; the trail has each showing that differs from the one before."""
        db, person = self.request.db, self.request.browser.beneficiary
        if (kept.shown, kept.shown_to) == (screen.as_json(), person.id):
            return
        need_not_last(db)  # whatever is answered to the page goes to the disk after it, and takes it along
        kept.shown, kept.shown_to = screen.as_json(), person.id
        audit.record(
            db,
            "consent.shown",
            correlation_id=kept.correlation_id,
            client_id=kept.client_id,
            beneficiary_id=person.id,
            returning=consents.has_consented(db, person.id),
            asks_demographic=bool(screen.demographic),
            shown=kept.shown,
        )

    @view_config(request_method="POST")
    def answer(self):
        request = self.request
        kept = kept_request(request)
        if kept.answered_at:
            return self.answered(kept)
        person = request.browser.beneficiary
        if person is None or person.id != kept.shown_to:
            return HTTPSeeOther(request.route_path("consent", id=kept.id))
        screen = ConsentScreen.from_json(kept.shown)
        if self.only_asks():
            return self.show(kept)
        answers = request.POST.getall("answer")
        if "no" in answers:
            return self.claim(kept, "no") or decline(request, kept, "no")
        if answers not in (["yes"], ["show"]):
            return self.show(kept, problem="answer")
        if request.POST.get("screen") != screen.digest:
            return self.show(kept, problem="changed")
        try:
            choice = screen.choice(request.POST.getall)
        except NoChoice:
            return self.show(kept, problem="choose")
        except NothingShared:
            return self.show(kept, problem="nothing")
        if answers == ["show"]:
            return self.show(kept, choice=choice)
        if not screen.granted(choice):
            return self.claim(kept, "no") or decline(request, kept, "no")
        if not consents.lock(request.db, person.id):  # the record was closed while this page was open
            return HTTPSeeOther(request.route_path("consent", id=kept.id))
        return self.claim(kept, "yes") or self.grant(kept, screen, choice)

    def only_asks(self):
        """True of a form that asks for the page in the other language, and is no answer."""
        return "lang" in self.request.POST and "answer" not in self.request.POST

    def claim(self, kept, answer):
        """Make this the one answer; or the page that says that there was one before."""
        return None if requests.claim_answer(self.request.db, kept, answer) else self.answered(kept)

    def grant(self, kept, screen, choice):
        """Yes: a Consent, which opens nothing until its code is redeemed."""
        db, moment = self.request.db, now(self.request.db)
        shown_until = screen.expires_at and datetime.fromisoformat(screen.expires_at)
        consent = Consent(
            request_id=kept.id,
            client_id=kept.client_id,
            beneficiary_id=self.request.browser.beneficiary.id,
            scopes=screen.granted(choice),
            correlation_id=kept.correlation_id,
            claims=kept.claims,
            audience=kept.audience,
            **asdict(choice),
            shown=screen.as_json(),
            language=screen.language,
            granted_at=moment,
            expires_at=shown_until or consents.expiry(screen.access, moment, self.settings.consent_months),
        )
        db.add(consent)
        db.flush()
        consents.record(db, "consent.given", consent, scopes=consent.scopes, **asdict(choice), shown=consent.shown)
        code = consents.issue_code(
            db, consent, kept, self.request.browser.authenticated_at, self.settings.authorization_code_lifetime
        )
        return back_to_app(self.request, kept, code=code)

    def takes_back(self, kept):
        """After a Yes: does this answer share less?  Then all that the app has ends, as the page that follows says."""
        db, posted = self.request.db, self.request.POST
        consents.lock(db, kept.shown_to)
        consent = db.scalars(select(Consent).where(Consent.request_id == kept.id)).one()
        withdrawn = ConsentScreen.from_json(consent.shown).takes_back(
            consent.scopes, consent.share_sensitive, posted.getall
        )
        answers = posted.getall("answer")
        if answers == ["show"] or self.only_asks():  # who asks what a choice means has not answered
            return False
        if not (withdrawn or "no" in answers):
            return False
        consents.end_all(db, consent.beneficiary_id, "beneficiary", consent.client_id)
        return True

    def answered(self, kept):
        """Back, a second tab or a form sent twice: one request has one answer, and a No counts after a Yes too."""
        app = {"app": kept.client.name}
        if kept.answer == "yes" and self.takes_back(kept):
            self.request.db.commit()
            raise PageError(
                409,
                _("${app} no longer has access", mapping=app),
                _("You had said yes before, and now you share less. We have ended the connection."),
                _("To share with the app again, go back to it and connect once more."),
            )
        if kept.answer == "yes":
            raise PageError(
                409,
                _("You have already said yes"),
                _(
                    "You approved access for ${app}. To change what you share, go back to the app and connect again.",
                    mapping=app,
                ),
                _("To stop sharing, choose “My connected apps”."),
                way_on=(self.request.route_path("connections"), _("My connected apps")),
            )
        raise PageError(
            409,
            _("You have already said no"),
            _("You did not approve access for ${app}. Nothing was shared.", mapping=app),
            _("If you have changed your mind, go back to the app and connect again."),
        )
