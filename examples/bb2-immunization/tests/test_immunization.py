"""The tests that every scope passes, and a registry on a socket that is well, wrong, slow or away."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import bb2_immunization
import pytest

from bb2.scopes import openid, patient
from bb2.settings import SettingError
from bb2.testing import ALICE, BOB, WHO, ConsentServer, ScopeTests

SCOPE = "patient/Immunization.read"


class TestImmunization(ScopeTests):
    plugin = bb2_immunization
    scope = SCOPE


def vaccination(id, person, day, **elements):
    return {
        "resourceType": "Immunization",
        "id": id,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
        "patient": {"reference": f"Patient/{person}"},
        "occurrenceDateTime": day,
    } | elements


class Registry(ThreadingHTTPServer):
    """A FHIR server for one kind of record; `trouble(handler)`, where there is one, answers in its place."""

    daemon_threads = True

    def __init__(self, records):
        super().__init__(("127.0.0.1", 0), Handler)
        self.records = {record["id"]: record for record in records}
        self.trouble, self.asked, self.over = None, [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/fhir"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Authorization"]))
        url = urlsplit(self.path)
        id = url.path.removeprefix("/fhir/Immunization").removeprefix("/")
        if self.server.trouble:
            self.server.trouble(self)
        elif id:
            found = self.server.records.get(id)
            self.answer(200 if found else 404, found or {"resourceType": "OperationOutcome"})
        else:
            (person,) = parse_qs(url.query)["patient"]
            found = [each for each in self.server.records.values() if each["patient"]["reference"] == person]
            self.answer(200, bundle(found))

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Not to the terminal."""


def bundle(records):
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": record} for record in records]}


@contextmanager
def running(registry):
    threading.Thread(target=registry.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield registry
    finally:
        registry.over.set()
        registry.shutdown()
        registry.server_close()


@pytest.fixture(scope="module")
def well():
    """The registry, of which nobody asks anything yet."""
    records = [
        vaccination("flu", ALICE, "2025-10-01", location={"display": WHO}, note=[{"text": WHO}]),
        vaccination("shingles", ALICE, "2024-03-05"),
        vaccination("bobs", BOB, "2025-10-01"),
    ]
    with running(Registry(records)) as started:
        yield started


@pytest.fixture
def registry(well):
    well.trouble, well.asked, well.over = None, [], threading.Event()
    yield well
    well.over.set()


@pytest.fixture(scope="module")
def server(well, tmp_path_factory):
    header = tmp_path_factory.mktemp("registry") / "header"
    header.write_text("Bearer of the registry\n")
    return served(url=well.url, authorization=str(header), seconds="1")


def served(**settings):
    settings = {f"bb2_immunization.{name}": value for name, value in settings.items()}
    return ConsentServer(openid, patient, bb2_immunization, settings=settings)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["flu", "shingles"]),
        ("?date=ge2025", ["flu"]),
        ("?vaccine-code=http://hl7.org/fhir/sid/cvx|140&date=lt2025", ["shingles"]),
        ("?status=not-done", []),
    ],
)
def test_the_persons_own_vaccinations_are_found_in_the_registry(server, registry, search, found):
    answer = server.fhir(f"Immunization{search}", server.grant(SCOPE)).json
    assert [entry["resource"]["id"] for entry in answer.get("entry", ())] == found
    assert answer["total"] == len(found)
    assert {authorization for _path, authorization in registry.asked} == {"Bearer of the registry"}
    assert all(f"patient=Patient/{ALICE}" in path.replace("%2F", "/") for path, _authorization in registry.asked)


def test_one_vaccination_is_read_by_its_own_patient_only(server):
    token = server.grant(SCOPE)
    assert server.fhir("Immunization/flu", token).json["occurrenceDateTime"] == "2025-10-01"
    for id in ("bobs", "unknown"):
        server.fhir(f"Immunization/{id}", token, status=404)


@pytest.mark.parametrize("shared", [True, False])
def test_who_the_person_is_stays_in_the_registry_unless_they_share_it(server, shared):
    token = server.grant(f"{SCOPE} patient/Patient.read", share_demographic=shared)
    assert (WHO in server.fhir("Immunization", token).text) is shared


def failing(handler):
    handler.answer(500, {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "a secret of the registry"}]})


def refusing(handler):
    handler.answer(401, {})


def waiting(handler):
    handler.server.over.wait(10)


def another_persons(handler):
    handler.answer(200, bundle([vaccination("bobs", BOB, "2025-10-01")]))


def hanging_up(handler):
    handler.close_connection = True


@pytest.mark.parametrize(
    ("trouble", "status"), [(failing, 502), (refusing, 502), (another_persons, 502), (hanging_up, 502), (waiting, 504)]
)
def test_trouble_in_the_registry_is_an_operation_outcome_that_tells_nothing_of_it(server, registry, trouble, status):
    token = server.grant(SCOPE)
    registry.trouble = trouble
    answer = server.fhir("Immunization", token, status=status)
    assert answer.content_type == "application/fhir+json"
    assert answer.json["resourceType"] == "OperationOutcome"
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text
    registry.trouble = None
    assert server.fhir("Immunization", token).json["total"] == 2


def test_a_registry_that_is_away_is_502(registry):
    gone = Registry(())
    gone.server_close()
    server = served(url=gone.url, seconds="1")
    server.fhir("Immunization", server.grant(SCOPE), status=502)


def test_without_a_registry_the_servers_own_store_holds_them():
    server = served()
    with server.db() as db:
        server.load(db, {"v2": [vaccination("stored", ALICE, "2025-10-01")]})
    assert server.fhir("Immunization/stored", server.grant(SCOPE)).json["id"] == "stored"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"ulr": "https://registry.example/fhir"},
            "unknown setting bb2_immunization.ulr; accepted: bb2_immunization.url",
        ),
        ({"url": "http://registry.example/fhir"}, "accepted: https, or http on this machine's loopback address"),
        ({"url": "https://me:secret@registry.example"}, "without a name, a password or a query"),
        ({"url": "https://registry.example", "seconds": "0"}, "seconds is '0'; accepted: a whole number from 1 to 60"),
        ({"url": "https://registry.example", "authorization": "/nowhere"}, "does not hold one line such as `Bearer …`"),
        ({"url": "https://registry.example", "ca": "/nowhere"}, "cannot be used: /nowhere"),
    ],
)
def test_what_cannot_be_used_stops_the_start(settings, told):
    with pytest.raises(SettingError) as caught:
        served(**settings)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
