"""A program that reads every claim of a person with fhirclient, page by page, in the FHIR version of its models.

`page_claims.py BASE TOKEN` prints the ids of the claims as JSON.
"""

import json
import sys

from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.explanationofbenefit import ExplanationOfBenefit


def main(base, token):
    known = {"base_uri": f"{base}/", "auth_type": "oauth2", "auth": {"access_token": token}}
    server = FHIRClient(state={"app_id": "of the token", "server": known}).server
    page, ids = ExplanationOfBenefit.where({}).perform(server), []
    while page:
        ids += [entry.resource.id for entry in page.entry or ()]
        following = next((link.url for link in page.link if link.relation == "next"), None)
        page = following and Bundle.read_from(following, server)
    print(json.dumps(ids))


main(*sys.argv[1:])
