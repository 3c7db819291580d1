"""Home, and "My connected apps": what a beneficiary shares, and how it ends."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.consent import ConsentScreen, consent_screen, say
from bb2.models import Consent
from bb2.oauth import consents
from bb2.views.pages import PageError, _

LONGEST_NUMBER = 9  # digits: more is no number that a database has given


@view_config(
    route_name="home",
    request_method=("GET", "HEAD"),
    renderer="bb2:templates/home.jinja2",
    permission=NO_PERMISSION_REQUIRED,
)
def home(request):
    return {"person": request.browser.beneficiary}


@view_defaults(route_name="connections", permission=NO_PERMISSION_REQUIRED)
class Connections:
    def __init__(self, request):
        self.request, self.person = request, request.browser.beneficiary

    @view_config(request_method="GET", renderer="bb2:templates/connections.jinja2")
    def show(self):
        if self.person is None:
            return HTTPSeeOther(self.request.route_path("sign_in"))
        shared = consents.connections(self.request.db, self.person.id)
        ended = self.consent(self.request.GET.get("ended"))
        return {
            "person": self.person,
            "connections": [self.described(consent) for consent in shared],
            "ended": ended if ended and ended.revoked_at else None,
        }

    def described(self, consent):
        """What the page says of a connection: the lines that were granted and still count, in the page's language."""
        # An app that needs demographic data no longer has lost it, whatever was agreed to.
        shares_demographic = bool(consent.share_demographic and consent.client.asks_demographic)
        screen = in_language(self.request, consent)
        lines = screen.records + (screen.demographic if shares_demographic else [])
        lines = [line for line in lines if line.family not in (consent.left_out or ())]
        shares, withholds = self.sensitive(consent, screen)
        return {
            "consent": consent,
            "lines": lines,
            "shares_demographic": shares_demographic,
            "shares_sensitive": shares,
            "withholds_sensitive": withholds,
        }

    def sensitive(self, consent, screen):
        """The names of the sensitive records that the app can see, and of those that are left out.

        Left out is also what nobody was asked about, since its plugin came after the consent.
        """
        registry, translate = self.request.registry, self.request.localizer.translate
        today = registry["sensitivities"].asked_with(registry["scopes"].named(consent.scopes))
        names = {each.key: each.name for each in screen.questions}
        names |= {each.key: say(each.name, self.request.locale_name, translate) for each in today}
        answers = consent.share_sensitive or {}
        shares = [name for key, name in names.items() if answers.get(key) is True]
        return shares, [name for key, name in names.items() if answers.get(key) is not True]

    @view_config(request_method="POST")
    def stop_sharing(self):
        if self.person is None:
            return HTTPSeeOther(self.request.route_path("sign_in"))
        db = self.request.db
        consents.lock(db, self.person.id)
        consent = self.consent(self.request.POST.get("consent"))
        if consent is None:
            raise PageError(
                404,
                _("This connection was not found"),
                _("It may have been ended already."),
                way_on=(self.request.route_path("connections"), _("My connected apps")),
            )
        consents.end(db, consent, by="beneficiary")
        return HTTPSeeOther(self.request.route_path("connections", _query={"ended": str(consent.id)}))

    def consent(self, number):
        """The person's own Consent with this number, a parameter of the request; or None."""
        if not isinstance(number, str) or not number.isascii() or not number.isdigit() or len(number) > LONGEST_NUMBER:
            return None
        found = self.request.db.get(Consent, int(number))
        return found if found and found.beneficiary_id == self.person.id else None


def in_language(request, consent):
    """The page that was agreed to, in the language of this request where its plugins are still installed."""
    shown = ConsentScreen.from_json(consent.shown)
    scopes = request.registry["scopes"]
    names = [name for line in shown.lines for name in line.scopes]
    if shown.language == request.locale_name or not all(name in scopes for name in names):
        return shown
    return consent_screen(
        scopes,
        request.registry["sensitivities"],
        names,
        client=consent.client,
        language=request.locale_name,
        translate=request.localizer.translate,
        demographic_default=shown.demographic_default,
        expires_at=consent.expires_at,
    )
