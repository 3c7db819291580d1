"""Every page for app developers, on the narrowest phone: axe finds nothing, and nothing scrolls sideways.

A route that answers GET is looked at, or is told to be no page: a new one fails until it is in one of the lists.
"""

import json
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bb2.clock import now
from bb2.db import make_engine
from bb2.models import Client, Developer
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from developing import PASSWORD, add_developer

pytestmark = pytest.mark.long

#: {route: the paths at which it is looked at}; {app}: the client_id of the developer's app.
STRANGER = {
    "docs": ["/docs"],
    "docs_page": ["/docs/records", "/docs/beneficiaries", "/docs/nothing-here"],  # code, tables, pictures
    "docs_search": ["/docs/search?q=refresh", "/docs/search?q=xyzzy"],
    "docs_errors": ["/docs/errors"],
    "docs_limits": ["/docs/limits"],
    "docs_scopes": ["/docs/scopes"],
    "developer": ["/developer"],
    "developer_sign_up": ["/developer/sign-up"],
    "developer_mailed": ["/developer/mailed"],
    "developer_verify": ["/developer/verify/unknown"],
    "developer_trouble": ["/developer/trouble"],
    "developer_recover": ["/developer/recover/unknown"],
    "developer_sign_in": ["/developer/sign-in"],
    "developer_second_factor": ["/developer/sign-in/second"],
    "developer_email": ["/developer/new-address/unknown"],
    "testclient": ["/testclient"],
    "testclient_callback": ["/testclient/callback"],
    "testclient_call": ["/testclient/call/v2/fhir/Coverage"],
}
SIGNED_IN = {
    "developer": ["/developer"],
    "developer_account": ["/developer/account"],
    "developer_about": ["/developer/account/about"],
    "developer_address": ["/developer/account/email"],
    "developer_password": ["/developer/account/password"],
    "developer_authenticator": ["/developer/account/authenticator"],
    "developer_authenticator_remove": ["/developer/account/authenticator/remove"],
    "developer_codes": ["/developer/account/codes"],
    "developer_passkeys": ["/developer/account/passkeys"],
    "developer_passkey_remove": ["/developer/account/passkeys/1/remove"],
    "developer_close": ["/developer/account/close"],
    "developer_apps": ["/developer/apps"],
    "developer_app_new": ["/developer/apps/new"],
    "developer_app": ["/developer/apps/{app}"],
    "developer_app_edit": ["/developer/apps/{app}/edit"],
    "developer_app_secret": ["/developer/apps/{app}/secret"],
    "developer_app_disable": ["/developer/apps/{app}/disable"],
    "developer_app_delete": ["/developer/apps/{app}/delete"],
    "developer_app_logo": ["/developer/apps/{app}/logo"],
    "developer_app_usage": ["/developer/apps/{app}/usage"],
}
#: Pages that are looked at elsewhere.
ELSEWHERE = {"docs_api"}  # test_api_viewer: a script draws it, in seconds
#: What answers GET and is no page for developers.
NO_PAGES = {
    "docs_api_signed_in",  # a window that closes itself
    "docs_static",  # pictures and files
    "developer_app_usage_file",  # numbers as CSV
    "developer_authenticator_picture",
    "developer_passkey_sign_in",  # where a script sends a passkey
    "developer_preview",  # the authorization page, which beneficiaries' stories look at
    "testclient_open",  # a file that an endpoint answers
}
#: Pages whose empty form is sent, to look at what is told of it.
WITH_MISTAKES = {
    "stranger": ["/developer/sign-up"],
    "developer": ["/developer/apps/new"],
}
MARY = "mary@example.com"
PLACES = ("/developer", "/docs", "/testclient")


class Behind:
    """What a test writes into the database of a running server."""

    def __init__(self, running):
        self.engine = make_engine(f"sqlite:///{running.log.parent / 'bb2.sqlite'}")

    @contextmanager
    def db(self):
        with Session(self.engine, expire_on_commit=False) as db, db.begin():
            yield db


@pytest.fixture(scope="module")
def app(server):
    """The client_id of the app of a developer, MARY, who can sign in with PASSWORD."""
    behind = Behind(server)
    add_developer(behind, MARY)
    asked = ("--name", "Looked at", "--redirect-uri", "https://app.example/callback", "--json")
    client_id = json.loads(server.command("client", "add", *asked))["client_id"]
    with behind.db() as db:
        mary = db.scalars(select(Developer).where(Developer.email == MARY)).one()
        client = db.scalars(select(Client).where(Client.client_id == client_id)).one()
        client.developer_id, client.previous_secret_ends_at = mary.id, now(db)
    behind.engine.dispose()
    return client_id


def get_routes():
    """The routes of the pages for developers that answer GET."""
    introspector = ConsentServer(*BUILT_IN).app.registry.introspector
    paths = {e["introspectable"]["name"]: e["introspectable"]["pattern"] for e in introspector.get_category("routes")}
    views = [entry["introspectable"] for entry in introspector.get_category("views")]
    views = [view for view in views if view["context"] is None]  # the others are of errors
    answering = {v["route_name"] for v in views if "GET" in (v["request_methods"] or ("GET",))}
    return {name for name in answering if paths[name].startswith(PLACES)}


def look_at(person, pages, forms=(), **gaps):
    """Every page of {route: [path]}; then those of `forms` with what is told when nothing was typed."""
    for paths in pages.values():
        for path in paths:
            person.visit(path.format(**gaps))
            person.unfold()
            person.judge(path)
    for path in forms:
        person.visit(path)
        person.press("main form[method=post] .button >> nth=0")
        assert person.page.locator("#problem").count() == 1, path
        person.judge(f"{path} with mistakes")


def sign_in(person, password):
    person.visit("/developer/sign-in")
    person.page.locator("[name=email]").fill(MARY)
    person.page.locator("[name=password]").fill(password)
    person.press("main form[method=post] .button >> nth=0")


def test_every_page_for_developers_is_looked_at():
    assert get_routes() == set(STRANGER) | set(SIGNED_IN) | ELSEWHERE | NO_PAGES


def test_the_pages_for_a_stranger_have_no_fault(make_person, server):
    look_at(make_person(server), STRANGER, WITH_MISTAKES["stranger"])


def test_the_pages_for_a_developer_have_no_fault(make_person, server, app):
    person = make_person(server)
    sign_in(person, "not the password")
    person.judge("a wrong password")
    sign_in(person, PASSWORD)
    look_at(person, SIGNED_IN, WITH_MISTAKES["developer"], app=app)
