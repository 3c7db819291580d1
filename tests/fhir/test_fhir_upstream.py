"""The records of another FHIR server: whatever it answers, an app gets its person's records, or an OperationOutcome."""

import gzip
import logging
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from fhir_records import (
    EVERYTHING,
    MBI,
    RESOURCES,
    assert_outcome,
    claim,
    coverage,
    grant_to_another_app,
    ids,
    included,
    link,
    pages,
    person,
)

from bb2.fhir import FhirError
from bb2.fhir.breaker import Breaker
from bb2.fhir.transport import BadAnswer, Budget, Transport, Unavailable
from bb2.fhir.upstream import UpstreamSource
from bb2.scopes import hookimpl
from bb2.settings import SettingError, Settings
from bb2.testing import ALICE, BOB, ConsentServer
from built_in import BUILT_IN
from other_server import OtherServer, searchset, send
from papers import certificate, write

NUMBER = "1EG4TE5MK73"
BOBS = "what only Bob's record says"
MINE = [claim("v2", f"pde-{n}") for n in range(7)]
RECORDS = [
    *MINE,
    *(coverage(part, subscriberId=NUMBER) for part in "ab"),
    person(),
    claim("v2", "pde-77", BOB, disposition=BOBS),
    coverage("a", BOB, subscriberId=BOBS),
    person(BOB, name=[{"family": BOBS}]),
]
BOMB = gzip.compress(b" " * 5_000_000, 1)  #: 22 KB
READ, SEARCH = "ExplanationOfBenefit/pde-1", "ExplanationOfBenefit"


def named(handler):
    """(resource type, id or "", parameters) of a request to the other server."""
    url = urlsplit(handler.path)
    kind, _, id = url.path.removeprefix("/v2/fhir").removeprefix("/").partition("/")
    return kind, id, dict(parse_qsl(url.query))


def good(handler):
    """As a server answers that holds everybody's records, and trusts us as BFD does: the search says whose."""
    kind, id, asked = named(handler)
    of_type = [record for record in RECORDS if record["resourceType"] == kind]
    if id:
        found = [record for record in of_type if record["id"] == id]
        return send(handler, found[0]) if found else send(handler, {"resourceType": "OperationOutcome"}, 404)
    element = "beneficiary" if kind == "Coverage" else "patient"
    return send(handler, searchset([r for r in of_type if r[element]["reference"] == asked[element]]))


class Source:
    """A plugin that brings the records of another server, with less patience than the settings allow."""

    def __init__(self, source):
        self.source = source

    @hookimpl
    def register_scopes(self):
        return []

    @hookimpl
    def register_fhir_sources(self):
        return dict.fromkeys(("Patient", "Coverage", "ExplanationOfBenefit"), self.source)


@pytest.fixture(scope="module")
def running():
    with OtherServer() as other:
        yield other


@pytest.fixture(scope="module")
def source(running):
    transport = Transport(running.base, connect=0.3, read=0.3, retries=1, connections=4)
    return UpstreamSource({"v2": transport}, params=["_lastUpdated"], seconds=0.8, size=300_000)


@pytest.fixture(scope="module")
def server(source):
    return ConsentServer(*BUILT_IN, Source(source))


@pytest.fixture(scope="module")
def sharing(server):
    return server.grant(EVERYTHING)


@pytest.fixture
def other(running, source):
    """The other server, which answers well until it is told otherwise."""
    running.answer = good
    running.asked.clear()
    source.transports["v2"].breaker.succeeded()
    return running


# What is right


def test_a_search_is_sent_within_the_persons_compartment(server, sharing, other):
    for path, element in (
        ("ExplanationOfBenefit?_count=3", "patient"),
        ("ExplanationOfBenefit?patient=-1001&_id=pde-77", "patient"),
        ("Coverage", "beneficiary"),
    ):
        other.asked.clear()
        server.fhir(path, sharing)
        assert [parse_qsl(urlsplit(asked).query)[0] for asked in other.asked] == [(element, f"Patient/{ALICE}")]
        assert not any(part in asked for asked in other.asked for part in (BOB, "pde-77"))


def test_another_person_is_never_asked_for(server, sharing, other):
    server.fhir(f"ExplanationOfBenefit?patient={BOB}", sharing, status=403)
    server.fhir(f"Patient/{BOB}", sharing, status=404)
    assert other.asked == []


def test_the_persons_numbers_are_in_no_url(server, sharing, other):
    for path in (f"Patient?identifier={MBI}|{NUMBER}", f"ExplanationOfBenefit?identifier={NUMBER}"):
        server.fhir(path, sharing)
    assert ids(server.fhir(f"Patient?identifier={NUMBER}", sharing).json) == [ALICE]
    assert len(other.asked) == 3
    assert not any(NUMBER in asked for asked in other.asked)


def test_only_parameters_that_are_understood_are_sent_along(server, sharing, other):
    server.fhir("ExplanationOfBenefit?_lastUpdated=ge2020&type=pde&service-date=2024&_include=*", sharing)
    sent = dict(parse_qsl(urlsplit(other.asked[0]).query))
    assert sent == {"patient": f"Patient/{ALICE}", "_count": "100", "_lastUpdated": "ge2020"}


def test_another_persons_record_is_as_unknown_as_none(server, sharing, other):
    answers = [server.fhir(f"ExplanationOfBenefit/{id}", sharing, status=404) for id in ("pde-77", "none", "..", ".")]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert all(asked.endswith(("/pde-77", "/none")) for asked in other.asked)


def test_who_declines_is_redacted_and_includes_are_looked_up(server, other):
    token = grant_to_another_app(server, EVERYTHING, share_demographic=False)
    assert NUMBER not in server.fhir("Coverage/part-a--1001", token).text
    bundle = server.fhir("ExplanationOfBenefit?_include=*&_count=1", token)
    assert included(bundle.json) == [("Coverage", "part-b--1001")]
    assert NUMBER not in bundle.text


def opaque(handler):
    """As HAPI FHIR pages: the next page has an address of its own, under the name by which the server knows itself."""
    asked = named(handler)[2]
    start = int(asked.get("_getpagesoffset", 0))
    following = [
        {"relation": "next", "url": f"http://inside.example:8080/v2/fhir?_getpages=x&_getpagesoffset={start + 3}"}
    ]
    send(handler, searchset(MINE[start : start + 3], link=following if start + 3 < len(MINE) else [], total=2))


def by_index(handler):
    """As BFD pages: by startIndex and _count; this one goes on from a link without a host."""
    start = int(named(handler)[2].get("startIndex", 0))
    following = [{"relation": "next", "url": f"ExplanationOfBenefit?patient=x&startIndex={start + 2}&_count=2"}]
    send(handler, searchset(MINE[start : start + 2], link=following if start + 2 < len(MINE) else [], total=99999))


@pytest.mark.parametrize("paging", [opaque, by_index])
def test_every_page_is_followed_and_a_total_that_lies_is_not_repeated(server, sharing, other, paging):
    other.answer = paging
    walked = list(pages(server, sharing, "ExplanationOfBenefit?_count=4", "v2"))
    assert [ids(page) for page in walked] == [[f"pde-{n}" for n in range(4)], [f"pde-{n}" for n in range(4, 7)]]
    assert {page["total"] for page in walked} == {7}
    assert link(walked[0], "next").startswith("http://localhost/v2/fhir/ExplanationOfBenefit?")
    assert server.fhir("ExplanationOfBenefit?_count=0&_id=pde-5,pde-6", sharing).json["total"] == 2


def test_references_to_the_other_server_lead_to_ours_and_numbers_keep_their_digits(server, sharing, other):
    written = (
        '{"resourceType": "ExplanationOfBenefit", "id": "pde-1", "patient": {"reference": "BASE/Patient/-1001"},'
        ' "payment": {"amount": {"value": 1.00}}, "big": 12345678901234567890123, "small": -0.0, "name": "\\u00e9",'
        ' "insurer": {"reference": "https://third.example/Organization/1"}}'
    ).replace("BASE", other.base.replace("/", r"\/"))
    other.answer = lambda handler: send(handler, written.encode())
    text = server.fhir(READ, sharing).text
    assert '"reference":"Patient/-1001"' in text
    assert '"value":1.00' in text
    assert '"big":12345678901234567890123,"small":-0.0,"name":"é"' in text
    assert "https://third.example/Organization/1" in text
    assert other.base not in text


def test_compressed_answers_are_read(server, sharing, other):
    other.answer = lambda handler: send(
        handler, gzip.compress(b'{"resourceType":"Patient","id":"-1001"}'), Content_Encoding="gzip"
    )
    assert server.fhir("Patient/-1001", sharing).json == {"resourceType": "Patient", "id": ALICE}


# What is wrong


def slow(handler):
    handler.server.over.wait(2)


def dripping(handler):
    """A byte now and then, so that no piece takes long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(40):
        if handler.server.over.wait(0.05):
            break
        handler.wfile.write(b" ")


def dripping_headers(handler):
    for _ in range(40):
        if handler.server.over.wait(0.05):
            break
        handler.wfile.write(b"H")


def breaking_off(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"resourceType":"Bundle","entry":[')
    handler.close_connection = True


def breaking_off_a_chunk(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"resourceType":')
    handler.close_connection = True


def hanging_up(handler):
    handler.close_connection = True


def no_http(handler):
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)
    handler.close_connection = True


def html(handler):
    send(handler, b"<html><h1>Sign in to the gateway</h1></html>", content_type="text/html")


def another_person(handler):
    of_bob = [record for record in RECORDS if BOBS in str(record) and record["resourceType"] == named(handler)[0]]
    send(handler, searchset([*MINE, *of_bob]) if not named(handler)[1] else {**of_bob[0], "id": "pde-2"})


def of_a_third_server(handler):
    """`Patient/-1001` there is somebody else than `Patient/-1001` here."""
    record = claim(
        "v2", "pde-1", patient={"reference": f"https://third.example/fhir/Patient/{ALICE}"}, disposition=BOBS
    )
    send(handler, record if named(handler)[1] else searchset([record]))


def another_type(handler):
    send(handler, coverage("a") if named(handler)[1] else searchset([coverage("a"), person()]))


def another_id(handler):
    send(handler, claim("v2", "pde-2") if named(handler)[1] else searchset([claim("v2", "../x")]))


def too_large(handler):
    record = claim("v2", "pde-1", disposition="x" * 400_000)
    send(handler, record if named(handler)[1] else searchset([record]))


def bomb(handler):
    send(handler, BOMB, Content_Encoding="gzip")


def without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b" " * 10_000)
    handler.close_connection = True


def elsewhere(handler):
    send(handler, b"", 302, Location=f"http://127.0.0.1:{handler.server.server_port}/v2/fhir/elsewhere")


def pages_elsewhere(handler):
    send(handler, searchset(MINE, link=[{"relation": "next", "url": "http://169.254.169.254/latest/meta-data"}]))


def pages_above(handler):
    send(handler, searchset(MINE, link=[{"relation": "next", "url": f"{handler.server.base}/../admin?x"}]))


def pages_in_a_circle(handler):
    send(handler, searchset(MINE, link=[{"relation": "next", "url": f"{handler.server.base}?_getpages=1"}]))


def status(number):
    def answer(handler):
        send(handler, {"resourceType": "OperationOutcome", "issue": [{"diagnostics": BOBS}]}, number)

    answer.__name__ = f"status_{number}"
    return answer


def says(body):
    def answer(handler):
        send(handler, body)

    answer.__name__ = f"says_{body[:24]}"
    return answer


EVERYWHERE = (READ, SEARCH)
FAULTS = [
    (slow, 504, EVERYWHERE),
    (dripping, 504, [READ]),
    (dripping_headers, 504, [READ]),
    (status(504), 504, [READ]),
    *((fault, 502, EVERYWHERE) for fault in (breaking_off, html, another_type, another_id, too_large)),
    *((fault, 502, [SEARCH]) for fault in (another_person, of_a_third_server)),
    *((fault, 502, [SEARCH]) for fault in (pages_elsewhere, pages_above, pages_in_a_circle, status(404), status(410))),
    *((fault, 502, [READ]) for fault in (breaking_off_a_chunk, hanging_up, no_http, without_end, bomb, elsewhere)),
    *((status(number), 502, [READ]) for number in (204, 400, 401, 403, 429, 500, 502, 503)),
    *(
        (says(body), 502, EVERYWHERE)
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"resourceType":"Bundle"}',
            b'{"resourceType":"Bundle","type":"searchset","entry":{"a":1}}',
            b'{"resourceType":"Bundle","type":"searchset","entry":[1]}',
            b'{"resourceType":"Bundle","type":"searchset","entry":[{}]}',
            b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":7}]}',
            b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":null}]}',
            b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"/v2/fhir/%2e%2E/x?y"}]}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","x":NaN}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","patient":{"reference":"Patient/-1001"},"x":1e999}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","meta":{"lastUpdated":"yesterday"}}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","meta":7}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","x":"\\ud800"}',
            b'{"resourceType":"ExplanationOfBenefit","id":"pde-1","x":"\xff"}',
            b"[" * 100_000,
        )
    ),
]


@pytest.mark.parametrize(
    ("fault", "expected", "path"),
    [(fault, expected, path) for fault, expected, paths in FAULTS for path in paths],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_wrong_answer_is_an_operation_outcome_and_shows_nobody_elses_data(
    server, sharing, other, caplog, fault, expected, path
):
    other.answer = fault
    began = time.monotonic()
    answer = server.fhir(path, sharing, status=expected)
    assert time.monotonic() - began < 5
    words = assert_outcome(answer, "timeout" if expected == 504 else "transient")
    assert words.startswith("The server that holds the records ")
    logged = [record for record in caplog.records if record.name.startswith("bb2.fhir")]
    assert [record.levelno for record in logged] == [logging.WARNING]
    for said in (BOBS, "Bob", "gateway", "pde-", ALICE, BOB, "meta-data"):
        assert said not in answer.text + caplog.text.replace(answer.request.path, "")
    assert not any(asked.endswith(("elsewhere", "admin?x")) for asked in other.asked)


def test_a_record_of_a_third_servers_patient_is_not_found(server, sharing, other):
    other.answer = of_a_third_server
    assert_outcome(server.fhir(READ, sharing, status=404), "not-found")


def test_what_may_pass_is_repeated(server, sharing, other):
    for fault in (breaking_off, hanging_up, status(502), status(503)):
        first = iter([fault])
        other.answer = lambda handler, first=first: next(first, good)(handler)
        assert server.fhir(READ, sharing).json["id"] == "pde-1"


@pytest.mark.parametrize(
    ("fault", "times"), [(status(503), 2), (status(500), 1), (status(401), 1), (html, 1), (slow, 1)]
)
def test_nothing_else_is_repeated_nor_without_end(server, sharing, other, fault, times):
    other.answer = fault
    server.fhir(READ, sharing, expect_errors=True, status=None)
    assert len(other.asked) == times


def test_a_server_that_fails_on_and_on_is_left_alone(server, sharing, other, source):
    other.answer = status(503)
    for _ in range(5):
        server.fhir(READ, sharing, status=502)
    asked = len(other.asked)
    server.fhir(READ, sharing, status=502)
    assert len(other.asked) == asked
    source.transports["v2"].breaker.succeeded()
    other.answer = good
    server.fhir(READ, sharing)


def test_a_breaker_lets_one_try_at_a_time_and_closes_when_it_succeeds():
    now = [0.0]
    breaker = Breaker(failures=2, seconds=10, clock=lambda: now[0])
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now[0] = 10
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.failed()
    now[0] = 19
    assert not breaker.allows()
    now[0] = 20
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_no_more_connections_are_made_than_allowed(other):
    transport = Transport(other.base, connections=2)
    at_once, most, lock = [0], [0], threading.Lock()

    def counted(handler):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.02)
        with lock:
            at_once[0] -= 1
        good(handler)

    other.answer = counted
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(transport.get(READ, Budget(5, 100_000))[0])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8
    assert most == [2]


def test_a_failed_request_gives_its_connection_back(other):
    transport = Transport(other.base, connections=1, retries=0, read=0.1)
    for fault in (too_large, breaking_off, slow, html, elsewhere, good):
        other.answer = fault
        try:
            assert transport.get(READ, Budget(1, 100_000))[0] == 200
        except (BadAnswer, Unavailable):
            assert fault is not good


def test_a_version_without_an_address_has_no_records(server, sharing, other):
    assert_outcome(server.fhir(READ, sharing, version="v1", status=404), "not-supported")
    assert other.asked == []


# Health


def of_settings(other, **more):
    settings = {"bb2.fhir_source": "upstream", "bb2.upstream_v2": other.base}
    return settings | {f"bb2.upstream_{name}": str(value) for name, value in more.items()}


def test_health_asks_the_other_server_once_in_a_while(other):
    def answer(handler):
        send(handler, {"resourceType": "CapabilityStatement"})

    other.answer = answer
    server = ConsentServer(*BUILT_IN, settings=of_settings(other))
    for _ in range(3):
        assert server.get("/health/fhir").json == {"message": "all's well"}
    assert other.asked == ["/v2/fhir/metadata"]


def test_health_says_that_the_other_server_does_not_answer(other):
    other.answer = status(401)
    server = ConsentServer(*BUILT_IN, settings=of_settings(other, retries=0))
    assert "does not answer" in server.get("/health/fhir", status=503).text
    server.get("/health/db", status=200)
    for fault in (html, status(503), hanging_up):
        other.answer = fault
        with pytest.raises(Unavailable):
            UpstreamSource.of(Settings.read(of_settings(other), {})).check()


def test_nobody_waits_for_anothers_question_about_health(other):
    def slow_metadata(handler):
        waiting.set()
        slow(handler)

    waiting = threading.Event()
    other.answer = slow_metadata
    source = UpstreamSource.of(Settings.read(of_settings(other, read_seconds=1), {}))
    with ThreadPoolExecutor() as threads:
        first = threads.submit(source.check)
        assert waiting.wait(5)
        with pytest.raises(Unavailable, match="nobody has asked"):
            source.check()
        with pytest.raises(Unavailable, match="ReadTimeoutError"):
            first.result()


# Who we are, and whom we trust


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """{name: PEM file}: two authorities, and what the first has signed."""
    folder = tmp_path_factory.mktemp("papers")
    ours, theirs = certificate("ours.example", authority=True), certificate("theirs.example", authority=True)
    made = {
        "ca": ours,
        "another_ca": theirs,
        "here": certificate("127.0.0.1", ours),
        "there": certificate("elsewhere.example", ours),
        "client": certificate("bb2.example", ours),
        "stranger": certificate("bb2.example", theirs),
    }
    return {name: write(folder, f"{name}.pem", pair) for name, pair in made.items()}


def tls_server(papers, name):
    """A server that shows the certificate of this name, and wants one that its authority has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers[name])
    context.load_verify_locations(papers["ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    return OtherServer(good, context)


@pytest.mark.parametrize(
    ("shown", "trusted", "own", "status"),
    [
        ("here", "ca", "client", 200),
        ("here", "ca", None, 502),
        ("here", "ca", "stranger", 502),
        ("here", "another_ca", "client", 502),
        ("here", None, "client", 502),
        ("there", "ca", "client", 502),
    ],
)
def test_both_sides_show_a_certificate(papers, caplog, shown, trusted, own, status):
    files = {name: papers[used] for name, used in (("ca", trusted), ("certificate", own)) if used}
    with tls_server(papers, shown) as other:
        source = UpstreamSource.of(Settings.read(of_settings(other, retries=0, **files), {}))
        if status == 200:
            assert source.read("v2", RESOURCES[SEARCH], "pde-1", ALICE).patient == ALICE
            return
        with pytest.raises(FhirError) as refused:
            source.read("v2", RESOURCES[SEARCH], "pde-1", ALICE)
    assert refused.value.status == status
    assert other.asked == []
    assert "the FHIR server of v2 cannot be used" in caplog.text


def test_the_authorization_is_read_anew_and_never_logged(other, tmp_path, caplog):
    secret = tmp_path / "authorization"
    secret.write_text("Bearer one-that-opens-much\n")
    server = ConsentServer(*BUILT_IN, settings=of_settings(other, authorization=secret))
    token = server.grant(EVERYTHING)
    server.fhir(READ, token)
    assert other.headers[-1]["Authorization"] == "Bearer one-that-opens-much"
    secret.write_text("Bearer the-next\n")
    server.fhir(READ, token)
    assert other.headers[-1]["Authorization"] == "Bearer the-next"
    assert token["access_token"] not in str(other.headers)
    secret.write_text("")
    assert_outcome(server.fhir(READ, token, status=502), "transient")
    assert "one-that-opens-much" not in caplog.text
    assert "the-next" not in caplog.text


def test_libraries_log_no_url_of_a_record(server, sharing, other, caplog):
    caplog.set_level(logging.DEBUG)
    other.answer = lambda handler: send(handler, RECORDS[0], X_Odd="a\r\n no header")
    server.fhir(READ, sharing, expect_errors=True, status=None)
    assert not [record for record in caplog.records if "pde-1" in record.getMessage()]


# Settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bb2.fhir_source": "upstream"}, "needs bb2.upstream_v1, bb2.upstream_v2 or both"),
        ({"bb2.fhir_source": "elsewhere"}, "sql, upstream"),
        ({"bb2.upstream_v2": "http://fhir.example/v2"}, "https"),
        ({"bb2.upstream_v2": "https://me:password@fhir.example/v2"}, "without a name, a password or a query"),
        ({"bb2.upstream_v2": "https://fhir.example/v2?x=1"}, "without a name, a password or a query"),
        ({"bb2.upstream_v2": "http://localhost:1/v2", "bb2.sandbox": "false"}, "only a sandbox may ask by http"),
        ({"bb2.upstream_key": "key.pem"}, "bb2.upstream_key needs bb2.upstream_certificate"),
        ({"bb2.upstream_search_params": "type _include"}, "`_id` and `_lastUpdated`"),
        ({"bb2.upstream_seconds": "0"}, "a whole number from 1"),
    ],
)
def test_half_a_description_of_the_other_server_stops_the_start(settings, words):
    with pytest.raises(SettingError, match=words) as refused:
        Settings.read(settings, {})
    assert "me:password" not in str(refused.value)


def test_a_file_that_cannot_be_used_stops_the_start(papers, tmp_path, other):
    empty = tmp_path / "empty"
    empty.write_text("")
    key = certificate("x.example")[1]
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        papers["client"].read_bytes().partition(b"-----BEGIN PRIVATE")[0]
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    for name, path in (
        ("ca", empty),
        ("ca", tmp_path / "none"),
        ("certificate", locked),
        ("certificate", empty),
        ("authorization", empty),
        ("authorization", tmp_path / "none"),
    ):
        files = {"ca": papers["ca"], "v2": "https://127.0.0.1/v2"} | {name: path}
        with pytest.raises(SettingError, match=f"bb2.upstream_{name}"):
            UpstreamSource.of(Settings.read(of_settings(other, **files), {}))
