"""Who can a developer sign in as, to see one thing or another?  A page of a sandbox only."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import func, select

from bb2.models import SandboxPerson
from bb2.sandbox.personas import PERSONAS


@view_config(
    route_name="personas",
    request_method="GET",
    permission=NO_PERMISSION_REQUIRED,
    renderer="bb2:templates/personas.jinja2",
)
def personas(request):
    """The personas who are there, and how many people there are in all."""
    last = request.db.scalar(select(func.max(SandboxPerson.number)))
    there = [persona for persona in PERSONAS.values() if last is not None and persona.number <= last]
    translate = request.localizer.translate
    return {"personas": [(persona, translate(persona.shows)) for persona in there], "last": last}
