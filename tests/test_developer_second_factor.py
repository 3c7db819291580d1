"""What a developer shows beside the password: codes of an authenticator app, and recovery codes in their place."""

import pytest
from click.testing import CliRunner

from bb2.cli import command
from bb2.models import Developer, DeveloperRecoveryCode, DeveloperSession
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from developing import (
    ADA,
    PASSWORD,
    code,
    count,
    developer_of,
    events,
    is_signed_in,
    key_on,
    row,
    send,
    signs_in,
    subjects,
    with_authenticator,
)
from notices.mails import at_once
from oauth.steps import another_browser, earlier

pytestmark = pytest.mark.either_database


@pytest.fixture
def server():
    """On one database: what a page says does not hang on it."""
    return ConsentServer(*BUILT_IN)


def test_an_authenticator_app_is_set_up_by_a_picture_and_asked_for_from_then_on(make_server):
    server = make_server()
    developer_of(server)
    page = server.get("/developer/account/authenticator")
    picture = server.get(page.html.find("img", class_="qr")["src"])
    assert (picture.content_type, picture.headers["Cache-Control"]) == ("image/png", "no-store")
    key = key_on(page)
    assert send(server, "/developer/account/authenticator", code="000000", current=PASSWORD).status_int == 422
    done = send(server, "/developer/account/authenticator", code=code(server, key), current=PASSWORD)
    assert len(done.html.find("pre", class_="codes").text.split()) == 10
    assert key not in row(server).totp_secret
    server.reset()
    asked = signs_in(server, next="/developer/account")
    assert asked.location == "http://localhost/developer/sign-in/second?next=%2Fdeveloper%2Faccount"
    assert not is_signed_in(server)
    entered = send(server, "/developer/sign-in/second", code=code(server, key, 1), next="/developer/account")
    assert entered.location == "http://localhost/developer/account"
    assert is_signed_in(server)


def test_a_code_is_used_once_and_an_earlier_one_never_after_it(server):
    key, _codes = with_authenticator(server)
    for typed in code(server, key), code(server, key, -1), code(server, key, 5), "abcdef", "１２３４５６":
        server.reset()
        signs_in(server)
        assert send(server, "/developer/sign-in/second", code=typed).status_int == 403
    assert not is_signed_in(server)


def test_each_recovery_code_lets_in_once_after_the_password(make_server):
    server = make_server()
    _key, codes = with_authenticator(server)
    assert len(set(codes)) == 10
    for typed in codes[0], codes[1].upper().replace("-", " "):
        server.reset()
        signs_in(server)
        assert send(server, "/developer/sign-in/second", code=typed).status_int == 303
    assert "8 of your recovery codes are left" in server.get("/developer/account")
    server.reset()
    signs_in(server)
    assert send(server, "/developer/sign-in/second", code=codes[0]).status_int == 403
    assert "8 of" not in server.get("/developer/sign-in/second")


def test_new_codes_take_the_place_of_earlier_ones_and_can_be_downloaded(server):
    _key, codes = with_authenticator(server)
    page = send(server, "/developer/account/codes", current=PASSWORD)
    new = page.html.find("pre", class_="codes").text.split()
    assert not {*codes} & {*new}
    link = page.html.find("a", download=True)
    assert all(each in link["href"] for each in new)
    server.reset()
    signs_in(server)
    assert send(server, "/developer/sign-in/second", code=codes[5]).status_int == 403
    assert send(server, "/developer/sign-in/second", code=new[5]).status_int == 303


def test_codes_are_tried_only_so_often_by_who_knows_the_password():
    server = ConsentServer(*BUILT_IN, settings={"bb2.limit_developer_code": "2 per hour"})
    _key, codes = with_authenticator(server)
    server.reset()
    signs_in(server)
    tried = [send(server, "/developer/sign-in/second", code=typed).status_int for typed in ("1", "2", codes[0])]
    assert tried == [403, 403, 429]


def test_nobody_gives_a_second_factor_without_the_password_or_long_after_it(server):
    with_authenticator(server)
    server.reset()
    assert server.get("/developer/sign-in/second", status=303).location == "http://localhost/developer/sign-in"
    signs_in(server)
    earlier(server, DeveloperSession, "created_at", minutes=11)
    assert server.get("/developer/sign-in/second", status=303).location == "http://localhost/developer/sign-in"
    signs_in(server)
    with server.db() as db:
        db.query(Developer).one().password_hash = "changed meanwhile"
        db.query(DeveloperSession).delete()
    server.get("/developer/sign-in/second", status=303)


def test_without_the_servers_own_key_recovery_codes_still_let_in(server):
    key, codes = with_authenticator(server)
    with server.db() as db:
        db.query(Developer).one().totp_secret = "of another key"
    server.reset()
    signs_in(server)
    assert send(server, "/developer/sign-in/second", code=code(server, key, 1)).status_int == 403
    assert send(server, "/developer/sign-in/second", code=codes[0]).status_int == 303


def test_with_the_last_factor_its_recovery_codes_go(server):
    with_authenticator(server)
    assert send(server, "/developer/account/authenticator/remove", current="no").status_int == 403
    assert send(server, "/developer/account/authenticator/remove", current=PASSWORD).status_int == 303
    assert count(server, DeveloperRecoveryCode) == 0
    server.reset()
    assert signs_in(server).location == "http://localhost/developer"
    assert "A way to sign in to your Blue Button developer account was removed" in subjects(server)


def test_a_recovery_code_that_is_sent_twice_at_once_lets_in_once(make_server):
    server = make_server()
    _key, codes = with_authenticator(server)
    browsers = [another_browser(server) for _ in range(3)]
    for browser in browsers:
        signs_in(browser)
    pages = {id(browser): browser.get("/developer/sign-in/second") for browser in browsers}

    def enter():
        browser = browsers.pop()
        form = pages[id(browser)].forms[0]
        form["code"] = codes[0]
        return form.submit(status="*").status_int

    assert sorted(at_once(enter, 3)) == [303, 403, 403]


def test_an_operator_takes_off_a_factor_that_was_lost(server):
    with_authenticator(server)
    environ = {"BB2_VAR": str(server.settings.var), "BB2_DATABASE_URL": str(server.engine.url)}
    done = CliRunner(env=environ).invoke(command, ["developer", "remove-factors", ADA.upper()])
    assert "The password alone opens the account again" in done.output
    assert not is_signed_in(server)
    assert signs_in(server).location == "http://localhost/developer"
    ((_event, details),) = events(server, "developer.factor_removed")
    assert details["factor"] == "all"
    assert details["by"].startswith("uid ")
    unknown = CliRunner(env=environ).invoke(command, ["developer", "remove-factors", "nobody@example.com"])
    assert "there is no developer with this e-mail address" in unknown.output
    assert "A way to sign in to your Blue Button developer account was removed" in subjects(server)
