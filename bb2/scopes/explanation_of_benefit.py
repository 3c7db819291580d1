"""patient/ExplanationOfBenefit: the beneficiary's claims, as Medicare processed them."""

from bb2.scopes import FhirResource, Include, SearchParam, Words, hookimpl

# Blue Button's own claim types, and HL7's (http://terminology.hl7.org/CodeSystem/claim-type).
BLUE_BUTTON_TYPES = ("carrier", "dme", "hha", "hospice", "inpatient", "outpatient", "pde", "snf")
HL7_TYPES = ("institutional", "oral", "pharmacy", "professional", "vision")
PROVIDERS = ("Organization", "Practitioner", "PractitionerRole")
BELOW_THE_STATE = ("text", "line", "city", "district", "postalCode")

EXPLANATION_OF_BENEFIT = FhirResource(
    "ExplanationOfBenefit",
    search_params=(
        SearchParam(
            name="identifier",
            type="token",
            path=("identifier",),
            definition="http://hl7.org/fhir/us/carin-bb/SearchParameter/explanationofbenefit-identifier",
        ),
        SearchParam(
            name="type",
            type="token",
            path=("type",),
            code_system="https://bluebutton.cms.gov/resources/codesystem/eob-type",
            codes=BLUE_BUTTON_TYPES + HL7_TYPES,
            definition="http://hl7.org/fhir/us/carin-bb/SearchParameter/explanationofbenefit-type",
        ),
        SearchParam(
            name="service-date",
            type="date",
            path=("billablePeriod.end", "billablePeriod.start"),
            definition="http://hl7.org/fhir/us/carin-bb/SearchParameter/explanationofbenefit-service-date",
        ),
    ),
    # CARIN Blue Button 2.0, "_include Support".
    includes=(
        Include("patient", "patient", ("Patient",)),
        Include("provider", "provider", PROVIDERS),
        Include("care-team", "careTeam.provider", PROVIDERS),
        Include("coverage", "insurance.coverage", ("Coverage",)),
        Include("insurer", "insurer", ("Organization",)),
        Include("payee", "payee.party", (*PROVIDERS, "Patient", "RelatedPerson")),
    ),
    # Who was paid, where an accident happened, the printed form and attached papers can name the person, and care at
    # home is given where the person lives.  CMS fills none of them today but the state of `locationAddress`.
    demographic_elements=(
        "payee",
        "accident",
        "insurance.coverage.display",
        "insurance.coverage.identifier",
        *(f"form.{part}" for part in ("data", "url", "title")),
        "information.valueAttachment",
        "supportingInfo.valueAttachment",
        *(f"{item}.locationAddress.{part}" for item in ("item", "addItem") for part in BELOW_THE_STATE),
    ),
    stu3_elements=("information", "organization", "hospitalization", "totalCost", "totalBenefit"),
    r4_elements=("use", "supportingInfo", "total"),
    profiles=(
        "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Inpatient-Institutional",
        "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Outpatient-Institutional",
        "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Pharmacy",
        "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Professional-NonClinician",
    ),
)


@hookimpl
def register_scopes():
    return EXPLANATION_OF_BENEFIT.scopes(
        consent=Words("Your Medicare claims", es="Sus reclamos de Medicare"),
        detail=Words(
            "At least four years of doctor and hospital visits, equipment and prescriptions: dates, providers, "
            "diagnoses, treatments and drugs, what was charged and what was paid.",
            es="Al menos cuatro años de visitas al médico y al hospital, equipo y recetas: fechas, proveedores, "
            "diagnósticos, tratamientos y medicamentos, lo que se cobró y lo que se pagó.",
        ),
        reach=Words(
            "If you share your claims, it can see at least four years of them.",
            es="Si comparte sus reclamos, puede ver al menos cuatro años de ellos.",
        ),
        demographic=False,
        order=-1,  # what people look for first
    )
