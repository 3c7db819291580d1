"""The tests that every scope passes; what is on the card, what is not, and for whom."""

import io

import bb2_insurance_card
import pytest
from bb2_insurance_card.card import Card
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import update

from bb2.fhir import FhirError
from bb2.models import Client
from bb2.scopes import coverage, hookimpl, openid, patient, profile
from bb2.testing import ALICE, BOB, ConsentServer, EndpointTests

BOTH = "insurance-card patient/Patient.read"
NUMBERS = {ALICE: "1S00A00AA01", BOB: "1S00A00AA02"}
NAMES = {ALICE: ("Alice Zoe", "Doe"), BOB: ("Bob", "Núñez-O'Hara")}


def covered(person, part, start="2016-03-01", **elements):
    plan = {"type": {"coding": [{"code": "plan"}]}, "value": f"Part {part}"}
    return {
        "resourceType": "Coverage",
        "id": f"part-{part.lower()}{person}",
        "status": "active",
        "subscriberId": NUMBERS[person],
        "beneficiary": {"reference": f"Patient/{person}"},
        "class": [plan],
        "period": {"start": start},
    } | elements


def records():
    people = [
        {"resourceType": "Patient", "id": person, "name": [{"use": "usual", "given": [given], "family": family}]}
        for person, (given, family) in NAMES.items()
    ]
    parts = [covered(person, part) for person in NAMES for part in "AB"]
    odd = [covered(person, "D", "2019-07") for person in NAMES] + [covered(ALICE, "C", status="draft")]
    return {"v2": [*people, *parts, *odd]}


class TestInsuranceCard(EndpointTests):
    plugin = bb2_insurance_card
    scope = "insurance-card"
    beside = (coverage, patient)

    def records(self):
        return records()


@pytest.fixture(scope="module")
def server():
    return ConsentServer(openid, profile, coverage, patient, bb2_insurance_card, records=records())


def text(server, token):
    answer = server.api("insurance/card.pdf", token)
    assert answer.content_type == "application/pdf"
    (page,) = PdfReader(io.BytesIO(answer.body)).pages
    return page.extract_text()


@pytest.mark.parametrize("permission", ["read", "rs", "r", "s"])
def test_whoever_shares_who_they_are_has_name_and_number_on_the_card(server, permission):
    shown = text(server, server.grant(f"insurance-card patient/Patient.{permission}"))
    for words in ("ALICE ZOE DOE", "1S00-A00-AA01", "HOSPITAL (PART A)", "MEDICAL (PART B)", "03-01-2016"):
        assert words in shown
    assert "Nombre" in shown
    assert "BOB" not in shown
    assert "AA02" not in shown


def test_only_what_is_active_is_on_the_card(server):
    shown = text(server, server.grant("insurance-card"))
    assert "(PART C)" not in shown
    assert "DRUGS (PART D)" in shown  # since when is not known to the day, and not said
    assert "2019" not in shown


@pytest.mark.parametrize(
    ("asked", "choices"),
    [
        (BOTH, {"share_demographic": False}),
        (BOTH, {"leave_out": ("patient/Patient.read",)}),
        ("insurance-card", {}),
        ("insurance-card profile", {}),  # the name on the account, and not what is in the records
        ("insurance-card patient/Coverage.read", {}),
    ],
)
def test_without_who_the_person_is_the_card_is_the_same_to_the_byte_whoever_it_is(server, asked, choices):
    cards = []
    for username in ("alice", "bob"):
        token = server.grant(asked, username=username, **choices)
        server.api("fhir/Patient", token, status=403)
        cards.append([server.api(f"insurance/card.{format}", token).body for format in ("pdf", "png")])
    assert cards[0] == cards[1]
    assert "not shared" in text(server, token)


def test_the_card_loses_name_and_number_at_once_when_the_app_may_not_ask_for_them_any_more(server):
    token = server.grant(BOTH)
    assert "ALICE" in text(server, token)
    for may_ask in (False, True):
        with server.db() as db:
            db.execute(update(Client).values(asks_demographic=may_ask))
        shown = text(server, token)
        assert ("ALICE" in shown) is may_ask
        assert ("AA01" in shown) is may_ask


def test_the_picture_is_a_card_of_three_hundred_dots_an_inch(server):
    answer = server.api("insurance/card.png", server.grant(BOTH))
    assert answer.content_type == "image/png"
    with Image.open(io.BytesIO(answer.body)) as picture:
        assert picture.format == "PNG"
        assert abs(picture.width - 85.6 / 25.4 * 300) < 2
        assert abs(picture.height - 53.98 / 25.4 * 300) < 2


def test_the_pdf_says_its_title_and_its_language_and_can_be_read_aloud(server):
    answer = server.api("insurance/card.pdf", server.grant(BOTH))
    document = PdfReader(io.BytesIO(answer.body))
    root = document.trailer["/Root"]
    assert document.metadata.title == "Medicare card / Tarjeta de Medicare"
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"].value
    assert "/StructTreeRoot" in root
    assert b"<pdfuaid:part>1" in answer.body


def test_no_cache_on_the_way_keeps_a_card(server):
    answer = server.api("insurance/card.pdf", server.grant(BOTH))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == 'inline; filename="medicare-card.pdf"'


@pytest.mark.parametrize("path", ["insurance/card.gif", "insurance/card", "insurance/card.pdf.png", "insurance/card."])
def test_what_is_no_format_of_the_card_is_not_there(server, path):
    assert server.api(path, server.grant("insurance-card"), status=404).json["error"] == "not_found"


def test_it_is_read_and_not_written(server):
    headers = {"Authorization": f"Bearer {server.grant('insurance-card')['access_token']}"}
    assert server.post("/v2/insurance/card.pdf", headers=headers, status=405).headers["Allow"] == "GET"


def test_there_is_no_card_without_an_active_part_of_medicare():
    gone = [covered(ALICE, "A", status="cancelled"), covered(ALICE, "B", period={"end": "2020"})]
    server = ConsentServer(openid, coverage, patient, bb2_insurance_card, records={"v2": gone})
    answer = server.api("insurance/card.png", server.grant("insurance-card"), status=404)
    assert answer.json["error"] == "not_found"
    assert "no active part of Medicare" in answer.json["error_description"]


def test_without_the_plugins_of_its_records_there_is_no_card():
    server = ConsentServer(openid, bb2_insurance_card)
    server.api("insurance/card.pdf", server.grant("insurance-card"), status=404)


@pytest.mark.parametrize("status", [502, 504])
def test_what_the_records_source_refuses_is_told_in_the_shape_of_the_place(status):
    server = ConsentServer(openid, coverage, patient, bb2_insurance_card, Failing(status))
    answer = server.api("insurance/card.pdf", server.grant("insurance-card"), status=status)
    assert answer.content_type == "application/json"
    assert answer.json["error"] == "temporarily_unavailable"
    assert answer.json["error_description"] == "The records cannot be had"


class Failing:
    """A plugin whose source of Coverage fails."""

    def __init__(self, status):
        self.status = status

    @hookimpl
    def register_fhir_sources(self):
        return {"Coverage": self}

    def read(self, *_asked):
        raise FhirError(self.status, "transient", "The records cannot be had")

    def search(self, query):
        self.read(query)


@pytest.mark.parametrize("name", ["#sys.inputs", "*bold* _it_ $x$ <b> \\ \" '", "김 철수", "\x00\x07", "x" * 500])
def test_any_name_can_be_drawn_and_none_is_markup(name):
    drawn = Card.of([covered(ALICE, "A")], {"name": [{"family": name}]})
    for format in ("pdf", "png"):
        assert drawn.drawn(format)
    (page,) = PdfReader(io.BytesIO(drawn.drawn("pdf"))).pages
    if name.startswith("#"):
        assert "#SYS.INPUTS" in page.extract_text()


@pytest.mark.parametrize(("end", "there"), [("2026", True), ("2026-11", True), ("2026-11-21", False), ("2025", False)])
def test_a_part_that_has_ended_is_not_on_the_card(end, there):
    assert (Card.of([covered(ALICE, "A", period={"end": end})], today="2026-11-22") is not None) is there
