"""Which module may import which?  Each layer imports only from the layers below it, and the core knows no scope."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bb2
from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.sensitivities import Sensitivities
from bb2.settings import Settings

ROOT = Path(bb2.__file__).parent
#: From the top.  A package speaks for its modules.
LAYERS = [
    {"bb2.testing"},  # the test kit, which runs the whole application
    {"bb2.cli"},
    {"bb2"},  # assembles the application
    {"bb2.routes"},
    {"bb2.views"},  # HTTP
    {"bb2.receipts"},  # policy, of which one may need the next
    {"bb2.sharing"},
    {"bb2.openapi"},
    {"bb2.security", "bb2.consent", "bb2.discovery", "bb2.matching"},
    {"bb2.bounds"},
    {"bb2.sandbox"},  # protocols, of which one may need the next
    {"bb2.developers"},
    {"bb2.identity"},
    {"bb2.fhir", "bb2.notices"},
    {"bb2.oauth"},
    {"bb2.audit", "bb2.limits", "bb2.sweep"},
    {"bb2.registry", "bb2.sensitivities"},  # what the plugins declare
    {"bb2.plugins", "bb2.db", "bb2.settings", "bb2.migrations"},  # plumbing
    {"bb2.models"},
    {"bb2.scopes"},  # the contract with plugins
    {"bb2.hookspecs", "bb2.language", "bb2.documentation"},
    {"bb2.clock"},
]
SCOPES = {f"bb2.scopes.{path.stem}" for path in ROOT.glob("scopes/[a-z]*.py")}


def name_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def modules():
    """{module: its syntax tree}"""
    return {name_of(path): ast.parse(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def imported(node):
    """The modules of bb2 that an import statement names."""
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        named = [f"{node.module}.{alias.name}" for alias in node.names]
        named = [name if name in modules() else node.module for name in named]
    else:
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    return [name for name in named if name.split(".")[0] == "bb2"]


@cache
def nodes(module):
    """Every node of a module's syntax tree; to walk it takes longer than to read it."""
    return list(ast.walk(modules()[module]))


@cache
def imports():
    """{module: the modules of bb2 that it imports}"""
    return {module: {name for node in nodes(module) for name in imported(node)} for module in modules()}


def layer(module):
    """The number of the layer that holds a module."""
    while module:
        for number, names in enumerate(LAYERS):
            if module in names:
                return number
        module = module.rpartition(".")[0]
    raise AssertionError


def in_one_package(module, other):
    return module.split(".")[:2] == other.split(".")[:2] and module.count(".") > 0


def is_core(module):
    return module not in SCOPES and not module.startswith("bb2.testing")


def test_every_module_has_a_layer_of_its_own():
    for module in modules():
        assert module == "bb2" or layer(module) != layer("bb2"), f"{module} is in no layer"


def test_every_import_points_down():
    for module, names in imports().items():
        for name in names - SCOPES:
            assert in_one_package(module, name) or layer(module) < layer(name), f"{module} imports {name}"


def test_only_the_pages_of_a_sandbox_and_the_commands_know_of_it():
    for module, names in imports().items():
        if not module.startswith(("bb2.sandbox", "bb2.cli", "bb2.views.testclient", "bb2.views.personas")):
            assert not any(name.startswith("bb2.sandbox") for name in names), f"{module} imports the sandbox"


def test_a_scope_needs_nothing_above_fhir():
    allowed = {"bb2.scopes", "bb2.fhir"}
    for scope in SCOPES:
        for name in imports()[scope]:
            assert ".".join(name.split(".")[:2]) in allowed, f"{scope} imports {name}"


def test_no_import_stands_inside_a_function():
    for module, tree in modules().items():
        inside = [node for node in nodes(module) if isinstance(node, (ast.Import, ast.ImportFrom))]
        inside = [node for node in inside if node not in tree.body]
        assert not inside, f"{module}, line {inside and inside[0].lineno}"


def test_no_modules_import_each_other_in_a_circle():
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_core_imports_no_scope():
    for module, names in imports().items():
        assert not (is_core(module) and names & SCOPES), f"{module} imports {names & SCOPES}"


def words(module):
    """Every string of a module that is not a docstring."""
    strings = {id(node): node.value for node in nodes(module) if isinstance(node, ast.Constant)}
    for node in nodes(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            del strings[id(node.value)]
    return [value for value in strings.values() if isinstance(value, str)]


def built_in_scopes():
    """What setup.py's entry points declare."""
    plugins = installed_plugins([f"bb2:{scope.rpartition('.')[2]}" for scope in SCOPES])
    return ScopeRegistry.from_plugins(plugin_manager(plugins))


def test_the_core_knows_no_scope_by_name():
    scopes = built_in_scopes()
    names = {scope.name for scope in scopes}
    families = {scope.family for scope in scopes if scope.opens_records}
    assert {"openid", "launch/patient", "patient/Coverage.rs"} <= names
    assert "patient/Patient" in families
    for module in modules():
        of_fhir = {"profile"} if module.startswith(("bb2.fhir", "bb2.sandbox")) else set()  # `meta.profile`
        for string in words(module) if is_core(module) else ():
            assert string not in names - of_fhir, f"{module} names {string}"
            assert not any(family in string for family in families), f"{module} names {string}"


def test_the_core_knows_no_sensitivity_by_name():
    plugins = plugin_manager(installed_plugins([f"bb2:{scope.rpartition('.')[2]}" for scope in SCOPES]))
    keys = {sensitivity.key for sensitivity in Sensitivities.from_plugins(plugins, Settings.read({}, {}))}
    assert "substance-use" in keys
    # (A persona of the sandbox has the same name.)
    for module in modules():
        for string in words(module) if is_core(module) and module != "bb2.sandbox.personas" else ():
            assert not any(key in string for key in keys), f"{module} names {string}"
    for path in (ROOT / "templates").glob("*.jinja2"):
        assert not any(key in path.read_text("utf-8") for key in keys), path.name


def test_no_template_knows_a_scope_by_name():
    scopes = built_in_scopes()
    named = {scope.family for scope in scopes if "/" in scope.family} | {"offline_access", "openid"}
    for path in (ROOT / "templates").glob("*.jinja2"):
        text = path.read_text("utf-8")
        assert not [name for name in named if name in text], path.name


def _begins_with(node):
    """The name of the function with which a chain of calls begins: `select(…).where(…)` begins with "select"."""
    while isinstance(node, ast.Call):
        node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return getattr(node, "id", None)


def test_what_a_select_finds_is_read_also_where_only_its_lock_is_wanted():
    """On SQLite, what is left unread holds an old state of the database open: the connection's next write fails."""
    unread = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args
        if getattr(node.value.func, "attr", None) in ("execute", "scalars")
        if _begins_with(node.value.args[0]) == "select"
    ]
    assert unread == []
