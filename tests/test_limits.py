"""What is too large is refused before it is read, and a busy database is no error of ours."""

import sqlite3

import pytest
from sqlalchemy import event

from bb2.bounds import MOST_BODY, MOST_LETTERS
from bb2.scopes import openid
from bb2.testing import ConsentServer


@pytest.mark.parametrize("path", ["/nope", "/sign-in", "/v2/o/token/", "/v2/fhir/Coverage/_search"])
def test_a_large_body_is_refused_before_it_is_read(make_server, path):
    server = make_server()
    refused = server.post(path, "a=1&" * MOST_BODY, status=413)
    assert refused.content_type in ("text/html", "application/json", "application/fhir+json")


@pytest.mark.parametrize("path", ["/sign-in", "/v2/o/token/", "/v2/fhir/Patient"])
def test_accents_without_end_are_refused_before_anything_brings_them_into_order(make_server, path):
    server, accents = make_server(), "\u0315\u0300" * (MOST_LETTERS // 2)
    server.post(path, f"username=a{accents}".encode(), status=400)
    server.get(path, {"name": f"a{accents}"}, status=400)


@pytest.mark.parametrize("date", ["Mon, 01 Jan 10000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"])
@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
def test_a_date_that_no_calendar_has_sets_no_condition(header, date):
    server = ConsentServer(openid)
    for path in "/static/x/bb2.css", "/v2/fhir/metadata":
        server.get(path, headers={header: date, "Range": "bytes=0-1"}, status=200)


def test_a_locked_sqlite_answers_503_and_when_to_come_back():
    server = ConsentServer(openid)

    def wait_little(connection, *_):
        """Five seconds are a long wait for a test."""
        connection.execute("PRAGMA busy_timeout = 50")

    event.listen(server.engine, "checkout", wait_little)
    lock = sqlite3.connect(server.engine.url.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        page = server.get("/sign-in", status=503)
    finally:
        lock.close()
        event.remove(server.engine, "checkout", wait_little)  # another server gets the engine
    assert page.headers["Retry-After"] == "10"
    assert "Nothing was shared or changed" in page.text


def test_a_search_does_not_confirm_a_number_that_redaction_takes_out(make_server):
    mbi, number = "http://hl7.org/fhir/sid/us-mbi", "1EG4TE5MK73"
    claim = {
        "resourceType": "ExplanationOfBenefit",
        "id": "pde-1",
        "patient": {"reference": "Patient/-1001"},
        "identifier": [
            {"system": mbi, "value": number},
            {"type": {"text": "SSN"}, "value": "123-45-6789"},
            {"system": "https://bluebutton.cms.gov/resources/variables/clm_id", "value": "77"},
        ],
    }
    server = make_server(records=[claim])
    token = server.grant("patient/ExplanationOfBenefit.read", share_demographic=False)
    for value, total in ((f"{mbi}|{number}", 0), (number, 0), ("123-45-6789", 0), ("77", 1)):
        assert server.fhir(f"ExplanationOfBenefit?identifier={value}", token).json["total"] == total
