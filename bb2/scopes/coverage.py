"""patient/Coverage: the parts of Medicare that the beneficiary has."""

from bb2.scopes import FhirResource, Words, hookimpl

COVERAGE = FhirResource(
    "Coverage",
    patient_element="beneficiary",
    # CMS's Coverage.subscriberId is the Medicare number; the others name or number the person where they are filled.
    demographic_elements=("subscriberId", "subscriber", "policyHolder", "identifier", "dependent", "payor.display"),
    stu3_elements=("grouping",),
    r4_elements=("class",),
    profiles=("http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-Coverage",),
)


@hookimpl
def register_scopes():
    return COVERAGE.scopes(
        consent=Words("Your Medicare coverage", es="Su cobertura de Medicare"),
        detail=Words(
            "The parts of Medicare that you have, and since when.",
            es="Las partes de Medicare que usted tiene, y desde cuándo.",
        ),
        demographic=False,
    )
