"""No test may leave a secret in a log: every line of the server's is looked through, at the finest level.

Whatever is handed out in this process is known from the moment at which it is made: codes, tokens, client secrets,
cookies, and the names of the people who are stored.  A JWT and a Medicare number are known by their shape.
"""

import logging
import re
import secrets
from functools import cache

import pytest
from sqlalchemy import event

from bb2.models import Beneficiary, Developer
from bb2.sandbox import people
from bb2.testing import PASSWORD

#: Loggers of the clients in the tests: what an app logs of its own tokens is not the server's.
CLIENTS = ("urllib3", "requests", "httpx", "httpcore", "fhirclient", "authlib")
LEAST_SECRET = 22  # characters: 128 bits in base64url
LONG = re.compile(rf"[A-Za-z0-9_-]{{{LEAST_SECRET},}}")
#: A JWT; an MBI (CMS, "Understanding the MBI") with or without its dashes; a HICN (nine digits and a letter).
SHAPES = re.compile(
    r"eyJ[\w-]+\.eyJ|(?<![A-Za-z0-9])(?:[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}|\d{9}[A-Z]\d?)(?![A-Za-z0-9])"
)
#: Of another process only the shape of a secret is known: 256 bits in base64url.
SECRET_SHAPE = re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}(?![\w-])", re.ASCII)
#: The line of `bb2 serve` that shows a secret: the demo app's, in a sandbox.
DEMO_SECRET = "    client_secret "
#: And the links of mails to developers, which a sandbox without a mail server prints.
PRINTED_LINK = re.compile(r"http://localhost:\d+/developer/[a-z-]+/\S+")


class Guard(logging.Handler):
    """Looks through every record; `leaks` says in which logger's lines something secret stood, and of what kind."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter())
        self.leaks = set()
        self.secrets, self.lengths = set(), set()
        self.names, self.any_name = {PASSWORD}, None

    def keep(self, secret):
        """A random value that was made just now."""
        if len(secret) >= LEAST_SECRET:
            self.secrets.add(secret)
            self.lengths.add(len(secret))
        return secret

    def keep_names(self, person):
        """The names of a person, and a developer's address, {column: value}."""
        new = {person.get(column) for column in ("given_name", "family_name", "name", "email")}
        new -= self.names | {None, ""}
        if new:
            self.names |= new
            self.any_name = None  # to be compiled anew

    def emit(self, record):
        if not record.name.startswith(CLIENTS):
            self.leaks |= {f"{record.name} logged {what}" for what in self.found(self.format(record))}

    def found(self, text):
        """What of all that is secret stands in a text."""
        self.any_name = self.any_name or re.compile(rf"\b(?:{'|'.join(map(re.escape, self.names))})\b")
        if any(self._holds_secret(run) for run in LONG.findall(text)):
            yield "a code, token or secret"
        if self.any_name.search(text):
            yield "a person's name or password"
        if SHAPES.search(text):
            yield "a JWT or a Medicare number"

    def _holds_secret(self, run):
        """True where a secret is any part of a run of its characters."""
        return any(
            run[start : start + length] in self.secrets
            for length in self.lengths
            for start in range(len(run) - length + 1)
        )


@pytest.fixture(scope="session")
def log_guard():
    """The guard at the root of all loggers, which are set to tell everything."""
    guard, make, root = Guard(), secrets.token_urlsafe, logging.getLogger()
    level = root.level

    def keep_names(person, _arguments, values):
        guard.keep_names(values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_urlsafe", lambda size=None: guard.keep(make(size)))
        for people_of in Beneficiary, Developer:
            event.listen(people_of, "init", keep_names)
        root.addHandler(guard)
        root.setLevel(logging.DEBUG)
        # These two have thousands of lines for each test; test_secrets looks through them, once.
        logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
        logging.getLogger("oauthlib").setLevel(logging.INFO)
        yield guard
        root.setLevel(level)
        root.removeHandler(guard)
        for people_of in Beneficiary, Developer:
            event.remove(people_of, "init", keep_names)


@pytest.fixture(autouse=True)
def _no_secret_in_any_log(log_guard):
    yield
    leaks, log_guard.leaks = log_guard.leaks, set()
    assert not leaks, sorted(leaks)


@cache
def _synthetic_names():
    """The names of the people whom a running server of the tests has."""
    names = {name for person in people(2) for name in (person.given_name, person.family_name)}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")


def secret_lines(text):
    """The lines of what a server process has printed that hold something secret."""
    looks = (SECRET_SHAPE, SHAPES, _synthetic_names())
    lines = [line for line in text.splitlines() if not line.startswith(DEMO_SECRET)]
    lines = [line for line in lines if not PRINTED_LINK.fullmatch(line)]
    return [line for line in lines if any(look.search(line) for look in looks)]
