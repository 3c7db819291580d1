"""Another FHIR server for tests, on a socket of this machine: one that answers as it is told."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import waitress


class OtherServer(ThreadingHTTPServer):
    """`with` a server whose `answer(handler)` writes the response.  `asked` holds the targets of its requests.

    `tls`: an ssl.SSLContext of its own; None: it speaks http.
    """

    daemon_threads = True

    def __init__(self, answer=None, tls=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.tls, self.asked, self.headers = answer, tls, [], []
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}/v2/fhir"
        self.over = threading.Event()  #: slow answers wait for it, so that no test waits for them

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.over.set()
        self.shutdown()
        self.server_close()

    def finish_request(self, request, client_address):
        if self.tls:  # in the connection's own thread: a handshake that fails keeps nobody else waiting
            with self.tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """A connection that the other side closed is what many of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else what follows the headers waits for 40 ms

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.headers.append(dict(self.headers))
        self.server.answer(self)

    def do_POST(self):
        """`handler.posted` is the body."""
        self.posted = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.do_GET()

    def log_message(self, *_arguments):
        """Not to the terminal."""


def send(handler, body, status=200, content_type="application/fhir+json", **headers):
    """A whole response; `body` is bytes, or an object that goes as JSON."""
    body = body if isinstance(body, bytes) else orjson.dumps(body)
    handler.send_response(status)
    for name, value in {"Content-Type": content_type, "Content-Length": len(body), **headers}.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def searchset(records, **elements):
    """A searchset Bundle (a dict) of records (dicts)."""
    entries = [{"resource": record, "search": {"mode": "match"}} for record in records]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(records), "entry": entries} | elements


@contextmanager
def listening(app):
    """The address of a WSGI application behind waitress, for as long as it is needed."""
    server = waitress.create_server(app, listen="127.0.0.1:0", threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(partial(_stop, server))
        thread.join(10)


def _stop(server):
    """Connections that are kept would keep it running."""
    for channel in [*server.active_channels.values()]:
        channel.close()
    server.close()
