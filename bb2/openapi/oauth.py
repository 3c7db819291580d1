"""Which operations does an app need to be let in, and to leave?  (RFC 6749, 7009, 7662, 9126; OpenID Connect)"""

from urllib.parse import urlencode

from bb2.bounds import MOST_BODY
from bb2.discovery import oauth_urls
from bb2.oauth.pushed import LIFETIME
from bb2.oauth.server import LEAST_STATE, MOST_PARAMETER, PROMPTS
from bb2.openapi import samples
from bb2.openapi.answers import JSON, answer, oauth_problems, pages
from bb2.openapi.errors import help_uri
from bb2.openapi.oauth_errors import OAUTH_ERRORS
from bb2.openapi.schemas import TEXT, ref
from bb2.settings import fhir_base

FORM = "application/x-www-form-urlencoded"
#: The app shows its secret in a Basic header, or in the body; or it has none, and names itself.
CLIENT = [{"clientBasic": []}, {}]
CREDENTIALS = {"client_id": samples.CLIENT_ID, "client_secret": samples.CLIENT_SECRET}
APPLICATION = {
    "client_id": TEXT | {"description": "Who the app is, where no Basic header says it."},
    "client_secret": TEXT | {"description": "Its secret, where it has one and sends no Basic header."},
    "client_assertion": TEXT | {"description": "Or a JWT that the app signed with its key (RFC 7523)."},
    "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
}


def operations(settings, scopes, version):
    """{path: {method: Operation}} of one API version."""
    urls, base = oauth_urls(settings.base_url, version), settings.base_url
    paths = {name: url.removeprefix(base) for name, url in urls.items()}
    asked = authorization_request(scopes, fhir_base(base, version))
    return {
        paths["authorization_endpoint"]: authorize(base, version, asked),
        paths["token_endpoint"]: {"post": token(settings, version, scopes)},
        paths["revocation_endpoint"]: {"post": revoke_token(base, version)},
        f"/{version}/o/revoke/": {"post": revoke(base, version)},
        paths["introspection_endpoint"]: {"post": introspect(base, version, scopes)},
        paths["pushed_authorization_request_endpoint"]: {"post": push(base, version, asked)},
        f"/{version}/connect/logout": end_session(version),
    }


def authorization_request(scopes, fhir):
    """{parameter: (description, schema, required, example or None)} (RFC 6749, 4.1.1; OpenID Connect Core 3.1.2.1)"""
    short = TEXT | {"maxLength": MOST_PARAMETER}
    return {
        "response_type": ("Always code.", {"const": "code"}, True, "code"),
        "client_id": ("Which app asks.", short, True, samples.CLIENT_ID),
        "redirect_uri": (
            "Where the answer goes: one of the app's own, to the letter.",
            short | {"format": "uri"},
            True,
            samples.REDIRECT_URI,
        ),
        "state": (
            "Random, new each time; it comes back with the answer.",
            short | {"minLength": LEAST_STATE},
            True,
            samples.STATE,
        ),
        "code_challenge": (
            "The base64url of the SHA-256 of a code_verifier (RFC 7636).",
            {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}=?$"},
            True,
            samples.CODE_CHALLENGE,
        ),
        "code_challenge_method": ("Always S256.", {"const": "S256"}, True, "S256"),
        "scope": (
            "Scopes with spaces between them; without it, all that the app is registered for.",
            short,
            False,
            samples.scopes_of(scopes),
        ),
        "nonce": ("Comes back in the id_token.", short, False, None),
        "lang": ("The language of the pages.", {"enum": ["en", "es"]}, False, "en"),
        "aud": ("The FHIR base that the token is for (SMART App Launch).", short, False, fhir),
        "resource": ("The same, as RFC 8707 has it.", short, False, None),
        "prompt": (
            f"{', '.join(PROMPTS)}: with none, nobody is asked, and the app is told so.",
            short,
            False,
            None,
        ),
        "max_age": ("Seconds since the person signed in, at most.", {"type": "integer", "minimum": 0}, False, None),
        "login_hint": ("The user name to begin with.", short, False, None),
        "id_token_hint": ("An id_token of the person who is meant.", TEXT, False, None),
        "claims": ("Claims one by one, as JSON (OpenID Connect Core 5.5).", short, False, None),
        "ui_locales": ("Languages in the order of preference.", short, False, None),
    }


def authorize(base, version, asked):
    """The authorization endpoint, which is for browsers."""
    pushed = ("A request_uri that was pushed; then nothing but client_id goes with it.", TEXT, False, None)
    words = {
        "tags": ["Authorization"],
        "description": "Send the person's browser here. They sign in and answer, and come back to redirect_uri with a "
        "code, or with an error; both with state and iss (RFC 9207). A wrong client_id or redirect_uri gets a page "
        "for the person, and no redirect.",
        "security": [],
    }
    parameters = [
        {"name": name, "in": "query", "description": description, "schema": schema, "required": required}
        | ({"example": example} if example else {})
        for name, (description, schema, required, example) in (asked | {"request_uri": pushed}).items()
    ]
    responses = {"303": _redirect(base, version)} | pages(400, 413, 429, 500, 503)
    schema = _form_of(asked)
    form = _form(schema["properties"], schema["required"], {"request": _example_of(asked)})
    return {
        "get": words
        | {
            "operationId": f"{version}_authorize",
            "summary": "Ask a person for access",
            "parameters": parameters,
            "responses": responses,
        },
        "post": words
        | {
            "operationId": f"{version}_authorize_by_post",
            "summary": "The same, as a form that the browser sends",
            "requestBody": {"content": form},
            "responses": {"303": answer("To the next page, or to the app.")} | pages(400, 413, 429, 500, 503),
        },
    }


def _redirect(base, version):
    """To the page that asks, or back to the app with one of the errors of the error index."""
    examples = {"asked": {"value": f"{base}/consent/…"}}
    for code in OAUTH_ERRORS:
        for cause in code.causes:
            if "authorize" in cause.at:
                told = {"error": code.code, "error_description": cause.shown, "error_uri": help_uri(base, code.code)}
                told |= {"state": samples.STATE, "iss": base}
                told = {name: value for name, value in told.items() if value}
                examples[cause.example] = {"value": f"{samples.REDIRECT_URI}?{urlencode(told)}"}
    location = {"description": "Where the browser goes.", "schema": TEXT, "examples": examples}
    return answer("To the page that asks the person, or back to the app with an error.", headers={"Location": location})


def _form_of(asked):
    return {
        "type": "object",
        "required": [name for name, (_words, _schema, required, _example) in asked.items() if required],
        "properties": {name: schema | {"description": words} for name, (words, schema, *_rest) in asked.items()},
    }


def _example_of(asked):
    return {name: example for name, (_words, _schema, _required, example) in asked.items() if example}


def token(settings, version, scopes):
    properties = APPLICATION | {
        "grant_type": {"enum": ["authorization_code", "refresh_token"]},
        "code": TEXT | {"description": "What came to the redirect_uri."},
        "redirect_uri": TEXT | {"description": "That of the authorization request, to the letter."},
        "code_verifier": TEXT | {"description": "Whose challenge the authorization request had (RFC 7636)."},
        "refresh_token": TEXT | {"description": "Of the last token response; it counts once."},
        "scope": TEXT | {"description": "At a refresh: some of what was granted."},
        "resource": TEXT | {"description": "The FHIR base that the token is for (RFC 8707)."},
    }
    exchange = {
        "grant_type": "authorization_code",
        "code": samples.CODE,
        "redirect_uri": samples.REDIRECT_URI,
        "code_verifier": samples.CODE_VERIFIER,
    }
    refresh = {"grant_type": "refresh_token", "refresh_token": samples.REFRESH_TOKEN}
    return _endpoint(
        settings.base_url,
        version,
        "token",
        "Exchange a code, or refresh",
        "RFC 6749, 4.1.3 and 6. Every app sends the code_verifier (PKCE). Each refresh brings a new refresh token; the "
        "old one must not be sent again: if it is, everything of this authorization is closed.",
        _form(
            properties,
            ["grant_type"],
            {"authorization_code": exchange | CREDENTIALS, "refresh_token": refresh | CREDENTIALS},
        ),
        {"200": answer("The tokens.", JSON, ref("TokenResponse"), {"tokens": token_response(settings, scopes)})},
    )


def token_response(settings, scopes):
    """RFC 6749, 5.1; SMART App Launch 2.2."""
    response = {
        "access_token": samples.ACCESS_TOKEN,
        "expires_in": settings.access_token_lifetime,
        "token_type": "Bearer",
        "scope": samples.scopes_of(scopes),
        "refresh_token": samples.REFRESH_TOKEN,
        "patient": samples.PATIENT,
        "access_grant_expiration": "2027-12-21T18:30:00Z",
    }
    signs_on = any(scope.id_token for scope in scopes.offered)
    return response | ({"id_token": samples.ID_TOKEN} if signs_on else {})


TOKEN = {
    "token": TEXT | {"description": "An access token or a refresh token."},
    "token_type_hint": {"enum": ["access_token", "refresh_token"]},
}
ANY_TOKEN = {"token": samples.ACCESS_TOKEN} | CREDENTIALS


def revoke_token(base, version):
    return _endpoint(
        base,
        version,
        "revoke_token",
        "Revoke a token and its siblings",
        "RFC 7009. The person's consent stays. What is unknown, or another app's, is answered 200 too.",
        _form(APPLICATION | TOKEN, ["token"], {"token": ANY_TOKEN}),
        {"200": answer("Done, or there was nothing to do. The body is empty.")},
    )


def revoke(base, version):
    return _endpoint(
        base,
        version,
        "revoke",
        "End the consent behind a token",
        "As revoke_token, and the consent ends too: the person would have to be asked anew.",
        _form(APPLICATION | TOKEN, ["token"], {"token": ANY_TOKEN}),
        {"200": answer("Done, or there was nothing to do. The body is empty.")},
    )


def introspect(base, version, scopes):
    opened = {
        "active": True,
        "scope": samples.scopes_of(scopes),
        "client_id": samples.CLIENT_ID,
        "iat": 1768469400,
        "iss": base,
        "sub": samples.SUB,
        "aud": [fhir_base(base, other) for other in ("v1", "v2")],
        "patient": samples.PATIENT,
        "token_type": "Bearer",
        "exp": 1768473000,
    }
    unknown = ANY_TOKEN | {"token": "unknown"}
    return _endpoint(
        base,
        version,
        "introspect",
        "Ask what a token still opens",
        "RFC 7662, for apps with a secret or a key, about their own tokens.",
        _form(APPLICATION | TOKEN, ["token"], {"open": ANY_TOKEN, "closed": unknown}),
        {"200": answer("What it opens.", JSON, ref("Introspection"), {"open": opened, "closed": {"active": False}})},
    )


def push(base, version, asked):
    schema = _form_of(asked)
    examples = {"request": _example_of(asked) | CREDENTIALS}
    form = _form(APPLICATION | schema["properties"], schema["required"], examples)
    pushed = {"request_uri": samples.REQUEST_URI, "expires_in": LIFETIME}
    return _endpoint(
        base,
        version,
        "pushed_request",
        "Send an authorization request ahead",
        "RFC 9126. Then send the browser to authorize with client_id and request_uri alone.",
        form,
        {"201": answer("It is kept for a moment.", JSON, ref("PushedRequest"), {"kept": pushed})},
    )


def _form(properties, required, examples):
    schema = {"type": "object", "required": required, "properties": properties}
    return {FORM: {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}}


def _endpoint(base, version, name, summary, description, form, good):
    """An endpoint that an app calls with a form, showing who it is."""
    body = f"A form of at most {MOST_BODY:,} bytes; multipart/form-data is read too. No parameter in the URL."
    return {
        "operationId": f"{version}_{name}",
        "tags": ["Authorization"],
        "summary": summary,
        "description": description,
        "security": CLIENT,
        "requestBody": {"required": True, "description": body, "content": form},
        "responses": good | oauth_problems(base, name, 400, 401, 413, 429, 500, 503),
    }


def end_session(version):
    """OpenID Connect RP-Initiated Logout 1.0."""
    words = {
        "id_token_hint": "An id_token of the person: then nobody is asked.",
        "client_id": "Which app asks.",
        "post_logout_redirect_uri": "Where the browser goes afterwards: one of the app's own, to the letter.",
        "state": "Comes back with it.",
    }
    common = {
        "tags": ["Authorization"],
        "summary": "Sign the person out here too",
        "description": "For browsers. What the person shared with apps stays.",
        "security": [],
        "responses": {
            "200": answer("The person is asked, or is signed out.", "text/html"),
            "303": answer("To the app, or on."),
        }
        | pages(400, 413, 500, 503),
    }
    parameters = [{"name": name, "in": "query", "description": said, "schema": TEXT} for name, said in words.items()]
    schema = {"type": "object", "properties": {name: TEXT | {"description": said} for name, said in words.items()}}
    return {
        "get": common | {"operationId": f"{version}_logout", "parameters": parameters},
        "post": common
        | {"operationId": f"{version}_logout_by_post", "requestBody": {"content": {FORM: {"schema": schema}}}},
    }
