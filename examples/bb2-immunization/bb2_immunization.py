"""patient/Immunization: the person's vaccinations, from the immunization registry of a state, over HTTP."""

from pathlib import Path

from bb2.fhir.upstream import UpstreamSource
from bb2.scopes import FhirResource, SearchParam, Words, hookimpl
from bb2.settings import SettingError

bb2_contract = "1.0"

OURS = "bb2_immunization."
FILES = {"authorization": "authorization_file", "ca": "ca"}
SETTINGS = ("url", "seconds", *FILES)

IMMUNIZATION = FhirResource(
    "Immunization",
    search_params=(
        SearchParam(name="date", type="date", path=("occurrenceDateTime",)),
        SearchParam(name="status", type="token", path=("status",)),
        SearchParam(name="vaccine-code", type="token", path=("vaccineCode",)),
    ),
    # The registry's number of the record can be that of the person; a place can be a home or a school; and who is
    # vaccinated from public funds (programEligibility) tells of poverty, or of descent.
    demographic_elements=("encounter", "identifier", "location", "occurrenceString", "programEligibility"),
    versions=("v2",),
    r4_elements=("occurrenceDateTime", "occurrenceString", "programEligibility", "statusReason"),
)


@hookimpl
def register_scopes():
    return IMMUNIZATION.scopes(
        consent=Words("Your vaccinations", es="Sus vacunas"),
        detail=Words(
            "What you were vaccinated against, when, and with what, from your state's immunization registry.",
            es="Contra qué se vacunó, cuándo y con qué, según el registro de vacunas de su estado.",
        ),
        reach=Words(
            "If you share your vaccinations, it can see those of your whole life, as far as the registry has them.",
            es="Si comparte sus vacunas, puede ver las de toda su vida, hasta donde las tenga el registro.",
        ),
        demographic=False,
    )


@hookimpl
def register_fhir_sources(settings):
    """The registry that `bb2_immunization.url` names; without it, the server's own store holds the records."""
    given = {name.removeprefix(OURS): value for name, value in settings.others.items() if name.startswith(OURS)}
    if unknown := sorted(given.keys() - set(SETTINGS)):
        accepted = ", ".join(OURS + name for name in SETTINGS)
        raise SettingError(f"unknown setting {OURS}{unknown[0]}; accepted: {accepted}")
    if "url" not in given:
        return {}
    seconds = _seconds(given.get("seconds", "10"))
    files = {name: Path(given[setting]) for setting, name in FILES.items() if setting in given}
    source = UpstreamSource.at({"v2": given["url"]}, named=OURS, seconds=seconds, read=seconds, **files)
    return {"Immunization": source}


def _seconds(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 60:
        raise SettingError(f"{OURS}seconds is {text!r}; accepted: a whole number from 1 to 60")
    return int(text)
