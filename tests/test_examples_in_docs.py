"""Every example of README.md and docs/ does what it says: commands run, Python runs, settings and JSON are read."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from click.testing import CliRunner
from pyramid.paster import get_app

from bb2.cli import command
from bb2.plugins import plugin_manager
from bb2.registry import ScopeRegistry
from bb2.scopes import substance_use
from bb2.sensitivities import Sensitivities
from bb2.settings import Settings
from journey import connect
from running import RunningServer

ROOT = Path(__file__).parent.parent
DOCUMENTS = {path.name: path.read_text("utf-8") for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))}
MAKEFILE = ROOT.joinpath("Makefile").read_text("utf-8")
FENCE = re.compile(r"^ *```(\S*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
#: Shown and not executed: the map, the layers (test_docs.py looks at these two) and a list of codes.
TEXTS = {"README.md", "architecture.md", "plugins.md"}
#: Whole chapters with a test of their own, which follows them step by step.
FOLLOWED = {"first-call.md": "test_first_call.py", "write-a-scope.md": "test_write_a_scope.py"}
#: What the executed examples know the server as.
ADDRESS = "http://localhost:8000"
CALLBACK = "http://localhost:3000/callback"
LOADED_PERSON = "-20140000010000"


def examples(*languages):
    """(document, text) of each example in these languages, in the order in which one reads."""
    return [
        (name, text)
        for name, document in DOCUMENTS.items()
        for language, text in FENCE.findall(document)
        if language in languages and name not in FOLLOWED
    ]


LINES = [(name, line) for name, text in examples("bash") for line in text.replace("\\\n", " ").splitlines()]
PAGES_WITH_PYTHON = sorted({name for name, _text in examples("python")})


def commands(program):
    return list(dict.fromkeys(line for _name, line in LINES if line.startswith(f"{program} ")))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    patient = {
        "resourceType": "Patient",
        "id": LOADED_PERSON,
        "meta": {"profile": ["http://hl7.org/fhir/us/carin-bb/x"]},
    }
    coverage = {
        "resourceType": "Coverage",
        "id": "part-a",
        "class": [],
        "beneficiary": {"reference": f"Patient/{LOADED_PERSON}"},
    }
    for name, record in (("patient.json", patient), ("coverage.json", coverage), ("claims.ndjson", coverage)):
        folder.joinpath(name).write_text(json.dumps(record))
    subprocess.run(["gzip", "claims.ndjson"], cwd=folder, check=True)
    with RunningServer(folder) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    """The app that the documentation registers."""
    (line,) = [line for line in commands("bb2") if line.startswith("bb2 client add")]
    return json.loads(server.command(*shlex.split(line)[1:], "--json"))


@pytest.fixture(scope="module")
def access_token(server):
    added = json.loads(server.command("client", "add", "--name", "Examples", "--redirect-uri", CALLBACK, "--json"))
    credentials = {name: added[name] for name in ("client_id", "client_secret")}
    answer = {"answer": "yes", "demographic": "withhold"}
    return connect(server.url, credentials, CALLBACK, "BBUser00000", "PW00000!", **answer)["access_token"]


def test_every_example_is_of_a_kind_that_is_executed_or_read():
    kinds = {"bash", "python", "ini", "json", "text"}
    found = {(name, language) for name, text in DOCUMENTS.items() for language, _text in FENCE.findall(text)}
    shown = {(name, kind) for name, kind in found if not kind.startswith("{") and name not in FOLLOWED}
    assert {kind for _name, kind in shown} == kinds
    assert {name for name, kind in shown if kind == "text"} == TEXTS


def test_every_chapter_that_a_test_follows_is_read_by_that_test():
    for chapter, test in FOLLOWED.items():
        (found,) = ROOT.glob(f"tests/**/{test}")
        assert chapter in found.read_text("utf-8"), chapter


def test_every_command_is_of_a_program_that_is_run_here():
    assert len(commands("bb2")) > 15
    assert [line for _name, line in LINES if line.split()[0] not in ("bb2", "curl", "make")] == []


@pytest.mark.parametrize("line", [c for c in commands("bb2") if "client add" not in c])
def test_a_bb2_command_runs_as_it_stands(server, client, line):
    typed = shlex.split(line.replace("CLIENT_ID", client["client_id"]))
    answers = "long enough\n" if "beneficiary add" in line else "\n".join(["y", *[""] * 8])
    if "new-scope" in line:
        answers = "ClaimResponse\npatient\nno\nThe answers\nLas respuestas\n"
    server.command(*typed[1:], input=answers)


@pytest.mark.parametrize("line", commands("make"))
def test_a_make_command_has_its_target(line):
    _make, target, *_variables = shlex.split(line)
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("line", commands("curl"))
def test_a_curl_command_reads_claims(server, access_token, line):
    _curl, _header, header, url = shlex.split(line)
    header = header.replace("$ACCESS_TOKEN", access_token)
    answer = requests.get(url.replace(ADDRESS, server.url), headers=dict([header.split(": ", 1)]))
    assert answer.status_code == 200
    assert answer.json()["total"] > 0


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON)
def test_the_python_of_a_page_runs_from_top_to_bottom(server, access_token, monkeypatch, page):
    monkeypatch.setenv("ACCESS_TOKEN", access_token)
    monkeypatch.syspath_prepend(ROOT / "examples" / "bb2-claim")
    names = {"__name__": "example"}
    for name, text in examples("python"):
        if name == page:
            exec(compile(text.replace(ADDRESS, server.url), page, "exec"), names)  # ours, from our own documentation
    if page == "records.md":
        assert len(names["claims"]) > 50  # hence more than one page
        assert names["latest"] == max(claim["meta"]["lastUpdated"] for claim in names["claims"])
        assert list(names["changed_since"](names["latest"])) == []


def test_the_plugins_that_are_shown_can_be_installed():
    shown = [text for _name, text in examples("python") if "@hookimpl" in text]
    assert shown
    for text in shown:
        names = {}
        exec(text, names)
        plugins = plugin_manager({"example": SimpleNamespace(**{n: v for n, v in names.items() if n[0] != "_"})})
        assert list(ScopeRegistry.from_plugins(plugins)) or Sensitivities.from_plugins(plugins, Settings.read({}, {}))


@pytest.mark.parametrize(("page", "text"), examples("ini"), ids=[name for name, _text in examples("ini")])
def test_the_settings_that_are_shown_are_taken(page, text):
    shown = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    assert shown
    settings = Settings.read(shown, {})
    for name, value in shown.items():
        assert str(getattr(settings, name.removeprefix("bb2."))).startswith(value), name


def test_the_json_that_is_shown_is_json():
    assert all(json.loads(text) for _name, text in examples("json"))


def test_the_codes_that_are_shown_are_taken(tmp_path):
    (text,) = [text for name, text in examples("text") if name == "plugins.md"]
    (tmp_path / "codes.csv").write_text(text)
    settings = Settings.read({"bb2.sensitive_codes": str(tmp_path / "codes.csv")}, {})
    assert substance_use.added(settings) == [tuple(line.split(",")[1:]) for line in text.splitlines()[1:]]


def test_production_ini_makes_an_application(tmp_path, monkeypatch):
    monkeypatch.setenv("BB2_VAR", str(tmp_path))
    ready = CliRunner().invoke(command, ["--config", str(ROOT / "production.ini"), "init"])
    assert ready.exit_code == 0, ready.output
    app = get_app(str(ROOT / "production.ini"), "main")
    assert app.registry["settings"].sandbox is False
    assert {scope.family for scope in app.registry["scopes"]} >= {"openid", "patient/Coverage"}
    app.registry["engine"].dispose()
