"""`bb2 new-scope`: a plugin package from a name and answers, whose tests pass as written."""

import re
import runpy
import subprocess
import sys

import pytest
from click.testing import CliRunner

from bb2.cli import command
from bb2.scopes import CONTRACT, SMART_INTERACTIONS
from fresh_environment import CHECKOUT

ANSWERS = {
    "--resource": "ClaimResponse",
    "--consent": "What Medicare answered your providers",
    "--consent-es": "Lo que Medicare respondió a sus proveedores",
    "--patient-element": "patient",
}
WRITTEN = {"README.md", "bb2_claim_response.py", "setup.py", "tests/test_claim_response.py"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, in which the command is run."""
    monkeypatch.setenv("VAR", str(tmp_path / "var"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def new_scope(name="claim-response", *flags, answers="", **changes):
    """Run the command; an option that is None is left out, and asked for."""
    options = ANSWERS | {f"--{option.replace('_', '-')}": value for option, value in changes.items()}
    given = [part for option, value in options.items() if value is not None for part in (option, value)]
    return CliRunner().invoke(command, ["new-scope", name, *given, *(flags or ["--no-demographic"])], input=answers)


def scopes_of(module):
    written = runpy.run_path(str(module))
    assert written["bb2_contract"] == CONTRACT
    return written["register_scopes"]()


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def lint(folder):
    """Whether ruff, with the project's rules or its own, finds every package in a folder clean and formatted."""
    for settings in (["--config", CHECKOUT / "pyproject.toml"], ["--isolated"]):
        for check in (["check"], ["format", "--check", "--diff"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *check, "--no-cache", *settings, folder],
                cwd=CHECKOUT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


def test_it_writes_a_package_that_declares_the_family(folder):
    done = new_scope()
    assert done.exit_code == 0, done.output
    package = folder / "bb2-claim-response"
    assert files_in(folder) == {f"bb2-claim-response/{file}" for file in WRITTEN}
    scopes = scopes_of(package / "bb2_claim_response.py")
    assert {scope.name for scope in scopes} == {
        f"patient/ClaimResponse.{permission}" for permission in SMART_INTERACTIONS
    }
    assert {scope.consent for scope in scopes} == {ANSWERS["--consent"]}
    assert {scope.consent.in_language("es") for scope in scopes} == {ANSWERS["--consent-es"]}
    assert {scope.demographic for scope in scopes} == {False}


def test_it_says_what_to_do_next(folder):
    printed = new_scope().output
    for line in ("cd bb2-claim-response", "-m pip install --editable '.[test]'", "-m pytest", "bb2 scopes"):
        assert f"{line}\n" in printed
    assert f"  {sys.executable} -m pytest" in printed
    assert "bb2 client set CLIENT_ID --add-scope patient/ClaimResponse.read" in printed
    assert "which elements tell who the person is" in printed


@pytest.mark.parametrize(("flag", "demographic"), [("--demographic", True), ("--no-demographic", False)])
def test_the_answers_are_in_the_package(folder, flag, demographic):
    assert (
        new_scope("imaging", flag, resource="ImagingStudy", patient_element="subject", directory="x/y").exit_code == 0
    )
    scopes = scopes_of(folder / "x" / "y" / "bb2_imaging.py")
    assert {scope.demographic for scope in scopes} == {demographic}
    (resource,) = {endpoint.resource for scope in scopes for endpoint in scope.endpoints}
    assert (resource.type, resource.patient_element) == ("ImagingStudy", "subject")


NASTY = [
    'Your "dental" records, and what the dentist\'s office said',
    'All "quoted" "words"',
    r"back\slash \n \" ''' \x41 C:\temp",
    "a line\nand a second\ttabbed  one\r\n",
    "${consent} $resource {name} %s {{ jinja }} {% if %}",
    '"""end of a docstring"""',
    "José's café: niño, año, ¿qué? — “así” …",
    "A long line " + "that goes on with \"quotes\" and 'more' " * 12,
    "A long line of plain words " + "that goes on and on " * 20,
    "trailing backslash \\",
]


@pytest.mark.parametrize("words", NASTY)
def test_no_words_break_the_python_that_is_written(folder, words):
    assert new_scope(consent=words, consent_es=f"{words} (es)").exit_code == 0
    for scope in scopes_of(folder / "bb2-claim-response" / "bb2_claim_response.py"):
        assert scope.consent == " ".join(words.split())  # one line of the page
        assert scope.consent.in_language("es") == f"{' '.join(words.split())} (es)"


def test_a_linter_finds_no_fault_whatever_the_words(folder):
    given = [ANSWERS["--consent"], *NASTY]
    for number, words in enumerate(given):
        directory = f"package-{number}"  # the linter's complaint names it
        assert new_scope(consent=words, consent_es=f"{words} (es)", directory=directory).exit_code == 0
    assert len(list(folder.glob("*/setup.py"))) == len(given)
    lint(folder)


# What is not given is asked for


def test_what_is_not_given_is_asked_for(folder):
    done = CliRunner().invoke(
        command, ["new-scope", "claim-response"], input="\n\nno\nWhat was answered\nLo que se respondió\n"
    )
    assert done.exit_code == 0, done.output
    scopes = scopes_of(folder / "bb2-claim-response" / "bb2_claim_response.py")
    assert {scope.name.partition(".")[0] for scope in scopes} == {"patient/ClaimResponse"}  # the default, from the name
    assert {scope.consent for scope in scopes} == {"What was answered"}
    assert {scope.endpoints[0].resource.patient_element for scope in scopes} == {"patient"}  # the default
    assert {scope.demographic for scope in scopes} == {False}


def test_demographic_has_no_default(folder):
    given = [part for option in ANSWERS.items() for part in option]
    done = CliRunner().invoke(command, ["new-scope", "claim-response", *given], input="\n\n\nyes\n")
    assert done.output.count("Does it say who the person is") == 4
    assert {scope.demographic for scope in scopes_of(folder / "bb2-claim-response" / "bb2_claim_response.py")} == {True}


def test_who_does_not_decide_gets_nothing(folder):
    given = [part for option in ANSWERS.items() for part in option]
    done = CliRunner().invoke(command, ["new-scope", "claim-response", *given], input="\n\n")
    assert done.exit_code != 0
    assert files_in(folder) == set()


# Refusals


def refused(folder, *arguments, **changes):
    """The one line of a refusal that wrote nothing."""
    before = files_in(folder)
    done = new_scope(*arguments, **changes)
    assert done.exit_code == 1
    assert files_in(folder) == before
    assert re.fullmatch(r"Error: [^\n]+\n", done.output), done.output
    return done.output


@pytest.mark.parametrize(
    "name",
    ["", "Claim", "claim_response", "1claim", "claim response", "../claim", "claim/x", "claim-", "a--b", "réclame"],
)
def test_a_name_that_is_no_package_name_is_refused(folder, name):
    assert f"{name!r} is not a package name, such as claim-response" in refused(folder, name)


@pytest.mark.parametrize(
    "resource", ["claim", "CLAIM", "claimResponse", "Claim_Response", "Claim Response", "Claim2", "*"]
)
def test_a_resource_type_that_is_not_camel_case_is_refused(folder, resource):
    assert f"{resource!r} is not a FHIR resource type, such as ClaimResponse" in refused(folder, resource=resource)


def test_a_resource_type_that_a_plugin_declares_is_refused(folder):
    message = refused(folder, "cover", resource="Coverage")
    assert "Coverage has its scopes already: bb2:coverage declares patient/Coverage.read" in message


@pytest.mark.parametrize("element", ["Patient", "insurance.coverage", "a b", '"', "x\n"])
def test_an_element_that_is_none_is_refused(folder, element):
    assert "is not an element at the top of a record, such as patient" in refused(folder, patient_element=element)


@pytest.mark.parametrize("words", [" ", "\n", "bell\a", "null\0"])
def test_words_that_nobody_can_read_are_refused(folder, words):
    for option in ("consent", "consent_es"):
        assert "is nothing that a beneficiary could read" in refused(folder, **{option: words})


def test_a_folder_that_is_not_empty_is_refused(folder):
    (folder / "bb2-claim-response").mkdir()
    (folder / "bb2-claim-response" / "mine.txt").write_text("mine")
    assert "bb2-claim-response exists and is not an empty folder" in refused(folder)
    (folder / "file").write_text("mine")
    assert "file exists and is not an empty folder" in refused(folder, directory="file")


def test_an_empty_folder_is_filled(folder):
    (folder / "empty").mkdir()
    assert new_scope(directory="empty").exit_code == 0
    assert files_in(folder / "empty") == WRITTEN
