"""What does authorization cost the database?  The statements of each step, with the count of its limit."""

import pytest

from bb2.testing import answer_of, code_of
from databases import statements
from oauth.steps import EVERYTHING, another_app, answer

#: {step: statements at most}; docs/benchmarks.md says so too
MOST = {"authorize": 5, "the page": 6, "Yes": 8, "code to token": 13, "refresh": 8, "introspect": 3, "userinfo": 1}


@pytest.fixture
def sent(server):
    """{step: the SQL of the step}, from the authorization request to userinfo, from an address that is counted."""
    app, seen = another_app(server), {}
    app.extra_environ = app.extra_environ | {"REMOTE_ADDR": "192.0.2.1"}

    def step(name, do, *arguments, **options):
        with statements(server.engine) as seen[name]:
            return do(*arguments, **options)

    app.sign_in()
    asked = step("authorize", app.get, "/v2/o/authorize", app.authorization_request(EVERYTHING), status=303)
    page = step("the page", asked.follow)
    said = step("Yes", answer, page)
    assert set(answer_of(said)) == {"code", "state", "iss"}
    token = step("code to token", app.post, "/v2/o/token/", app.token_request(code_of(said))).json
    token = step("refresh", app.refresh, token)
    form = {"token": token["access_token"], "client_id": app.client_id, "client_secret": app.client_secret}
    assert step("introspect", app.post, "/v2/o/introspect/", form).json["active"]
    assert step("userinfo", app.api, "connect/userinfo", token).json["sub"]
    return seen


def test_no_step_costs_more_statements_than_the_readme_says(sent):
    assert {name: len(seen) for name, seen in sent.items() if len(seen) > MOST[name]} == {}


def test_every_count_of_a_limit_is_among_them(sent):
    for name in "authorize", "code to token", "refresh", "introspect":
        assert sum("rate_limit" in statement for statement in sent[name]) == 1
