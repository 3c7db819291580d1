"""The `bb2` command: what it prints, and what it says when something is wrong."""

import io
import json
import socket
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bb2 import cli
from bb2.db import make_engine, reader
from bb2.identity.builtin import find_account, is_password
from bb2.models import Account, Beneficiary, Client, ClientLogo, Record, RecordIndexing, SandboxPerson
from bb2.oauth.secrets import same_secret
from bb2.sandbox import PERSONAS
from bb2.scopes import CONTRACT
from other_server import OtherServer, send
from pictures import picture
from running import free_port

CALLBACK = "https://app.example/callback"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A folder that `bb2 init` has made ready."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAR", str(folder))
        patch.setenv("BB2_BENEFICIARIES", "1")
        patch.chdir(folder)
        patch.setattr("sys.argv", ["bb2", "init"])
        cli.main()
    return folder


@pytest.fixture
def bb2(state, monkeypatch, capsys):
    """A function that runs a command on that state: returns (what it printed, its last words or its status)."""
    monkeypatch.setenv("VAR", str(state))
    monkeypatch.setenv("BB2_BENEFICIARIES", "1")
    monkeypatch.chdir(state)

    def run(*arguments, stdin=""):
        monkeypatch.setattr("sys.argv", ["bb2", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            return "".join(capsys.readouterr()), end.code
        return capsys.readouterr().out, 0

    return run


@pytest.fixture
def db(state):
    engine = make_engine(f"sqlite:///{state}/bb2.sqlite")
    with Session(reader(engine)) as session:  # holds no lock that a command would wait for
        yield session
    engine.dispose()


def add(bb2, name, *options):
    printed, status = bb2("client", "add", "--name", name, "--redirect-uri", CALLBACK, "--json", *options)
    assert status == 0, printed
    return json.loads(printed)


def test_init_can_be_repeated_and_keeps_what_is_there(bb2, db, state):
    before = {client.client_id: client.secret_hash for client in db.query(Client)}
    demo = (state / "demo-client.json").read_text()
    assert bb2("init") == (f"Ready.  The state is in {state}\n", 0)
    db.expire_all()
    assert {client.client_id: client.secret_hash for client in db.query(Client)} == before
    assert (state / "demo-client.json").read_text() == demo
    assert db.query(Account).count() == 1


def test_init_makes_the_people_that_are_missing(bb2, db):
    assert "1 synthetic people" in bb2("init", "--beneficiaries", "2")[0]
    account = find_account(db, "BBUser00001")
    assert account.beneficiary.patient.startswith("-")
    assert is_password(account.password_hash, "PW00001!")


def test_what_init_keeps_secret_only_its_owner_can_read(state):
    key = next((state / "keys").iterdir())
    for path in (state, state / "keys", key, state / "demo-client.json"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_client_gets_its_secret_once_and_only_its_hash_is_kept(bb2, db):
    added = add(bb2, "Once")
    stored = db.get(Client, added["client_id"])
    assert same_secret(added["client_secret"], stored.secret_hash)
    assert added["redirect_uris"] == [CALLBACK]
    assert "patient/Patient.read" in added["scopes"]
    assert added["client_secret"] not in bb2("client", "list", "--json")[0]


def test_the_picture_of_an_app_is_checked_kept_and_taken_away_and_the_trail_has_it(bb2, db, tmp_path):
    (tmp_path / "logo.jpg").write_bytes(picture(format="JPEG"))
    (tmp_path / "page.html").write_text("<script>")
    added = add(bb2, "Painted", "--logo", str(tmp_path / "logo.jpg"))
    kept = db.get(ClientLogo, added["client_id"])
    assert added["logo"] == sha256(kept.png).hexdigest()
    assert bb2("client", "set", added["client_id"], "--logo", str(tmp_path / "page.html")) == (
        "",
        "bb2: the logo must be a PNG or JPEG picture",
    )
    assert "logo" in bb2("client", "set", added["client_id"], "--no-logo")[0]
    db.expire_all()
    assert (db.get(Client, added["client_id"]).logo, db.get(ClientLogo, added["client_id"])) == (None, None)
    (told,) = json.loads(bb2("audit", "--client", added["client_id"], "--event", "client.changed", "--json")[0])
    assert told["details"]["changed"] == {"logo": None}


def test_a_public_client_has_no_secret(bb2):
    added = add(bb2, "Public", "--public")
    assert "client_secret" not in added
    assert added["public"] is True


def test_a_client_with_keys_has_no_secret_and_keeps_no_private_key(bb2, tmp_path):
    key = ECKey.generate_key("P-384", parameters={"kid": "mine"})
    public, private = tmp_path / "public.json", tmp_path / "private.json"
    public.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    private.write_text(json.dumps(KeySet([key]).as_dict(private=True)))
    added = add(bb2, "Keys", "--jwks", str(public))
    assert "client_secret" not in added
    assert (added["public"], added["key_ids"]) == (False, ["mine"])
    moved = json.loads(bb2("client", "set", added["client_id"], "--jwks-uri", "https://app.example/k", "--json")[0])
    assert (moved["jwks_uri"], moved["key_ids"]) == ("https://app.example/k", [])
    for options, told in (
        (("--jwks", str(private)), "private"),
        (("--jwks", __file__), "not JSON"),
        (("--jwks-uri", "http://app.example/k"), "jwks_uri"),
        (("--jwks", str(public), "--jwks-uri", "https://app.example/k"), "one of the two"),
    ):
        printed, status = bb2("client", "set", added["client_id"], *options)
        assert told in f"{printed}{status}"
    assert "its keys" in str(bb2("client", "rotate-secret", added["client_id"]))


def test_a_client_that_needs_no_demographic_data_is_registered_for_none(bb2):
    added = add(bb2, "Modest", "--no-demographic", "--access", "research")
    assert added["asks_demographic"] is False
    assert added["access"] == "research"
    assert not {"profile", "patient/Patient.read"} & set(added["scopes"])


def test_a_client_is_switched_off_and_on(bb2, db):
    added = add(bb2, "Switch")
    bb2("client", "disable", added["client_id"])
    assert db.get(Client, added["client_id"]).disabled_at is not None
    assert "OFF" in next(line for line in bb2("client", "list")[0].splitlines() if "Switch" in line)
    bb2("client", "enable", added["client_id"])
    db.expire_all()
    assert db.get(Client, added["client_id"]).disabled_at is None


def test_a_rotated_secret_replaces_the_old_one(bb2, db):
    added = add(bb2, "Rotate")
    rotated = json.loads(bb2("client", "rotate-secret", added["client_id"], "--json")[0])
    stored = db.get(Client, added["client_id"]).secret_hash
    assert same_secret(rotated["client_secret"], stored)
    assert not same_secret(added["client_secret"], stored)


def test_a_client_is_changed(bb2):
    added = add(bb2, "Change")
    options = ("--no-demographic", "--scope", "openid", "--name", "Changed", "--access", "one-time", "--json")
    changed = json.loads(bb2("client", "set", added["client_id"], *options)[0])
    assert changed["name"] == "Changed"
    assert changed["scopes"] == ["openid"]
    assert changed["asks_demographic"] is False
    assert changed["access"] == "one-time"
    assert changed["redirect_uris"] == added["redirect_uris"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("client", "add", "--name", "Taken", "--redirect-uri", "http://app.example/cb"), "must be https"),
        (("client", "add", "--name", "Taken", "--redirect-uri", "https://app.example/cb#x"), "no fragment"),
        (("client", "add", "--name", "Taken", "--redirect-uri", "https://*.example/cb"), "wildcard"),
        (("client", "add", "--name", "Taken", "--redirect-uri", "javascript:alert(1)"), "must be https"),
        (("client", "add", "--name", "Taken"), "redirect URI is needed"),
        (("client", "add", "--redirect-uri", CALLBACK), "name must be"),
        (("client", "add", "--name", "carely", "--redirect-uri", CALLBACK), "another app is called"),
        (("client", "add", "--name", "X", "--redirect-uri", CALLBACK, "--scope", "everything"), "unknown scopes"),
        (("client", "add", "--name", "X", "--redirect-uri", CALLBACK, "--website", "http://x"), "https URL"),
        (("client", "disable", "nobody"), "there is no app"),
        (("beneficiary", "add", "--patient", "-404", "--username", "x"), "no Patient record"),
        (("beneficiary", "close", "--patient", "-404"), "there is no beneficiary"),
        (("beneficiary", "merge", "--patient", "-404", "--into", "-404"), "with itself"),
        (("load", "--fhir", "r4", "demo-client.json"), "demo-client.json: line 1: no resourceType"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(bb2, arguments, said):
    printed, status = bb2(*arguments, stdin="long enough\n")
    assert status not in (0, None)
    assert said in f"{printed}{status}"


def test_a_loaded_person_gets_a_sign_in(bb2, db, state):
    record = {"resourceType": "Patient", "id": "-77", "name": [{"family": "Núñez", "given": ["Ana", "B"]}]}
    (state / "patient.json").write_text(json.dumps(record))
    assert bb2("load", "--fhir", "r4", "patient.json")[1] == 0
    assert bb2("beneficiary", "add", "--patient", "-77", "--username", "Ana", stdin="my own words\n")[1] == 0
    account = find_account(db, "ana")
    assert is_password(account.password_hash, "my own words")
    person = account.beneficiary
    assert (person.patient, person.given_name, person.family_name) == ("-77", "Ana", "Núñez")


def test_a_second_sign_in_needs_a_flag(bb2, db, state):
    (state / "twice.json").write_text(json.dumps({"resourceType": "Patient", "id": "-79"}))
    bb2("load", "--fhir", "r4", "twice.json")
    adding = ("beneficiary", "add", "--patient", "-79", "--username")
    assert bb2(*adding, "first", stdin="my own words\n")[1] == 0
    assert "has a sign-in already; --another" in bb2(*adding, "second", stdin="my own words\n")[1]
    assert find_account(db, "second") is None
    assert bb2(*adding, "second", "--another", stdin="my own words\n")[1] == 0


def test_records_of_an_older_declaration_stop_the_server_until_bb2_init_has_made_them_anew(bb2, state, monkeypatch):
    monkeypatch.setenv("BB2_PORT", str(free_port()))  # another test may listen on 8000 meanwhile
    engine = make_engine(f"sqlite:///{state}/bb2.sqlite")
    with engine.begin() as connection:  # as a database of the revision before
        connection.execute(delete(RecordIndexing))
    engine.dispose()
    refused = bb2("serve")[1]
    assert "records of Coverage, ExplanationOfBenefit, Patient were loaded when" in refused
    assert "run `bb2 reindex`, or `bb2 init`" in refused
    assert "ExplanationOfBenefit: " in bb2("init")[0]
    assert bb2("reindex")[0].startswith("Nothing to do")


def test_a_person_of_another_fhir_server_gets_a_sign_in(bb2, db, monkeypatch):
    record = {"resourceType": "Patient", "id": "-88", "name": [{"family": "Ruiz", "given": ["Eva"]}]}
    known = f"/v2/fhir/Patient/{record['id']}"
    adding = ("beneficiary", "add", "--username", "eva", "--patient")
    with OtherServer(lambda handler: send(handler, record, 200 if handler.path == known else 404)) as other:
        monkeypatch.setenv("BB2_FHIR_SOURCE", "upstream")
        monkeypatch.setenv("BB2_UPSTREAM_V2", other.base)
        monkeypatch.setenv("BB2_UPSTREAM_RETRIES", "0")
        assert bb2(*adding, "-88", stdin="my own words\n")[1] == 0
        assert "the other server does not have it" in bb2(*adding, "-99", stdin="my own words\n")[1]
    assert "The server that holds the records" in bb2(*adding, "-88", stdin="my own words\n")[1]
    person = find_account(db, "eva").beneficiary
    assert (person.patient, person.given_name, person.family_name) == ("-88", "Eva", "Ruiz")


def test_a_short_password_is_refused(bb2, state):
    (state / "short.json").write_text(json.dumps({"resourceType": "Patient", "id": "-78"}))
    bb2("load", "--fhir", "r4", "short.json")
    assert "at least 8" in bb2("beneficiary", "add", "--patient", "-78", "--username", "x", stdin="short\n")[1]


def test_scopes_are_listed_with_what_each_opens(bb2):
    listed = {row["scope"]: row for row in json.loads(bb2("scopes", "--json")[0])}
    assert listed["patient/Coverage.r"]["v1"] == ["Coverage read"]
    assert listed["patient/Patient.read"]["demographic"] is True
    assert listed["profile"]["v2"] == ["connect/userinfo"]
    assert listed["openid"]["plugin"].startswith("bb2:openid ")
    assert {row["contract"] for row in listed.values()} == {CONTRACT}
    table = bb2("scopes")[0]
    assert all(name in table for name in listed)


def test_an_ini_file_says_where_the_state_is(bb2, state, tmp_path, monkeypatch):
    ini = tmp_path / "own.ini"
    ini.write_text(f"[app:main]\nuse = egg:bb2\nbb2.var = {state}\n")
    monkeypatch.delenv("VAR")
    assert "Carely" in bb2("--config", str(ini), "client", "list")[0]


def test_an_unknown_setting_stops_every_command(bb2, monkeypatch):
    monkeypatch.setenv("BB2_COLOUR", "blue")
    assert "unknown setting BB2_COLOUR" in bb2("client", "list")[1]


def test_without_a_database_the_command_says_what_to_do_and_makes_none(bb2, tmp_path, monkeypatch):
    monkeypatch.setenv("VAR", str(tmp_path))
    said, status = bb2("client", "list")
    assert status == 1
    assert f"there is no database at {tmp_path}/bb2.sqlite" in said
    assert "bb2 init" in said
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_said_in_a_line(bb2, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("BB2_PORT", str(port))
        said, _status = bb2("serve")
    assert f"cannot listen on port {port}" in said
    assert f"make run PORT={port + 1}" in said


def test_scopes_are_added_and_taken_away(bb2):
    added = add(bb2, "More", "--scope", "openid patient/Coverage.read")
    assert added["scopes"] == ["openid", "patient/Coverage.read"]
    more = json.loads(bb2("client", "set", added["client_id"], "--add-scope", "profile", "--json")[0])
    assert more["scopes"] == ["openid", "patient/Coverage.read", "profile"]
    fewer = json.loads(bb2("client", "set", added["client_id"], "--remove-scope", "openid profile", "--json")[0])
    assert fewer["scopes"] == ["patient/Coverage.read"]


def test_init_gives_the_demo_client_what_is_installed(bb2, db):
    demo = db.query(Client).filter_by(name="Carely").one()
    bb2("client", "set", demo.client_id, "--remove-scope", "patient/Coverage.read")
    bb2("init")
    db.expire_all()
    assert "patient/Coverage.read" in db.get(Client, demo.client_id).scopes


def test_a_persons_record_is_closed_opened_again_and_merged(bb2, db):
    with db.begin():
        patient = db.scalars(select(Beneficiary.patient)).first()
    other = add_person(bb2, "-88", "eve")
    for command, said in (
        (("close", "--patient", patient), "is closed"),
        (("reopen", "--patient", patient), "is open again"),
        (("merge", "--patient", patient, "--into", other), "was merged into"),
        (("reopen", "--patient", patient), "is open again"),
    ):
        printed, status = bb2("beneficiary", *command)
        assert (said in printed, status) == (True, 0)
    trail = [event["event"] for event in json.loads(bb2("audit", "--json")[0])]
    assert [e for e in trail if e.startswith("beneficiary.") and e != "beneficiary.added"] == [
        "beneficiary.closed",
        "beneficiary.reopened",
        "beneficiary.merged",
        "beneficiary.reopened",
    ]


def test_what_has_expired_is_swept(bb2):
    printed, status = bb2("sweep")
    assert status == 0
    assert "access_token" in printed
    assert json.loads(bb2("sweep", "--json")[0])["access_token"] == 0


def test_personas_are_listed_with_how_to_sign_in_and_what_they_show(bb2):
    listed = json.loads(bb2("personas", "--json")[0])
    assert listed[0] == {
        "name": "everything",
        "username": "BBUser00000",
        "password": "PW00000!",
        "shows": PERSONAS["everything"].shows,
    }
    assert [row["name"] for row in listed] == list(PERSONAS)
    table = bb2("personas")[0].splitlines()
    assert [line.split()[0] for line in table] == list(PERSONAS)


def test_another_seed_than_the_sandboxs_is_refused(bb2, monkeypatch):
    said, status = bb2("init", "--seed", "2")
    assert "made with seed 1, and with 2 they would be others" in str(status)
    assert "Ready" not in said
    monkeypatch.setenv("BB2_SANDBOX_YEARS", "2")
    assert "made with years 4" in str(bb2("init")[1])
    assert bb2("init", "--seed", "1", "--years", "4")[1] == 0


def test_time_goes_by_for_one_person_and_a_reset_takes_it_back(bb2, db):
    def patients_records():
        db.expire_all()
        patient = find_account(db, "BBUser00000").beneficiary.patient
        return {(r.version, r.id): r.body for r in db.scalars(select(Record).where(Record.patient == patient))}

    before = patients_records()
    printed, status = bb2("sandbox", "advance", "--weeks", "3", "--person", "bbuser00000")
    assert status == 0, printed
    after = patients_records()
    new = int(printed.split()[0])
    assert len(after) - len(before) == 2 * new > 0  # in both versions
    assert "of 1 person (BBUser00000)" in printed
    assert "no connected app" in bb2("sandbox", "reset", "BBUser00000")[0]
    assert patients_records() == before
    trail = json.loads(bb2("audit", "--event", "beneficiary.reset", "--json")[0])
    assert [event["details"]["by"].split()[0] for event in trail] == ["uid"]


def test_time_goes_by_for_everybody(bb2, db):
    def days():
        db.expire_all()
        return dict(db.execute(select(SandboxPerson.number, SandboxPerson.day)).all())

    before = days()
    assert "new claim" in bb2("sandbox", "advance")[0]
    assert days() == {number: day + timedelta(weeks=1) for number, day in before.items()}


def test_only_a_sandbox_has_synthetic_people_and_only_they_are_reset(bb2, monkeypatch):
    add_person(bb2, "-89", "mallory")
    assert "not one of this sandbox's synthetic people" in bb2("sandbox", "reset", "mallory")[1]
    assert "not one of" in bb2("sandbox", "advance", "--person", "nobody")[1]
    monkeypatch.setenv("BB2_SANDBOX", "false")
    for command in ("personas",), ("sandbox", "reset", "BBUser00000"), ("sandbox", "advance"):
        assert "no sandbox" in bb2(*command)[1]


def test_a_command_that_makes_nobody_up_does_not_import_the_generator(state):
    asked = "import sys; from bb2 import cli; cli.command.get_command(None, 'client'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert "bb2.cli.clients" in modules
    assert not [name for name in modules if name.startswith("bb2.sandbox")]


def add_person(bb2, patient, username):
    """Load a person's record and give them a sign-in; returns the Patient.id."""
    record = {"resourceType": "Patient", "id": patient, "name": [{"family": "Doe", "given": ["Eve"]}]}
    Path(f"{username}.json").write_text(json.dumps(record))
    bb2("load", "--fhir", "r4", f"{username}.json")
    bb2("beneficiary", "add", "--patient", patient, "--username", username, stdin="long enough\n")
    return patient


def test_an_app_is_registered_before_its_secret_is_shown(bb2, db, monkeypatch):
    """A pipe that closes early ends the command in the middle of its words: what was seen must open something."""

    def closed(*_words, **_options):
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("click.echo", closed)
        with pytest.raises(BrokenPipeError):
            cli.command(["client", "add", "--name", "Piped", "--redirect-uri", CALLBACK], standalone_mode=False)
    assert db.scalars(select(Client.name).where(Client.name == "Piped")).all() == ["Piped"]


# What is sensitive


def test_judge_and_init_judge_what_nobody_has_judged(bb2, db, state):
    record = {"resourceType": "Coverage", "id": "judged", "beneficiary": {"reference": "Patient/-1"}}
    state.joinpath("coverage.json").write_text(json.dumps(record))
    bb2("load", "--fhir", "r4", str(state / "coverage.json"))
    by_rules = db.scalars(select(Record.judgements).where(Record.id == "judged")).one()
    assert by_rules.startswith(" -substance-use/")
    assert bb2("judge") == ("Every record was judged by the rules of today.\n", 0)
    for command in "judge", "init":
        engine = make_engine(f"sqlite:///{state}/bb2.sqlite")
        with engine.begin() as connection:
            connection.execute(update(Record).where(Record.id == "judged").values(judgements=""))
        engine.dispose()
        printed, status = bb2(command)
        assert (status, "1 record was judged" in printed) == (0, True)
        assert db.scalars(select(Record.judgements).where(Record.id == "judged")).one() == by_rules


def test_a_deleted_client_is_gone_from_the_lists_and_its_name_is_free(bb2, db):
    added = add(bb2, "Short-lived")
    assert bb2("client", "delete", added["client_id"], stdin="n\n")[1] != 0
    assert bb2("client", "delete", added["client_id"], stdin="y\n")[1] == 0
    assert "Short-lived" not in bb2("client", "list")[0]
    for command in ("set", "enable", "rotate-secret", "delete"):
        assert "there is no app" in str(bb2("client", command, added["client_id"]))
    add(bb2, "short-lived")
    (told,) = json.loads(bb2("audit", "--client", added["client_id"], "--event", "client.deleted", "--json")[0])
    assert told["details"]["by"].startswith("uid")


def test_a_secret_that_is_rotated_with_an_overlap_does_beside_the_new_one(bb2, db):
    added = add(bb2, "Overlap")
    bb2("client", "rotate-secret", added["client_id"], "--overlap")
    stored = db.get(Client, added["client_id"])
    assert same_secret(added["client_secret"], stored.previous_secret_hash)
    bb2("client", "rotate-secret", added["client_id"])
    db.expire_all()
    assert stored.previous_secret_hash is None


def test_what_a_client_gets_back_is_written_down_with_since_when(bb2, db):
    added = add(bb2, "Back", "--description", "Keeps your records.", "--support-email", "us@back.example")
    coverage = [name for name in added["scopes"] if "Coverage" in name]
    assert db.get(Client, added["client_id"]).scopes_since is None
    bb2("client", "set", added["client_id"], "--remove-scope", *coverage, "--no-demographic")
    bb2("client", "set", added["client_id"], "--add-scope", *coverage, "--demographic")
    db.expire_all()
    stored = db.get(Client, added["client_id"])
    assert list(stored.scopes_since) == coverage
    assert stored.asks_demographic_since is not None
    told = bb2("audit", "--client", added["client_id"])[0]
    assert "us@back.example" not in told


def test_a_demo_client_that_was_deleted_is_registered_anew(bb2, db, state):
    deleted = json.loads((state / "demo-client.json").read_text())
    bb2("client", "delete", deleted["client_id"], "--yes")
    bb2("init")
    anew = json.loads((state / "demo-client.json").read_text())
    assert anew["client_id"] != deleted["client_id"]
    assert db.get(Client, anew["client_id"]).disabled_at is None
