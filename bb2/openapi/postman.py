"""Which requests does Postman offer?  A collection of its format 2.1, made from the OpenAPI document."""

from itertools import groupby

from bb2.scopes import API_VERSIONS

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
CALLBACK = "https://oauth.pstmn.io/v1/callback"  # where Postman is answered
FORM = "application/x-www-form-urlencoded"
#: {variable: (value, what it is)}; a parameter of a variable's name has its value.
VARIABLES = {
    "client_id": ("", "Of your app, which has the redirect_uri below among its own."),
    "client_secret": ("", "Leave it empty for an app without a secret."),
    "redirect_uri": (CALLBACK, "Postman's own; register it for your app."),
    "state": ("any-sixteen-characters-or-more", "Postman sends it along; a real app makes one for each request."),
    "code": ("", "To exchange a code by hand. Postman does it for you: Authorization, Get New Access Token."),
    "code_verifier": ("", "Goes with the code."),
    "token": ("", "To revoke or to introspect."),
    "refresh_token": ("", "Of the last token response."),
}
ABOUT = """\
{description}
1. Register the redirect URI `{callback}` for your app.
2. Set the variables `client_id` and `client_secret`.
3. In the Authorization tab of a version's folder, choose Get New Access Token. A browser opens, and a person answers.
"""


def collection(document):
    """The collection (dict) of an OpenAPI document (dict)."""
    base = document["servers"][0]["url"]
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    folders = [
        {
            "name": f"{version}: FHIR {release}",
            "auth": _oauth2(document, version),
            "item": _folders(operations, version),
        }
        for version, (release, _number) in reversed(API_VERSIONS.items())
    ]
    rest = [entry for entry in operations if not _version_of(entry[0])]
    about = ABOUT.format(description=document["info"]["description"], callback=CALLBACK)
    known = {"base_url": (base, "Where the server is.")} | VARIABLES
    return {
        "info": {"name": document["info"]["title"], "description": about, "schema": SCHEMA},
        "variable": [{"key": k, "value": value, "description": words} for k, (value, words) in known.items()],
        "item": [*folders, {"name": "Of both versions", "item": _items(rest)}],
    }


def _version_of(path):
    first = path.split("/")[1]
    return first if first in API_VERSIONS else None


def _oauth2(document, version):
    """How Postman gets a token of this version: authorization code with PKCE."""
    flow = document["components"]["securitySchemes"][f"oauth2_{version}"]["flows"]["authorizationCode"]
    values = {
        "grant_type": "authorization_code_with_pkce",
        "challengeAlgorithm": "S256",
        "authUrl": _moved(flow["authorizationUrl"], document),
        "accessTokenUrl": _moved(flow["tokenUrl"], document),
        "refreshTokenUrl": _moved(flow["refreshUrl"], document),
        "redirect_uri": CALLBACK,
        "useBrowser": True,
        "clientId": "{{client_id}}",
        "clientSecret": "{{client_secret}}",
        "state": "{{state}}",
        "client_authentication": "body",
        "addTokenTo": "header",
        "headerPrefix": "Bearer",
        "tokenName": version,
    }
    kinds = {True: "boolean"}
    return {
        "type": "oauth2",
        "oauth2": [{"key": key, "value": value, "type": kinds.get(value, "string")} for key, value in values.items()],
    }


def _moved(url, document):
    """An address of the server, which the variable may move elsewhere."""
    return "{{base_url}}" + url.removeprefix(document["servers"][0]["url"])


def _folders(operations, version):
    """The operations of a version, in a folder for each of their tags."""
    ours = [entry for entry in operations if _version_of(entry[0]) == version]
    order = list(dict.fromkeys(operation["tags"][0] for _path, _method, operation in ours))
    by_tag = sorted(ours, key=lambda entry: order.index(entry[2]["tags"][0]))
    return [{"name": tag, "item": _items(group)} for tag, group in groupby(by_tag, lambda entry: entry[2]["tags"][0])]


def _items(operations):
    return [item for operation in operations for item in _requests(*operation)]


def _requests(path, method, operation):
    """The requests of an operation: one for each different form that its documentation shows."""
    request = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "url": _url(path, operation.get("parameters", ())),
        "header": [_told(each, disabled=True) for each in operation.get("parameters", ()) if each["in"] == "header"],
    }
    if not any("oauth2" in name for way in operation["security"] for name in way):
        request["auth"] = {"type": "noauth"}  # a form says who sends it
    forms = _forms(operation.get("requestBody", {}).get("content", {}).get(FORM, {}))
    if not forms:
        return [{"name": operation["summary"], "request": request}]
    named = len(forms) > 1
    return [
        {
            "name": f"{operation['summary']}: {name}" if named else operation["summary"],
            "request": request | {"body": body},
        }
        for name, body in forms.items()
    ]


def _forms(content):
    """{name: body} of the examples of a form; of two that send the same, one."""
    found = {}
    words = content.get("schema", {}).get("properties", {})
    for name, example in content.get("examples", {}).items():
        fields = [
            {"key": key, "value": _value(key, value), "description": words.get(key, {}).get("description", "")}
            for key, value in example["value"].items()
        ]
        body = {"mode": "urlencoded", "urlencoded": fields}
        if body not in found.values():
            found[name] = body
    return found


def _url(path, parameters):
    """With placeholders as Postman writes them, and what is optional switched off."""
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    query = [_told(each, disabled=not each.get("required")) for each in parameters if each["in"] == "query"]
    slash = [""] if path.endswith("/") else []
    asked = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    raw = "/".join(["{{base_url}}", *parts, *slash])
    return {
        "raw": f"{raw}?{asked}" if asked else raw,
        "host": ["{{base_url}}"],
        "path": [*parts, *slash],
        "query": query,
        "variable": [_told(each) for each in parameters if each["in"] == "path"],
    }


def _told(parameter, **more):
    value = _value(parameter["name"], parameter.get("example", ""))
    return {"key": parameter["name"], "value": value, "description": parameter.get("description", "")} | more


def _value(name, example):
    return f"{{{{{name}}}}}" if name in VARIABLES else str(example)
