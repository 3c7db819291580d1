"""patient/Patient: who the beneficiary is."""

from bb2.scopes import FhirResource, SearchParam, Words, hookimpl

PATIENT = FhirResource(
    "Patient",
    patient_element="id",
    search_params=(
        SearchParam(
            name="identifier",
            type="token",
            path=("identifier",),
            definition="http://hl7.org/fhir/SearchParameter/Patient-identifier",
        ),
    ),
    stu3_elements=("animal",),
    profiles=("http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-Patient",),
)


@hookimpl
def register_scopes():
    return PATIENT.scopes(
        consent=Words(
            "Your name, address, birth date, race and sex, and your Medicare number",
            es="Su nombre, dirección, fecha de nacimiento, raza y sexo, y su número de Medicare",
        ),
        demographic=True,
    )
