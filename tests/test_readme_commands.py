"""Every `bb2` and `curl` command that stands in a code block of README.md does what it says, one after the other."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from pyramid.paster import get_app

from bb2.cli import command
from journey import connect
from running import RunningServer

ROOT = Path(__file__).parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
CALLBACK = "http://localhost:3000/callback"
LOADED_PERSON = "-20140000010000"


def commands():
    """The command lines of the code blocks that name no language."""
    blocks = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix(".venv/bin/") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(("bb2 ", "curl "))]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
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
    """The app that the README registers."""
    (line,) = [line for line in commands() if line.startswith("bb2 client add")]
    return json.loads(server.command(*shlex.split(line)[1:], "--json"))


def test_the_readme_has_commands():
    assert len(commands()) > 8


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("bb2 ") and "client add" not in c])
def test_a_bb2_command_runs_as_it_stands(server, client, line):
    typed = shlex.split(line.replace("CLIENT_ID", client["client_id"]))
    answers = "long enough\n" if "beneficiary add" in line else "\n".join([""] * 9)
    if "new-scope" in line:
        answers = "ClaimResponse\npatient\nno\nThe answers\nLas respuestas\n"
    server.command(*typed[1:], input=answers)


def test_the_curl_command_reads_claims(server):
    (line,) = [line for line in commands() if line.startswith("curl ")]
    _curl, _header, header, url = shlex.split(line)
    header = header.replace("$ACCESS_TOKEN", access_token(server))
    answer = requests.get(url.replace("http://localhost:8000", server.url), headers=dict([header.split(": ", 1)]))
    assert answer.status_code == 200
    assert answer.json()["total"] > 0


def access_token(server):
    added = json.loads(server.command("client", "add", "--name", "Curl", "--redirect-uri", CALLBACK, "--json"))
    credentials = {name: added[name] for name in ("client_id", "client_secret")}
    answer = {"answer": "yes", "demographic": "withhold"}
    return connect(server.url, credentials, CALLBACK, "BBUser00000", "PW00000!", **answer)["access_token"]


def test_production_ini_makes_an_application(tmp_path, monkeypatch):
    monkeypatch.setenv("BB2_VAR", str(tmp_path))
    ready = CliRunner().invoke(command, ["--config", str(ROOT / "production.ini"), "init"])
    assert ready.exit_code == 0, ready.output
    app = get_app(str(ROOT / "production.ini"), "main")
    assert app.registry["settings"].sandbox is False
    assert {scope.family for scope in app.registry["scopes"]} >= {"openid", "patient/Coverage"}
    app.registry["engine"].dispose()
