"""Is a plugin's new resource found by what the plugin declares, whatever the type of the parameter?"""

import pytest
from fhir_records import claim, ids

from bb2.fhir import MemorySource
from bb2.scopes import FhirResource, ScopeError, SearchParam, hookimpl
from bb2.testing import ALICE, BOB, ConsentServer
from databases import emptied

BASE = "http://localhost/v2/fhir"
ELSEWHERE = "https://elsewhere.example/fhir/Practitioner/1"
DISPENSE = FhirResource(
    "MedicationDispense",
    patient_element="subject",
    search_params=(
        SearchParam(name="status", type="token", path=("status",)),
        SearchParam(name="whenhandedover", type="date", path=("whenHandedOver",)),
        SearchParam(name="performer", type="reference", path=("performer.actor",)),
        SearchParam(name="note", type="string", path=("note.text",)),
        SearchParam(name="receiver", type="string", path=("receiver",)),
    ),
)


class Plugin:
    """A plugin that was never there before: its records are in the server's store, or in a list of its own."""

    def __init__(self, source=None):
        self.source = source

    @hookimpl
    def register_scopes(self):
        return DISPENSE.scopes(consent="The drugs you were given", demographic=False)

    @hookimpl
    def register_fhir_sources(self):
        return {"MedicationDispense": self.source} if self.source else {}


def dispense(id, actor=None, note=None, patient=ALICE, **elements):
    record = {"resourceType": "MedicationDispense", "id": id, "subject": {"reference": f"Patient/{patient}"}}
    record |= {"performer": [{"actor": {"reference": actor}}]} if actor else {}
    return record | ({"note": [{"text": note}]} if note else {}) | elements


RECORDS = [
    dispense("a", "Practitioner/1", "Take with water", status="completed", whenHandedOver="2024-06-30"),
    dispense("b", "Organization/1", "TAKE in the morning", status="declined"),
    dispense(
        "c", ELSEWHERE, "Après le déjeuner", receiver={"use": "usual", "family": "Núñez", "given": ["José", "Ana"]}
    ),
    dispense("d", "#contained", "100% water_free", receiver=[{"text": "Usual Name"}]),
    dispense("e", "Practitioner/1/_history/2", "number 1EG4TE5MK73"),
    dispense("f", {"not": "a text"}, {"not": "a text"}),
    dispense("g", "Practitioner/1", "Take with water", patient=BOB),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "a list"])
def found(request):
    """A function that searches, in the store or in a list, and returns the ids that it found."""
    if request.param == "a list":
        server = ConsentServer(Plugin(MemorySource({"v2": RECORDS})))
    else:
        engine = None if request.param == "sqlite" else emptied(request.getfixturevalue("postgresql"))
        server = ConsentServer(Plugin(), records={"v2": RECORDS}, engine=engine)
    token = server.grant("patient/MedicationDispense.read")

    def search(**params):
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return ids(server.get("/v2/fhir/MedicationDispense", params, headers=headers).json)

    return search


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("status", "completed,declined", ["a", "b"]),
        ("whenhandedover", "2024-06", ["a"]),
        ("performer", "Practitioner/1", ["a", "e"]),
        ("performer", f"{BASE}/Practitioner/1", ["a", "e"]),
        ("performer", "1", ["a", "b", "e"]),
        ("performer", "Organization/1,Practitioner/2", ["b"]),
        ("performer", ELSEWHERE, ["c"]),
        ("performer", "practitioner/1", []),
        ("performer", "#contained", []),
        ("note", "take", ["a", "b"]),
        ("note", "Take W", ["a"]),
        ("note", "water", []),  # a text is found by how it begins
        ("note", "apres", ["c"]),
        ("note", "APRÈS LE", ["c"]),
        ("note", "100%", ["d"]),
        ("note", "100_", []),
        ("note", r"100\% water_,take in", ["b"]),
        ("note", "number", []),  # a Medicare number is not to be confirmed
        ("receiver", "nunez", ["c"]),
        ("receiver", "ana", ["c"]),
        ("receiver", "usual", ["d"]),  # a name, and not the code of its use
        ("subject", f"{BASE}/Patient/{ALICE}", ["a", "b", "c", "d", "e", "f"]),
    ],
)
def test_a_record_is_found_by_what_its_plugin_declares(found, name, value, expected):
    assert found(**{name: value}) == expected


@pytest.mark.parametrize(("kind", "path"), [("token", "payee.party"), ("string", "payee"), ("string", "insurance")])
def test_what_is_taken_out_cannot_be_searched_by(kind, path):
    with pytest.raises(ScopeError, match=f"owed looks at {path}.*demographic"):
        FhirResource(
            "Claim",
            search_params=(SearchParam(name="owed", type=kind, path=(path,)),),
            demographic_elements=("payee", "insurance.name"),
        )


def test_what_stands_beside_it_can():
    by_name = SearchParam(name="insurer", type="reference", path=("insurance",))
    resource = FhirResource("Claim", search_params=(by_name,), demographic_elements=("insurance.name", "insur"))
    assert resource.search_params == (by_name,)
    assert resource.patient_of(claim("v2", "pde-1")) == ALICE


def test_an_unknown_type_is_refused():
    with pytest.raises(ScopeError, match=r"quantity.*token, date, string, reference"):
        SearchParam(name="weight", type="quantity", path=("weight",))
