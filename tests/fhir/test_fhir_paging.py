"""Does a client see every record once, though records are loaded while it turns the pages?  On both databases."""

import json
from threading import Event, Thread

import pytest
from fhir_records import EVERYTHING, claim, follow, grant_to_another_app, ids, link, server_with

from bb2.fhir import FhirRecord, Page
from bb2.fhir.bundle import searchset
from bb2.fhir.search import Query
from bb2.scopes.explanation_of_benefit import EXPLANATION_OF_BENEFIT
from bb2.testing import ALICE

FROM_THE_BEGINNING = [f"pde-m{number:02}" for number in range(23)]


@pytest.fixture(scope="module")
def server(shared_engine):
    return server_with(shared_engine, {"v2": [claim("v2", id) for id in FROM_THE_BEGINNING]})


@pytest.fixture(scope="module")
def token(server):
    return grant_to_another_app(server, EVERYTHING)


def load(server, *ids, **elements):
    with server.db() as db:
        server.load(db, {"v2": [claim("v2", id, **elements) for id in ids]})


def walk(server, token, url, relation, meanwhile=lambda: None):
    """Every Bundle from a URL on by one relation; `meanwhile` is called after each."""
    while url:
        bundle = follow(server, token, url).json
        yield bundle
        meanwhile()
        url = link(bundle, relation)


def first_page(query):
    return f"http://localhost/v2/fhir/ExplanationOfBenefit?{query}"


@pytest.mark.parametrize("relation", ["next", "previous"])
def test_no_record_is_repeated_or_skipped_while_others_are_loaded(server, token, relation):
    loaded = iter(range(1000))

    def meanwhile():
        """New ones before, between and after those on the pages, and a new version of one that is there."""
        number = next(loaded)
        names = [f"pde-{place}-{relation}-{number}" for place in ("a", f"m{5 * number:02}", "z")]
        load(server, *names, FROM_THE_BEGINNING[number % 23], updated="2025-01-01T00:00:00.000Z")

    begin = first_page("_count=8&type=pde&_lastUpdated=ge2020")
    if relation == "previous":
        begin = link(follow(server, token, begin).json, "last")
    visited = [id for page in walk(server, token, begin, relation, meanwhile) for id in ids(page)]
    assert next(loaded) >= 4  # it was loaded so often
    assert len(visited) == len(set(visited))
    assert set(visited) >= set(FROM_THE_BEGINNING)


def test_no_record_is_skipped_while_another_process_loads(server, token):
    """In one statement, the page and the numbers beside it are of one moment."""
    over = Event()

    def keep_loading():
        for number in range(40):
            load(server, f"pde-m{number % 23:02}-thread-{number}")
            if over.is_set():
                return

    loader = Thread(target=keep_loading)
    loader.start()
    try:
        pages = walk(server, token, first_page("_count=5"), "next")
        visited = [id for page in pages for id in ids(page)]
        assert set(FROM_THE_BEGINNING) <= set(visited)
        assert visited == sorted(set(visited))
    finally:
        over.set()
        loader.join()


def test_links_say_how_many_come_before(server, token):
    """Also after others were loaded in front of the page."""
    page = follow(server, token, first_page("_count=5&_id=" + ",".join(FROM_THE_BEGINNING[5:]))).json
    onward = link(page, "next")
    assert "startIndex=5&_count=5&_after=pde-m09" in onward
    again = follow(server, token, onward.replace("startIndex=5", "startIndex=0")).json
    assert "startIndex=5&_count=5&_after=pde-m09" in link(again, "self")
    assert ids(again) == FROM_THE_BEGINNING[10:15]
    assert "startIndex=0&_count=5&_before=pde-m10" in link(again, "previous")
    assert ids(follow(server, token, link(again, "previous")).json) == FROM_THE_BEGINNING[5:10]


def test_a_page_that_lies_nowhere_leads_back(server, token):
    some = "_count=5&_id=" + ",".join(FROM_THE_BEGINNING[:8])
    after = follow(server, token, first_page(f"{some}&_after=pde-z")).json
    assert (ids(after), after["total"], link(after, "next")) == ([], 8, None)
    back = follow(server, token, link(after, "previous")).json
    assert (ids(back), back["total"]) == (FROM_THE_BEGINNING[3:8], 8)
    before = follow(server, token, first_page(f"{some}&_before=pde-m00")).json
    assert (ids(before), before["total"], link(before, "previous")) == ([], 8, None)
    assert ids(follow(server, token, link(before, "next")).json) == FROM_THE_BEGINNING[:5]


def test_a_page_before_a_record_may_be_a_short_one(server, token):
    some = "_count=5&_id=" + ",".join(FROM_THE_BEGINNING[:8])
    page = follow(server, token, first_page(f"{some}&startIndex=3")).json
    back = follow(server, token, link(page, "previous")).json
    assert (ids(back), back["total"]) == (FROM_THE_BEGINNING[:3], 8)
    assert link(back, "previous") is None
    assert ids(follow(server, token, link(back, "next")).json) == FROM_THE_BEGINNING[3:8]


def test_a_cursor_that_is_no_id_is_refused(server, token):
    for name in ("_after", "_before"):
        refused = server.fhir(f"ExplanationOfBenefit?{name}=a%20b", token, status=400)
        assert name in refused.json["issue"][0]["diagnostics"]


def test_a_source_without_cursors_is_paged_by_position():
    """What a source returns may be fewer than it was asked for, if some were not the person's."""
    query = Query("v2", EXPLANATION_OF_BENEFIT, ALICE, count=4, offset=4, after="b")
    found = [FhirRecord(id, ALICE, "{}", 0) for id in "ef"]
    bundle = json.loads(searchset(query, Page(20, found), "http://x", 0))
    assert "startIndex=8&" in link(bundle, "next")
    assert "startIndex=0&" in link(bundle, "previous")
    assert "startIndex=16&" in link(bundle, "last")
