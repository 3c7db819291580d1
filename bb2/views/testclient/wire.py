"""What goes over the wire when the test client calls this server, and how is it shown?"""

import json
from contextlib import suppress
from shlex import quote
from urllib.parse import urlencode, urlsplit

from webob import Request

FORM = "application/x-www-form-urlencoded"
SHOWN = 8_000  # characters of an answer's body


def send(request, method, path, *, token=None, form=None):
    """Call this server in process, from where the developer's browser is.  Returns the exchange as a dict.

    `path` may have a query.  `token`: an access token; `form`: what a POST brings, {name: value}.
    """
    base_url = request.registry["settings"].base_url
    answer = answer_to(request, method, path, token=token, form=form)
    headers, body = _bearer(token), urlencode(form) if form else ""
    if form:
        headers |= {"Content-Type": FORM, "Content-Length": str(len(body))}
    return {
        "method": method,
        "url": f"{base_url}{path}",
        "headers": {"Host": urlsplit(base_url).netloc} | headers,
        "body": body,
        "status": answer.status,
        "answer_headers": list(answer.headerlist),
        "type": answer.content_type,
        "answer": answer.text if is_text(answer.content_type) else None,
        "size": len(answer.body),
    }


def answer_to(request, method, path, *, token=None, form=None):
    """The Response to such a call."""
    base_url = request.registry["settings"].base_url
    call = Request.blank(path, base_url=base_url, method=method, headers=_bearer(token), POST=form)
    for name in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR"):  # the limits count these calls as any
        if name in request.environ:
            call.environ[name] = request.environ[name]
    request.db.commit()  # the call has a transaction of its own, and SQLite one writer
    return call.get_response(request.registry["app"])


def _bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def is_text(content_type):
    return content_type.startswith("text/") or content_type.endswith(("json", "xml"))


def body_of(exchange):
    """The JSON that was answered, a dict; empty for any other answer."""
    try:
        found = json.loads(exchange["answer"] or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def succeeded(exchange):
    return exchange["status"].startswith("2")


def shown(exchange):
    """What a page shows of an exchange: texts, and whether the answer's body was cut."""
    body, cut = _readable(exchange)
    return {
        "what": f"{exchange['method']} {path_of(exchange)}",
        "request": request_text(exchange),
        "curl": curl(exchange),
        "status": exchange["status"],
        "good": succeeded(exchange),
        "answer": f"HTTP/1.1 {exchange['status']}\n{_lines(exchange['answer_headers'])}\n\n{body}",
        "cut": cut,
        "size": size(exchange["size"]),
    }


def path_of(exchange):
    return urlsplit(exchange["url"]).path


def request_line(request, target):
    """A browser's GET, as far as it matters."""
    return f"GET {target} HTTP/1.1\nHost: {urlsplit(request.registry['settings'].base_url).netloc}"


def request_text(exchange):
    """The request as it stands in a socket (RFC 9112, 2.1)."""
    url = urlsplit(exchange["url"])
    target = f"{url.path}?{url.query}" if url.query else url.path
    text = f"{exchange['method']} {target} HTTP/1.1\n{_lines(exchange['headers'].items())}"
    return f"{text}\n\n{exchange['body']}" if exchange["body"] else text


def curl(exchange):
    """The same request as a line for a shell."""
    parts = ["curl", "-i"]
    for name, value in exchange["headers"].items():
        if name == "Authorization":
            parts += ["-H", f"{name}: {value}"]
    parts += ["-d", exchange["body"]] if exchange["body"] else []
    return " ".join(map(quote, [*parts, exchange["url"]]))


def size(number):
    """Bytes as people read them."""
    return f"{number} bytes" if number < 1000 else f"{number / 1000:.1f} KB"


def _readable(exchange):
    """(the body as text, was it cut?); JSON is laid out in lines."""
    if exchange["answer"] is None:
        return f"({exchange['type']}, {size(exchange['size'])})", False
    body = exchange["answer"]
    with suppress(ValueError):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return (f"{body[:SHOWN]}\n…", True) if len(body) > SHOWN else (body, False)


def _lines(headers):
    return "\n".join(f"{name}: {value}" for name, value in headers)
