"""What does a URL that an app gave us say?  Only public addresses are asked, and not for long.

The server would otherwise be a way into the network that it stands in (OWASP, Server-Side Request Forgery).
"""

import json
import logging
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

log = logging.getLogger(__name__)
SECONDS = 5  # for all of it: name, connection, answer
MOST_BYTES = 65_536
AT_ONCE = 4
#: Public by their numbers, but not where they lead: Azure's own services, and IPv4 inside IPv6.
FORBIDDEN = tuple(map(ip_network, ("168.63.129.16/32", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class FetchError(Exception):
    """The document could not be had; the log says why."""


class Fetcher:
    """Fetches JSON documents.  `loopback`: a developer's own server may ask its own machine too, by http."""

    def __init__(self, loopback=False):
        self.loopback = loopback
        self.pool = ThreadPoolExecutor(AT_ONCE, "bb2-fetch")

    @cached_property
    def tls(self):
        """Whom to trust, as the machine does; read when it is first needed, as that takes a moment."""
        return ssl.create_default_context()

    def json(self, url):
        """The JSON document at this URL; else FetchError.  No redirect is followed, and no proxy asked."""
        connection = None
        try:
            connection = Connection(urlsplit(url), self.loopback, self.tls)
            return json.loads(self.pool.submit(connection.read).result(SECONDS))
        except (OSError, HTTPException, ValueError, RecursionError) as error:  # a TimeoutError is an OSError
            log.warning("%s could not be fetched: %s", url, error or type(error).__name__)
            raise FetchError(f"{url} could not be fetched") from error
        finally:
            if connection:
                connection.abort()


class Connection(HTTPConnection):
    """One request, to the very address that was checked: a name that means another a moment later changes nothing."""

    def __init__(self, url, loopback, tls):
        if url.scheme not in (("https", "http") if loopback else ("https",)) or not url.hostname:
            raise ValueError("only https is asked")
        super().__init__(url.hostname, url.port or (443 if url.scheme == "https" else 80), timeout=SECONDS)
        self.url, self.loopback, self.tls = url, loopback, tls
        self.wire = None
        self.aborted = False

    def connect(self):
        self.wire = self._reached(self._checked_addresses())
        if self.url.scheme == "https":
            self.wire = self.tls.wrap_socket(self.wire, server_hostname=self.host, do_handshake_on_connect=False)
            self.wire.do_handshake()
        self.sock = self.wire

    def _reached(self, addresses):
        """A connection to the first of these addresses that takes one."""
        *others, last = addresses
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, self.port), self.timeout)
        return socket.create_connection((last, self.port), self.timeout)

    def _checked_addresses(self):
        """The addresses of the host, if all of them may be asked."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(address.partition("%")[0]) for *_rest, (address, *_port) in found]
        if self.aborted or not all(may_be_asked(address, self.loopback) for address in addresses):
            raise ValueError("its host has an address that is not public")
        if self.url.scheme == "http" and not all(address.is_loopback for address in addresses):
            raise ValueError("http is for this machine only")
        return [str(address) for address in addresses]

    def read(self):
        """The body of the answer, bytes."""
        target = f"{self.url.path or '/'}{'?' if self.url.query else ''}{self.url.query}"
        self.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
        response = self.getresponse()
        body = response.read(MOST_BYTES + 1)
        if response.status != 200 or len(body) > MOST_BYTES:
            raise ValueError(f"it answered {response.status} with {len(body)} bytes or more")
        return body

    def abort(self):
        """Whoever waited goes on, so whatever still drips in is cut off."""
        self.aborted = True
        if self.wire:
            with suppress(OSError):
                self.wire.shutdown(socket.SHUT_RDWR)
            self.wire.close()


def may_be_asked(address, loopback):
    """True for an address on the public internet; with `loopback`, for this machine's own too."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return loopback
    return address.is_global and not address.is_multicast and not any(address in net for net in FORBIDDEN)
