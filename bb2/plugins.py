"""Which plugins are installed and switched on?  What is misspelt is refused."""

import re
from collections.abc import Iterable
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from reprlib import repr as short
from traceback import extract_tb

import pluggy

from bb2 import hookspecs
from bb2.scopes import CONTRACT, ScopeError

GROUP = "bb2.scopes"
UNSAID = "1.0"  #: what a plugin was written for that does not say: it is older than the saying


def installed_plugins(wanted=None):
    """The plugins of the `bb2.scopes` entry points, by name.

    A name carries its distribution (`bb2-claim:claim`), so that no package can take the place of another by using its
    entry point's name.  `wanted` lists the names that are switched on; None means all that are installed.
    """
    found = _installed()
    names = sorted(found) if wanted is None else list(wanted)
    if missing := [name for name in names if name not in found]:
        raise ScopeError(f"bb2.scopes names plugins that are not installed: {missing}; installed: {sorted(found)}")
    return {name: _loaded(name, found[name]) for name in names}


def _installed():
    """{plugin name: entry point} of all that are installed."""
    entries = entry_points(group=GROUP)
    # To be asked once each: a distribution reads all that it says of itself to tell its name.
    names = {distribution: distribution.name for distribution in {entry.dist for entry in entries}}
    return {f"{names[entry.dist]}:{entry.name}": entry for entry in entries}


def _loaded(name, entry):
    """The plugin itself; whatever is wrong in its module is told with its name."""
    try:
        return entry.load()
    except Exception as error:
        newer = isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "bb2"
        why = f"; it may be written for a newer contract than {CONTRACT}, which this bb2 keeps" if newer else ""
        raise ScopeError(f"plugin {name} cannot be loaded: {error}{why}") from error


def distribution_versions():
    """{plugin name: version of its distribution} for every installed plugin."""
    return {name: entry.dist.version for name, entry in _installed().items()}


def plugin_manager(plugins):
    """A plugin manager for these plugins, {name: module}, each of our contract and with only the hooks that exist."""
    manager = pluggy.PluginManager("bb2")
    manager.add_hookspecs(hookspecs)
    for name in sorted(plugins):
        _refuse_another_contract(name, contract_of(plugins[name]))
        manager.register(plugins[name], name=name)
        _refuse_unmarked_hooks(manager, name, plugins[name])
    _refuse_misspelt_hooks(manager)
    return manager


def contract_of(plugin):
    """The version of the contract that a plugin says it was written for (`bb2_contract = "1.0"`)."""
    ours = getattr(plugin, "__name__", "").startswith("bb2.")  # what bb2 brings itself keeps step with it
    return getattr(plugin, "bb2_contract", CONTRACT if ours else UNSAID)


def _refuse_another_contract(name, wanted):
    """A plugin of another major version would misunderstand us; one of a newer minor version wants what is not here."""
    if not isinstance(wanted, str) or not re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,4}", wanted):
        raise ScopeError(f'plugin {name}: bb2_contract is {wanted!r}; accepted: a version such as "{CONTRACT}"')
    (major, minor), (our_major, our_minor) = _numbers(wanted), _numbers(CONTRACT)
    if major == our_major and minor <= our_minor:
        return
    if (major, minor) > (our_major, our_minor):
        mend = "install a newer bb2, or an older version of the plugin"
    else:
        mend = "install a newer version of the plugin, or an older bb2"
    raise ScopeError(
        f"plugin {name} is written for version {wanted} of the contract, and this bb2 keeps version {CONTRACT}: "
        f"{mend}, or switch the plugin off in bb2.scopes"
    )


def _numbers(version):
    return tuple(map(int, version.split(".")))


def calls(hook, **arguments):
    """(plugin's name, a call without arguments) of each that implements a hook, with those arguments that it takes."""
    for implementation in hook.get_hookimpls():
        taken = {name: value for name, value in arguments.items() if name in implementation.argnames}
        yield implementation.plugin_name, partial(implementation.function, **taken)


@contextmanager
def at_start(plugin, hook):
    """Whatever a hook of the plugin cannot do stops the start, and is told with the plugin's name and the line."""
    try:
        yield
    except ScopeError as error:
        raise ScopeError(f"plugin {plugin}: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith("bb2."):
            raise  # a SettingError, say, which names what its operator has to mend
        told = f"{hook.name} fails{_line(error)}: {type(error).__name__}: {error}"
        raise ScopeError(f"plugin {plugin}: {told}") from error


def _line(error):
    """` in bb2_dental.py, line 15`: where the plugin was when it failed; nothing where it was not yet asked."""
    # The first frame is that of `with at_start`; in what a plugin calls, of bb2 or of Python, its fault is not found.
    ours = Path(__file__).parent
    theirs = [frame for frame in extract_tb(error.__traceback__)[1:] if not Path(frame.filename).is_relative_to(ours)]
    return f" in {Path(theirs[0].filename).name}, line {theirs[0].lineno}" if theirs else ""


def declared(hook, kind, **arguments):
    """[(plugin's name, value)] of the values of a kind, one or a list, that plugins return to a hook.

    A ScopeError names the plugin that cannot make its own.
    """
    found = []
    for plugin, call in calls(hook, **arguments):
        with at_start(plugin, hook):
            value = call()
            values = list(value or ()) if value is None or isinstance(value, Iterable) else [value]
            if wrong := [value for value in values if not isinstance(value, kind)]:
                accepted = f"a {kind.__name__}, or one list of them"
                raise ScopeError(f"{hook.name} returns {short(wrong[0])}; accepted: {accepted}")
        found += [(plugin, value) for value in values]
    return found


def _refuse_unmarked_hooks(manager, name, plugin):
    """A hook without its mark would never be called, and nobody told."""
    for hook in vars(manager.hook):
        if callable(getattr(plugin, hook, None)) and manager.parse_hookimpl_opts(plugin, hook) is None:
            raise ScopeError(f"plugin {name}: {hook} is never called: put @hookimpl above it")


def _refuse_misspelt_hooks(manager):
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        known = sorted(name for name in vars(manager.hook) if getattr(manager.hook, name).has_spec())
        name = manager.get_name(error.plugin)
        raise ScopeError(f"plugin {name}: {error}; the hooks are: {', '.join(known)}") from error
