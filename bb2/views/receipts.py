"""The receipts of what a person decided: a list, a page to print, and two downloads."""

import json

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from sqlalchemy import select

from bb2.audit.decisions import decision, decisions
from bb2.models import Client, Consent
from bb2.receipts import Site, as_consent_receipt, as_fhir, receipt
from bb2.sharing import words
from bb2.views.own import not_found, number_of, signed_in

PAGE = 20  # receipts on one page of the list


@view_config(
    route_name="receipts",
    request_method="GET",
    renderer="bb2:templates/receipts.jinja2",
    permission=NO_PERMISSION_REQUIRED,
)
def show_all(request):
    person, before = signed_in(request), number_of(request.GET.get("before"))
    found = decisions(request.db, person.id, before=before, most=PAGE + 1)
    apps = _names(request.db, found)
    return {
        "person": person,
        "decisions": [(each, apps[each.client_id]) for each in found[:PAGE]],
        "more": found[PAGE - 1].id if len(found) > PAGE else None,
        "before": before,
    }


def _names(db, found):
    """{client id: name} of the apps of these decisions."""
    asked = select(Client.client_id, Client.name).where(Client.client_id.in_({each.client_id for each in found}))
    return dict(db.execute(asked).all())


@view_defaults(route_name="receipt", request_method="GET", permission=NO_PERMISSION_REQUIRED)
class OneReceipt:
    def __init__(self, request):
        self.request, self.person = request, signed_in(request)
        number = number_of(request.matchdict["number"])
        made = decision(request.db, self.person.id, number) if number is not None else None
        if made is None:
            raise not_found(request)
        consent = made.consent_id and request.db.get(Consent, made.consent_id)
        self.receipt = receipt(made, consent, request.db.get_one(Client, made.client_id), self.person)
        settings = request.registry["settings"]
        self.site = Site(settings.site_name, settings.base_url, settings.support_phone)

    @view_config(renderer="bb2:templates/receipt.jinja2")
    def page(self):
        return {
            "person": self.person,
            "receipt": self.receipt,
            "id": self.receipt.id(self.site),
            "words": words,
        }

    @view_config(route_name="receipt_json")
    def as_json(self):
        return self.download(as_consent_receipt(self.receipt, self.site), "json", "application/json")

    @view_config(route_name="receipt_fhir")
    def as_fhir(self):
        return self.download(as_fhir(self.receipt, self.site), "fhir.json", "application/fhir+json")

    def download(self, document, ending, content_type):
        response = Response(json.dumps(document, indent=2).encode(), content_type=content_type)
        response.content_disposition = f'attachment; filename="receipt-{self.receipt.number}.{ending}"'
        return response
