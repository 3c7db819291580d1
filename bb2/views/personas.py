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
    of = recipe(request.db)
    there = personas_there(request.db) if of else []
    return {"personas": [_told(of.seed, persona) for persona in there], "last": last_number(request.db)}


def personas_there(db):
    """The personas who are in the database; a small sandbox has the first of them only."""
    last = last_number(db)
    return [persona for persona in PERSONAS.values() if last is not None and persona.number <= last]


def last_number(db):
    """The number of the last of the synthetic people, or None."""
    return db.scalar(select(func.max(SandboxPerson.number)))


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
