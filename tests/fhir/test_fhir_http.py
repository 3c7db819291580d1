"""How do FHIR's answers go out over HTTP: in which format, since when, packed or not, and not at all?"""

import gzip

import pytest
from fhir_records import (
    CLAIMS_AND_COVERAGE,
    EVERYTHING,
    VERSIONS,
    assert_outcome,
    claim,
    coverage,
    grant_to_another_app,
    ids,
    person,
    server_with,
)
from webob import Request

from bb2.testing import BOB

UPDATED, AS_HTTP_HAS_IT = "2024-07-01T12:00:00.789Z", "Mon, 01 Jul 2024 12:00:00 GMT"
CLAIM, COVERAGE = "ExplanationOfBenefit/pde-1", "Coverage/part-b--1001"
LONG = "x" * 2000
NUMBER = "1EG4TE5MK73"


@pytest.fixture(scope="module")
def server():
    def records(version):
        long = claim(version, "pde-long", disposition=LONG)
        part = coverage("b", subscriberId=NUMBER, meta={"lastUpdated": UPDATED})
        to_come = claim(version, "pde-2", updated="2199-01-01T00:00:00Z")
        old = claim(version, "pde-3", updated="0001-01-01T00:00:00+14:00")
        others = [claim(version, "pde-9", BOB)]
        return [person(), part, claim(version, "pde-1", updated=UPDATED), long, to_come, old, *others]

    return server_with(None, {version: records(version) for version in VERSIONS})


@pytest.fixture(scope="module")
def shared(server):
    return grant_to_another_app(server, EVERYTHING)


@pytest.fixture(scope="module")
def declined(server):
    return grant_to_another_app(server, EVERYTHING, share_demographic=False)


@pytest.fixture(params=VERSIONS)
def get(request, server):
    """GET (or HEAD) a FHIR path of a version with a token.  WebTest would unpack what is packed; WebOb leaves it."""

    def ask(path, token, *, method="GET", status=200, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {token['access_token']}"
        asked = Request.blank(f"/{request.param}/fhir/{path}", method=method, headers=headers)
        answer = asked.get_response(server.app)
        assert answer.status_int == status, answer.text
        return answer

    return ask


# What the client has already


def test_a_record_that_the_client_has_is_not_sent_again(get, shared):
    whole = get(CLAIM, shared)
    tag = whole.headers["ETag"]
    assert tag.startswith('W/"')
    assert whole.headers["Last-Modified"] == AS_HTTP_HAS_IT
    for has in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = get(CLAIM, shared, If_None_Match=has, status=304)
        assert answer.body == b""
        assert "Content-Type" not in answer.headers
        for name in ("ETag", "Last-Modified", "Vary", "Cache-Control"):
            assert answer.headers[name] == whole.headers[name]
    assert get(CLAIM, shared, If_None_Match='W/"other"').body == whole.body


@pytest.mark.parametrize(
    ("since", "status"),
    [
        (AS_HTTP_HAS_IT, 304),
        ("Mon, 01 Jul 2024 12:00:01 GMT", 304),
        ("Mon, 01 Jul 2024 11:59:59 GMT", 200),
        ("yesterday", 200),
        ("Mon, 01 Jan 10000 00:00:00 GMT", 200),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 200),
    ],
)
def test_a_record_that_did_not_change_since_is_not_sent_again(get, shared, since, status):
    answer = get(CLAIM, shared, If_Modified_Since=since, status=status)
    assert answer.headers["Last-Modified"] == AS_HTTP_HAS_IT


def test_what_the_client_has_counts_more_than_since_when(get, shared):
    tag = get(CLAIM, shared).headers["ETag"]
    get(CLAIM, shared, If_None_Match='W/"other"', If_Modified_Since=AS_HTTP_HAS_IT, status=200)
    get(CLAIM, shared, If_None_Match=tag, If_Modified_Since="Mon, 01 Jan 1990 00:00:00 GMT", status=304)


def test_what_one_token_sees_is_not_taken_for_what_another_sees(get, shared, declined):
    whole, redacted = get(COVERAGE, shared), get(COVERAGE, declined)
    assert NUMBER in whole.text
    assert NUMBER not in redacted.text
    tags = whole.headers["ETag"], redacted.headers["ETag"]
    assert len(set(tags)) == 2
    get(COVERAGE, declined, If_None_Match=tags[0], status=200)
    get(COVERAGE, shared, If_None_Match=tags[1], status=200)
    get(COVERAGE, declined, If_None_Match=tags[1], status=304)
    # The record's date is the same for both, so it says nothing of the redacted one.
    assert "Last-Modified" not in redacted.headers
    get(COVERAGE, declined, If_Modified_Since=whole.headers["Last-Modified"], status=200)
    assert "Authorization" in redacted.headers["Vary"]


def test_a_record_of_which_nothing_was_taken_is_the_same_for_every_token(get, shared, declined):
    one, other = get(CLAIM, shared), get(CLAIM, declined)
    assert (one.headers["ETag"], one.body) == (other.headers["ETag"], other.body)
    get(CLAIM, declined, If_Modified_Since=AS_HTTP_HAS_IT, status=304)


def test_another_tag_is_given_to_a_changed_record(server, get, shared):
    tag = get("ExplanationOfBenefit/pde-long", shared).headers["ETag"]
    with server.db() as db:
        server.load(db, {v: [claim(v, "pde-long", disposition=LONG + tag)] for v in VERSIONS})
    get("ExplanationOfBenefit/pde-long", shared, If_None_Match=tag, status=200)


@pytest.mark.parametrize("path", ["ExplanationOfBenefit/pde-9", "ExplanationOfBenefit/unknown"])
def test_nobody_learns_by_a_condition_whether_a_record_is_there(get, shared, path):
    get(path, shared, If_None_Match="*", status=404)
    get(path, shared, If_Modified_Since=AS_HTTP_HAS_IT, status=404)


@pytest.mark.parametrize("path", ["ExplanationOfBenefit/pde-2", "ExplanationOfBenefit/pde-3"])
def test_a_date_to_come_or_of_long_ago_is_not_told(get, shared, path):
    assert "Last-Modified" not in get(path, shared).headers
    get(path, shared, If_Modified_Since=AS_HTTP_HAS_IT, status=200)


def test_a_condition_needs_a_token_as_any_read(server):
    answer = server.get(f"/v2/fhir/{CLAIM}", headers={"If-None-Match": "*"}, status=401)
    assert_outcome(answer, "login")


# Packed


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("identity, gzip;q=0.5", False),
        ("identity", False),
        ("br", False),
        ("", False),
        (None, False),
    ],
)
def test_an_answer_is_packed_where_the_client_takes_that(get, shared, accepted, packed):
    headers = {} if accepted is None else {"Accept_Encoding": accepted}
    plain = get("ExplanationOfBenefit/pde-long", shared)
    answer = get("ExplanationOfBenefit/pde-long", shared, **headers)
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert (gzip.decompress(answer.body) if packed else answer.body) == plain.body
    assert answer.headers["ETag"] == plain.headers["ETag"]
    get("ExplanationOfBenefit/pde-long", shared, If_None_Match=answer.headers["ETag"], status=304, **headers)


def test_a_small_answer_is_not_packed(get, shared):
    answer = get(CLAIM, shared, Accept_Encoding="gzip")
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["ExplanationOfBenefit", "metadata"])
def test_searches_and_metadata_are_packed_too(get, shared, path):
    answer = get(path, shared, Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body).startswith(b'{"resourceType":')


# HEAD


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
@pytest.mark.parametrize("path", [CLAIM, "ExplanationOfBenefit/pde-long", "ExplanationOfBenefit?_count=1", "metadata"])
def test_head_has_the_headers_of_get(get, shared, path, accepted):
    answers = [get(path, shared, method=method, Accept_Encoding=accepted) for method in ("GET", "HEAD")]
    assert answers[1].body == b""
    compared = [{k: v for k, v in answer.headers.items() if k != "Content-Length"} for answer in answers]
    assert compared[0] == compared[1]
    # A Bundle has an id and a time of its own each time, which may be packed into more or fewer bytes.
    lengths = [int(answer.headers["Content-Length"]) for answer in answers]
    assert abs(lengths[0] - lengths[1]) < 20


def test_head_is_conditional_too(get, shared):
    tag = get(CLAIM, shared, method="HEAD").headers["ETag"]
    get(CLAIM, shared, method="HEAD", If_None_Match=tag, status=304)


# Formats

TAKING_JSON = [
    "*/*",
    "application/fhir+json",
    "application/json",
    "application/json+fhir",
    "APPLICATION/JSON; charset=utf-8",
    "application/fhir+json; fhirVersion=4.0",
    "application/json;q=0.9, text/html",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "application/fhir+xml, application/*;q=0.1",
    "application/json, text/plain, */*",
    "",
    ",",
    "application/json;q=high",
]
LEAVING_JSON_OUT = [
    "application/fhir+xml",
    "text/html",
    "text/turtle, application/xml;q=0.5",
    "application/json;q=0",
    "*/*;q=0",
    "application/fhir+json;q=0.0, application/json;q=0, */*",
    "application/*;q=0, */*",
    "json",
]


@pytest.mark.parametrize("accept", TAKING_JSON)
def test_json_goes_out_to_whoever_takes_it(get, shared, accept):
    for path in (CLAIM, "ExplanationOfBenefit", "metadata"):
        assert get(path, shared, Accept=accept).content_type == "application/fhir+json"


@pytest.mark.parametrize("accept", LEAVING_JSON_OUT)
def test_whoever_takes_no_json_is_told_so(get, shared, accept):
    for path in (CLAIM, "ExplanationOfBenefit", "metadata"):
        assert_outcome(get(path, shared, Accept=accept, status=406), "not-supported")


def test_format_counts_more_than_accept(server, get, shared):
    for path in (CLAIM, "ExplanationOfBenefit", "metadata"):
        get(f"{path}?_format=json", shared, Accept="application/fhir+xml")
        get(f"{path}?_format=xml", shared, Accept="application/json", status=406)
        get(f"{path}?_format=", shared, Accept="application/fhir+xml", status=406)
    headers = {"Authorization": f"Bearer {shared['access_token']}", "Accept": "text/html"}
    path = "/v2/fhir/ExplanationOfBenefit/_search"
    assert ids(server.post(path, {"_format": "json", "_id": "pde-1"}, headers=headers).json) == ["pde-1"]
    assert_outcome(server.post(path, {"_id": "pde-1"}, headers=headers, status=406), "not-supported")


def test_health_records_are_not_for_caches(get, shared):
    for path in (CLAIM, "ExplanationOfBenefit"):
        assert get(path, shared).headers["Cache-Control"] == "private, no-store"


def test_a_token_for_claims_alone_sees_the_same_tag_again(server, get):
    token = grant_to_another_app(server, CLAIMS_AND_COVERAGE)
    tags = {get(COVERAGE, token).headers["ETag"] for _ in range(2)}
    assert len(tags) == 1
