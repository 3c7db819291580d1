"""Scopes that SMART has and this server does not grant: each is refused, and the words say what to ask for."""

import pytest

from bb2.testing import answer_of
from oauth.steps import ask, error_of

REFUSED = (
    ("patient/ExplanationOfBenefit.rs?type=carrier", "finer-grained"),
    ("patient/Coverage.rs?status=active&x=y", "finer-grained"),
    ("patient/Coverage.read?", "finer-grained"),
    ("patient/*.rs", "name each resource type"),
    ("patient/*.read", "name each resource type"),
    ("patient/*.*", "name each resource type"),
    ("user/Coverage.read", "patient/ scopes"),
    ("user/*.rs", "patient/ scopes"),
    ("system/ExplanationOfBenefit.rs", "patient/ scopes"),
    ("patient/Coverage.cruds", "read and searched"),
    ("patient/Coverage.write", "read and searched"),
    ("patient/Coverage.*", "read and searched"),
    ("patient/Coverage.sr", "read and searched"),
    ("patient/Coverage.rr", "read and searched"),
    ("patient/Coverage.", "read and searched"),
    ("patient/Coverage.READ", "read and searched"),
    ("patient/coverage.read", "no such resource type"),
    ("patient/Observation.rs", "no such resource type"),
    ("Patient/Coverage.read", "not a scope"),
    ("patient/Coverage", "not a scope"),
    ("patient", "not a scope"),
    ("OpenID", "not a scope"),
    ("é/\U0001f600.rs", "not a scope"),
)


@pytest.mark.parametrize(("name", "told"), REFUSED)
def test_a_scope_that_is_not_granted_here_is_refused_with_words_that_help(server, name, told):
    for scope in (name, f"openid {name} patient/Coverage.read"):
        refused = ask(server, scope)
        assert error_of(refused) == "invalid_scope"
        assert told in answer_of(refused)["error_description"]


@pytest.mark.parametrize("name", ["patient/Coverage.rs?status=active", "patient/*.rs", "user/Coverage.read"])
def test_a_refresh_cannot_bring_in_what_is_not_granted_here(server, refreshed, name):
    assert server.refresh(refreshed.token, scope=name, status=400)["error"] == "invalid_scope"


@pytest.fixture(scope="module")
def refreshed(shared_server):
    """A token response of the shared server, whose refresh token is not spent by refusals."""

    class Granted:
        token = shared_server.grant("openid patient/Coverage.read")

    return Granted
