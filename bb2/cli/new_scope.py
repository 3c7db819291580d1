"""bb2 new-scope: a plugin package with its test, written from a name and answers."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template
from textwrap import wrap
from unicodedata import normalize

import click

from bb2.scopes import CONTRACT

TEMPLATES = Path(__file__).with_name("new_scope_template")
LINE = 120  # characters
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RESOURCE_TYPE = re.compile(r"([A-Z][a-z]+)+")
ELEMENT = re.compile(r"[a-z][A-Za-z]*")


@dataclass(frozen=True)
class Answers:
    """What the maintainer decided, checked."""

    name: str  #: `claim-response`
    resource: str
    consent: str
    consent_es: str
    demographic: bool
    patient_element: str

    @property
    def distribution(self):
        return f"bb2-{self.name}"

    @property
    def module(self):
        return f"bb2_{self.entry}"

    @property
    def entry(self):
        return self.name.replace("-", "_")

    @property
    def constant(self):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.resource).upper()

    @property
    def files(self):
        """{path in the package: template}"""
        return {
            f"{self.module}.py": "module.py.template",
            "setup.py": "setup.py.template",
            f"tests/test_{self.entry}.py": "test.py.template",
            "README.md": "README.md.template",
        }


def add_to(command):
    command.add_command(new_scope)


@click.command("new-scope")
@click.argument("name")
@click.option("--resource", help="FHIR resource type, such as ClaimResponse.")
@click.option("--consent", help="The line that the beneficiary reads.")
@click.option("--consent-es", help="The same in Spanish.")
@click.option("--demographic/--no-demographic", default=None, help="Does it say who the person is?")
@click.option("--patient-element", help="The element of a record that refers to its Patient.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where to write it.  Default: bb2-NAME.")
@click.pass_obj
def new_scope(state, name, directory, **given):
    """Write a plugin package, with its test, for the scopes of one FHIR resource type.

    What is not given as an option is asked for.
    """
    name = _checked(NAME, name.removeprefix("bb2-"), "a package name, such as claim-response")
    folder = _free(directory or Path(f"bb2-{name}"))
    answers = _ask(state.registry, name, **given)
    _write(folder, answers)
    listed = "\n".join(f"  {folder / file}" for file in answers.files)
    click.echo(
        f"""Written:
{listed}

Next:
  cd {folder}
  {sys.executable} -m pip install --editable '.[test]'
  {sys.executable} -m pytest
  bb2 scopes
Start the server again: it finds its plugins when it starts.
Apps that are registered already must be given it: bb2 client set CLIENT_ID --add-scope patient/{answers.resource}.read
(`bb2 init` gives it to the demo app of a sandbox).
Then say in {answers.module}.py which elements tell who the person is, and load records with `bb2 load FILE`."""
    )


def _ask(registry, name, *, resource, consent, consent_es, demographic, patient_element):
    """The Answers; each is checked before the next is asked for."""
    resource = resource or click.prompt("FHIR resource type", default=name.title().replace("-", ""))
    _checked(RESOURCE_TYPE, resource, "a FHIR resource type, such as ClaimResponse")
    _refuse_declared(registry, resource)
    element = patient_element or click.prompt("Element that refers to the Patient", default="patient")
    _checked(ELEMENT, element, "an element at the top of a record, such as patient")
    if demographic is None:
        demographic = click.prompt("Does it say who the person is (yes, no)?", type=bool)  # no default: decide
    consent = _words(click.prompt("The line that the beneficiary reads") if consent is None else consent)
    consent_es = _words(click.prompt("The same in Spanish") if consent_es is None else consent_es)
    return Answers(name, resource, consent, consent_es, demographic, element)


def _checked(pattern, answer, wanted):
    if not pattern.fullmatch(answer):
        raise click.ClickException(f"{answer!r} is not {wanted}")
    return answer


def _refuse_declared(registry, resource):
    for scope in registry:
        if any(endpoint.resource and endpoint.resource.type == resource for endpoint in scope.endpoints):
            plugin = registry.plugin_of(scope.name)
            raise click.ClickException(f"{resource} has its scopes already: {plugin} declares {scope.name}")


def _free(folder):
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise click.ClickException(f"{folder} exists and is not an empty folder: name another with --directory")
    return folder


def _words(answer):
    """A line for a page: one space between words, and nothing that cannot be read."""
    line = normalize("NFC", " ".join(answer.split()))
    if not line or not line.isprintable():
        raise click.ClickException(f"{answer!r} is nothing that a beneficiary could read: say what they would share")
    return line


def _write(folder, answers):
    """Every file is filled in before the first is written."""
    values = vars(answers) | {
        "distribution": answers.distribution,
        "module": answers.module,
        "entry": answers.entry,
        "constant": answers.constant,
        "contract": CONTRACT,
        "consent": literal(answers.consent, column=len("            ")),
        "consent_es": literal(answers.consent_es, column=len("            es=")),
    }
    filled = {path: Template((TEMPLATES / name).read_text("utf-8")) for path, name in answers.files.items()}
    filled = {path: template.substitute(values) for path, template in filled.items()}
    for path, text in filled.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def literal(words, column):
    """Words as a Python string that begins in this column; over several lines where one is too long."""
    quoted = _quoted(words)
    if column + len(f"{quoted},") <= LINE:
        return quoted
    width = LINE - column - len('"",') - 1 if words.isascii() and not set(words) & set("\\\"'") else LINE // 2 - 12
    # The space at the end of a line belongs to the words.
    pieces = wrap(words, width, break_on_hyphens=False, break_long_words=False)
    return f"\n{' ' * 12}".join([*(_quoted(f"{piece} ") for piece in pieces[:-1]), _quoted(pieces[-1])])


def _quoted(words):
    """As `repr`, in the quotes that the formatter would choose: double, unless that needs more escapes."""
    quote = "'" if words.count('"') > words.count("'") else '"'
    return quote + words.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
