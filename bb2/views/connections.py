""" "My connected apps": which apps have access, which had it, and how all of it ends at once."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.audit.decisions import decisions
from bb2.oauth import consents
from bb2.views.own import number_of, signed_in

PAGE = 10  # ended connections on one page


@view_defaults(permission=NO_PERMISSION_REQUIRED)
class Connections:
    def __init__(self, request):
        self.request, self.person, self.db = request, signed_in(request), request.db

    @view_config(route_name="connections", request_method="GET", renderer="bb2:templates/connections.jinja2")
    def show(self):
        before = number_of(self.request.GET.get("before"))  # the next page of those that have ended
        earlier = consents.ended_connections(self.db, self.person.id, before=before, most=PAGE + 1)
        connections = consents.connections(self.db, self.person.id)
        return {
            "person": self.person,
            "connections": connections,
            "none_left": self.request.GET.get("ended") == "all" and not connections,
            "earlier": earlier[:PAGE],
            "before": before,
            "more": earlier[PAGE - 1].Consent.id if len(earlier) > PAGE else None,
            "ended": self.ended(),
        }

    def ended(self):
        """The Consent that the person has just ended, and the number of its receipt; None: there is none."""
        number = number_of(self.request.GET.get("ended"))
        found = consents.connection(self.db, self.person.id, number) if number is not None else None
        if not found or found.Consent.revoked_by != "beneficiary":
            return None
        (made,) = decisions(self.db, self.person.id, consent_id=number, most=1)
        return found.Consent, made.id

    @view_config(route_name="stop_all", request_method="GET", renderer="bb2:templates/stop_all.jinja2")
    def ask(self):
        """Once: what stops, and what does not."""
        connections = consents.connections(self.db, self.person.id)
        if not connections:
            return HTTPSeeOther(self.request.route_path("connections"))
        return {"connections": connections}

    @view_config(route_name="stop_all", request_method="POST")
    def stop_all(self):
        consents.lock(self.db, self.person.id)
        consents.end_all(self.db, self.person.id, by="beneficiary")
        return HTTPSeeOther(self.request.route_path("connections", _query={"ended": "all"}))
