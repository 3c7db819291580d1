"""What `_include` brings along does not depend on who holds the records, nor on how many they are."""

from fhir_records import CLAIMS_AND_COVERAGE, EVERYTHING, claim, coverage, included

from bb2.fhir import FhirRecord, MemorySource, Page
from bb2.scopes import FhirResource, hookimpl
from bb2.testing import ALICE, BOB, ConsentServer
from built_in import BUILT_IN


def search(server, token, query):
    return server.fhir(f"ExplanationOfBenefit?{query}", token).json


def test_more_references_than_a_page_are_all_included(make_server):
    many = [{"reference": f"Coverage/many-{number:03}"} for number in range(120)]
    coverages = [coverage("x", id=reference["reference"].partition("/")[2]) for reference in many]
    server = make_server(
        records={
            "v2": [
                claim("v2", "pde-1", insurance=[{"coverage": reference} for reference in [*many, *many]]),
                *coverages,
            ]
        }
    )
    bundle = search(server, server.grant(CLAIMS_AND_COVERAGE), "_include=ExplanationOfBenefit:coverage")
    assert included(bundle) == [("Coverage", f"many-{number:03}") for number in range(120)]


def test_a_redacted_reference_brings_nothing_along(make_server):
    """The payee is who was paid, which a token without demographics does not learn from an included record either."""
    organization = FhirResource("Organization", patient_element="partOf")
    owned = {"resourceType": "Organization", "id": "clinic", "partOf": {"reference": f"Patient/{ALICE}"}}
    plugin = _Plugin(organization.scopes(consent="Your clinics", demographic=False))
    paid = claim("v2", "pde-1", payee={"party": {"reference": "Organization/clinic"}})
    server = make_server(*BUILT_IN, plugin, records={"v2": [paid, owned]})
    for share, found in ((True, [("Organization", "clinic")]), (False, [])):
        token = server.grant(f"{EVERYTHING} patient/Organization.read", share_demographic=share)
        bundle = search(server, token, "_include=ExplanationOfBenefit:payee")
        assert included(bundle) == found


def test_a_source_that_answers_more_than_was_asked_includes_no_more():
    """Whatever holds the records, the core checks whose they are and which were asked for."""

    class Generous(MemorySource):
        def search(self, query):
            mine = {"reference": f"Patient/{ALICE}"}
            found = [coverage("a"), coverage("b", BOB), coverage("c", BOB, beneficiary=mine)]
            return Page(len(found), [FhirRecord.of(query.resource, record) for record in found])

    plugin = _Plugin([], sources={"Coverage": Generous()})
    records = {"v2": [claim("v2", "pde-1", covered="part-a"), claim("v2", "pde-2", covered="part-b", patient=ALICE)]}
    records["v2"][1]["insurance"] = [{"coverage": {"reference": "Coverage/part-b--1002"}}]
    server = ConsentServer(*BUILT_IN, plugin, records=records)
    bundle = search(server, server.grant(CLAIMS_AND_COVERAGE), "_include=*")
    assert included(bundle) == [("Coverage", "part-a--1001")]


class _Plugin:
    """A plugin made of values."""

    def __init__(self, scopes, sources=None):
        self.scopes, self.sources = scopes, sources or {}

    @hookimpl
    def register_scopes(self):
        return self.scopes

    @hookimpl
    def register_fhir_sources(self):
        return self.sources
