"""Odd bytes at every door: never a 5xx, and always the shape of the place."""

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webob import Request

from bb2.oauth.server import AUTHORIZATION_PARAMETERS, TOKEN_PARAMETERS
from bb2.testing import PASSWORD, consent_form
from oauth.steps import EVERYTHING

FUZZ = settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FORM = "application/x-www-form-urlencoded"
ODD_TEXT = st.one_of(
    st.sampled_from(
        [
            "",
            "\x00",
            "é",
            "\ud83d\udd11".encode("utf-16", "surrogatepass").decode("utf-16"),
            "%zz",
            "a\r\nb: c",
            "../..",
            "x" * 9000,
            "'",
            "[]",
        ]
    ),
    st.text(max_size=20),
)
ODD_BYTES = st.one_of(
    ODD_TEXT.map(lambda text: quote_plus(text).encode()),
    st.sampled_from([b"%ff%fe", b"%", b"%00", b"%ED%A0%80", b"\xff", b"+", b"=", b"a&b"]),
    st.binary(max_size=12).map(quote_plus).map(str.encode),
)
CONTENT_TYPES = st.sampled_from(
    [
        FORM,
        f"{FORM}; charset=latin-1",
        f"{FORM}; charset=nonsense",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "application/json",
        "text/plain",
        "",
        "x",
    ]
)


def forms(good, names):
    """Bodies made from a good form: values replaced by odd ones, parameters added, doubled, left out."""
    odd = st.dictionaries(st.sampled_from(names), ODD_BYTES, max_size=3)
    kept = {name: quote_plus(value).encode() for name, value in good.items()}

    def body(changes, extra, left_out):
        pairs = [(name, value) for name, value in (kept | changes).items() if name not in left_out]
        return b"&".join(name.encode() + b"=" + value for name, value in [*pairs, *extra])

    extra = st.lists(st.tuples(st.sampled_from(names), ODD_BYTES), max_size=2)
    return st.builds(body, odd, extra, st.sets(st.sampled_from(names), max_size=2))


def multiparts(names):
    """Bodies that claim to be multipart/form-data with boundary `b`: good, with files, cut short, none at all."""

    def body(name, disposition, value, end):
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n'.encode()
        return head + b"\r\n" + value + end

    dispositions = st.sampled_from(
        ["", '; filename="f.txt"', '; filename="é\x00"', ";;", "\r\nContent-Type: text/plain; charset=x"]
    )
    ends = st.sampled_from([b"\r\n--b--\r\n", b"\r\n--b", b"", b"\r\n--b\r\n"])
    made = st.builds(body, st.sampled_from(names), dispositions, st.binary(max_size=20), ends)
    return st.one_of(made, st.binary(max_size=40), st.just(b""))


def send(server, path, *, method="POST", body=b"", query=b"", content_type=FORM, headers=()):
    """The answer to a request with exactly these bytes."""
    environ = {
        "QUERY_STRING": query.decode("latin-1"),
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": "; ".join(f"{c.name}={c.value}" for c in server.cookiejar),
        "REMOTE_ADDR": "127.0.0.1",
    }
    request = Request.blank(path, environ, method=method)
    if method == "POST":
        request.body = body
        request.environ["CONTENT_TYPE"] = content_type.encode().decode("latin-1")
    for name, value in headers:
        request.environ[f"HTTP_{name.upper()}"] = value
    return request.get_response(server.app)


def assert_a_page_or_a_redirect(response):
    assert response.status_int < 500, response.text
    if response.status_int in (302, 303):
        assert response.location
    else:
        assert response.content_type == "text/html"
        assert "<h1" in response.text


def assert_oauths_json(response, good=(200,)):
    """RFC 6749, 5.2"""
    assert response.status_int < 500, response.text
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    if response.status_int not in good:
        assert response.status_int in (400, 401)
        refused = json.loads(response.body)
        assert set(refused) == {"error", "error_description"}
        assert refused["error"] in {
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "unsupported_token_type",
        }


NAMES = [*AUTHORIZATION_PARAMETERS, "lang", "unknown"]


@FUZZ
@given(data=st.data())
def test_the_authorization_endpoint_answers_with_a_page_or_a_redirect(server, data):
    asked = data.draw(forms(server.authorization_request(EVERYTHING), NAMES))
    assert_a_page_or_a_redirect(send(server, "/v2/o/authorize/", method="GET", query=asked))
    content_type = data.draw(CONTENT_TYPES)
    assert_a_page_or_a_redirect(send(server, "/v1/o/authorize", body=asked, content_type=content_type))
    body = data.draw(multiparts(NAMES))
    response = send(server, "/v2/o/authorize", body=body, content_type="multipart/form-data; boundary=b")
    assert_a_page_or_a_redirect(response)


@FUZZ
@given(data=st.data(), path=st.sampled_from(["token", "revoke_token", "revoke"]))
def test_the_apps_endpoints_answer_with_oauths_json(server, data, path):
    names = [*TOKEN_PARAMETERS, "unknown"]
    good = server.authorization_request() and server.token_request("code", token="token")
    url = f"/v2/o/{path}/"
    headers = data.draw(st.lists(st.tuples(st.just("authorization"), HEADERS), max_size=1))
    body = data.draw(forms(good, names))
    assert_oauths_json(send(server, url, body=body, headers=headers))
    assert_oauths_json(send(server, url, body=body, content_type=data.draw(CONTENT_TYPES), headers=headers))
    multipart = data.draw(multiparts(names))
    assert_oauths_json(send(server, url, body=multipart, content_type="multipart/form-data; boundary=b"))
    assert_oauths_json(send(server, url, body=body, query=data.draw(ODD_BYTES) + b"x"))


HEADERS = st.one_of(
    st.sampled_from(["Basic", "Basic é", "Basic w6k6w6k=", "Bearer x", "Basic OjpAOg==", "Basic AAA6AAA=", "\x00"]),
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.binary(max_size=20).map(lambda value: "Basic " + __import__("base64").b64encode(value).decode()),
)


@FUZZ
@given(data=st.data())
def test_the_authorization_page_answers_with_a_page_or_a_redirect(asking, data):
    server, page = asking
    good = dict(consent_form(page).submit_fields()) | {"answer": "maybe"}
    names = [*good, "unknown", "lang"]
    path = page.request.path
    body = data.draw(forms(good, names))
    assert_a_page_or_a_redirect(send(server, path, body=body))
    assert_a_page_or_a_redirect(send(server, path, body=body, content_type=data.draw(CONTENT_TYPES)))
    multipart = data.draw(multiparts(names))
    assert_a_page_or_a_redirect(send(server, path, body=multipart, content_type="multipart/form-data; boundary=b"))
    assert_a_page_or_a_redirect(send(server, path, method="GET", query=b"lang=" + data.draw(ODD_BYTES)))


@pytest.fixture
def asking(server):
    return server, server.consent_page(EVERYTHING)


@FUZZ
@given(data=st.data(), path=st.sampled_from(["/sign-in", "/sign-out", "/connections"]))
def test_the_persons_forms_answer_with_a_page_or_a_redirect(asking, data, path):
    server, page = asking
    token = consent_form(page)["csrf_token"].value
    good = {"csrf_token": token, "username": "nobody", "password": PASSWORD, "request": "unknown", "consent": "1"}
    names = [*good, "answer", "lang"]
    # Signing out would end the session that the next example needs: no good token for that.
    body = data.draw(forms(good | ({"csrf_token": "x"} if path == "/sign-out" else {}), names))
    assert_a_page_or_a_redirect(send(server, path, body=body))
    assert_a_page_or_a_redirect(send(server, path, body=body, content_type=data.draw(CONTENT_TYPES)))
    multipart = data.draw(multiparts(names))
    assert_a_page_or_a_redirect(send(server, path, body=multipart, content_type="multipart/form-data; boundary=b"))
    assert_a_page_or_a_redirect(send(server, path, method="GET", query=b"request=" + data.draw(ODD_BYTES)))


@FUZZ
@given(value=st.text(st.characters(max_codepoint=255), max_size=40), name=st.sampled_from(["cookie", "authorization"]))
def test_odd_headers_break_nothing(server, value, name):
    odd = [(name, value if name == "authorization" else f"beneficiary={value}; lang={value}")]
    assert_a_page_or_a_redirect(send(server, "/sign-in", method="GET", headers=odd))
    assert_a_page_or_a_redirect(send(server, "/consent/x", method="GET", headers=odd))
    assert send(server, "/v2/connect/userinfo", method="GET", headers=odd).status_int == 401


@pytest.mark.parametrize("path", ["/v2/o/authorize", "/sign-in", "/consent/x", "/consent/%ff", "/%ff"])
def test_a_query_that_is_not_utf_8_gets_a_page(server, path):
    for query in b"lang=%ff", b"request=%ff", b"%ff=%ff", b"client_id=%ff&lang=es":
        response = send(server, path, method="GET", query=query)
        assert_a_page_or_a_redirect(response)
        assert 400 <= response.status_int < 500
