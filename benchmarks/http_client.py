"""A small HTTP/1.1 client on one kept connection, so that what is measured is the server."""

import socket
from urllib.parse import urlencode, urlsplit


class Answer:
    """`status`, `headers` {name in lower case: last value}, `cookies` {name: value}, `body` (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = dict(headers)
        brought = [value.partition(";")[0].partition("=") for name, value in headers if name == "set-cookie"]
        self.cookies = {name: value for name, _, value in brought}

    @property
    def location(self):
        """Where a redirect leads, without scheme and host when it stays on this machine."""
        url = urlsplit(self.headers["location"])
        return f"{url.path}?{url.query}" if url.query else url.path


class Connection:
    """One browser or one app: a kept connection with its cookies."""

    def __init__(self, port):
        self.port, self.cookies, self.socket, self.unread = port, {}, None, b""

    def get(self, path, **headers):
        return self.request("GET", path, b"", headers)

    def post(self, path, form, **headers):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.request("POST", path, urlencode(form).encode(), headers)

    def request(self, method, path, body, headers):
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        message = "\r\n".join([*lines, "", ""]).encode() + body
        try:
            answer = self._exchange(message)
        except (ConnectionError, IndexError):  # the server had closed the kept connection: once more on a new one
            self.socket = None
            answer = self._exchange(message)
        self.cookies.update(answer.cookies)
        return answer

    def _exchange(self, message):
        if self.socket is None:
            self.socket, self.unread = socket.create_connection(("127.0.0.1", self.port), timeout=30), b""
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(message)
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
        found = dict(headers)
        if found.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self._exactly(int(found.get("content-length", 0)))
        if found.get("connection", "").lower() == "close":
            self.socket = None
        return Answer(int(head[0].split()[1]), headers, body)

    def _chunk(self):
        chunk = self._exactly(int(self._until(b"\r\n"), 16))
        self._until(b"\r\n")
        return chunk

    def _until(self, mark):
        while mark not in self.unread:
            self._receive()
        found, _, self.unread = self.unread.partition(mark)
        return found

    def _exactly(self, length):
        while len(self.unread) < length:
            self._receive()
        found, self.unread = self.unread[:length], self.unread[length:]
        return found

    def _receive(self):
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        self.unread += received
