"""Where does a person go who has signed in, and for which app's request do they?  Whoever says who they are."""

from bb2 import audit
from bb2.oauth import requests
from bb2.views.pages import _


def waiting_request(request, id):
    """The app's AuthorizationRequest of this id that this browser has begun, while it can be answered; else None."""
    kept = requests.of_browser(request.db, id, request.browser.session_hash)
    return kept if kept and kept.answered_at is None and kept.client.disabled_at is None else None


def named_request(request):
    """The same, of the id that the parameter `request` names."""
    return waiting_request(request, request.params.get("request"))


def asked_for(kept):
    """For the audit trail: the app's request for which a person signs in."""
    return {"correlation_id": kept.correlation_id, "client_id": kept.client_id} if kept else {}


def path(request, route, kept, **parts):
    """The path of a page that is on the way of a request, which goes along."""
    return request.route_path(route, _query={"request": kept.id} if kept else None, **parts)


def sign_in_link(request, kept, label=None):
    """(path, label) of the sign-in page, with the request of the app: its Cancel leads back there."""
    return path(request, "sign_in", kept), label or _("Sign in")


def trouble_link(request, kept):
    """(path, label) of the way back to a forgotten sign-in, of the built-in directory."""
    return path(request, "trouble", kept), _("Trouble signing in?")


def way_on(request, request_id):
    """Where a person goes who is signed in: to exactly the request that was begun, or to their apps."""
    return request.route_path("consent", id=request_id) if request_id else request.route_path("connections")


def sign_out(request):
    """End the session; "Not you?" on the authorization page leads back to the request through sign-in.

    Returns the app's request that still waits, or None.
    """
    kept = request.POST.get("request")
    if request.browser.beneficiary:
        audit.record(request.db, "account.signed_out", beneficiary_id=request.browser.beneficiary.id)
    kept = requests.of_browser(request.db, kept, request.browser.session_hash)
    request.browser.sign_out()
    if kept is None or kept.answered_at is not None:
        return None
    kept.shown, kept.shown_to, kept.session_hash = None, None, request.browser.begin()
    return kept
