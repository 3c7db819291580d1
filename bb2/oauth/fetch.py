"""What does a URL that an app gave us say?  Only public addresses are asked, and not for long.

The server would otherwise be a way into the network that it stands in (OWASP, Server-Side Request Forgery).
"""

import json
import logging
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address, ip_network
from threading import Lock
from urllib.parse import urlencode, urlsplit

from bb2.oauth.errors import printable

log = logging.getLogger(__name__)
SECONDS = 5  # for all of it: name, connection, answer
MOST_BYTES = 65_536
AT_ONCE = 4
AT_A_TIME = 8_192  # bytes
IPV6 = ip_network("2000::/3")  # all of it that is given out (RFC 4291, 2.4); what embeds IPv4 is elsewhere, or below
#: Public by their numbers, but not where they lead: Azure's own services, protocols' own addresses, relays and
#: translators into IPv4 (RFC 6890, 7526, 4380, 3056), and what is for documents only (RFC 9637).
FORBIDDEN = tuple(
    map(
        ip_network,
        ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)


class FetchError(Exception):
    """The document could not be had; the log says why."""

    def __init__(self, message, passing=False):
        super().__init__(message)
        self.passing = passing  #: True: it may be there in a while


class BadStatusError(ValueError):
    """The site answered, but not with what was asked for."""

    def __init__(self, status, size):
        super().__init__(f"it answered {status} with {size} bytes or more")
        self.status = status


class Fetcher:
    """Fetches JSON documents.  `loopback`: a developer's own server may ask its own machine too, by http.

    `trusted`: the operator has named the sites, not an app: they may be inside the operator's own network.
    """

    def __init__(self, loopback=False, trusted=False):
        self.loopback, self.trusted = loopback, trusted
        self.pool = ThreadPoolExecutor(AT_ONCE, "bb2-fetch")

    @cached_property
    def tls(self):
        """Whom to trust, as the machine does; read when it is first needed, as that takes a moment."""
        return ssl.create_default_context()

    def json(self, url, form=None, headers=None):
        """The JSON document at this URL; else FetchError.  No redirect is followed, and no proxy asked.

        `form`, {name: value}: it is the answer to a POST of these.
        """
        try:
            parts = urlsplit(url)
            tls = self.tls if parts.scheme == "https" else None
            connection = Connection(parts, self.loopback, tls, self.trusted, form, headers)
            return json.loads(self._body(connection))
        except (OSError, HTTPException, ValueError, RecursionError) as error:  # a TimeoutError is an OSError
            # An error may repeat what the site sent, and that what it was sent.
            told = type(error).__name__ if form or headers else printable(str(error))[:200]
            told = str(error) if isinstance(error, BadStatusError) else told or type(error).__name__
            log.warning("%s could not be fetched: %s", url, told)
            raise FetchError(f"{url} could not be fetched", passing=_may_pass(error)) from error

    def _body(self, connection):
        reading = self.pool.submit(connection.read)
        try:
            return reading.result(SECONDS)
        finally:
            reading.cancel()  # where it waits for a thread still
            connection.abort()


class Connection(HTTPConnection):
    """One request, to the very address that was checked: a name that means another a moment later changes nothing."""

    def __init__(self, url, loopback, tls, trusted=False, form=None, headers=None):
        if url.scheme not in (("https", "http") if loopback else ("https",)) or not url.hostname:
            raise ValueError("only https is asked")
        super().__init__(url.hostname, url.port or (443 if url.scheme == "https" else 80), timeout=SECONDS)
        self.url, self.loopback, self.tls, self.trusted = url, loopback, tls, trusted
        self.form, self.more = form, headers or {}
        self.deadline = time.monotonic() + SECONDS
        self.lock = Lock()  #: for `wire` and `aborted`: no connection is made unseen by `abort`
        self.wire = None
        self.aborted = False

    def connect(self):
        self._keep(self._reached(self._checked_addresses()))
        if self.url.scheme == "https":
            self._keep(self.tls.wrap_socket(self.wire, server_hostname=self.host, do_handshake_on_connect=False))
            self.wire.do_handshake()
        self.sock = self.wire

    def _keep(self, wire):
        """This is what `abort` cuts off; at once, where it came first.  TimeoutError then."""
        with self.lock:
            self.wire = wire
        try:
            wire.settimeout(self._seconds_left())
        except OSError:
            wire.close()
            raise

    def _seconds_left(self):
        """TimeoutError when there are none, or nobody waits any more."""
        left = self.deadline - time.monotonic()
        with self.lock:
            if self.aborted or left <= 0:
                raise TimeoutError("it took too long")
        return left

    def _reached(self, addresses):
        """A connection to the first of these addresses that takes one; each has its share of the time."""
        failed = OSError("it has no address")
        for number, address in enumerate(addresses):
            share = self._seconds_left() / (len(addresses) - number)
            try:
                return socket.create_connection((address, self.port), share)
            except OSError as error:
                failed = error
        raise failed

    def _checked_addresses(self):
        """The addresses of the host, if all of them may be asked."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(address.partition("%")[0]) for *_rest, (address, *_port) in found]
        if not self.trusted and not all(may_be_asked(address, self.loopback) for address in addresses):
            raise ValueError("its host has an address that is not public")
        if self.url.scheme == "http" and not all(address.is_loopback for address in addresses):
            raise ValueError("http is for this machine only")
        return [str(address) for address in addresses]

    def read(self):
        """The body of the answer, bytes."""
        target = f"{self.url.path or '/'}{'?' if self.url.query else ''}{self.url.query}"
        headers = {"Accept": "application/json", "Connection": "close"} | self.more
        if self.form is None:
            self.request("GET", target, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            self.request("POST", target, urlencode(self.form), headers)
        body = b""
        with self.getresponse() as response:
            while len(body) <= MOST_BYTES and (more := response.read1(AT_A_TIME)):
                body += more
                self._seconds_left()
        if response.status != 200 or len(body) > MOST_BYTES:
            raise BadStatusError(response.status, len(body))
        return body

    def abort(self):
        """Whoever waited goes on, so whatever still drips in is cut off, and no connection is made any more."""
        with self.lock:
            self.aborted, wire = True, self.wire
        if wire:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()


def _may_pass(error):
    """True for what another try may not meet: the site is down, slow, or busy."""
    if isinstance(error, BadStatusError):
        return error.status >= 500 or error.status == 429
    return isinstance(error, OSError | HTTPException)


def may_be_asked(address, loopback):
    """True for an address on the public internet; with `loopback`, for this machine's own too."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return loopback
    given_out = address.version == 4 or address in IPV6
    return given_out and address.is_global and not address.is_multicast and not any(address in n for n in FORBIDDEN)
