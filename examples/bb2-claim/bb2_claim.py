"""patient/Claim: claims as the beneficiary's providers sent them to Medicare."""

import json

from bb2.fhir import MemorySource
from bb2.scopes import FhirResource, SearchParam, Words, hookimpl

bb2_contract = "1.0"

CLAIM = FhirResource(
    "Claim",
    search_params=(
        SearchParam(name="created", type="date", path=("created",)),
        SearchParam(name="status", type="token", path=("status",)),
    ),
    # Who was paid, where an accident happened and the name on an insurance card can tell who the person is.
    demographic_elements=("accident", "insurance.coverage.display", "insurance.coverage.identifier", "payee"),
    stu3_elements=("employmentImpacted", "hospitalization", "information", "organization"),
    r4_elements=("supportingInfo",),
)


@hookimpl
def register_scopes():
    return CLAIM.scopes(
        consent=Words(
            "Your Medicare claims, as your providers sent them",
            es="Sus reclamos de Medicare, tal como los enviaron sus proveedores",
        ),
        detail=Words(
            "Dates of service, diagnoses, procedures and what was charged.",
            es="Fechas de servicio, diagnósticos, procedimientos y lo que se cobró.",
        ),
        demographic=False,
    )


@hookimpl
def register_fhir_sources(settings):
    """FHIR R4 claims from the file that `bb2_claim.records` names; without it, the server's own store holds them."""
    file = settings.others.get("bb2_claim.records")
    return {"Claim": MemorySource({"v2": read(file)})} if file else {}


def read(file):
    """The records of an NDJSON file: one a line."""
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
