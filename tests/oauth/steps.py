"""What the stories about OAuth have in common: other browsers, other apps, the rows of the database, the clock."""

import copy
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select, update
from webtest import TestApp

from bb2.models import AuditEvent, Client, Consent
from bb2.oauth.clients import add_client
from bb2.oauth.secrets import new_secret
from bb2.testing import answer_of, code_of, consent_form
from oauth.wire import post, together

EVERYTHING = "openid profile patient/Patient.read patient/Coverage.read patient/ExplanationOfBenefit.read"
LESS = "openid patient/Coverage.read patient/ExplanationOfBenefit.read"  #: of these, what says nothing of the person


def another_browser(server):
    """The same server, seen by somebody else's browser."""
    other = copy.copy(server)
    other.cookiejar = TestApp(server.app).cookiejar
    return other


def another_app(server, **registration):
    """The same server and browser, used by an app that is registered like this."""
    other = copy.copy(server)
    with server.db() as db:
        wanted = {"name": f"App {new_secret()}", "redirect_uris": [server.redirect_uri]} | registration
        client, other.client_secret = add_client(db, server.scopes, **wanted)
        other.client_id, other.redirect_uri = client.client_id, client.redirect_uris[0]
    return other


def apart(server):
    """The same server for one test: with an app of its own, and a browser that has the cookies which this one has."""
    other = another_app(another_browser(server))
    for cookie in server.cookiejar:
        other.cookiejar.set_cookie(cookie)
    return other


def ask(server, scope=None, *, version="v2", **changes):
    """The answer to an authorization request that differs from a good one by `changes`."""
    return server.get(f"/{version}/o/authorize/", server.authorization_request(scope, **changes), status="*")


def error_of(response):
    """The error in a redirect to the app, which holds nothing but an error (RFC 6749, 4.1.2.1; RFC 9207)."""
    assert response.status_int == 303
    parameters = parse_qs(urlsplit(response.location).query)
    assert set(parameters) <= {"error", "error_description", "error_uri", "state", "iss"}
    assert parameters["iss"] == ["http://localhost"]
    return answer_of(response)["error"]


def redeem(server, answer, *, version="v2", status=200, **changes):
    """The token endpoint's answer to the code in a redirect (or to a code)."""
    code = answer if isinstance(answer, str) else code_of(answer)
    return server.post(f"/{version}/o/token/", server.token_request(code, **changes), status=status).json


def answer(page, said="yes", **fields):
    """Answer the authorization page as it stands, but for these fields; one that is None is not sent."""
    form = consent_form(page)
    sent = dict(form.submit_fields()) | {"answer": said} | fields
    return form.response.goto(
        form.action, method="POST", params={k: v for k, v in sent.items() if v is not None}, status="*"
    )


def opens(server, token, path="fhir/Coverage"):
    """The status of an API request with an access token."""
    return server.api(path, token, status="*").status_int


def change(server, model, **values):
    """Change a column of every row of a table: the clock and the registration move like this."""
    with server.db() as db:
        db.execute(update(model).values(**values))


def change_app(server, **values):
    """Change the registration of the server's app."""
    with server.db() as db:
        db.execute(update(Client).where(Client.client_id == server.client_id).values(**values))


def earlier(server, model, *columns, **duration):
    """Move times of a table into the past: in the rows of the server's app, where rows are of apps."""
    mine = select(model)
    if hasattr(model, "client_id"):
        mine = mine.where(model.client_id == server.client_id)
    elif hasattr(model, "consent"):
        mine = mine.where(model.consent.has(client_id=server.client_id))
    with server.db() as db:
        for row in db.scalars(mine):
            for column in columns:
                if getattr(row, column) is not None:
                    setattr(row, column, getattr(row, column) - timedelta(**duration))


def consents_of(server):
    """The consents for the server's app, oldest first."""
    with server.db() as db:
        return db.scalars(select(Consent).where(Consent.client_id == server.client_id).order_by(Consent.id)).all()


def newest_connection(server):
    """The path of the page of the app's newest connection."""
    return f"/connections/{consents_of(server)[-1].id}"


def stop_form(page):
    """The form of a page that ends connections."""
    return next(form for form in page.forms.values() if form.action.endswith("/stop"))


def share_less(server, *fields, path=None):
    """What the page answers that leaves these out: the boxes of lines or of sensitive records, by their fields.

    `path`: of the connection's page; None: the app's newest.
    """
    page = server.get(f"{path or newest_connection(server)}/less")
    form = next(form for form in page.forms.values() if form.action.endswith("/less"))
    sent = [(name, value) for name, value in form.submit_fields() if value not in fields]
    return page.goto(form.action, method="POST", params=sent, status=303)


def trail(server):
    """The audit trail of the server's app, oldest first."""
    with server.db() as db:
        mine = select(AuditEvent).where(AuditEvent.client_id == server.client_id)
        return db.scalars(mine.order_by(AuditEvent.id)).all()


def told(server, event):
    """The one event of this name in the trail of the server's app."""
    (found,) = (e for e in trail(server) if e.event == event)
    return found


def at_once(server, requests):
    """The responses to several forms, [(path, form)], each sent by a thread of its own at the same moment."""
    return together(*(partial(post, server.app, path, form) for path, form in requests))
