"""insurance-card: a picture of the person's Medicare card, as PDF and PNG.

It is no FHIR record, but made of some: of Coverage, which this scope's own words ask for, and of Patient where the
token opens that.  The core takes the Medicare number out of each Coverage for a token that may not say who the person
is, so this scope is not demographic: without that, the card says only what is covered, and since when.
"""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response

from bb2.scopes import Endpoint, Parameter, Scope, Words, hookimpl
from bb2.scopes.coverage import COVERAGE
from bb2.scopes.patient import PATIENT
from bb2_insurance_card.card import Card

bb2_contract = "1.0"

MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png"}
CARD = Endpoint(
    path="insurance/card.{format}",
    versions=("v2",),  # it is made of FHIR R4
    summary="The person's Medicare card; with name and number where the person shares who they are",
    produces=tuple(MEDIA_TYPES.values()),
    parameters=(Parameter(name="format", summary="What the card is drawn as", values=tuple(MEDIA_TYPES)),),
)


@hookimpl
def register_scopes():
    return Scope(
        name="insurance-card",
        consent=Words("A picture of your Medicare card", es="Una imagen de su tarjeta de Medicare"),
        detail=Words(
            "The parts of Medicare that you have, and since when. Your name and Medicare number are on it only if you "
            "share them too.",
            es="Las partes de Medicare que usted tiene, y desde cuándo. Su nombre y su número de Medicare aparecen "
            "solo si también los comparte.",
        ),
        demographic=False,
        endpoints=(CARD,),
    )


@hookimpl
def configure(config):
    config.add_protected_view(card, CARD)


def card(request):
    """The card; 404 for a person who has no part of Medicare now."""
    says_who = any(request.has_permission(endpoint) for endpoint in (PATIENT.read, PATIENT.search))
    patients = request.records(PATIENT).all() if says_who else ()
    found = Card.of(request.records(COVERAGE).all(), *patients)
    if found is None:
        raise HTTPNotFound("This person has no active part of Medicare, so there is no card")
    format = request.matchdict["format"]
    answer = Response(found.drawn(format), content_type=MEDIA_TYPES[format])
    answer.content_disposition = f'inline; filename="medicare-card.{format}"'
    answer.headers.update({"Cache-Control": "private, no-store", "Vary": "Authorization"})
    return answer
