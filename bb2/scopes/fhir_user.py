"""fhirUser: where the person's own record stands (SMART App Launch 2.2, "Scopes for requesting identity data")."""

from bb2.scopes import Scope, Words, hookimpl


@hookimpl
def register_scopes():
    return Scope(
        name="fhirUser",
        consent=Words(
            "The web address of your Medicare record here",
            es="La dirección web de su registro de Medicare aquí",
        ),
        detail=Words(
            "It holds the record number, and does not say who you are. "
            "The app cannot open it unless you share who you are.",
            es="Contiene el número de registro y no dice quién es usted. "
            "La aplicación no puede abrirla a menos que usted comparta quién es.",
        ),
        demographic=False,
        claims=("fhirUser",),
        id_token_claims=("fhirUser",),
    )


@hookimpl
def userinfo_claims(beneficiary, fhir_base):
    return {"fhirUser": f"{fhir_base}/Patient/{beneficiary.patient}"}
