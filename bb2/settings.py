"""Every setting: name, type, default, a sentence.  Read once; unknown names and bad values are refused."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import parse as parse_limit
from sqlalchemy import URL

WRONG_CREDENTIAL = 30  #: requests, for the limits of apps: guessing ends long before honest work does


class SettingError(Exception):
    """A setting that cannot be used; the program does not start."""


@dataclass(frozen=True)
class Setting:
    """One setting: its name in the ini file, how it is read, and what it means."""

    name: str
    read: Callable[[str], Any]
    default: str | None  #: as it would stand in the ini file; None: derived, as the help says
    help: str

    @property
    def attribute(self):
        """Its name on `Settings`: `demographic_default`, `database_url`."""
        return "database_url" if self.name == "sqlalchemy.url" else self.name.removeprefix("bb2.")

    @property
    def environment(self):
        """The environment variable that overrides the ini file."""
        return f"BB2_{self.attribute.upper()}"


def one_of(*choices):
    def read(value):
        if value not in choices:
            raise ValueError(f"accepted: {', '.join(choices)}")
        return value

    return read


def boolean(value):
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if value.lower() not in words:
        raise ValueError("accepted: true, false")
    return words[value.lower()]


def whole(low, high):
    def read(value):
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"accepted: a whole number from {low} to {high}")
        return int(value)

    return read


def base_url(value):
    url = urlsplit(value.rstrip("/"))
    if url.scheme not in ("http", "https") or not url.hostname or url.path or url.query or url.fragment or url.username:
        raise ValueError("accepted: a URL such as https://bb2.example, without a path")
    if url.scheme == "http" and not is_loopback(value):
        raise ValueError("accepted: https, or http on this machine's loopback address")
    return value.rstrip("/")


def upstream_url(value):
    """The base URL of another FHIR server; who sends what is in files and settings of its own."""
    url = urlsplit(value.rstrip("/"))
    named = url.hostname and url.port != 0  # a port that is no number is a ValueError too
    if url.scheme not in ("http", "https") or not named or url.query or url.fragment or url.username:
        raise ValueError("accepted: a URL such as https://fhir.example/v2/fhir, without a name, a password or a query")
    if url.scheme == "http" and not is_loopback(value):
        raise ValueError("accepted: https, or http on this machine's loopback address in a sandbox")
    return value.rstrip("/")


def param_names(value):
    """Names of search parameters; those that begin with `_` shape an answer or reach beyond a type, but for two."""
    listed = value.split()
    for name in listed:
        if name.startswith("_") and name not in ("_id", "_lastUpdated"):
            raise ValueError("accepted: names of search parameters of a resource type, `_id` and `_lastUpdated`")
    return tuple(listed)


def names(value):
    """A list of names, one a line or separated by spaces; `*` means all: None."""
    listed = value.split()
    return None if listed == ["*"] else tuple(listed)


def networks(value):
    """Addresses and networks of proxies, separated by spaces, as `ipaddress` reads them."""
    try:
        return tuple(ip_network(network) for network in value.split())
    except ValueError:
        raise ValueError("accepted: addresses and networks, such as 192.0.2.7 or 10.0.0.0/8") from None


def limit(value):
    """How often something may be tried, as the `limits` library reads it; `off`: None."""
    wrong = ValueError("accepted: such as `10 per 15 minutes`, or `off`")
    try:
        item = None if value == "off" else parse_limit(value)
    except ValueError:
        raise wrong from None
    if item and item.amount < 1:
        raise wrong
    return item


def mail_url(value):
    """A mail server; who we are to it is in a file."""
    url = urlsplit(value)
    named = url.hostname and url.port != 0  # a port that is no number is a ValueError too
    if url.scheme not in ("smtp", "smtps") or not named or url.path.strip("/") or url.query or url.username:
        raise ValueError("accepted: smtp://HOST:587 (STARTTLS), smtps://HOST:465 (TLS), without a name or a password")
    return value.rstrip("/")


def mail_address(value):
    """One address (RFC 5322, 3.4.1), without a name."""
    try:
        address = Address(addr_spec=value)
    except (HeaderParseError, ValueError, IndexError):
        address = None
    if address is None or address.addr_spec != value or not address.domain or not value.isascii():
        raise ValueError("accepted: an address such as no-reply@bb2.example")
    return value


def counter_url(value):
    """Valkey and Redis speak one protocol, and Valkey's client both."""
    if not value.startswith(("valkey://", "valkeys://", "redis://", "rediss://")):
        raise ValueError("accepted: valkey://HOST:PORT/0, redis://HOST:PORT/0; with TLS: valkeys://, rediss://")
    return value.replace("redis", "valkey", 1)


def database_url(value):
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("accepted: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def fhir_base(base_url, version):
    """The URL of one version's FHIR API, as `aud` and `resource` name it."""
    return f"{base_url}/{version}/fhir"


def is_loopback(url):
    """True for a URL that only this machine can reach: a developer's own server."""
    try:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def limits_of(place, what, by_client, by_address):
    """The two limits of an endpoint that apps use."""
    guesses = "" if place == "authorize" else f"; a wrong credential counts as {WRONG_CREDENTIAL}"
    return (
        Setting(f"bb2.limit_{place}_client", limit, by_client, f"{what} of one app from one address{guesses}."),
        Setting(f"bb2.limit_{place}_address", limit, by_address, f"{what} from one address, of whatever apps."),
    )


def issuer(value):
    """The identifier of an OpenID Connect provider, which is kept to the letter (OpenID Connect Discovery 1.0, 2)."""
    upstream_url(value)
    return value


def requested_scope(value):
    """What is asked of the provider: it makes no id_token for a scope that does not begin as the default does."""
    first = IDENTITY_SCOPE.split(maxsplit=1)[0]
    if first not in value.split():
        raise ValueError(f"accepted: names with spaces between them, one of them {first}")
    return " ".join(value.split())


IDENTITY_SCOPE = "openid email"
IDENTITY = (
    Setting(
        "bb2.identity",
        one_of("builtin", "oidc"),
        "builtin",
        "Who says who a person is: `builtin`, the user names and passwords of this server; `oidc`, an OpenID Connect "
        "provider.",
    ),
    Setting("bb2.oidc_issuer", issuer, None, "The provider's issuer, to the letter, such as https://id.example."),
    Setting("bb2.oidc_name", str, None, "What the provider is called on the pages. Default: the issuer's host."),
    Setting("bb2.oidc_client_id", str, None, "This server's `client_id` at the provider."),
    Setting(
        "bb2.oidc_client_secret",
        Path,
        None,
        "File of its secret there; read at each sign-in, so that it can be renewed.",
    ),
    Setting(
        "bb2.oidc_client_key",
        Path,
        None,
        "Or file of its private key there, RSA or EC: PEM, without a passphrase, or a JSON Web Key.",
    ),
    Setting("bb2.oidc_scope", requested_scope, IDENTITY_SCOPE, "The scopes that the provider is asked for."),
    Setting(
        "bb2.oidc_claim",
        str,
        None,
        "The claim, of the id_token or of the provider's userinfo, that says which patient a person is.",
    ),
    Setting(
        "bb2.oidc_identifier_system",
        str,
        None,
        "What the claim holds: a value of this system among the identifiers of a Patient record that is loaded here. "
        "Default: the Patient.id.",
    ),
    Setting(
        "bb2.oidc_sign_out",
        boolean,
        "false",
        "Whether people are signed out at the provider as soon as they have signed in here.",
    ),
)
UPSTREAM = (
    Setting(
        "bb2.fhir_source",
        one_of("sql", "upstream"),
        "sql",
        "Where the records are: `sql`, in this server's database; `upstream`, in another FHIR server.",
    ),
    Setting(
        "bb2.upstream_v1",
        upstream_url,
        None,
        "The other server's base URL of FHIR STU3, for version 1. Without it, version 1 has no records.",
    ),
    Setting(
        "bb2.upstream_v2",
        upstream_url,
        None,
        "The other server's base URL of FHIR R4, for version 2. Without it, version 2 has no records.",
    ),
    Setting(
        "bb2.upstream_ca",
        Path,
        None,
        "File of the certificates (PEM) by which the other server is known. Default: those that this machine trusts.",
    ),
    Setting(
        "bb2.upstream_certificate",
        Path,
        None,
        "File of the client certificate (PEM) that is shown to the other server, with its chain.",
    ),
    Setting(
        "bb2.upstream_key",
        Path,
        None,
        "File of the key (PEM, without a passphrase) of that certificate. Default: the certificate's own file.",
    ),
    Setting(
        "bb2.upstream_authorization",
        Path,
        None,
        "File of the `Authorization` header, such as `Bearer …`, for the other server; read at each request, so that "
        "it can be renewed.",
    ),
    Setting(
        "bb2.upstream_connections",
        whole(1, 1000),
        "16",
        "Connections that each process has to the other server, at most, for each version.",
    ),
    Setting("bb2.upstream_read_seconds", whole(1, 300), "10", "Seconds that the other server may be silent."),
    Setting(
        "bb2.upstream_seconds",
        whole(1, 300),
        "30",
        "Seconds for all that one request needs of the other server, with repeats and pages.",
    ),
    Setting(
        "bb2.upstream_retries",
        whole(0, 5),
        "2",
        "How often a request is repeated after a broken connection, a 502 or a 503.",
    ),
    Setting(
        "bb2.upstream_megabytes",
        whole(1, 1024),
        "64",
        "Megabytes that the other server may send for one request, unpacked, all pages together.",
    ),
    Setting(
        "bb2.upstream_search_params",
        param_names,
        "_lastUpdated",
        "Search parameters that the other server understands as this one does, with spaces between them: they are sent "
        "along, so that it sends less. Every record is checked here in any case.",
    ),
)
MAIL = (
    Setting(
        "bb2.mail_url",
        mail_url,
        None,
        "The mail server for notices: `smtp://HOST:587`, with STARTTLS (needless for a server on this machine without "
        "credentials), or `smtps://HOST:465`. Without it no mail is sent; a sandbox on a loopback address prints it.",
    ),
    Setting(
        "bb2.mail_from",
        mail_address,
        None,
        "The address from which notices come, and to which they bounce. Default: `no-reply` at the host of "
        "`bb2.base_url`.",
    ),
    Setting(
        "bb2.mail_credentials",
        Path,
        None,
        "File of two lines, user name and password for the mail server; read at each connection, so that it can be "
        "renewed.",
    ),
    Setting(
        "bb2.mail_ca",
        Path,
        None,
        "File of the certificates (PEM) by which the mail server is known. Default: those that this machine trusts.",
    ),
)
SETTINGS = (
    Setting("bb2.var", Path, "var", "Folder of the server's state: the SQLite database, the signing keys."),
    Setting("sqlalchemy.url", database_url, None, "The database. Default: `bb2.sqlite` in `bb2.var`."),
    Setting("bb2.port", whole(1, 65535), "8000", "Port of the development server, on 127.0.0.1."),
    Setting("bb2.base_url", base_url, None, "The public address, as browsers see it. Default: http://localhost:PORT."),
    Setting(
        "bb2.scopes",
        names,
        None,
        "The plugins that are switched on, `distribution:entry point`, one a line; `*` means all that are installed. "
        "On a loopback address the default is `*`; elsewhere the list must be written out.",
    ),
    Setting(
        "bb2.sandbox",
        boolean,
        None,
        "Synthetic people and a test client. Default: true on a loopback address, false elsewhere.",
    ),
    Setting("bb2.beneficiaries", whole(1, 100_000), "100", "How many synthetic people `bb2 init` makes in a sandbox."),
    Setting(
        "bb2.sandbox_seed",
        whole(0, 9_999),
        None,
        "The number from which they are made; another one makes other people. Default: 1, or what the sandbox has.",
    ),
    Setting(
        "bb2.sandbox_years", whole(1, 10), None, "Years of claims of each of them. Default: 4, or what the sandbox has."
    ),
    Setting(
        "bb2.sandbox_claims_per_year",
        whole(1, 250),
        None,
        "About how many claims each of them has a year. Default: 10, or what the sandbox has.",
    ),
    *UPSTREAM,
    *IDENTITY,
    Setting(
        "bb2.demographic_default",
        one_of("share", "withhold", "ask"),
        "share",
        "How the choice about personal information stands when the page opens; `ask`: neither, the person must choose.",
    ),
    Setting(
        "bb2.sensitive_codes",
        Path,
        None,
        "A CSV file with the columns `sensitivity`, `kind`, `code`: codes beyond the lists of the plugins by which a "
        "record is sensitive. After a change: `bb2 judge`.",
    ),
    Setting("bb2.consent_months", whole(1, 120), "13", "How long an ongoing app's access lasts."),
    Setting("bb2.access_token_lifetime", whole(60, 86_400), "3600", "Seconds that an access token lives."),
    Setting("bb2.authorization_code_lifetime", whole(10, 600), "60", "Seconds that an authorization code lives."),
    Setting(
        "bb2.refresh_replay_window",
        whole(0, 60),
        "0",
        "Seconds in which a confidential client may repeat its last refresh, for a lost response.",
    ),
    Setting(
        "bb2.key_publish_seconds",
        whole(60, 2_592_000),
        "86400",
        "Seconds that a new signing key is published before it signs, so that every app has seen it.",
    ),
    Setting("bb2.authorization_request_lifetime", whole(60, 86_400), "3600", "Seconds that a person has to answer."),
    Setting(
        "bb2.session_idle", whole(60, 86_400), "1800", "Seconds without a click until a person must sign in again."
    ),
    Setting(
        "bb2.session_lifetime", whole(60, 604_800), "43200", "Seconds until a person must sign in again in any case."
    ),
    Setting(
        "bb2.trusted_proxies",
        networks,
        "",
        "Proxies whose `X-Forwarded-For` is believed, as addresses or networks with spaces between them.",
    ),
    Setting(
        "bb2.limits_url",
        counter_url,
        None,
        "Where tries are counted: Valkey or Redis, as `redis://…` (needs `bb2[valkey]`). Default: the database.",
    ),
    Setting(
        "bb2.limit_sign_in_account",
        limit,
        "10 per 15 minutes",
        "Wrong passwords for one account, from one address or in one browser that its person has used before.",
    ),
    Setting(
        "bb2.limit_sign_in_anywhere",
        limit,
        "100 per hour",
        "Wrong passwords for one account from all addresses; a browser that its person has used before is not held up.",
    ),
    Setting(
        "bb2.limit_sign_in_address",
        limit,
        "100 per 15 minutes",
        "Wrong passwords from one address, for whatever accounts; browsers as above are not held up. As many wrong "
        "passkeys.",
    ),
    Setting(
        "bb2.limit_recovery_number",
        limit,
        "10 per hour",
        "How often people with trouble signing in may say who they are, for one Medicare number from one address.",
    ),
    Setting(
        "bb2.limit_recovery_address",
        limit,
        "100 per hour",
        "The same from one address, for whatever Medicare numbers.",
    ),
    Setting(
        "bb2.limit_recovery_answer",
        limit,
        "5 per hour",
        "Wrong secret answers for one person, from one address.",
    ),
    Setting(
        "bb2.limit_recovery_anywhere",
        limit,
        "20 per day",
        "Wrong secret answers for one person from all addresses, by who knows all that was asked before.",
    ),
    Setting(
        "bb2.limit_enroll_number",
        limit,
        "10 per hour",
        "Wrong information for a new account with one Medicare number, from one address.",
    ),
    Setting(
        "bb2.limit_enroll_anywhere",
        limit,
        "10 per day",
        "Wrong information for a new account with one Medicare card, from all addresses: a card tells no day of birth.",
    ),
    Setting(
        "bb2.limit_enroll_address",
        limit,
        "50 per hour",
        "Wrong information for a new account from one address, with whatever Medicare numbers.",
    ),
    *limits_of("authorize", "Authorization requests", "300 per minute", "600 per minute"),
    *limits_of("token", "Token requests", "3000 per minute", "6000 per minute"),
    *limits_of("introspect", "Introspections", "3000 per minute", "6000 per minute"),
    *limits_of("revoke", "Revocations", "3000 per minute", "6000 per minute"),
    *limits_of("par", "Pushed authorization requests", "300 per minute", "600 per minute"),
    *MAIL,
    Setting("bb2.site_name", str, "Blue Button", "What the service calls itself on its pages."),
    Setting("bb2.support_phone", str, "1-800-633-4227", "The telephone number on the pages."),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
#: They can hold a password.
SECRET = ("sqlalchemy.url", "bb2.limits_url", "bb2.upstream_v1", "bb2.upstream_v2", "bb2.mail_url")
BY_ENVIRONMENT = {setting.environment: setting for setting in SETTINGS}


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
    if values["scopes"] is None and not local:  # installing a package must not by itself open data to the world
        raise SettingError(
            f"bb2.scopes must list the plugins that are switched on, as the server is public at {values['base_url']}"
        )
    _check_upstream(values)
    _check_identity(values)
    return values


def _check_upstream(values):
    """Refuse half of a description of the other FHIR server."""
    bases = [values[name] for name in ("upstream_v1", "upstream_v2") if values[name]]
    if values["fhir_source"] == "upstream" and not bases:
        raise SettingError("bb2.fhir_source = upstream needs bb2.upstream_v1, bb2.upstream_v2 or both")
    if any(base.startswith("http:") for base in bases) and not values["sandbox"]:
        raise SettingError("bb2.upstream_v1 and bb2.upstream_v2 must be https: only a sandbox may ask by http")
    if values["upstream_key"] and not values["upstream_certificate"]:
        raise SettingError("bb2.upstream_key needs bb2.upstream_certificate")


def _check_identity(values):
    """Refuse half of a description of the OpenID Connect provider."""
    if values["identity"] != "oidc":
        return
    for name in "oidc_issuer", "oidc_client_id", "oidc_claim":
        if not values[name]:
            raise SettingError(f"bb2.identity = oidc needs bb2.{name}")
    if (values["oidc_client_secret"] is None) == (values["oidc_client_key"] is None):
        raise SettingError("bb2.identity = oidc needs either bb2.oidc_client_secret or bb2.oidc_client_key")
    if values["oidc_issuer"].startswith("http:") and not values["sandbox"]:
        raise SettingError("bb2.oidc_issuer must be https: only a sandbox may ask by http")
    if values["oidc_identifier_system"] and values["fhir_source"] != "sql":
        raise SettingError(
            "bb2.oidc_identifier_system needs bb2.fhir_source = sql: in another server nobody is looked for by number"
        )
    values["oidc_name"] = values["oidc_name"] or urlsplit(values["oidc_issuer"]).hostname


def _refuse_unknown(ini, environ):
    for name in ini:
        if name.startswith(("bb2.", "sqlalchemy.")) and name not in BY_NAME:
            raise SettingError(f"unknown setting {name}; accepted: {', '.join(BY_NAME)}")
    for name in environ:
        if name.startswith("BB2_") and name not in BY_ENVIRONMENT and name != "BB2_CONFIG":
            raise SettingError(f"unknown setting {name} in the environment; accepted: {', '.join(BY_ENVIRONMENT)}")
