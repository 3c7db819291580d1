"""What is a setting, and how is its text read?  A reader makes a value of it, or a ValueError says what is accepted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


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


def names(value):
    """A list of names, one a line or separated by spaces; `*` means all: None."""
    listed = value.split()
    return None if listed == ["*"] else tuple(listed)


def upstream_url(value):
    """The base URL of another FHIR server; who sends what is in files and settings of its own."""
    url = urlsplit(value.rstrip("/"))
    named = url.hostname and url.port != 0  # a port that is no number is a ValueError too
    if url.scheme not in ("http", "https") or not named or url.query or url.fragment or url.username:
        raise ValueError("accepted: a URL such as https://fhir.example/v2/fhir, without a name, a password or a query")
    if url.scheme == "http" and not is_loopback(value):
        raise ValueError("accepted: https, or http on this machine's loopback address in a sandbox")
    return value.rstrip("/")


def is_loopback(url):
    """True for a URL that only this machine can reach: a developer's own server."""
    try:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False
