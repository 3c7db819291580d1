"""The audit trail: what is in it, under one correlation id, that it only grows, and what counting costs nobody."""

import csv
import io
import json
import logging
import os
import re
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from bb2 import audit, cli, db, migrations
from bb2.audit.search import PAGE, search
from bb2.audit.tally import Tally
from bb2.clock import utcnow
from bb2.db import make_engine, reader
from bb2.models import AuditEvent, Base, Consent
from bb2.testing import ALICE, PASSWORD
from databases import new_database
from forks import Fork
from oauth.steps import EVERYTHING, answer, ask, redeem
from test_sign_in import sign_in

pytestmark = pytest.mark.either_database

COVERAGE = {"resourceType": "Coverage", "id": "part-a", "beneficiary": {"reference": f"Patient/{ALICE}"}}
CLAIM = {
    "resourceType": "ExplanationOfBenefit",
    "id": "claim",
    "patient": {"reference": f"Patient/{ALICE}"},
    "insurance": [{"coverage": {"reference": "Coverage/part-a"}}],
}
RECORDS = ({"resourceType": "Patient", "id": ALICE}, COVERAGE, CLAIM)


@pytest.fixture
def server(make_server):
    server = make_server(records=RECORDS)
    tally(server).forget()
    return server


def tally(server):
    return server.app.registry["tally"]


def trail(server):
    """Every event, oldest first, with what was counted."""
    assert tally(server).flush()
    with server.db() as session:
        return session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()


def named(server, name):
    return [event for event in trail(server) if event.event == name]


# What is in the trail


def test_one_correlation_id_runs_from_the_authorization_request_to_the_last_token(server):
    sign_in(server, "bob")  # of no authorization request
    server.reset()
    page = ask(server, EVERYTHING).follow().follow()
    form = page.forms[0]
    form["username"], form["password"] = "alice", "a wrong password"
    form = form.submit("answer", value="sign-in", status="*").forms[0]
    form["username"], form["password"] = "alice", PASSWORD
    redirect = server.approve(form.submit("answer", value="sign-in").follow())
    token = redeem(server, redirect)
    newer = server.refresh(token)
    server.fhir("Coverage", newer)
    server.refresh(newer, client_secret="wrong", status=401)
    server.refresh(token, status=400)  # for the second time
    named_by_consent = trail(server)[1:]
    assert [event.event for event in named_by_consent] == [
        "account.refused",
        "account.signed_in",
        "consent.shown",
        "consent.given",
        "code.issued",
        "consent.activated",
        "token.issued",
        "token.refreshed",
        "token.replayed",
        "records.read",
        "token.refused",
        "token.refused",
    ]
    correlation_id = named_by_consent[0].correlation_id
    unknown = [e for e in named_by_consent if e.correlation_id != correlation_id]
    assert [e.details["error"] for e in unknown] == ["invalid_client"]  # it proved nothing, so nothing was looked for
    assert {e.client_id for e in named_by_consent} == {server.client_id}
    with server.db() as session:
        consent = session.scalars(select(Consent)).one()
    assert {e.consent_id for e in named_by_consent[3:] if e not in unknown} == {consent.id}
    assert {e.beneficiary_id for e in named_by_consent[1:] if e not in unknown} == {consent.beneficiary_id}


def test_a_no_and_a_cancel_are_in_the_trail_with_the_page_that_was_seen(server):
    answer(server.consent_page(EVERYTHING), "no")
    server.reset()
    ask(server, EVERYTHING).follow().follow().forms[0].submit("answer", value="cancel")
    no, cancel = named(server, "consent.declined")
    (shown,) = named(server, "consent.shown")
    assert (no.details["answer"], cancel.details["answer"]) == ("no", "cancel")
    assert (no.correlation_id, no.details["shown"]) == (shown.correlation_id, shown.details["shown"])
    assert cancel.client_id == server.client_id


def test_cancels_of_nobody_are_a_row_however_many_they_are(server):
    for _ in range(3):
        server.reset()
        ask(server, EVERYTHING).follow().follow().forms[0].submit("answer", value="cancel")
    (cancelled,) = named(server, "consent.declined")
    assert (cancelled.details, cancelled.beneficiary_id) == ({"answer": "cancel", "count": 3}, None)


def test_a_page_is_in_the_trail_once_for_each_way_in_which_it_was_shown(server):
    page = server.consent_page(EVERYTHING)
    server.get(page.request.path)
    server.get(page.request.path, headers={"Accept-Language": "en"})
    server.get(f"{page.request.path}?lang=es")
    server.get(page.request.path)
    shown = [event.details["shown"]["language"] for event in named(server, "consent.shown")]
    assert shown == list(dict.fromkeys(shown))
    assert {"en", "es"} == set(shown)


def test_the_trail_says_whether_the_page_asked_and_whether_the_person_came_back(server):
    server.grant(EVERYTHING)
    server.consent_page("openid")
    first, second = (event.details for event in named(server, "consent.shown"))
    assert (first["asks_demographic"], first["returning"]) == (True, False)
    assert (second["asks_demographic"], second["returning"]) == (False, True)


def test_what_ends_a_consent_is_in_the_trail_with_who_it_was(server):
    server.grant(EVERYTHING)
    server.grant(EVERYTHING)
    server.post("/connections/2/stop", {"csrf_token": csrf(server)})
    third = server.grant(EVERYTHING)
    closing = {"client_id": server.client_id, "client_secret": server.client_secret, "token": third["access_token"]}
    server.post("/v2/o/revoke_token/", closing)
    server.post("/v2/o/revoke/", closing)
    ended = [
        (event.event, event.consent_id, event.details.get("by"))
        for event in trail(server)
        if event.event in ("consent.replaced", "consent.revoked", "token.revoked")
    ]
    assert ended == [
        ("consent.replaced", 1, 2),
        ("consent.revoked", 2, "beneficiary"),
        ("token.revoked", 3, None),
        ("consent.revoked", 3, "client"),
    ]


def csrf(server):
    return server.get("/connections").forms[0]["csrf_token"].value


def test_a_code_that_comes_twice_is_in_the_trail(server):
    redirect = server.approve(server.consent_page(EVERYTHING))
    redeem(server, redirect)
    redeem(server, redirect, status=400)
    (replayed,), (refused,) = named(server, "code.replayed"), named(server, "token.refused")
    assert replayed.correlation_id == refused.correlation_id
    assert refused.details == {"endpoint": "token", "error": "invalid_grant", "count": 1}


def test_what_nobody_could_check_is_not_in_the_trail(server):
    """A client id that is none, or a scope that holds a secret, is anybody's text."""
    secret = "a-secret-in-the-wrong-place"
    redirect = server.approve(server.consent_page(EVERYTHING))
    redeem(server, redirect, client_id=secret, status=401)
    token = redeem(server, redirect)
    server.refresh(token, scope=secret, status=400)
    server.post("/v2/o/token/", {"grant_type": secret, "client_id": server.client_id}, status=400)
    server.post(f"/v2/o/token/?code={secret}", status=400)
    server.get("/v2/o/token/", status=405)
    refused = named(server, "token.refused")
    assert [event.client_id for event in refused].count(None) >= 3
    assert not any(secret in str(vars(event)) for event in trail(server))


def test_a_flood_of_refused_requests_is_a_row_and_costs_no_write(server):
    for _ in range(50):
        server.post("/v2/o/token/", {"grant_type": "refresh_token", "client_id": "nobody"}, status=(400, 401))
    with server.db() as session:
        assert session.scalars(select(AuditEvent)).all() == []
    assert [event.details["count"] for event in named(server, "token.refused")] == [50]


def test_records_read_are_in_the_trail_by_consent_and_kind(server):
    token = server.grant(EVERYTHING)
    modest = server.grant("openid patient/Coverage.read", username="bob")
    tally(server).forget()
    for version in "v1", "v2", "v2":
        server.fhir("Coverage/part-a", token, version=version)
    server.fhir("ExplanationOfBenefit?_include=ExplanationOfBenefit:coverage", token, status="*")
    server.fhir("Coverage/unknown", token, status=404)
    server.api("connect/userinfo", token)
    server.fhir("ExplanationOfBenefit", modest, status=403)
    server.fhir("Coverage", {"access_token": "unknown"}, status=401)
    read = {
        (e.consent_id, *(e.details[name] for name in ("version", "kind", "interaction", "outcome"))): e.details["count"]
        for e in named(server, "records.read")
    }
    included = read.pop((1, "v2", "Coverage", "include", 200), None)
    assert included in (None, 1)
    assert read == {
        (1, "v1", "Coverage", "read", 200): 1,
        (1, "v2", "Coverage", "read", 200): 2,
        (1, "v2", "ExplanationOfBenefit", "search-type", 200): 1,
        (1, "v2", "Coverage", "read", 404): 1,
        (1, "v2", "connect/userinfo", "read", 200): 1,
        (2, "v2", "ExplanationOfBenefit", "search-type", 403): 1,
    }


def test_included_records_are_in_the_trail_as_what_they_are(server):
    token = server.grant(EVERYTHING)
    found = server.fhir("ExplanationOfBenefit?_include=*", token).json
    beside = {e["resource"]["resourceType"] for e in found["entry"] if e["search"]["mode"] == "include"}
    read = named(server, "records.read")
    assert beside
    assert {e.details["kind"] for e in read if e.details["interaction"] == "include"} == beside


# The log


def lines(caplog):
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "bb2.audit"]


def test_every_event_is_a_line_of_json_in_the_log_too(server, caplog):
    caplog.set_level(logging.INFO)
    token = server.grant(EVERYTHING)
    server.fhir("Coverage", token)
    events = trail(server)
    assert [line["event"] for line in lines(caplog)] == [event.event for event in events]
    for line, event in zip(lines(caplog), events, strict=True):
        assert line.get("correlation_id") == event.correlation_id
        assert line.get("consent_id") == event.consent_id
        assert "shown" not in line


def test_what_is_rolled_back_is_in_neither(server, caplog):
    caplog.set_level(logging.INFO)

    def fail():
        with server.db() as session:
            audit.record(session, "client.enabled", client_id="rolled back")
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with server.db() as session:
        audit.record(session, "client.enabled", client_id="kept")
    assert [line["client_id"] for line in lines(caplog)] == ["kept"]
    assert [event.client_id for event in trail(server)] == ["kept"]


def test_an_event_that_nobody_has_named_is_none(server):
    with server.db() as session, pytest.raises(audit.NoSuchEvent):
        audit.record(session, "consent.givn")
    with pytest.raises(audit.NoSuchEvent):
        tally(server).count("records.raed")


# The table only grows


@pytest.fixture(params=["create_all", "migration"])
def a_trail(request, tmp_path, database):
    """A connection to a trail of one event, however its table was made."""
    if request.param == "create_all":
        Base.metadata.create_all(database)
    else:
        migrations.upgrade(database)
    with database.connect() as connection:
        connection.execute(insert(AuditEvent).values(at=utcnow(), event="client.enabled", details={}))
        connection.commit()
        yield connection


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    else:
        engine = make_engine(new_database(request.getfixturevalue("postgresql_url"), "grows"))
    yield engine
    engine.dispose()


def test_an_event_can_be_neither_changed_nor_deleted(a_trail):
    for change in update(AuditEvent).values(event="consent.given"), text("DELETE FROM audit_event"):
        with pytest.raises(DBAPIError, match="audit_event is only ever added to"):
            a_trail.execute(change)
        a_trail.rollback()
    assert a_trail.scalars(select(AuditEvent.event)).all() == ["client.enabled"]


def test_the_migration_makes_the_triggers_of_the_models(database):
    made = []
    for make in Base.metadata.create_all, migrations.upgrade:
        make(database)
        made.append(triggers(database))
        Base.metadata.drop_all(database)
    assert made[0] == made[1] != []
    assert set(inspect(database).get_table_names()) == {"alembic_version"}


def triggers(engine):
    """What the database says of its triggers."""
    sqlite = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    postgresql = (
        "SELECT tgname, pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger "
        "JOIN pg_proc ON tgfoid = pg_proc.oid WHERE NOT tgisinternal ORDER BY tgname"
    )
    with engine.connect() as connection:
        return connection.execute(text(sqlite if engine.dialect.name == "sqlite" else postgresql)).all()


# Counting


@pytest.fixture
def counting(database):
    Base.metadata.create_all(database)
    return Tally(database)


def counts(engine):
    """{client id: the counts of its rows}"""
    found = {}
    with reader(engine).connect() as connection:
        for row in connection.execute(select(AuditEvent.client_id, AuditEvent.details)):
            found.setdefault(row.client_id, []).append(row.details["count"])
    return found


def test_counts_are_written_by_themselves(counting):
    counting.every = 0.01
    counting.count("token.refused", client_id="a")
    until = time.monotonic() + 10
    while counts(counting.engine) != {"a": [1]}:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_many_threads_count_while_batches_are_written_and_nothing_is_lost(counting):
    def count():
        for n in range(200):
            counting.count("token.refused", client_id=f"app {n % 3}")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert counting.flush()
    assert counting.flush()
    assert {app: sum(written) for app, written in counts(counting.engine).items()} == {
        "app 0": 8 * 67,
        "app 1": 8 * 67,
        "app 2": 8 * 66,
    }


def test_counts_wait_for_a_database_that_is_locked(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(db, "BUSY_TIMEOUT", 0)
    engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    Base.metadata.create_all(engine)
    counting = Tally(engine)
    counting.count("token.refused", client_id="a")
    with engine.begin():  # holds SQLite's one write lock
        assert counting.flush() is False
        started = time.monotonic()
        counting.count("token.refused", client_id="a")
        assert time.monotonic() - started < 0.1
    assert counting.flush() is True
    assert counts(engine) == {"a": [2]}
    assert "wait for the database" in caplog.text
    engine.dispose()


def test_a_database_that_is_gone_for_long_does_not_fill_the_memory(counting, monkeypatch):
    monkeypatch.setattr("bb2.audit.tally.MOST", 3)
    for n in range(5):
        counting.count("token.refused", client_id=str(n))
    counting.count("token.refused", client_id="0")
    assert counting.flush()
    assert counts(counting.engine) == {"0": [2], "1": [1], "2": [1]}


IN_A_PROCESS = """
import os, signal, sys, time
from bb2.audit.tally import Tally
from bb2.db import make_engine

tally = Tally(make_engine(sys.argv[1]))
tally.start()
tally.every = 3600
tally.count("token.refused", client_id="parent")
child = os.fork()
if child == 0:
    tally.count("token.refused", client_id="child")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
os.waitpid(child, 0)
"""


def test_a_process_that_ends_writes_what_it_has_counted_and_its_fork_what_that_has(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    Base.metadata.create_all(engine)
    (tmp_path / "program.py").write_text(IN_A_PROCESS)
    program = {"program": tmp_path / "program.py", "environ": os.environ, "folder": tmp_path, "log": tmp_path / "log"}
    assert Fork(str(engine.url), **program).wait() == 0, (tmp_path / "log").read_text()
    assert counts(engine) == {"child": [1], "parent": [1]}
    engine.dispose()


# Searching


def test_a_trail_of_any_length_is_found_a_page_at_a_time(server):
    with server.engine.begin() as connection:
        row = {"at": utcnow(), "event": "client.enabled", "details": {}}
        connection.execute(insert(AuditEvent), [row | {"client_id": str(n % 2)} for n in range(2 * PAGE)])
    with reader(server.engine).connect() as connection:
        numbers = [row.id for row in search(connection)]
        assert numbers == list(range(1, 2 * PAGE + 1))
        assert [row.id for row in search(connection, newest=3)] == numbers[-3:]
        assert [row.id for row in search(connection, newest=3 * PAGE)] == numbers
        of_one = [row.client_id for row in search(connection, client_id="1")]
    assert of_one == ["1"] * PAGE


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A folder that `bb2 init` has made ready, with a person whose records are loaded."""
    folder = tmp_path_factory.mktemp("audit")
    for number in 1, 2:
        record = {"resourceType": "Patient", "id": f"-7{number}", "name": [{"family": "Núñez", "given": ["Ana"]}]}
        (folder / f"patient-{number}.json").write_text(json.dumps(record))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR", str(folder))
        patch.setenv("BB2_BENEFICIARIES", "1")
        patch.chdir(folder)
        for command in ["init"], ["load", "--fhir", "r4", "patient-1.json", "patient-2.json"]:
            patch.setattr("sys.argv", ["bb2", *command])
            cli.main()
    return folder


@pytest.fixture
def bb2(state, monkeypatch, capsys):
    """A function that runs a command on that state, and returns what it printed."""
    monkeypatch.setenv("VAR", str(state))
    monkeypatch.setenv("BB2_BENEFICIARIES", "1")
    monkeypatch.chdir(state)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["bb2", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO("a password of mine\n"))
        capsys.readouterr()
        cli.main()
        return capsys.readouterr().out

    return run


def added(bb2):
    """The client id of a new app."""
    arguments = ("--name", f"App {time.monotonic_ns()}", "--redirect-uri", "https://app.example/callback", "--json")
    return json.loads(bb2("client", "add", *arguments))["client_id"]


def newest(bb2, *options):
    return json.loads(bb2("audit", "--limit", "1", "--json", *options))[0]


CHANGES_AN_APP = {
    "client set": ("client.changed", ("--no-demographic", "--scope", "openid")),
    "client disable": ("client.disabled", ()),
    "client enable": ("client.enabled", ()),
    "client rotate-secret": ("client.secret_rotated", ()),
    "client delete": ("client.deleted", ("--yes",)),
}
CHANGES_A_PERSON = {
    "beneficiary add": ("beneficiary.added", ("--username", "ana")),
    "beneficiary merge": ("beneficiary.merged", ("--into", "-72")),
    "beneficiary reopen": ("beneficiary.reopened", ()),
    "beneficiary close": ("beneficiary.closed", ()),
}
CHANGES_NOTHING = {"client list", "keys list"}


def test_every_command_that_changes_an_app_is_in_the_trail(bb2):
    client_id = added(bb2)
    assert newest(bb2)["event"] == "client.registered"
    for command, (event, options) in CHANGES_AN_APP.items():
        bb2(*command.split(), client_id, *options)
        found = newest(bb2)
        assert (found["event"], found["client_id"]) == (event, client_id)
        assert re.fullmatch(r"uid \d+", found["details"]["by"])
    changed = newest(bb2, "--event", "client.changed")["details"]["changed"]
    assert changed == {"asks_demographic": False, "scopes": ["openid"]}


def test_every_command_that_changes_a_person_is_in_the_trail(bb2):
    bb2("beneficiary", "add", "--patient", "-72", "--username", "another")
    for command, (event, options) in CHANGES_A_PERSON.items():
        bb2(*command.split(), "--patient", "-71", *options)
        found = newest(bb2, "--patient", "-71")
        assert found["event"] == event
        assert found["beneficiary_id"] > 0
    assert not {"Ana", "Núñez", "ana", "-71"} & set(re.findall(r"[\w-]+", bb2("audit")))


def test_every_command_that_changes_a_key_is_in_the_trail(bb2):
    bb2("keys", "rotate", "--alg", "ES256")
    made = newest(bb2)
    assert (made["event"], made["details"]["alg"]) == ("key.made", "ES256")
    bb2("keys", "retire", made["details"]["kid"])
    assert newest(bb2)["event"] == "key.retired"


def test_no_command_that_changes_something_is_forgotten_here():
    groups = {name: cli.command.commands[name] for name in ("client", "beneficiary", "keys")}
    commands = {f"{name} {each}" for name, group in groups.items() for each in group.commands}
    proven = {*CHANGES_AN_APP, *CHANGES_A_PERSON, "client add", "keys rotate", "keys retire"}
    assert commands == proven | CHANGES_NOTHING


def test_the_trail_is_searched_by_app_and_time_and_correlation(bb2, state):
    client_id = added(bb2)
    bb2("client", "disable", client_id)
    found = json.loads(bb2("audit", "--client", client_id, "--json"))
    assert [event["event"] for event in found] == ["client.registered", "client.disabled"]
    assert json.loads(bb2("audit", "--client", client_id, "--since", found[1]["at"], "--json")) == found[1:]
    assert json.loads(bb2("audit", "--client", client_id, "--until", found[1]["at"], "--json")) == found[:1]
    engine = make_engine(f"sqlite:///{state}/bb2.sqlite")
    with engine.begin() as connection:
        connection.execute(insert(AuditEvent).values(at=utcnow(), event="token.issued", correlation_id="c", details={}))
    engine.dispose()
    assert [event["event"] for event in json.loads(bb2("audit", "--correlation", "c", "--json"))] == ["token.issued"]
    assert json.loads(bb2("audit", "--client", "nobody", "--json")) == []


def test_the_trail_is_printed_and_exported_as_csv(bb2):
    client_id = added(bb2)
    (row,) = csv.DictReader(io.StringIO(bb2("audit", "--client", client_id, "--csv")))
    assert (row["event"], row["client_id"]) == ("client.registered", client_id)
    assert json.loads(row["details"])["by"].startswith("uid ")
    (line,) = bb2("audit", "--client", client_id).splitlines()
    assert re.fullmatch(rf"\S+Z +client.registered +- +client={client_id} by=uid \d+", line)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--patient", "-404"), "there is no beneficiary"),
        (("--since", "yesterday"), "is no time; accepted: 2026-11-22"),
        (("--event", "consent.givn"), "is not one of"),
    ],
)
def test_a_search_that_makes_no_sense_is_told_so(bb2, capsys, options, said):
    with pytest.raises(SystemExit):
        bb2("audit", *options)
    assert said in capsys.readouterr().err


def test_the_readme_lists_every_event():
    readme = Path(__file__).parent.parent.joinpath("docs/audit.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| ([^|]*) \|$", readme, re.MULTILINE)
    assert dict(table) == audit.EVENTS
