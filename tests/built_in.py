"""The scopes that bb2 brings along, as plugins for a server of the tests."""

from importlib import import_module
from pkgutil import iter_modules

import bb2.scopes

BUILT_IN = tuple(import_module(f"bb2.scopes.{module.name}") for module in iter_modules(bb2.scopes.__path__))
