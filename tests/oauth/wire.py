"""Requests straight to the application, byte by byte: nothing mends, follows or checks them on the way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from webob import Request

from journey import Forms

FORM = "application/x-www-form-urlencoded"


def send(app, path, *, method="POST", body=b"", query=b"", content_type=FORM, headers=(), cookies=None):
    """The response to a request.  `headers`: [(name, value)]; `cookies`: {name: value}."""
    environ = {"QUERY_STRING": query.decode("latin-1"), "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"}
    if cookies:
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    request = Request.blank(path, environ, method=method)
    if method not in ("GET", "HEAD"):
        request.body = body
        request.environ["CONTENT_TYPE"] = content_type.encode().decode("latin-1")
    for name, value in headers:
        request.environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return request.get_response(app)


def post(app, path, form, cookies=None):
    """The response to a form, {name: value, or a list of values}; a field that is None is left out."""
    fields = {name: value for name, value in form.items() if value is not None}
    return send(app, path, body=urlencode(fields, doseq=True).encode(), cookies=cookies)


def read(app, path, token):
    """The response to a GET with an access token."""
    return send(app, path, method="GET", headers=[("Authorization", f"Bearer {token}")])


def together(*calls):
    """What several functions without arguments return, each called by a thread of its own at the same moment."""
    barrier = threading.Barrier(len(calls))

    def started(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(started, calls))


class Window:
    """A browser that keeps its cookies and follows nothing."""

    def __init__(self, app):
        self.app, self.cookies = app, {}

    def get(self, path, **query):
        return self._keep(send(self.app, path, method="GET", query=urlencode(query).encode(), cookies=self.cookies))

    def post(self, path, form):
        return self._keep(post(self.app, path, form, self.cookies))

    def follow(self, response):
        path, _, query = response.location.removeprefix("http://localhost").partition("?")
        return self._keep(send(self.app, path, method="GET", query=query.encode(), cookies=self.cookies))

    def _keep(self, response):
        for line in response.headers.getall("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return response


def forms(response, field):
    """[(path, hidden fields)] of the page's forms that have this hidden field."""
    return [(path, hidden) for path, hidden in Forms(response.text).forms if field in hidden]
