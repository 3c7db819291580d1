"""How is another FHIR server asked?  By GET, over kept connections, within bounds of time and size.

What is raised here is for the log of the operator: it holds no URL, no value of a search, and nothing of a body.
"""

import io
import random
import ssl
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.client import HTTPResponse
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from bb2.fhir.breaker import Breaker
from bb2.settings import SettingError

AT_A_TIME = 65_536  # bytes
FIRST_PAUSE = 0.1  # seconds before the first repeat; each later one waits twice as long
DICE = random.SystemRandom()
PASSING = (502, 503, 504)  #: a proxy in between, or a server that starts: worth another try


class BadAnswer(Exception):
    """The server answered, but not with what can be passed on.  Asking again would not help."""


class Unavailable(Exception):
    """The server could not be asked, or did not answer to the end."""


class Slow(Unavailable):
    """It took longer than may be waited for."""


class Budget:
    """What one request of an app may take: `seconds` from now, and `size` in bytes, for all pages together."""

    def __init__(self, seconds, size):
        self.deadline, self.size = time.monotonic() + seconds, size

    def seconds_left(self):
        """TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left

    def take(self, size):
        """Use up some bytes; BadAnswer when there are not so many."""
        self.size -= size
        if self.size < 0:
            raise BadAnswer("it answered with more than bb2.upstream_megabytes")


class Transport:
    """Asks the server at one FHIR base URL; for any number of threads.

    `tls` is an ssl.SSLContext, None for http.  `authorization` is the Path of a file with the header's value, or None.
    """

    def __init__(self, base, *, tls=None, authorization=None, connections=16, connect=3, read=10, retries=2):
        self.base, self.authorization = base, authorization
        self.connect, self.read, self.retries = connect, read, retries
        self.breaker = Breaker()
        self.path = urlsplit(base).path
        self.thread = threading.local()  #: `budget`: that of the request that this thread is making
        self.pool = self._pool(tls, connections)

    def _pool(self, tls, connections):
        """Whoever finds no connection free waits for one, so that the other server is never asked more at once."""
        url, timed = urlsplit(self.base), {"response_class": partial(_TimedResponse, self.thread, self.read)}
        if tls is None:
            pool = HTTPConnectionPool(url.hostname, url.port, maxsize=connections, block=True)
            pool.ConnectionCls = type("TimedConnection", (HTTPConnection,), timed)
        else:
            pool = HTTPSConnectionPool(url.hostname, url.port, maxsize=connections, block=True, ssl_context=tls)
            pool.ConnectionCls = type("TimedConnection", (HTTPSConnection,), timed)
        return pool

    def get(self, target, budget):
        """(status, body as bytes) of a GET: 200, 404 or 410.  `target` is relative to the base.

        Repeated after what may pass, with pauses that grow.  Raises BadAnswer, Unavailable or Slow.
        """
        if not self.breaker.allows():
            raise Unavailable("it failed again and again, and is left alone for some seconds")
        try:
            answer = self._repeated(target, budget)
        except Unavailable:
            self.breaker.failed()
            raise
        except BadAnswer:
            self.breaker.succeeded()  # it is there
            raise
        self.breaker.succeeded()
        return answer

    def _repeated(self, target, budget):
        for tried in range(self.retries + 1):
            try:
                return self._get(target, budget)
            except Slow:
                raise
            except Unavailable:
                pause = FIRST_PAUSE * 2**tried * DICE.uniform(0.5, 1)  # not all of them at one moment
                if tried == self.retries or pause >= budget.deadline - time.monotonic():
                    raise
                time.sleep(pause)
        raise AssertionError  # the last try returns or raises

    def look(self, target, budget):
        """(status, Content-Type) of a GET that is made once, whatever came of others; raises as `get`."""
        with self._asked(target, budget) as response:
            return response.status, response.headers.get("Content-Type", "")

    def _get(self, target, budget):
        with self._asked(target, budget) as response:
            _check(response)
            return response.status, _body(response, budget)

    @contextmanager
    def _asked(self, target, budget):
        """The response, whose body is not read yet."""
        headers = self._headers()
        try:
            self.thread.budget = budget
            left = budget.seconds_left()
            response = self.pool.request(
                "GET",
                f"{self.path}/{target}",
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=Timeout(connect=min(self.connect, left), read=min(self.read, left)),
                pool_timeout=left,
            )
            try:
                yield response
            finally:
                response.close()  # what was not read to its end is not read later
                response.release_conn()
        except NewConnectionError as error:  # urllib3 takes it for a kind of time-out, but nobody was there
            raise Unavailable(f"the connection failed: {type(error).__name__}") from None
        except (TimeoutError, ConnectTimeoutError, ReadTimeoutError, EmptyPoolError) as error:
            raise Slow(type(error).__name__) from None
        except SSLError as error:
            raise BadAnswer(f"TLS failed: {_reason(error)}") from None
        except (HTTPError, OSError) as error:
            raise Unavailable(f"the connection failed: {type(error).__name__}") from None

    def _headers(self):
        headers = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": "bb2"}
        if self.authorization:
            headers["Authorization"] = authorization(self.authorization)
        return headers


def authorization(path):
    """The `Authorization` header that a file holds; BadAnswer where it holds none."""
    try:
        value = path.read_text("ascii").strip()
    except (OSError, ValueError):
        value = ""
    if not value.isprintable() or " " not in value:
        raise BadAnswer(f"the file of the Authorization header does not hold one line such as `Bearer …`: {path}")
    return value


def tls_context(ca=None, certificate=None, key=None, named="bb2.upstream_"):
    """Whom to trust and who we are, from PEM files.  Certificates and names are always verified.

    SettingError names the file that cannot be used, and its setting, whose name begins with `named`.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise SettingError(f"{named}ca cannot be used: {ca}: {_reason(error)}") from None
    if certificate:
        try:
            # Without a passphrase of its own, OpenSSL would ask for it at the terminal.
            context.load_cert_chain(certificate, key, password=lambda: "")
        except OSError as error:
            raise SettingError(
                f"{named}certificate and {named}key cannot be used: {certificate}, {key or certificate}: "
                f"{_reason(error)}"
            ) from None
    return context


def _reason(error):
    """What OpenSSL or the system calls it, without what the other side sent."""
    cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error
    return getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or type(cause).__name__


def _check(response):
    """Is it an answer to pass on?  Redirects are not followed: they could lead our credentials elsewhere."""
    if response.status == 504:
        raise Slow("it answered 504")
    if response.status in PASSING:
        raise Unavailable(f"it answered {response.status}")
    if response.status not in (200, 404, 410):
        raise BadAnswer(f"it answered {response.status}")


def _body(response, budget):
    """The body, unpacked; read piece by piece, so that one without end costs no more than the budget."""
    if response.status != 200:
        return b""
    body = bytearray()
    for piece in response.stream(AT_A_TIME):
        budget.take(len(piece))
        budget.seconds_left()
        body += piece
    return bytes(body)


class _TimedResponse(HTTPResponse):
    """A response whose bytes, those of its headers too, must come within the budget.

    The time-out of a socket is for each piece: a server that sends one byte now and then could hold a thread for hours.
    """

    def __init__(self, thread, most, sock, *arguments, **named):
        super().__init__(sock, *arguments, **named)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, thread, most))


class _TimedReader(io.RawIOBase):
    def __init__(self, raw, sock, thread, most):
        self.raw, self.sock, self.thread, self.most = raw, sock, thread, most

    def readable(self):
        return True

    def readinto(self, buffer):
        self.sock.settimeout(min(self.most, self.thread.budget.seconds_left()))
        return self.raw.readinto(buffer)

    def close(self):
        self.raw.close()
        super().close()
