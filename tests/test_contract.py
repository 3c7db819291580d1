"""For which version of the contract is a plugin written?  Another major is refused, and a newer minor; so is silence
about a change."""

import inspect
import sys
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import bb2.fhir
import bb2.scopes
import bb2.settings
import bb2.testing
from bb2 import hookspecs, plugins, security
from bb2.fhir import compartment, upstream
from bb2.plugins import contract_of, installed_plugins
from bb2.scopes import CONTRACT, Scope, ScopeError, hookimpl, openid
from bb2.testing import ConsentServer
from bb2.views import records

LISTED = Path(__file__).with_name("contract.txt")
MAJOR, MINOR = map(int, CONTRACT.split("."))


def dental(**attributes):
    @hookimpl
    def register_scopes():
        return Scope(name="dental", consent="Your dental records", demographic=False)

    return SimpleNamespace(name="dental", register_scopes=register_scopes, **attributes)


def refused(contract):
    with pytest.raises(ScopeError) as caught:
        ConsentServer(openid, dental(bb2_contract=contract))
    return str(caught.value)


@pytest.mark.parametrize("contract", [CONTRACT, f"{MAJOR}.0"])
def test_a_plugin_of_this_contract_is_taken(contract):
    server = ConsentServer(openid, dental(bb2_contract=contract))
    assert server.grant("dental")["scope"] == "dental"


def test_a_plugin_that_says_nothing_is_older_than_the_saying_and_taken_for_the_first_version(monkeypatch):
    assert contract_of(dental()) == "1.0"
    ConsentServer(openid, dental())
    monkeypatch.setattr(plugins, "CONTRACT", "2.0")
    with pytest.raises(ScopeError, match=r"plugin test:dental is written for version 1\.0 of the contract"):
        ConsentServer(openid, dental())


def test_what_bb2_brings_itself_keeps_step_with_it(monkeypatch):
    monkeypatch.setattr(plugins, "CONTRACT", "2.0")
    assert {contract_of(plugin) for name, plugin in installed_plugins().items() if name.startswith("bb2:")} == {"2.0"}


def test_a_plugin_of_an_older_major_is_refused_with_both_versions_and_what_to_do():
    assert refused(f"{MAJOR - 1}.7") == (
        f"plugin test:dental is written for version {MAJOR - 1}.7 of the contract, and this bb2 keeps version "
        f"{CONTRACT}: install a newer version of the plugin, or an older bb2, or switch the plugin off in bb2.scopes"
    )


@pytest.mark.parametrize("contract", [f"{MAJOR + 1}.0", f"{MAJOR}.{MINOR + 1}", f"{MAJOR}.10"])
def test_a_plugin_of_a_newer_version_is_refused_with_both_versions_and_what_to_do(contract):
    assert refused(contract) == (
        f"plugin test:dental is written for version {contract} of the contract, and this bb2 keeps version {CONTRACT}: "
        "install a newer bb2, or an older version of the plugin, or switch the plugin off in bb2.scopes"
    )


@pytest.mark.parametrize("contract", ["1", "one", "1.0.0", "", 1.0, None, "1.0\n", "-1.0"])
def test_what_is_no_version_is_refused(contract):
    assert f"plugin test:dental: bb2_contract is {contract!r}; accepted: a version such as" in refused(contract)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("from bb2.scopes import Telepathy", f"newer contract than {CONTRACT}"),
        ("import bb2.telepathy", f"newer contract than {CONTRACT}"),
        ("import telepathy", "No module named 'telepathy'"),
    ],
)
def test_a_name_that_only_a_newer_contract_has_is_told_as_that(tmp_path, monkeypatch, wanted, told):
    (tmp_path / "bb2_newer.py").write_text(f"{wanted}\n")
    info = tmp_path / "bb2_newer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bb2-newer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bb2.scopes]\nnewer = bb2_newer\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ScopeError) as caught:
        installed_plugins(["bb2-newer:newer"])
    assert "plugin bb2-newer:newer cannot be loaded: " in str(caught.value)
    assert told in str(caught.value)
    assert ("contract" in str(caught.value)) is ("contract" in told)


# What belongs to it


def test_a_change_of_the_contract_raises_its_version():
    """Differs?  Raise CONTRACT (see there), write `listing()` into contract.txt, and tell of it in CHANGES.md."""
    assert listing() == LISTED.read_text("utf-8")


def listing():
    """The contract as text: what is exported, with its fields or arguments, and their defaults."""
    hooks = sorted(name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "bb2_spec"))
    lines = [f"version {CONTRACT}"]
    for module, names in (
        (bb2.scopes, bb2.scopes.__all__),
        (hookspecs, hooks),
        (security, ["Identity", "add_protected_view"]),  # request.identity, config.add_protected_view
        (records, ["records"]),  # request.records
        (compartment, ["Compartment"]),
        (bb2.fhir, bb2.fhir.__all__),
        (upstream, ["UpstreamSource"]),
        (bb2.settings, ["SettingError"]),  # what a plugin says of a setting of its own
        (bb2.testing, bb2.testing.FOR_PLUGINS),
    ):
        lines += [line for name in names for line in described(f"{module.__name__}.{name}", getattr(module, name))]
    return "\n".join(lines) + "\n"


def described(name, thing):
    yield f"{name}{inspect.signature(thing)}" if inspect.isfunction(thing) else name
    if not inspect.isclass(thing):
        return
    for field in fields(thing) if is_dataclass(thing) else ():
        yield f"    {field.name}{'' if field.default is MISSING else f' = {field.default!r}'}"
    for method, value in sorted(vars(thing).items()):
        function = value.__func__ if isinstance(value, classmethod) else value
        if inspect.isfunction(function) and not method.startswith("_"):
            yield f"    {method}{inspect.signature(function)}"
