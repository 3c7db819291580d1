"""Every setting: name, type, default, a sentence.  Read once; unknown names and bad values are refused."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from sqlalchemy import URL

from bb2.settings.access import ACCESS
from bb2.settings.identity import IDENTITY, SESSIONS, check_identity
from bb2.settings.kinds import Setting, SettingError, is_loopback
from bb2.settings.limits import LIMITS, WRONG_CREDENTIAL
from bb2.settings.records import UPSTREAM, check_upstream
from bb2.settings.server import MAIL, SANDBOX, SERVER, SITE

__all__ = ["SETTINGS", "WRONG_CREDENTIAL", "Setting", "SettingError", "Settings", "fhir_base", "is_loopback"]
SETTINGS = (*SERVER, *SANDBOX, *UPSTREAM, *IDENTITY, *ACCESS, *SESSIONS, *LIMITS, *MAIL, *SITE)
BY_NAME = {setting.name: setting for setting in SETTINGS}
#: They can hold a password.
SECRET = ("sqlalchemy.url", "bb2.limits_url", "bb2.upstream_v1", "bb2.upstream_v2", "bb2.mail_url")
BY_ENVIRONMENT = {setting.environment: setting for setting in SETTINGS}


def fhir_base(base_url, version):
    """The URL of one version's FHIR API, as `aud` and `resource` name it."""
    return f"{base_url}/{version}/fhir"


class Settings:
    """Every setting of SETTINGS as an attribute; `others` holds the plugins' own."""

    others: Mapping[str, str]

    def __init__(self, values, others):
        self.__dict__.update(values)
        self.others = others

    @property
    def secure(self):
        """True where browsers speak TLS with the server: not on a developer's own machine."""
        return self.base_url.startswith("https:")

    @property
    def keys_folder(self):
        """Where the signing keys are."""
        return self.var / "keys"

    @property
    def upstream_bases(self):
        """{API version: base URL} of the other FHIR server."""
        bases = {"v1": self.upstream_v1, "v2": self.upstream_v2}
        return {version: base for version, base in bases.items() if base}

    @property
    def record_versions(self):
        """The API versions that have records."""
        return tuple(self.upstream_bases) if self.fhir_source == "upstream" else ("v1", "v2")

    @classmethod
    def read(cls, ini=None, environ=None):
        """From the settings of an ini file and the environment, which wins.  Refuses with SettingError."""
        environ = os.environ if environ is None else environ
        ini = {name: value for name, value in (ini or {}).items() if isinstance(value, str)}
        _refuse_unknown(ini, environ)
        given = {setting.attribute: _given(setting, ini, environ) for setting in SETTINGS}
        values = {s.attribute: _typed(s, given[s.attribute], environ) for s in SETTINGS}
        return cls(_derived(values), {k: v for k, v in ini.items() if not k.startswith(("bb2.", "sqlalchemy."))})

    def __repr__(self):
        return "Settings(...)"  # the database URL holds a password


def _given(setting, ini, environ):
    """The text of a setting: environment, then ini, then default."""
    if setting.environment in environ:
        return environ[setting.environment]
    if setting.name == "bb2.var" and environ.get("VAR"):
        return environ["VAR"]  # as `make run VAR=…` has it
    return ini.get(setting.name, setting.default)


def _typed(setting, text, environ):
    if text is None:
        return None
    try:
        return setting.read(text.strip())
    except ValueError as error:
        name = f"{setting.name} (from {setting.environment})" if setting.environment in environ else setting.name
        shown = "" if setting.name in SECRET else f" is {text.strip()!r};"
        raise SettingError(f"{name}{shown} {error}") from None


def _derived(values):
    """Fill in what depends on other settings."""
    if values["database_url"] is None:
        values["database_url"] = URL.create("sqlite", database=str(values["var"].absolute() / "bb2.sqlite"))
    if values["base_url"] is None:
        values["base_url"] = f"http://localhost:{values['port']}"
    if values["mail_from"] is None:
        values["mail_from"] = f"no-reply@{urlsplit(values['base_url']).hostname}"
    local = is_loopback(values["base_url"])
    if values["sandbox"] is None:
        values["sandbox"] = local
    if values["developers"] is None:
        values["developers"] = values["sandbox"]
    if values["scopes"] is None and not local:  # installing a package must not by itself open data to the world
        raise SettingError(
            f"bb2.scopes must list the plugins that are switched on, as the server is public at {values['base_url']}"
        )
    check_upstream(values)
    check_identity(values)
    return values


def _refuse_unknown(ini, environ):
    for name in ini:
        if name.startswith(("bb2.", "sqlalchemy.")) and name not in BY_NAME:
            raise SettingError(f"unknown setting {name}; {_known(name, BY_NAME)}")
    for name in environ:
        if name.startswith("BB2_") and name not in BY_ENVIRONMENT and name != "BB2_CONFIG":
            raise SettingError(f"unknown setting {name} in the environment; {_known(name, BY_ENVIRONMENT)}")


def _known(name, names):
    """What is accepted; first the names that are like it."""
    alike = get_close_matches(name, names)
    meant = f"did you mean {' or '.join(alike)}? " if alike else ""
    return f"{meant}accepted: {', '.join(names)}"
