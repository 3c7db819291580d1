"""Passkeys of app developers: both factors at once, theirs only, and no beneficiary's."""

import pytest

from authenticator import Authenticator
from bb2.clock import now
from bb2.models import Developer, DeveloperPasskey, DeveloperSession
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from developing import PASSWORD, add_developer, developer_of, events, is_signed_in, send, signs_in
from oauth.steps import earlier
from test_passkeys import add as add_to_beneficiary
from test_passkeys import form_with
from test_passkeys import options as options_of

pytestmark = pytest.mark.either_database

ADDING, SIGN_IN, SECOND = "/developer/account/passkeys", "/developer/sign-in/passkey", "/developer/sign-in/second"


@pytest.fixture
def server():
    return ConsentServer(*BUILT_IN)


def add(server, key, name="My phone", **how):
    page = server.get(ADDING)
    form = form_with(page, "credential")
    form["credential"], form["passkey-name"] = key.create(options_of(server, ADDING, page)), name
    return form.submit(**how)


def added(server):
    """A developer with a passkey.  Returns it; nobody is signed in any more."""
    key = Authenticator()
    developer_of(server)
    add(server, key)
    server.reset()
    return key


def sign_in(server, key, path="/developer/sign-in", **bent):
    page = server.get(path)
    form = form_with(page, "credential")
    form["credential"] = key.get(options_of(server, SIGN_IN, page), **bent)
    return form.submit(status="*")


def test_a_developer_signs_in_with_a_passkey_alone_and_goes_where_they_wanted_to(make_server):
    server = make_server()
    key = added(server)
    answer = sign_in(server, key, "/developer/sign-in?next=/developer/account")
    assert answer.location == "http://localhost/developer/account"
    assert "My phone" in answer.follow()
    assert events(server, "developer.signed_in")[-1][1]["method"] == "passkey"


def test_the_first_passkey_brings_recovery_codes_and_the_second_does_not(server):
    developer_of(server)
    assert "Keep these recovery codes now" in add(server, Authenticator())
    assert add(server, Authenticator(), status=303).location.endswith("done=passkey-added")


def test_after_the_password_the_passkey_is_asked_for_or_a_recovery_code(server):
    key = added(server)
    assert signs_in(server).location == f"http://localhost{SECOND}"
    assert not is_signed_in(server)
    assert sign_in(server, key, SECOND).status_int == 303
    assert is_signed_in(server)


@pytest.mark.parametrize("bent", [{"signature": b"x"}, {"origin": "http://evil.example"}, {"user_handle": b"other"}])
def test_a_passkey_that_is_not_right_lets_nobody_in(server, bent):
    key = added(server)
    assert sign_in(server, key, **bent).status_int == 403
    assert not is_signed_in(server)
    assert events(server, "developer.refused")


def test_a_beneficiarys_passkey_opens_no_developers_account_and_the_reverse(server):
    server.sign_in("alice")
    theirs = Authenticator()
    add_to_beneficiary(server, theirs)
    server.reset()
    developers = added(server)
    assert sign_in(server, theirs).status_int == 403
    page = server.get("/sign-in")
    form = form_with(page, "credential")
    form["credential"] = developers.get(options_of(server, "/sign-in/passkey", page))
    assert form.submit(status="*").status_int == 403


def test_a_challenge_of_a_beneficiarys_page_is_answered_on_no_developers_page(server):
    key = added(server)
    asked = options_of(server, "/sign-in/passkey", server.get("/sign-in"))
    page = server.get("/developer/sign-in")
    form = form_with(page, "credential")
    form["credential"] = key.get(asked)
    assert form.submit(status="*").status_int == 403


def test_a_passkey_is_added_soon_after_the_sign_in_or_with_the_password_again(server):
    developer_of(server)
    page = server.get(ADDING)
    earlier(server, DeveloperSession, "authenticated_at", seconds=601)
    options_of(server, ADDING, page, status=404)
    assert "It is a while since you signed in" in server.get(ADDING)
    assert send(server, ADDING, current="no").status_int == 403
    assert send(server, ADDING, current=PASSWORD).status_int == 303
    assert "Keep these recovery codes now" in add(server, Authenticator())


def test_a_passkey_is_removed_with_the_password_and_nobody_elses_is(server):
    key = added(server)
    developer_of(server, "bea@example.com")
    with server.db() as db:
        id = db.query(DeveloperPasskey).one().id
    path = f"{ADDING}/{id}/remove"
    assert server.get(path, status=303).location == "http://localhost/developer/account"
    server.get(f"{ADDING}/x/remove", status=303)
    server.reset()
    sign_in(server, key)
    assert send(server, path, current="no").status_int == 403
    assert send(server, path, current=PASSWORD).location.endswith("done=passkey-removed")
    server.reset()
    assert sign_in(server, key).status_int == 403
    assert signs_in(server).location == "http://localhost/developer"


def test_nobody_signs_in_with_a_passkey_of_a_closed_account(server):
    key = added(server)
    with server.db() as db:
        db.query(Developer).one().closed_at = now(db)
    assert sign_in(server, key).status_int == 403
    assert not is_signed_in(server)


def test_nothing_about_passkeys_is_shown_where_they_cannot_be():
    server = ConsentServer(*BUILT_IN, settings={"bb2.base_url": "http://127.0.0.1:8000"})
    add_developer(server)
    assert "passkeys.js" not in server.get("/developer/sign-in")
