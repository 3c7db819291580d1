"""`kill -9` loses nothing that was acknowledged, and leaves nothing half done."""

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bb2.db import make_engine
from bb2.models import AccessToken, AuthorizationCode, Consent, Record, RecordIndex, RefreshToken
from bb2.oauth.secrets import hashed, new_secret
from bb2.sandbox import people
from databases import new_database
from forks import Fork
from journey import redemption, token_response
from running import FEW_CLAIMS, RunningServer

pytestmark = pytest.mark.long

CALLBACK = "https://app.example/callback"
ENOUGH = 3  # rounds of one person: one has connected again, and is about to once more; the other is under way


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def environ(request, tmp_path_factory):
    """The settings of a server on each database in turn, which is made ready."""
    var = tmp_path_factory.mktemp("crash")
    environ = {"VAR": str(var)}
    if request.param == "postgresql":
        environ["BB2_DATABASE_URL"] = new_database(request.getfixturevalue("postgresql_url"), "crash")
    server(environ).command("init")
    return environ


@pytest.fixture
def engine(environ):
    url = environ.get("BB2_DATABASE_URL", f"sqlite:///{environ['VAR']}/bb2.sqlite")
    engine = make_engine(url)
    yield engine
    engine.dispose()


def server(environ):
    return RunningServer(environ["VAR"], **FEW_CLAIMS, **{name: environ[name] for name in environ if name != "VAR"})


def claims(wanted=400):
    """NDJSON lines of many claims of one new person."""
    made = next(iter(people(1, seed=99))).records()["v2"]
    made = [record for record in made if record["resourceType"] == "ExplanationOfBenefit"]
    for number in range(wanted):
        claim = made[number % len(made)] | {"id": f"carrier--9{number}", "patient": {"reference": "Patient/-99"}}
        yield json.dumps(claim) + "\n"


def loaded(engine):
    with Session(engine) as db:
        return db.scalar(select(func.count()).select_from(Record).where(Record.patient == "-99"))


def test_a_load_that_is_killed_leaves_nothing_of_its_file_and_can_be_repeated(environ, engine, tmp_path):
    lines, pipe, path = list(claims()), tmp_path / "pipe", tmp_path / "claims.ndjson"
    path.write_text("".join(lines))
    os.mkfifo(pipe)
    running = server(environ)
    load = Fork("load", "--fhir", "r4", str(pipe), environ=running.environ, folder=tmp_path)
    with pipe.open("w") as file:
        file.writelines(lines[:360])  # more than a pipe holds: most of it has been read, and written in batches
        load.end(signal.SIGKILL)
    assert loaded(engine) == 0
    printed = running.command("load", str(path))
    assert loaded(engine) == len(lines)
    assert str(len(lines)) in printed
    with Session(engine) as db:
        numbers = select(Record.number)
        orphans = select(func.count()).select_from(RecordIndex).where(RecordIndex.record_number.not_in(numbers))
        assert db.scalar(orphans) == 0


class App:
    """An app whose beneficiaries connect and refresh, one after the other, until the server dies."""

    def __init__(self, running):
        self.url = running.url
        registered = running.command("client", "add", "--name", new_secret(), "--redirect-uri", CALLBACK, "--json")
        self.credentials = {name: json.loads(registered)[name] for name in ("client_id", "client_secret")}
        self.latest = {}  #: the last token response that was acknowledged, for each person
        self.rounds = threading.Semaphore(0)  #: released when a person has connected, and the app refreshed

    def connect(self, number):
        username, password = f"BBUser0000{number}", f"PW0000{number}!"
        answer = {"answer": "yes", "demographic": "share"}
        redeemed = redemption(self.url, self.credentials, CALLBACK, username, password, **answer)
        # While either is under way, a lost answer may have replaced the connection before, or spent the refresh token.
        self.latest.pop(number, None)
        self.latest[number] = token_response(self.url, redeemed)
        for _ in range(2):
            self.latest[number] = self.refresh(self.latest.pop(number))
        self.rounds.release()

    def refresh(self, token):
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        return token_response(self.url, form | self.credentials)

    def until_the_server_dies(self, number):
        while True:
            try:
                self.connect(number)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                return


def test_consents_and_tokens_that_were_acknowledged_outlive_the_server(environ, engine):
    running = server(environ).__enter__()
    app = App(running)
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.map(app.until_the_server_dies, range(2))
        enough = all(app.rounds.acquire(timeout=60) for _ in range(ENOUGH))
        running.kill()  # in any case: nobody waits for ever
        list(under_way)
    assert enough
    with server(environ) as again:
        app.url = again.url
        for token in app.latest.values():
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            assert requests.get(f"{again.url}/v2/fhir/Coverage", headers=headers).status_code == 200
            assert app.refresh(token)["access_token"]
    with Session(engine) as db:
        assert_nothing_is_half_done(db, app)


def assert_nothing_is_half_done(db, app):
    """A redeemed code has an active consent with tokens; an active consent has a redeemed code; one is in force."""
    consents = db.scalars(select(Consent).where(Consent.client_id == app.credentials["client_id"])).all()
    assert consents
    for consent in consents:
        code = db.scalars(select(AuthorizationCode).where(AuthorizationCode.consent_id == consent.id)).one()
        tokens = [db.scalars(select(t).where(t.consent_id == consent.id)).all() for t in (AccessToken, RefreshToken)]
        assert bool(code.redeemed_at) == bool(consent.activated_at) == bool(tokens[0]) == bool(tokens[1])
    for person in {consent.beneficiary_id for consent in consents}:
        active = [c for c in consents if c.beneficiary_id == person and c.activated_at and not c.replaced_at]
        assert len(active) <= 1
    for token in app.latest.values():
        assert db.get(AccessToken, hashed(token["access_token"])) is not None
