"""What is a page of a search, and how do its links lead to the next?"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fhir_records import EVERYTHING, VERSIONS, ask, claim, follow, ids, link, pages, server_with

from bb2.fhir.dates import instant
from bb2.testing import BOB

pytestmark = pytest.mark.either_database

NUMBER_OF_CLAIMS = 23
#: Ids that sort differently by character, by word and by number.
CLAIMS = [f"{kind}-{number}" for number, kind in enumerate(["carrier", "PDE", "pde", "snf-", "Hha.x"] * 5)][:23]
BASE = "http://localhost"


@pytest.fixture(scope="module")
def server(shared_engine):
    records = {
        version: [claim(version, id) for id in CLAIMS] + [claim(version, f"pde-{n}", BOB) for n in range(100, 110)]
        for version in VERSIONS
    }
    return server_with(shared_engine, records, settings={"bb2.base_url": BASE})


@pytest.fixture(scope="module")
def token(server):
    return server.grant(EVERYTHING)


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def test_a_bundle_says_what_it_is(server, token, version):
    before = datetime.now(UTC) - timedelta(seconds=1)
    bundle = server.fhir("ExplanationOfBenefit?_count=4", token, version=version).json
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", NUMBER_OF_CLAIMS)
    assert str(UUID(bundle["id"])) == bundle["id"]
    written = bundle["meta"]["lastUpdated"]
    assert before <= datetime.fromtimestamp(instant(written) / 1e6, UTC) <= datetime.now(UTC)
    assert written.endswith("Z")
    assert len(bundle["entry"]) == 4
    for entry in bundle["entry"]:
        assert sorted(entry) == ["fullUrl", "resource", "search"]
        assert entry["fullUrl"] == f"{BASE}/{version}/fhir/ExplanationOfBenefit/{entry['resource']['id']}"
        assert entry["search"] == {"mode": "match"}
    again = server.fhir("ExplanationOfBenefit?_count=4", token, version=version).json
    assert again["id"] != bundle["id"]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 22, 23, 24, 51, 1000])
def test_the_next_links_lead_to_every_record_once(server, token, count):
    for version in VERSIONS:
        walked = list(pages(server, token, f"ExplanationOfBenefit?_count={count}", version))
        visited = [id for page in walked for id in ids(page)]
        assert visited == sorted(CLAIMS)
        assert {page["total"] for page in walked} == {NUMBER_OF_CLAIMS}
        assert len(walked) == -(-NUMBER_OF_CLAIMS // min(count, 50))


@pytest.mark.parametrize(("count", "version"), [(1, "v1"), (4, "v2"), (7, "v1"), (10, "v2"), (23, "v1")])
def test_previous_links_lead_back_and_last_to_the_end(server, token, version, count):
    forward = list(pages(server, token, f"ExplanationOfBenefit?_count={count}", version))
    last = follow(server, token, link(forward[0], "last")).json
    assert ids(last) == ids(forward[-1])
    backward = [last]
    while url := link(backward[-1], "previous"):
        backward.append(follow(server, token, url).json)
    assert [ids(page) for page in reversed(backward)] == [ids(page) for page in forward]
    assert ids(follow(server, token, link(last, "first")).json) == ids(forward[0])
    assert ids(follow(server, token, link(forward[1 % len(forward)], "self")).json) == ids(forward[1 % len(forward)])


def test_links_are_there_as_they_apply(server, token, version):
    def relations(query):
        bundle = server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json
        return [link["relation"] for link in bundle["link"]]

    assert relations("_count=10") == ["self", "first", "next", "last"]
    assert relations("_count=10&startIndex=10") == ["self", "first", "previous", "next", "last"]
    assert relations("_count=10&startIndex=20") == ["self", "first", "previous", "last"]
    assert relations("_count=50") == ["self", "first", "last"]
    assert relations("_count=10&type=dme") == ["self", "first"]
    assert relations("_count=0") == ["self"]


def test_a_page_beyond_the_end_leads_back_to_the_last(server, token, version):
    beyond = server.fhir("ExplanationOfBenefit?_count=10&startIndex=5000", token, version=version).json
    assert "entry" not in beyond
    assert link(beyond, "next") is None
    assert ids(follow(server, token, link(beyond, "previous")).json) == sorted(CLAIMS)[20:]


def test_links_keep_what_was_asked_for(server, token, version):
    query = "type=pde,carrier&service-date=ge2024-01-01&service-date=le2025&_format=json&patient=Patient/-1001&_count=3"
    walked = list(pages(server, token, f"ExplanationOfBenefit?{query}", version))
    assert [id for page in walked for id in ids(page)] == sorted(
        c for c in CLAIMS if c.lower().startswith(("pde", "carrier"))
    )
    url = link(walked[0], "next")
    for kept in ("type=pde%2Ccarrier", "service-date=ge2024-01-01", "service-date=le2025", "_format=json", "_count=3"):
        assert kept in url
    assert "patient=Patient%2F-1001" in url
    assert url.startswith(f"{BASE}/{version}/fhir/ExplanationOfBenefit?")


def test_a_plus_in_a_date_survives_the_links(server, token, version):
    query = "_lastUpdated=ge2020-01-01T00:00:00%2B02:00&_count=10"
    walked = list(pages(server, token, f"ExplanationOfBenefit?{query}", version))
    assert len(walked) == 3
    assert "%2B02%3A00" in link(walked[0], "next")


def test_a_link_may_be_followed_with_its_parameters_repeated(server, token, version):
    """CMS's SDKs send the parameters of the first request along with every link."""
    first = server.fhir("ExplanationOfBenefit?_count=10&startIndex=0", token, version=version).json
    second = follow(server, token, link(first, "next") + "&_count=10&startIndex=0").json
    assert ids(second) == sorted(CLAIMS)[10:20]
    other = follow(server, token, link(first, "next") + "&_count=3").json
    assert ids(other) == sorted(CLAIMS)[10:20]


@pytest.mark.parametrize("path", ["ExplanationOfBenefit?_count=5&startIndex=5", "ExplanationOfBenefit", "Coverage"])
def test_no_header_moves_the_links(server, token, version, path):
    forged = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Port": "666",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=gopher",
        "X-Original-URL": "/evil",
    }
    answer = ask(server, token, path, version, **forged)
    bundle = answer.json
    assert "evil" not in answer.text
    urls = [link["url"] for link in bundle["link"]] + [entry["fullUrl"] for entry in bundle.get("entry", ())]
    assert urls
    assert all(url.startswith(f"{BASE}/{version}/fhir/") for url in urls)
    statement = server.get(f"/{version}/fhir/metadata", headers=forged)
    assert "evil" not in statement.text
    assert statement.json["implementation"]["url"] == f"{BASE}/{version}/fhir"


def test_an_empty_search_has_no_entry(server, token, version):
    """An empty array is not FHIR (FHIR, "JSON")."""
    bundle = server.fhir("ExplanationOfBenefit?_id=nothing", token, version=version).json
    assert bundle["total"] == 0
    assert "entry" not in bundle
    assert "entry" not in server.fhir("Coverage", token, version=version).json


def test_slashes_at_the_end_and_left_over_content_types_are_no_matter(server, token, version):
    bundle = server.fhir("ExplanationOfBenefit/?_count=2", token, version=version).json
    assert ids(bundle) == sorted(CLAIMS)[:2]
    left_over = {"Content-Type": "multipart/form-data; boundary=x"}
    assert ids(ask(server, token, "ExplanationOfBenefit?_count=2", version, **left_over).json) == ids(bundle)
