"""The app is answered: its code is exchanged, and the page shows each step and what can be done with the tokens."""

import json
from base64 import urlsafe_b64decode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.models import Client
from bb2.views.developer.own import render
from bb2.views.pages import PageError
from bb2.views.testclient.apps import callback_of
from bb2.views.testclient.endpoints import documents, offers
from bb2.views.testclient.trials import no_trial, trial_of
from bb2.views.testclient.wire import body_of, path_of, request_line, send, shown, succeeded

#: {what the button says: the path below the version, and which token it sends}
ACTS = {
    "refresh": ("o/token/", "refresh_token"),
    "introspect": ("o/introspect/", "access_token"),
    "revoke": ("o/revoke_token/", "access_token"),
    "end": ("o/revoke/", "access_token"),
}


@view_config(route_name="testclient_callback", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def callback(request):
    """Where the app is answered (RFC 6749, 4.1.2).  The code is exchanged once; the page can be read again."""
    kept = trial_of(request)
    pending, done = kept.get("pending"), kept.get("done")
    state = request.GET.get("state")
    if not state or (done and state == done["state"]):
        return _show(request, done) if not state else HTTPSeeOther(request.route_path("testclient_callback"))
    if pending is None or state != pending["state"]:
        raise PageError(
            400,
            "This answer belongs to another trial",
            "Its state is not the one that this browser sent last. An app must refuse such an answer: somebody else "
            "may have begun it. Begin again, in this browser.",
            way_on=(request.route_path("testclient"), "Test client"),
        )
    request.trial.keep({"done": _answered(request, pending)})
    return HTTPSeeOther(request.route_path("testclient_callback"))


def _answered(request, pending):
    """What is kept of a trial whose app was answered."""
    answer = {name: request.GET[name] for name in ("error", "error_description", "iss") if name in request.GET}
    came_back = {"came_back": request_line(request, request.path_qs), "came_back_with": list(request.GET)}
    done = pending | came_back | {"answer": answer, "exchange": None, "token": None}
    if "code" in request.GET:
        form = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": callback_of(request),
            "code_verifier": pending["verifier"],
        }
        done["exchange"] = _post(request, pending, "o/token/", form)
        done["token"] = body_of(done["exchange"]) if succeeded(done["exchange"]) else None
    return done


def _post(request, trial, path, form):
    """Send a form to an endpoint below the version, with what shows which app sends it (RFC 6749, 2.3.1)."""
    app = trial["app"]
    secret = {"client_secret": app["client_secret"]} if app["client_secret"] else {}
    sent = {**form, "client_id": app["client_id"], **secret}
    return send(request, "POST", f"/{trial['version']}/{path}", form=sent)


@view_config(route_name="testclient_act", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def act(request):
    """Refresh, introspect or revoke; then back to the page."""
    done = trial_of(request).get("done")
    if not done or not done["token"]:
        raise no_trial(request)
    answer = request.POST.get("answer")
    path, sent = ACTS.get(answer, ACTS["introspect"])
    form = {"token": done["token"].get(sent, "")}
    if answer == "refresh":
        form = {"grant_type": "refresh_token", "refresh_token": form["token"]}
    last = _post(request, done, path, form)
    if answer == "refresh" and succeeded(last):
        done["token"] |= body_of(last)
    request.trial.keep(trial_of(request) | {"done": done | {"last": last}})
    return HTTPSeeOther(request.route_path("testclient_callback"))


def _show(request, done):
    if done is None:
        raise no_trial(request)
    registry, token = request.registry["scopes"], done["token"]
    granted = token["scope"].split() if token else []
    found = offers(registry, done["version"], granted) if token else []
    calls = [_call(request, offer, token["access_token"]) for offer in found if not offer.placeholders]
    return render(
        request,
        "testclient_callback",
        trial=done,
        token=token,
        granted=granted,
        left_out=_left_out(request, done, granted) if token else [],
        id_token=_claims(token["id_token"]) if token and "id_token" in token else None,
        exchange=done["exchange"] and shown(done["exchange"]),
        last=done.get("last") and shown(done["last"]),
        calls=calls,
        with_ids=[(offer, _known_ids(offer, token)) for offer in found if offer.placeholders],
        documents=documents(request, done["version"]),
    )


def _call(request, offer, access_token):
    """How an endpoint answers at this moment."""
    exchange = send(request, "GET", offer.path, token=access_token)
    return {"path": path_of(exchange), "status": exchange["status"], "good": succeeded(exchange), "offer": offer}


def _known_ids(offer, token):
    """{placeholder: value} of what the token response tells: the id of the person's own record."""
    resource = offer.endpoint.resource
    return {"id": token.get("patient", "")} if resource and resource.patient_element == "id" else {}


def _left_out(request, done, granted):
    """The scopes that the app asked for, or, where it named none, is registered for, and did not get."""
    registry = request.registry["scopes"]
    client = request.db.get(Client, done["app"]["client_id"])
    asked = done["scope"] or (client.scopes if client else ())
    return [name for name in asked if not registry.covered(name, granted)]


def _claims(id_token):
    """What an id_token says, as JSON (RFC 7519, 3); an app checks its signature first."""
    payload = id_token.split(".")[1]
    return json.dumps(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))), indent=2, ensure_ascii=False)
