"""The error index has every code that is sent, in its own words; errors lead to it; its page is there for anybody."""

import ast
import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from oauthlib.oauth2 import OAuth2Error, RevocationEndpoint
from oauthlib.oauth2.rfc6749 import errors as oauthlib_errors
from oauthlib.oauth2.rfc6749.endpoints import authorization, base, introspect, revocation, token
from oauthlib.oauth2.rfc6749.grant_types import authorization_code, refresh_token
from oauthlib.oauth2.rfc6749.grant_types import base as grant

import bb2
from bb2.oauth.errors import DESCRIPTIONS
from bb2.openapi.fhir_errors import FHIR_ERRORS
from bb2.openapi.oauth_errors import OAUTH_ERRORS
from bb2.testing import ConsentServer, answer_of
from bb2.views.errors import FHIR_CODES
from built_in import BUILT_IN

pytestmark = pytest.mark.either_database

ROOT = Path(bb2.__file__).parent
OURS = [
    *sorted(path for folder in ("oauth", "views", "fhir") for path in ROOT.joinpath(folder).rglob("*.py")),
    ROOT / "security.py",
]
OAUTHLIBS = (authorization, base, introspect, revocation, token, authorization_code, refresh_token, grant)
#: What makes a refusal of a status, a code and a description.
MAKERS = {"refusal", "Refusal", "decline", "Problem", "FhirError", "_invalid"}
CODE = re.compile(r"[a-z]+([_-][a-z]+)*")
#: oauthlib has it for servers that revoke tokens of one kind only.
NEVER = {"unsupported_token_type"}


@pytest.fixture(scope="module")
def server():
    return ConsentServer(*BUILT_IN)


def module_of(path):
    return import_module(".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"))


def said(node):
    """The text of a literal, with … for what an f-string fills in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


@cache
def nodes(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def refusals(path, *makers):
    """The literals with which a module makes each refusal: [texts]."""
    module = module_of(path)
    for node in nodes(path):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            made = getattr(module, name, None)
            if name in (makers or MAKERS) or (not makers and inspect.isclass(made) and issubclass(made, OAuth2Error)):
                yield [text for text in map(said, node.args) if text]


def oauth_classes():
    """The errors of oauthlib's kind that our modules name, and those that oauthlib raises for us."""
    for path in OURS:
        found = [value for value in vars(module_of(path)).values() if inspect.isclass(value)]
        yield from (value for value in found if issubclass(value, OAuth2Error))
    for module in OAUTHLIBS:
        for name in re.findall(r"raise (?:errors\.)?(\w+)\(", inspect.getsource(module)):
            yield getattr(oauthlib_errors, name, OAuth2Error)


def test_every_oauth_error_that_can_be_sent_is_in_the_index():
    classes = {found.error for found in oauth_classes() if found.error}
    written = {text for path in OURS for texts in refusals(path) for text in texts if "_" in text}
    codes = {text for text in written if CODE.fullmatch(text)}
    assert {"invalid_grant", "consent_required", "invalid_target"} <= classes
    assert {"invalid_token", "insufficient_scope", "temporarily_unavailable"} <= codes
    assert set(RevocationEndpoint.valid_token_types) == {"access_token", "refresh_token"}
    assert (classes | codes) - {code.code for code in OAUTH_ERRORS} == NEVER


def test_every_issue_code_of_an_operation_outcome_is_in_the_index():
    written = {texts[0] for path in OURS for texts in refusals(path, "FhirError")}
    sent = {*FHIR_CODES.values(), "processing", *written}
    assert {"invalid", "not-found", "timeout", "too-costly"} <= sent
    assert sent - {code.code for code in FHIR_ERRORS} == set()


def pattern(text):
    return re.compile(".*".join(map(re.escape, text.split("…"))), re.DOTALL)


CAUSES = [cause.said.replace("{type}", "…") for code in OAUTH_ERRORS + FHIR_ERRORS for cause in code.causes]


def test_every_description_that_is_written_in_the_code_is_in_the_index():
    known = [pattern(cause) for cause in CAUSES if cause.strip("… ")]
    sentences = {text for path in OURS for texts in refusals(path) for text in texts if text.strip("… ").count(" ")}
    sentences |= set(DESCRIPTIONS.values())
    assert len(sentences) > 50
    assert [text for text in sorted(sentences) if not any(each.fullmatch(text) for each in known)] == []


def test_every_cause_of_the_index_stands_in_the_code_to_the_letter():
    written = {said(node) for path in OURS for node in nodes(path)} - {None}
    written |= {found.description for found in oauth_classes() if found.description}
    written |= set(re.findall(r"description='([^']+)'", "".join(map(inspect.getsource, OAUTHLIBS))))
    # A scope's name stands before why it is none.
    written |= {f"… {said(node)}" for node in nodes(ROOT / "oauth" / "scope_names.py")} - {"… None"}
    texts = [pattern(text) for text in written if " " in text and len(text.strip("… ")) > 6]
    missing = [cause for cause in CAUSES if cause.strip("…= ") and not any(text.fullmatch(cause) for text in texts)]
    assert missing == []


@pytest.mark.parametrize("codes", [OAUTH_ERRORS, FHIR_ERRORS], ids=["oauth", "fhir"])
def test_each_code_stands_once_and_has_a_cause_with_something_to_do(codes):
    assert len({code.code for code in codes}) == len(codes)
    for code in codes:
        assert code.statuses
        assert code.means.endswith(".")
        assert all(cause.mend.rstrip()[-1] in ".…)" for cause in code.causes), code.code


def test_the_page_has_each_code_at_its_address(server):
    page = server.get("/docs/errors").html
    for code in OAUTH_ERRORS + FHIR_ERRORS:
        entry = page.find(id=code.code)
        assert code.means in entry.get_text()


def test_errors_lead_to_their_entry(server):
    page = server.get("/docs/errors").html
    refused = server.post("/v2/o/token/", {"grant_type": "password"}, status="4*").json
    location, _, anchor = refused["error_uri"].partition("#")
    assert (location, anchor) == ("http://localhost/docs/errors", refused["error"])
    assert page.find(id=anchor)
    asked = server.authorization_request("openid", response_type="token")
    answer = answer_of(server.get("/v2/o/authorize", asked, status=303))
    assert answer["error_uri"] == f"http://localhost/docs/errors#{answer['error']}"
    challenge = server.get("/v2/connect/userinfo", headers={"Authorization": "Bearer x"}, status=401)
    assert 'error_uri="http://localhost/docs/errors#invalid_token"' in challenge.headers["WWW-Authenticate"]
    outcome = server.get("/v2/fhir/Coverage", status=401).json
    (coding,) = outcome["issue"][0]["details"]["coding"]
    assert coding == {"system": "http://localhost/docs/errors", "code": "login"}
    assert page.find(id=coding["code"])


def test_a_no_leads_to_its_entry_too(server):
    page = server.consent_page("openid")
    form = page.forms[0] if "screen" in page.forms[0].fields else page.forms[1]
    answer = answer_of(form.submit("answer", value="no"))
    assert answer["error_uri"] == "http://localhost/docs/errors#access_denied"


@pytest.mark.parametrize("path", ["errors", "limits", "scopes", "api"])
def test_the_reference_is_there_where_developers_have_no_accounts(path):
    server = ConsentServer(*BUILT_IN, settings={"bb2.developers": "false", "bb2.sandbox": "false"})
    assert server.get(f"/docs/{path}").html.find("h1")
