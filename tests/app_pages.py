"""What tests of the pages about apps have in common: the form filled in, and the app that came of it."""

from sqlalchemy import select

from bb2 import audit
from bb2.models import AuditEvent, Client, Developer
from bb2.oauth.clients import add_client

REDIRECT = "https://mine.example/callback"


def new_form(server):
    return server.get("/developer/apps/new").forms["app-form"]


def fill(form, **fields):
    """Fill in a form; of `scopes`, the boxes of these names are ticked and no others."""
    for name, value in fields.items():
        if name == "scopes":
            for box in form.fields["scopes"]:
                box.checked = box._value in value
        else:
            form[name] = value
    return form


def filled(server, name="Mine", **fields):
    """The form for a new app, filled in."""
    return fill(new_form(server), **{"name": name, "redirect_uris": REDIRECT, "asks_demographic": "yes"} | fields)


def register(server, name="Mine", status=200, **fields):
    """The page that follows when an app is registered by the form."""
    return filled(server, name, **fields).submit("save", status=status)


def registered(server, name="Mine"):
    """The same app, for tests of what comes after: no page is needed for it.  Returns the row."""
    with server.db() as db:
        developer = db.scalars(select(Developer)).one()
        app, _secret = add_client(db, server.scopes, name=name, redirect_uris=[REDIRECT], developer_id=developer.id)
        audit.record(db, "client.registered", client_id=app.client_id, developer_id=developer.id, by="developer")
    return app


def app_called(server, name="Mine"):
    with server.db() as db:
        return db.scalars(select(Client).where(Client.name == name, Client.deleted_at.is_(None))).one()


def path_of(client, act=""):
    return f"/developer/apps/{client.client_id}" + (f"/{act}" if act else "")


def edit_form(server, client):
    return server.get(path_of(client, "edit")).forms["app-form"]


def edit(server, client, status=303, **fields):
    """The answer to a change by the form."""
    return fill(edit_form(server, client), **fields).submit("save", status=status)


def press(server, client, act, status=303, button=None, **fields):
    """The answer to the form of a page about an app."""
    page = server.get(path_of(client, act))
    form = next(form for form in page.forms.values() if button is None or button in form.fields)
    return fill(form, **fields).submit(button, status=status)


def secret_of(page):
    """[client_id, client_secret], as a page shows them once; the first alone where there is no secret."""
    return [code.get_text() for code in page.html.find("dl").select("code.copy")]


def mistakes(page):
    """The summary of what is wrong."""
    return [item.get_text(strip=True) for item in page.html.select("#problem li")]


def events(server, client):
    """[(event, details)] of an app in the trail."""
    with server.db() as db:
        mine = select(AuditEvent).where(AuditEvent.client_id == client.client_id).order_by(AuditEvent.id)
        return [(row.event, row.details) for row in db.scalars(mine) if row.event.startswith("client.")]
