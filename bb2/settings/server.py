"""The settings of the server itself: where it stands, what it is called, whom it invents, how it sends mail."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from urllib.parse import urlsplit

from bb2.settings.kinds import Setting, boolean, is_loopback, names, whole


def base_url(value):
    url = urlsplit(value.rstrip("/"))
    if url.scheme not in ("http", "https") or not url.hostname or url.path or url.query or url.fragment or url.username:
        raise ValueError("accepted: a URL such as https://bb2.example, without a path")
    if url.scheme == "http" and not is_loopback(value):
        raise ValueError("accepted: https, or http on this machine's loopback address")
    return value.rstrip("/")


def database_url(value):
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("accepted: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


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


SERVER = (
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
)
SANDBOX = (
    Setting(
        "bb2.sandbox",
        boolean,
        None,
        "Synthetic people and a test client. Default: true on a loopback address, false elsewhere.",
    ),
    Setting(
        "bb2.developers",
        boolean,
        None,
        "App developers make accounts and register apps under `/developer`. Outside a sandbox, an app of theirs waits "
        "until `bb2 client enable`. Default: as `bb2.sandbox`.",
    ),
    Setting("bb2.apps_per_developer", whole(1, 10_000), "50", "How many apps a developer may have."),
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
SITE = (
    Setting("bb2.site_name", str, "Blue Button", "What the service calls itself on its pages."),
    Setting("bb2.support_phone", str, "1-800-633-4227", "The telephone number on the pages."),
)
