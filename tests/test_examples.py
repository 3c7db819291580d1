"""The examples of docs/first-call.md print a claim.  (That of CMS's SDK, which needs port 8000: test_real_client.)"""

import pytest

from running import RunningServer
from written import EXAMPLES, registered, run_example

pytestmark = pytest.mark.long

each_example = pytest.mark.parametrize("name", ["curl.sh", "with_fhirclient.py", "javascript.mjs"])


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("examples"), BB2_BENEFICIARIES="1") as running:
        yield registered(running)


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
    written = (EXAMPLES.parent / "first-call.md").read_text(encoding="utf-8")
    shown = {line.partition("examples/")[2] for line in written.splitlines() if "literalinclude}" in line}
    assert shown == {"curl.sh", "with_fhirclient.py", "javascript.mjs", "sdk.py"}
