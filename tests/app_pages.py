"""What tests of the pages about apps have in common: a developer who is signed in, and the form filled in."""

from sqlalchemy import select

from bb2.clock import now
from bb2.models import Client, Developer, DeveloperSession
from bb2.oauth.secrets import hashed, new_secret

REDIRECT = "https://mine.example/callback"


def developer(server, email="dev@example.com"):
    """Sign a developer in, in the server's browser.  Returns the Developer."""
    value = new_secret()
    with server.db() as db:
        found = db.scalars(select(Developer).where(Developer.email == email)).first()
        found = found or Developer(
            email=email,
            name="Dana",
            organization="Acme",
            password_hash="",
            email_verified_at=now(db),
            created_at=now(db),
        )
        moment = now(db)
        times = {"authenticated_at": moment, "created_at": moment, "seen_at": moment}
        db.add(DeveloperSession(id_hash=hashed(value), developer=found, **times))
    server.set_cookie("developer", value)
    return found


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


def register(server, name="Mine", status=200, **fields):
    """The page that follows when an app is registered by the form."""
    fields = {"name": name, "redirect_uris": REDIRECT, "asks_demographic": "yes"} | fields
    return fill(new_form(server), **fields).submit("save", status=status)


def app_called(server, name):
    with server.db() as db:
        return db.scalars(select(Client).where(Client.name == name, Client.deleted_at.is_(None))).one()


def edit(server, client, status=303, **fields):
    """The answer to a change by the form."""
    form = server.get(f"/developer/apps/{client.client_id}/edit").forms["app-form"]
    return fill(form, **fields).submit("save", status=status)
