"""The demo client's side of the journey: begin, come back with a code, and see what the tokens open.

It is an app like any other: it holds its secret in a file of its own, and calls this server as an app does.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from webob import Request

from bb2.oauth.secrets import new_secret
from bb2.sandbox.demo import read_demo_client
from bb2.scopes import API_VERSIONS
from bb2.views.pages import PageError, _

COOKIE = "testclient"
SHOWN = 3000  # characters of an answer


@view_config(route_name="testclient", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def testclient(request):
    """The start: a link that sends the beneficiary to authorize.  The verifier waits in the client's own cookie."""
    client = _demo_client(request)
    version = "v1" if request.GET.get("version") == "v1" else "v2"
    state, verifier = new_secret(), new_secret()
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": _callback(request),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "lang": request.locale_name,
    }
    start = f"/{version}/o/authorize/?{urlencode(asked)}"
    response = render_to_response(
        "bb2:templates/testclient.jinja2", {"client": client, "start": start, "version": version}, request=request
    )
    _keep(request, response, {"version": version, "state": state, "verifier": verifier})
    return response


@view_config(route_name="testclient_callback", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def callback(request):
    """Where the demo client is answered (RFC 6749, 4.1.2).  The code is exchanged once; the page can be read again."""
    test = _kept(request)
    if "code" not in request.GET and "token" in test:
        return _show(request, test, error=None)
    if "state" not in test or request.GET.get("state") != test["state"]:
        raise PageError(
            400,
            _("This answer belongs to another test"),
            _("Begin the test again, in this browser."),
            way_on=(request.route_path("testclient"), _("Test client")),
        )
    if "error" in request.GET:
        return _show(request, test, error=request.GET["error"])
    token = _exchange(request, test["version"], test["verifier"])
    response = HTTPSeeOther(request.route_path("testclient_callback"))
    kept = {"version": test["version"], "token": _without_secrets(token), "access_token": token.get("access_token")}
    _keep(request, response, kept)
    return response


def _show(request, test, error):
    """The answer, and what the access token opens at this moment."""
    access_token = test.get("access_token")
    paths = _paths(request, test["version"]) if access_token else []
    calls = [_call(request, test["version"], path, access_token) for path in paths]
    token = json.dumps(test.get("token"), indent=2, ensure_ascii=False)
    values = {"error": error, "version": test["version"], "token": token, "calls": calls}
    return render_to_response("bb2:templates/testclient_callback.jinja2", values, request=request)


def _paths(request, version):
    """What a token may open in this version, of the endpoints that need no id."""
    endpoints = request.registry["scopes"].endpoints
    opened = {e.path for e in endpoints if version in e.versions and "GET" in e.methods and "{" not in e.path}
    return sorted(opened)


def _keep(request, response, test):
    """Remember the test in the demo client's own cookie."""
    secure = request.registry["settings"].secure
    value = urlsafe_b64encode(json.dumps(test).encode()).decode()
    response.set_cookie(COOKIE, value, max_age=3600, path="/testclient", httponly=True, samesite="Lax", secure=secure)


def _kept(request):
    try:
        kept = json.loads(urlsafe_b64decode(request.cookies.get(COOKIE, "")))
    except (ValueError, RecursionError):
        return {}
    ours = isinstance(kept, dict) and kept.get("version") in API_VERSIONS
    return kept if ours and ("verifier" in kept) != ("token" in kept) else {}


def _demo_client(request):
    client = read_demo_client(request.registry["settings"].var)
    if client is None:
        raise PageError(404, _("There is no demo client"), _("Its developer can make one with the command bb2 init."))
    return client


def _callback(request):
    return f"{request.registry['settings'].base_url}{request.route_path('testclient_callback')}"


def _exchange(request, version, verifier):
    client = _demo_client(request)
    form = {
        "grant_type": "authorization_code",
        "code": request.GET.get("code", ""),
        "redirect_uri": _callback(request),
        "code_verifier": verifier,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    call = Request.blank(f"/{version}/o/token/", base_url=request.registry["settings"].base_url, POST=form)
    return json.loads(call.get_response(request.registry["app"]).body)


def _call(request, version, path, access_token):
    headers = {"Authorization": f"Bearer {access_token}"}
    path = f"/{version}/{path}"
    call = Request.blank(path, base_url=request.registry["settings"].base_url, headers=headers)
    answer = call.get_response(request.registry["app"])
    body = json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False)
    url = f"{request.registry['settings'].base_url}{path}"
    return {
        "path": path,
        "status": answer.status,
        "curl": f'curl -H "Authorization: {headers["Authorization"]}" "{url}"',
        "body": body[:SHOWN] + ("\n…" if len(body) > SHOWN else ""),
    }


def _without_secrets(token):
    hidden = ("access_token", "refresh_token", "id_token")
    return {name: f"{value[:6]}…" if name in hidden else value for name, value in token.items()}
