"""What may be sent to any route, good or odd, and what its answer must look like whatever was sent."""

import re
from urllib.parse import quote_plus

from hypothesis import strategies as st
from pyramid.interfaces import IRoutesMapper

from bb2.testing import PASSWORD, REDIRECT_URI, code_of, consent_form
from oauth.steps import EVERYTHING, another_app
from oauth.wire import FORM

METHODS = ["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "get", "ODD"]
ODD_IDS = ["x", "1", "-1001", "%ff", "%00", "%C3%A9", "..%2f..", "%0d%0aX:%20y", "{id}", "%25zz", "a" * 3000, "'--"]
ODD_TEXT = st.sampled_from(
    ["", "\x00", "é", "🔑", "%zz", "a\r\nb: c", "../..", "x" * 9000, "'", "[]", "1" * 40, "//evil"]
)
ODD_BYTES = st.one_of(
    (ODD_TEXT | st.text(max_size=20)).map(lambda text: quote_plus(text).encode()),
    st.sampled_from([b"%ff%fe", b"%", b"%00", b"%ED%A0%80", b"\xff", b"+", b"=", b"a&b", b"x" * 70_000]),
    st.binary(max_size=12).map(quote_plus).map(str.encode),
)
CONTENT_TYPES = st.sampled_from(
    [
        *[FORM] * 5,
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
ODD_HEADERS = st.tuples(
    st.sampled_from(
        [
            *("Authorization", "Cookie", "Accept-Language", "Prefer", "Origin", "Content-Length", "X-Forwarded-For"),
            *("Host", "Range", "If-None-Match", "Accept", "Access-Control-Request-Method", "Referer"),
        ]
    ),
    st.sampled_from(
        ["", "\x00", "é", "Basic", "Basic é", "Basic w6k6", "Basic AAA6AAA=", "Bearer", "-1", "a=b; c", "*"]
    )
    | st.text(st.characters(max_codepoint=255), max_size=20),
)
PATH_VERSIONS, PATH_ENDS = st.sampled_from(["v1", "v2"]), st.sampled_from(["", "", "/"])
DISPOSITIONS = st.sampled_from(
    ["", '; filename="f.txt"', '; filename="é\x00"', ";;", "\r\nContent-Type: text/plain; charset=x"]
)
MULTIPART_ENDS = st.sampled_from([b"\r\n--b--\r\n", b"\r\n--b", b"", b"\r\n--b\r\n"])
# RFC 6749, 5.2: what error and error_description may hold.
LEGAL = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
OAUTH = re.compile(r"/v[12]/(o/(?!authorize)|connect/(?!logout))|/\.well-known/|/health|/(?:openapi|postman)\.json")
FHIR = re.compile(r"/v[12]/fhir(/|$)")


class Door:
    """One route of the assembled application, and what may be sent to it beside the path: strategies, by keyword."""

    def __init__(self, route, ids, beside):
        self.pattern, self.ids, self.beside = f"/{route.pattern.lstrip('/')}", ids, beside

    def paths(self):
        """Paths of the route, %-encoded: each version, good and odd ids, with and without a slash at the end."""

        def path(version, id, end):
            filled = re.sub(r"\{version[^}]*\}", version, self.pattern)
            return re.sub(r"\{[^}]*\}|\*\w+", lambda _match: id, filled) + end

        return st.builds(path, PATH_VERSIONS, self.ids, PATH_ENDS)

    def requests(self):
        """Keywords of `oauth.wire.send`."""
        return st.fixed_dictionaries({"path": self.paths()} | self.beside)


def pairs(form, every_parameter):
    """A form or a query in bytes: good values, odd ones, parameters left out, added and doubled."""
    names = st.sampled_from([*form, *every_parameter, "unknown"])
    good = {name: quote_plus(value).encode() for name, value in form.items()}

    def joined(changes, extra, left_out):
        pairs = [(name, value) for name, value in (good | changes).items() if name not in left_out]
        return b"&".join(quote_plus(name).encode() + b"=" + value for name, value in [*pairs, *extra])

    odd = st.dictionaries(names, ODD_BYTES, max_size=2)
    return st.builds(joined, odd, st.lists(st.tuples(names, ODD_BYTES), max_size=2), st.sets(names, max_size=1))


def bodies(form, pairs):
    """Forms; what claims to be multipart/form-data with boundary `b`: good, with files, cut short; and bytes."""

    def multipart(name, disposition, value, end):
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n\r\n'.encode()
        return head + value + end

    made = st.builds(multipart, st.sampled_from([*form]), DISPOSITIONS, st.binary(max_size=20), MULTIPART_ENDS)
    return st.one_of(pairs, pairs, made, st.binary(max_size=40), st.just(b'{"a": [[[1]]]}'))


class People:
    """A signed-in beneficiary and two connected apps: where the good values come from.

    What a good request would end (a session, a token, a page) is not the one that the other requests need.
    """

    def __init__(self, server):
        server.reset()
        self.app = server.app
        reading, spare = another_app(server), another_app(server)
        self.token = reading.grant(EVERYTHING)["access_token"]
        spent = spare.grant(EVERYTHING)
        asked = spare.authorization_request(EVERYTHING)
        page = spare.consent_page(EVERYTHING)
        shown = dict(consent_form(page).submit_fields()) | {"answer": "maybe", "demographic": "share"}
        self.request_id = page.request.path.rpartition("/")[2]
        self.cookies = {cookie.name: cookie.value for cookie in server.cookiejar}
        credentials = {"client_id": spare.client_id, "client_secret": spare.client_secret}
        code = code_of(spare.approve(spare.consent_page(EVERYTHING, username=None)))
        one_token = {"token": spent["refresh_token"], "token_type_hint": "refresh_token"} | credentials
        sign_in = {"csrf_token": shown["csrf_token"], "username": "nobody", "password": PASSWORD}
        self.forms = {
            "authorize": asked,
            "pushed_request": asked | credentials,
            "token": spare.token_request(code),
            "revoke": one_token,
            "revoke_token": one_token,
            "introspect": one_token,
            "consent": shown,
            "sign_in": sign_in | {"request": self.request_id, "answer": "sign-in"},
            "sign_out": {"csrf_token": "of another session", "request": self.request_id},
            "stop_sharing": {"csrf_token": shown["csrf_token"]},
            "share_less": {"csrf_token": shown["csrf_token"], "kept": "line-patient/Coverage"},
        }
        other = {"lang": "es", "_count": "1", "_lastUpdated": "ge2020", "startIndex": "0", "patient": "-1001"}
        everything = [
            *self.forms.values(),
            other,
            {"grant_type": "refresh_token", "id_token_hint": "x", "max_age": "0"},
        ]
        self.every_parameter = {name: value for form in everything for name, value in form.items()}
        self.every_parameter["csrf_token"] = "of another session"
        secrets = (self.token, spent["access_token"], spent["refresh_token"], spare.client_secret, PASSWORD)
        self.secrets = (*secrets, self.cookies["beneficiary"])

    def doors(self):
        """Every route that the application has."""
        routes = self.app.registry.getUtility(IRoutesMapper).get_routes(include_static=True)
        # Hypothesis takes longer to understand a strategy than to draw from it: most routes share these.
        ids, usual = st.sampled_from([*ODD_IDS, self.request_id]), self._beside_the_path(self.every_parameter)
        of_a_form = {name: self._beside_the_path(form) for name, form in self.forms.items()}
        return [Door(route, ids, of_a_form.get(route.name, usual)) for route in routes]

    def _beside_the_path(self, form):
        """What a request brings to a route with this form: strategies, by keyword of `oauth.wire.send`."""
        good_header = st.tuples(st.just("Authorization"), st.sampled_from([f"Bearer {self.token}", "Bearer x"]))
        fields = pairs(form, self.every_parameter)
        return {
            "method": st.sampled_from(METHODS),
            "query": st.one_of(st.just(b""), fields, ODD_BYTES),
            "body": bodies(form, fields),
            "content_type": CONTENT_TYPES,
            "headers": st.lists(good_header | ODD_HEADERS, max_size=2, unique_by=lambda header: header[0]),
            "cookies": st.sampled_from([self.cookies, {}, {"beneficiary": "é", "lang": "xx"}]),
        }


def assert_in_shape(sent, response, secrets):
    """contract.md, "Errors"; and what holds for every answer."""
    path, status = sent["path"], response.status_int
    assert status < 500, (sent, response.text)
    told = f"{response.headers}{response.body.decode('utf-8', 'replace')}"
    assert "Traceback" not in told
    assert not any(secret in told for secret in secrets), sent
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if 300 <= status < 400 and status != 304:
        registered = response.location.partition("?")[0] == REDIRECT_URI
        assert registered or response.location.startswith("http://localhost/"), (sent, response.location)
        return
    if response.content_type == "text/html":
        _assert_is_a_page(sent, response)
    if status < 400 or sent["method"] == "HEAD":
        return
    if FHIR.match(path):
        assert response.content_type == "application/fhir+json", (sent, response.text)
        assert response.json["resourceType"] == "OperationOutcome"
        assert response.json["issue"][0].keys() >= {"severity", "code", "diagnostics"}
    elif OAUTH.match(path):
        assert response.content_type == "application/json", (sent, response.text)
        assert {"error", "error_description"} <= response.json.keys() <= {"error", "error_description", "error_uri"}
        assert all(LEGAL.fullmatch(text) for text in response.json.values()), response.json
        assert response.headers["Cache-Control"] == "no-store"
    else:
        assert response.content_type == "text/html", (sent, response.text)
    if status == 401 and (FHIR.match(path) or OAUTH.match(path)):
        assert response.headers["WWW-Authenticate"]


def _assert_is_a_page(sent, response):
    assert sent["method"] == "HEAD" or "<h1" in response.text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    whose = ("'self'", "SAMEORIGIN") if sent["path"].rstrip("/") == "/developer/preview" else ("'none'", "DENY")
    assert f"frame-ancestors {whose[0]}" in policy, sent
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == whose[1]
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
