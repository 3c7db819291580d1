"""README.md and docs/ tell the truth about hooks, settings, scopes, commands, layers and pages."""

import inspect
import re
from itertools import pairwise
from pathlib import Path

import click
import pytest

from bb2 import hookspecs
from bb2.cli import command
from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.scopes import coverage, explanation_of_benefit
from bb2.settings import SETTINGS
from reading import grade
from test_layers import LAYERS

ROOT = Path(__file__).parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/*.md"))}
PLUGINS, RUNNING, SETTINGS_PAGE, SHARING = (
    DOCS[f"{name}.md"] for name in ("plugins", "running", "settings", "sharing")
)
GUIDE = DOCS["beneficiaries.md"]
EVERYTHING = "\n".join([README, *DOCS.values()])
PICTURES = sorted(ROOT.joinpath("docs/pictures").iterdir())
HOOKS = [function for function in vars(hookspecs).values() if hasattr(function, "bb2_spec")]


def commands(group, *path):
    """Every command as it is typed, and its options."""
    for name in group.list_commands(None):
        found = group.get_command(None, name)
        if isinstance(found, click.Group):
            yield from commands(found, *path, name)
        else:
            yield " ".join((*path, name)), {o for p in found.params for o in [*p.opts, *p.secondary_opts]}


COMMANDS = dict(commands(command))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_every_hook_is_documented_as_it_is_specified(hook):
    assert f"`{hook.__name__}{inspect.signature(hook)}`" in PLUGINS


def test_no_hook_is_documented_that_does_not_exist():
    table = PLUGINS.split("## The hooks")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)\(", table, re.MULTILINE)) == {hook.__name__ for hook in HOOKS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default_and_its_sentence(setting):
    default = f"`{setting.default}`" if setting.default is not None else ""
    assert f"| `{setting.name}` | `{setting.environment}` | {default} | {setting.help} |" in SETTINGS_PAGE


def test_no_setting_is_documented_that_does_not_exist():
    rows = re.findall(r"^\| `(bb2\.\w+|sqlalchemy\.\w+)`", SETTINGS_PAGE, re.MULTILINE)
    assert set(rows) == {s.name for s in SETTINGS}
    assert set(re.findall(r"BB2_[A-Z0-9_]+", EVERYTHING)) <= {setting.environment for setting in SETTINGS}


def test_the_scopes_that_are_documented_as_built_in_are():
    table = PLUGINS.split("## The built-in scopes")[1].split("\n## ")[0]
    named = {}
    for cell, demographic in re.findall(r"^\| (`.*?`) \| (yes|no) \|", table, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        for name in (first, *(first.rpartition(".")[0] + other for other in others)):
            named[name] = demographic == "yes"
    built_in = {name: plugin for name, plugin in installed_plugins().items() if name.startswith("bb2:")}
    registry = ScopeRegistry.from_plugins(plugin_manager(built_in))
    assert named == {scope.name: scope.demographic for scope in registry}


@pytest.mark.parametrize("typed", sorted(COMMANDS))
def test_every_command_is_documented(typed):
    assert f"bb2 {typed}" in RUNNING


@pytest.mark.parametrize("resource", [coverage.COVERAGE, explanation_of_benefit.EXPLANATION_OF_BENEFIT])
def test_the_documentation_says_what_leaves_a_record(resource):
    (row,) = re.findall(rf"^\| {resource.type} \| (.*locationAddress.*|.*subscriberId.*)$", SHARING, re.MULTILINE)
    for path in resource.demographic_elements:
        element = path.replace("valueAttachment", "attachments").split(".")
        assert any(part in row for part in element), path


def test_every_file_that_the_documents_show_is_there():
    for folder, document in (ROOT, README), *((ROOT / "docs", document) for document in DOCS.values()):
        for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document):
            assert folder.joinpath(path).exists(), path


def test_no_row_of_a_table_has_more_or_fewer_cells_than_its_head():
    for name, document in {"README.md": README, **DOCS}.items():
        for table in re.findall(r"^\|.*\n(?:\|.*\n)*", document, re.MULTILINE):
            head, *rows = ([*re.finditer(r"(?<!\\)\|", row)] for row in table.splitlines())
            assert [len(row) for row in rows] == [len(head)] * len(rows), f"{name}: {table[:80]}"


def test_every_picture_is_small_made_by_the_command_and_shown_with_words_for_who_cannot_see_it():
    made = re.findall(r'keep\("([^"]+)"', ROOT.joinpath("docs/make_pictures.py").read_text(encoding="utf-8"))
    shown = {name: words for words, name in re.findall(r"!\[([^]]*)\]\(pictures/([^)]+)\)", "".join(DOCS.values()))}
    assert {f"{name}.png" for name in made} == {file.name for file in PICTURES} == set(shown)
    assert [name for name, words in shown.items() if len(words.split()) < 5] == []
    assert [file.name for file in PICTURES if file.stat().st_size > 60 * 1024] == []


def test_what_the_guide_says_a_page_offers_is_there():
    sources = [*ROOT.joinpath("bb2/templates").glob("*.jinja2"), ROOT / "bb2/scopes/substance_use.py"]
    words = "".join(file.read_text(encoding="utf-8") for file in sources)
    offered = re.findall(r"(?<!\*)\*([^*\n]{4,}?)\*(?!\*)|\*\*((?:Yes|No), .*?)\*\*", GUIDE)
    assert len(offered) > 5
    assert [each for pair in offered for each in pair if each not in words] == []


def test_the_guide_is_as_easy_to_read_as_the_pages():
    assert grade(re.sub(r"!\[.*?\)|\]\(.*?\)|<br>|[*|\[-]", " ", GUIDE)) < 8


def test_the_map_names_every_module_and_folder():
    listed = README.split("## The map")[1].split("```")[1]
    for path in ROOT.joinpath("bb2").iterdir():
        if path.suffix == ".py" or (path.is_dir() and path.joinpath("__init__.py").exists()):
            assert path.name in listed, path.name


def test_the_layers_are_those_that_are_held():
    listed = DOCS["architecture.md"].split("```text")[1].split("```")[0].splitlines()
    named = [re.findall(r"bb2(?:\.\w+)*", line[:53]) for line in listed]
    at = {module: number for number, modules in enumerate(named) for module in modules}
    places = [{at[module] for module in layer if not module.startswith("bb2.settings.")} for layer in LAYERS]
    assert set(at) == {module for layer in LAYERS for module in layer}
    assert all(max(above) <= min(below) for above, below in pairwise(places))
