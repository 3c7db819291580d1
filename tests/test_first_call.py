"""The examples of docs/first-call.md print a claim.  (That of CMS's SDK, which needs port 8000: test_real_client.)"""

import shlex

import pytest

from running import FEW_CLAIMS, RunningServer
from written import EXAMPLES, registered, run_example

pytestmark = pytest.mark.long

each_example = pytest.mark.parametrize("name", ["curl.sh", "with_fhirclient.py", "javascript.mjs"])


WRITTEN = (EXAMPLES.parent / "first-call.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("examples"), BB2_BENEFICIARIES="1", **FEW_CLAIMS) as running:
        yield running


@pytest.fixture(scope="module")
def app(server):
    return registered(server)


@each_example
def test_it_prints_a_claim(app, name):
    code, printed = run_example(name, app, answer="yes", demographic="share")
    assert code == 0, printed
    assert "claims; the first is" in printed or '"resourceType":"ExplanationOfBenefit"' in printed


@each_example
def test_it_says_so_when_the_person_says_no(app, name):
    code, printed = run_example(name, app, answer="no")
    assert code != 0
    assert "No code came back" in printed
    assert "access_denied" in printed


def test_the_page_has_every_example_and_no_other():
    shown = {line.partition("examples/")[2] for line in WRITTEN.splitlines() if "literalinclude}" in line}
    assert shown == {"curl.sh", "with_fhirclient.py", "javascript.mjs", "sdk.py"}


def test_its_command_registers_an_app(server):
    (line,) = [line.strip() for line in WRITTEN.splitlines() if line.strip().startswith("bb2 ")]
    printed = server.command(*shlex.split(line)[1:])
    assert "client_id" in printed
    assert "client_secret" in printed
