"""A page is light, asks for little, and the next one for nothing but itself: what goes over the wire is counted."""

from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.long

WEIGHT = 60 * 1024  # bytes of the authorization page and all that it asks for, packed as sent, with the headers
REQUESTS = 7  # the page, two style sheets, two fonts, the icon, the script


class Wire:
    """What a page's browser has fetched over the network, {path: bytes}; what its cache had does not count."""

    def __init__(self, person):
        self.session, self.paths, self.cached, self.sizes = person.devtools(), {}, set(), {}
        self.session.on("Network.requestWillBeSent", self._sent)
        self.session.on("Network.requestServedFromCache", lambda event: self.cached.add(event["requestId"]))
        self.session.on("Network.responseReceived", self._received)
        self.session.on("Network.loadingFinished", self._finished)
        self.session.send("Network.enable")

    def _sent(self, event):
        self.paths[event["requestId"]] = urlsplit(event["request"]["url"]).path

    def _received(self, event):
        if event["response"].get("fromDiskCache"):
            self.cached.add(event["requestId"])

    def _finished(self, event):
        if event["requestId"] not in self.cached:
            self.sizes[self.paths[event["requestId"]]] = event["encodedDataLength"]

    def fetched(self, page):
        """What was fetched since the last time, when the page and its fonts are there."""
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        fetched, self.sizes = self.sizes, {}
        return fetched


def test_the_authorization_page_keeps_its_budgets(make_person, server):
    person = make_person(server, java_script_enabled=True)
    person.to_consent()
    wire = Wire(person)
    wire.session.send("Network.clearBrowserCache")
    person.page.reload()
    fetched = wire.fetched(person.page)
    assert len(fetched) <= REQUESTS, fetched
    assert sum(fetched.values()) < WEIGHT, fetched
    assert len([path for path in fetched if path.endswith(".woff2")]) == 2, fetched


def test_each_next_page_is_one_request(make_person, server):
    person = make_person(server, java_script_enabled=True)
    person.visit("/")
    wire = Wire(person)
    person.connect()
    wire.fetched(person.page)
    person.sign_in()
    assert set(wire.fetched(person.page)) == {urlsplit(person.page.url).path}
    person.visit("/connections")
    assert set(wire.fetched(person.page)) == {"/connections"}


def test_a_slow_double_click_is_one_answer(make_person, server):
    person = make_person(server, java_script_enabled=True)
    person.to_consent()
    posts = []
    person.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    slow = {"offline": False, "latency": 250, "downloadThroughput": -1, "uploadThroughput": -1}
    Wire(person).session.send("Network.emulateNetworkConditions", slow)
    with person.page.expect_navigation():
        person.page.locator("button[value=no]").dblclick(delay=50, no_wait_after=True)
    assert len(posts) == 1
    assert "access_denied" in person.text
