"""Home, and "My connected apps": what a beneficiary shares, and how it ends."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.consent import ConsentScreen
from bb2.models import Consent
from bb2.oauth import consents
from bb2.views.pages import PageError, _


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
        shared = [
            {"consent": consent, "client": consent.client, "screen": ConsentScreen.from_json(consent.shown)}
            for consent in consents.connections(self.request.db, self.person.id)
        ]
        return {"person": self.person, "shared": shared, "ended": self.request.GET.get("ended")}

    @view_config(request_method="POST")
    def stop_sharing(self):
        if self.person is None:
            return HTTPSeeOther(self.request.route_path("sign_in"))
        db, number = self.request.db, str(self.request.POST.get("consent", ""))
        consents.lock(db, self.person.id)
        consent = db.get(Consent, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
        if consent is None or consent.beneficiary_id != self.person.id:
            raise PageError(404, _("This connection was not found"), _("It may have been ended already."))
        consents.end(db, consent, by="beneficiary")
        return HTTPSeeOther(self.request.route_path("connections", _query={"ended": "1"}))
