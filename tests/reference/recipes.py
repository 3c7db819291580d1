"""How does each example of the OpenAPI document come about?  By what differs from the request that is documented."""

from bb2.models import AccessToken, AuthorizationCode, Consent
from bb2.openapi import samples

RECIPES = {}  #: (example, operation or None for every other) -> function of Stage and Operation: the answer


def recipe(example, *operations):
    """Register how an example comes about, at these operations, or wherever it is."""

    def registered(function):
        for operation in operations or (None,):
            RECIPES[example, operation] = function
        return function

    return registered


def answer_of(stage, operation, example):
    """The answer to the request that makes this example."""
    made = RECIPES.get((example, operation.name)) or RECIPES[example, None]
    return made(stage, operation)


def changed(**changes):
    """A recipe: the documented request with some parameters changed, or left out (None)."""
    return lambda stage, operation: stage.send(operation.request().asking(**changes))


# What is answered well


@recipe("record")
@recipe("page")
@recipe("document")
def as_documented(stage, operation):
    stage.need()
    return stage.send(operation.request())


@recipe("asked", "authorize")
@recipe("kept", "pushed_request")
@recipe("open", "introspect")
def as_documented_too(stage, operation):
    stage.need()
    return stage.send(operation.request())


@recipe("tokens", "token")
def tokens(stage, operation):
    stage.need()
    stage.spoil()
    return stage.send(operation.request("authorization_code"))


@recipe("closed", "introspect")
def closed(stage, operation):
    stage.need()
    return stage.send(operation.request("closed"))


# OAuth's refusals

for name, different in {
    "short_state": {"state": "short"},
    "no_pkce": {"code_challenge": None},
    "unknown_scope": {"scope": "patient/Nothing"},
    "other_response_type": {"response_type": "token"},
    "not_signed_in": {"prompt": "none"},
    "wrong_secret": {"client_secret": "wrong"},
    "other_grant_type": {"grant_type": "password"},
    "no_token_parameter": {"token": None},
    "no_code": {"code": None},
    "unknown_code": {"code": "unknown"},
}.items():
    RECIPES[name, None] = changed(**different)


@recipe("in_the_url")
def in_the_url(stage, operation):
    return stage.send(operation.request().but(query={"client_id": samples.CLIENT_ID}))


@recipe("not_a_form")
def not_a_form(stage, operation):
    stage.need()
    return stage.send(operation.request().but(body=b"{}", content_type="application/json"))


@recipe("unreadable")
def unreadable(stage, operation):
    return stage.send(operation.request().but(raw_query=b"%ff"))


@recipe("other_redirect_uri")
def other_redirect_uri(stage, operation):
    stage.need()
    return stage.send(operation.request().asking(redirect_uri="https://app.example/other"))


@recipe("wrong_verifier")
def wrong_verifier(stage, operation):
    stage.need()
    return stage.send(operation.request().asking(code_verifier=samples.CODE_VERIFIER[::-1]))


@recipe("expired_code")
def expired_code(stage, operation):
    stage.need()
    with stage.long_ago(AuthorizationCode.expires_at):
        return stage.send(operation.request())


@recipe("used_code")
def used_code(stage, operation):
    stage.need()
    stage.spoil()
    assert stage.send(operation.request()).status_int == 200
    return stage.send(operation.request())


@recipe("unknown_refresh_token")
def unknown_refresh_token(stage, operation):
    return stage.send(operation.request("refresh_token").asking(refresh_token="unknown"))


@recipe("used_refresh_token")
def used_refresh_token(stage, operation):
    stage.need()
    stage.spoil()
    assert stage.send(operation.request("refresh_token")).status_int == 200
    return stage.send(operation.request("refresh_token"))


@recipe("wider_refresh")
def wider_refresh(stage, operation):
    stage.need("openid", scope="openid")
    return stage.send(operation.request("refresh_token").asking(scope=samples.scopes_of(stage.server.scopes)))


# What an access token opens, or not


@recipe("no_token")
def no_token(stage, operation):
    return stage.send(operation.request().with_token(None))


@recipe("unknown_token")
def unknown_token(stage, operation):
    return stage.send(operation.request().with_token("unknown"))


@recipe("token_in_the_url")
def token_in_the_url(stage, operation):
    return stage.send(operation.request().with_token(None).with_query(access_token=samples.ACCESS_TOKEN))


@recipe("expired_token")
def expired_token(stage, operation):
    stage.need()
    with stage.long_ago(AccessToken.expires_at):
        return stage.send(operation.request())


@recipe("ended_consent")
def ended_consent(stage, operation):
    stage.need()
    with stage.long_ago(Consent.revoked_at, revoked_by="beneficiary"):
        return stage.send(operation.request())


@recipe("not_shared")
def not_shared(stage, operation):
    stage.need("declined", share_demographic=False)
    return stage.send(operation.request())


@recipe("not_granted")
def not_granted(stage, operation):
    """A demographic type is not shared; of another, the app asked for nothing."""
    if "Patient" in operation.name:
        return not_shared(stage, operation)
    stage.need("openid", scope="openid")
    return stage.send(operation.request())


@recipe("no_such_record")
def no_such_record(stage, operation):
    stage.need()
    request = operation.request()
    return stage.send(request.but(path=f"{request.path.rpartition('/')[0]}/no-such-record"))


@recipe("bad_value")
def bad_value(stage, operation):
    stage.need()
    return stage.send(operation.request().asking(_lastUpdated="yesterday"))


@recipe("not_json")
def not_json(stage, operation):
    if operation.needs_token:
        stage.need()
    return stage.send(operation.request().asking(_format="xml"))


@recipe("unwell")
def unwell(stage, operation):
    with stage.out_of_order():
        return stage.send(operation.request())
