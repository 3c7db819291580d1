"""Who can a developer sign in as, to see one thing or another?  A page of a sandbox only."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import func, select

from bb2.identity.questions import QUESTIONS
from bb2.models import SandboxPerson
from bb2.sandbox.fill import recipe, secret_question_of
from bb2.sandbox.identifiers import as_on_card, secret_answer_of
from bb2.sandbox.people import beneficiary
from bb2.sandbox.personas import PERSONAS


@view_config(
    route_name="personas",
    request_method="GET",
    permission=NO_PERMISSION_REQUIRED,
    renderer="bb2:templates/personas.jinja2",
)
def personas(request):
    """The personas who are there, with all that they would know, and how many people there are in all."""
    of, last = recipe(request.db), request.db.scalar(select(func.max(SandboxPerson.number)))
    there = [persona for persona in PERSONAS.values() if of and last is not None and persona.number <= last]
    return {"personas": [_told(of.seed, persona) for persona in there], "last": last}


def _told(seed, persona):
    who = beneficiary(seed, persona.number)
    return {
        "persona": persona,
        "who": who,
        "medicare_number": as_on_card(who.mbi),
        "zip": who.town[0],
        "question": persona.has_account and QUESTIONS[secret_question_of(persona.number)],
        "answer": secret_answer_of(persona.number),
    }
