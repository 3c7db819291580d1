"""Each example of /openapi.json is sent, and compared with what the server answers; and so is each status."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import text

from bb2.bounds import MOST_BODY
from bb2.openapi import samples
from reference.recipes import answer_of
from reference.stage import Stage

pytestmark = pytest.mark.either_database

#: Members that are others each time; the schema says what they can be.
VARYING = {
    *("access_token", "refresh_token", "id_token", "access_grant_expiration", "request_uri", "iat", "exp"),
    *("keys", "date"),
}
#: Operations after which the examples are not true any more.
CHANGING = ("token", "revoke", "revoke_token")
#: Of a Bundle.
VARYING_OF_BUNDLE = {"id", "meta"}


@pytest.fixture(scope="module")
def stage():
    return Stage()


def assert_same(example, actual, claims, place="$"):
    """The example is what came, but for the members that vary, and the `claims` that plugins add to what is open."""
    assert type(example) is type(actual), place
    if isinstance(example, dict):
        beside = claims - example.keys() if example.get("active") else set()
        assert example.keys() == actual.keys() - beside, place
        varying = VARYING | (VARYING_OF_BUNDLE if example.get("resourceType") == "Bundle" else set())
        for name, value in example.items():
            if name in varying:
                assert type(value) is type(actual[name]), f"{place}.{name}"
            else:
                assert_same(value, actual[name], claims, f"{place}.{name}")
    elif isinstance(example, list):
        assert len(example) == len(actual), place
        for number, (one, other) in enumerate(zip(example, actual, strict=True)):
            assert_same(one, other, claims, f"{place}[{number}]")
    else:
        assert example == actual, place


def assert_valid(document, content, response):
    schema = {**content["schema"], "components": document["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(response.json)


def check(stage, operation, status, media, name, value):
    response = answer_of(stage, operation, name)
    assert f"{response.status_int}" == status, (response.status, response.text)
    if media is None:
        assert_leads_to(value, response.location)
        return
    assert response.content_type == media
    assert_same(value, response.json, stage.server.scopes.claims)
    assert_valid(stage.document, operation.described["responses"][status]["content"][media], response)


def assert_leads_to(example, location):
    """The redirect of the example, but for the id of a request that waits."""
    if "…" in example:
        assert location.startswith(example.removesuffix("…"))
        return
    expected, found = urlsplit(example), urlsplit(location)
    assert expected[:3] == found[:3]
    assert sorted(parse_qsl(expected.query)) == sorted(parse_qsl(found.query))


def test_each_example_of_an_answer_is_what_the_server_answers(stage):
    problems, checked = [], 0
    # By state, so that it is seldom made anew.
    examples = [(operation, *example) for operation in stage.operations for example in operation.examples()]
    for operation, status, media, name, value in sorted(examples, key=lambda example: example[3]):
        checked += 1
        try:
            check(stage, operation, status, media, name, value)
        except AssertionError as problem:
            problems.append(f"{operation.id} {status} {name}: {problem}")
    assert not problems, "\n\n".join(problems)
    assert checked > 150


def test_each_example_of_a_form_is_answered_well(stage):
    for operation in stage.operations:
        for name in operation.forms():
            stage.need()
            response = stage.send(operation.request(name))
            if operation.name in CHANGING:
                stage.spoil()
            good = (303,) if operation.name == "authorize_by_post" else (200, 201)
            assert response.status_int in good, (operation.id, name, response.text)
            assert f"{response.status_int}" in operation.described["responses"]


def test_each_example_of_a_parameter_is_answered_well(stage):
    stage.need()
    for operation in stage.operations:
        for parameter in operation.described.get("parameters", ()):
            if "example" not in parameter or operation.name == "authorize":
                continue
            request, place = operation.request(), parameter["in"]
            if place == "query":
                request = request.with_query(**{parameter["name"]: parameter["example"]})
            elif place == "header":
                request = request.but(headers=request.headers | {parameter["name"]: parameter["example"]})
            response = stage.send(request)
            assert response.status_int == 200, (operation.id, parameter["name"], response.text)
            (content,) = operation.described["responses"]["200"]["content"].values()
            assert_valid(stage.document, content, response)


def test_the_examples_of_the_authorization_request_lead_to_the_page_that_asks(stage):
    for operation in stage.operations:
        if operation.name == "authorize":
            page = stage.send(operation.request())
            assert page.status_int == 303
            assert "/consent/" in page.location


def statuses(stage, *wanted):
    """(operation, status, response described) of the document, of these statuses."""
    for operation in stage.operations:
        for status, described in operation.described["responses"].items():
            if int(status) in wanted:
                yield operation, int(status), described


def assert_documented(stage, response, status, described):
    assert response.status_int == status, (response.status, response.text)
    ((media, content),) = described["content"].items()
    assert response.content_type == media
    if media != "text/html":
        assert_valid(stage.document, content, response)
    for header in described.get("headers", ()):
        assert response.headers[header]


def test_a_body_that_is_too_large_is_answered_as_documented_everywhere(stage):
    stage.need()
    for operation, status, described in statuses(stage, 413):
        if operation.method == "post":
            response = stage.send(operation.request().but(body=b"a=1&" * MOST_BODY))
            assert_documented(stage, response, status, described)


def test_a_form_in_place_of_no_form_is_answered_as_documented(stage):
    found = list(statuses(stage, 415))
    assert len(found) == 6
    for operation, status, described in found:
        assert_documented(stage, answer_of(stage, operation, "not_a_form"), status, described)


def test_a_record_that_the_app_has_already_is_answered_as_documented(stage):
    stage.need()
    found = list(statuses(stage, 304))
    assert len(found) == 7  # and this document
    for operation, status, described in found:
        first = stage.send(operation.request())
        headers = operation.request().headers | {"If-None-Match": first.headers["ETag"]}
        again = stage.send(operation.request().but(headers=headers))
        assert (again.status_int, again.body) == (status, b"")
        assert "content" not in described


def test_too_many_requests_are_answered_as_documented():
    names = ("authorize", "token", "introspect", "revoke", "par")
    stage = Stage(settings={f"bb2.limit_{name}_address": "1 per hour" for name in names})
    found = list(statuses(stage, 429))
    assert {operation.name for operation, *_rest in found} > {"authorize", "token", "revoke", "pushed_request"}
    for operation, status, described in found:
        stage.send(operation.request())
        assert_documented(stage, stage.send(operation.request()), status, described)


def asking_the_database(operation):
    """The documented request, with more in it where that could be answered without looking anything up."""
    more = {"logout": {"client_id": samples.CLIENT_ID}, "authorize_by_post": {"client_secret": "never sent here"}}
    return operation.request().asking(**more.get(operation.name.replace("logout_by_post", "logout"), {}))


def test_a_database_that_does_not_answer_is_told_as_documented(stage):
    found = list(statuses(stage, 503))
    with stage.out_of_order():
        for operation, status, described in found:
            assert_documented(stage, stage.send(asking_the_database(operation)), status, described)


def test_a_server_that_fails_says_so_as_documented():
    stage = Stage()
    stage.need()
    with stage.server.db() as db:
        db.execute(text("UPDATE client SET redirect_uris = 'no JSON', scopes = 'no JSON'"))
        db.execute(text("UPDATE access_token SET scopes = 'no JSON'"))
    for operation, status, described in statuses(stage, 500):
        assert_documented(stage, stage.send(asking_the_database(operation)), status, described)
