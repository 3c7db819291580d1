"""App developers' accounts: made, confirmed, opened, changed, recovered and closed, apart from beneficiaries'."""

import re

import pytest

from bb2.developers import accounts
from bb2.models import (
    Client,
    Developer,
    DeveloperLink,
    DeveloperPasskey,
    DeveloperSession,
    Notice,
)
from bb2.oauth.clients import add_client
from bb2.sweep import sweep
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import emptied, just_before
from developing import (
    ADA,
    PASSWORD,
    SIGN_UP,
    add_developer,
    count,
    developer_of,
    events,
    is_signed_in,
    mailed_link,
    row,
    send,
    signs_in,
    subjects,
    with_authenticator,
    words,
)
from notices.mails import at_once
from oauth.steps import another_browser, earlier

pytestmark = pytest.mark.either_database

OTHER = "pumpkin violin 83 harbor"
#: Limits that are soon reached.
LIMITED = {f"bb2.limit_{what}": "2 per hour" for what in ("sign_in_account", "developer_mail")}


@pytest.fixture
def server():
    """On one database: what a page says does not hang on it."""
    return ConsentServer(*BUILT_IN)


# Signing up


def test_who_signs_up_follows_the_mailed_link_types_the_password_and_is_signed_in(make_server):
    server = make_server()
    page = send(server, "/developer/sign-up", **SIGN_UP).follow()
    assert "Look in your mail" in page
    assert "printed in the terminal" in page
    link = mailed_link(server)
    assert "ada@example.com" in server.get(link)
    answer = send(server, link, current=PASSWORD)
    assert (answer.status_int, answer.location) == (303, "http://localhost/developer")
    assert "You are signed in as <b>Ada Byron</b>" in answer.follow()
    assert [name for name, _ in events(server)] == ["developer.signed_up", "developer.verified", "developer.signed_in"]


def test_a_link_that_is_only_opened_does_nothing_and_one_that_was_used_is_over(server):
    send(server, "/developer/sign-up", **SIGN_UP)
    link = mailed_link(server)
    for _scanner in range(3):
        another_browser(server).get(link)
    assert row(server).email_verified_at is None
    assert send(server, link, current=PASSWORD).status_int == 303
    assert "This link does not work any more" in another_browser(server).get(link, status=410)


@pytest.mark.parametrize("bend", [lambda link: link[:-1] + ("A" if link[-1] != "A" else "B"), lambda link: link + "x"])
def test_a_link_that_was_bent_opens_nothing(server, bend):
    send(server, "/developer/sign-up", **SIGN_UP)
    link = mailed_link(server)
    server.get(bend(link), status=410)
    server.get(link.replace("/verify/", "/recover/"), status=410)
    server.get(link.partition(".")[0], status=410)


def test_a_link_is_over_after_a_day(server):
    send(server, "/developer/sign-up", **SIGN_UP)
    link = mailed_link(server)
    earlier(server, DeveloperLink, "expires_at", hours=23)
    server.get(link)
    earlier(server, DeveloperLink, "expires_at", hours=2)
    server.get(link, status=410)


def test_whether_an_address_is_known_is_told_by_mail_only(server):
    add_developer(server)
    answers = [send(server, "/developer/sign-up", **SIGN_UP | {"email": address}) for address in (ADA, "new@b.example")]
    assert len({(answer.status, answer.location) for answer in answers}) == 1
    assert subjects(server) == [
        "You have a Blue Button developer account already",
        "Confirm your e-mail address for Blue Button",
    ]
    assert row(server).name == "Ada Byron"


def test_nobody_confirms_what_a_stranger_signed_up_with_in_their_name(server):
    stranger = another_browser(server)
    send(server, "/developer/sign-up", **SIGN_UP)
    first = mailed_link(server)
    send(stranger, "/developer/sign-up", **SIGN_UP | {"password": OTHER, "again": OTHER})
    link = mailed_link(server)
    server.get(first, status=410)
    refused = send(server, link, current=PASSWORD)
    assert refused.status_int == 403
    assert "This is not the password that you chose" in refused
    assert row(server).email_verified_at is None


def test_nobody_signs_in_before_the_address_is_confirmed_but_gets_another_link(server):
    send(server, "/developer/sign-up", **SIGN_UP)
    server.mails()
    assert signs_in(server).location == "http://localhost/developer/mailed"
    assert not is_signed_in(server)
    assert send(server, mailed_link(server), current=PASSWORD).status_int == 303


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": " "}, "Type your name"),
        ({"organization": ""}, "Type your organization"),
        ({"email": "ada@"}, "it looks like name@example.com"),
        ({"password": "short"}, "at least 8 characters"),
        ({"password": "password123"}, "easy to guess"),
        ({"password": "Engine-Works-1"}, "without your name, your organization"),
        ({"password": "ada@example.com"}, "without your name, your organization"),
        ({"name": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nobody_signs_up(server, typed, told):
    answer = send(server, "/developer/sign-up", **SIGN_UP | typed)
    assert answer.status_int == 422
    assert told in answer
    assert "Problem: " in answer.html.title.text
    assert 'value="Engine Works"' in answer or "organization" in typed
    assert count(server, Developer) == 0


def test_a_server_that_sends_no_mail_says_so_before_anything_is_typed():
    server = ConsentServer(
        *BUILT_IN, settings={"bb2.base_url": "https://bb2.example", "bb2.sandbox": "true", "bb2.scopes": "bb2:openid"}
    )
    for path in "/developer/sign-up", "/developer/trouble":
        assert "This server sends no mail" in server.get(path, status=503)


def test_two_forms_at_once_make_one_account(make_server):
    server = make_server()
    browsers = [another_browser(server) for _ in range(3)]
    statuses = at_once(lambda: send(browsers.pop(), "/developer/sign-up", **SIGN_UP).status_int, 3)
    assert statuses == [303] * 3
    assert count(server, Developer) == 1
    assert len([mail for mail in server.mails() if mail["Subject"].startswith("Confirm")]) == 1


# Signing in


def test_a_developer_signs_in_and_goes_where_they_wanted_to(server):
    add_developer(server)
    asked = server.get("/developer/account", status=303)
    assert asked.location == "http://localhost/developer/sign-in?next=%2Fdeveloper%2Faccount"
    assert 'name="next" value="/developer/account"' in asked.follow()
    answer = signs_in(server, f" {ADA.upper()} ", next="/developer/account")
    assert answer.location == "http://localhost/developer/account"
    assert ADA in answer.follow()


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/developer//evil.example", "/developer/\\evil", "/connections"],
)
def test_nobody_is_led_to_another_place_than_the_developers_pages(server, elsewhere):
    add_developer(server)
    assert "evil" not in server.get("/developer/sign-in", {"next": elsewhere})
    assert signs_in(server, next=elsewhere).location == "http://localhost/developer"


@pytest.mark.parametrize("typed", [{"password": OTHER}, {"email": "nobody@example.com"}, {"email": "closed 1"}])
def test_a_wrong_address_and_a_wrong_password_are_refused_alike(server, typed):
    add_developer(server)
    refused = signs_in(server, **typed)
    assert refused.status_int == 403
    assert "The e-mail address or the password is not right" in refused
    assert PASSWORD not in refused
    assert not is_signed_in(server)


def test_too_many_tries_pause_one_address_and_lock_nobody_out():
    server = ConsentServer(*BUILT_IN, settings=LIMITED)
    add_developer(server)
    elsewhere = another_browser(server)
    elsewhere.extra_environ = server.extra_environ | {"REMOTE_ADDR": "192.0.2.7"}
    assert [signs_in(elsewhere, password="no").status_int for _ in range(3)] == [403, 403, 429]
    assert signs_in(elsewhere).status_int == 429
    server.extra_environ = server.extra_environ | {"REMOTE_ADDR": "192.0.2.8"}
    assert signs_in(server).status_int == 303
    assert events(server, "developer.paused")


def test_mails_that_strangers_ask_for_are_limited():
    server = ConsentServer(*BUILT_IN, settings=LIMITED)
    add_developer(server)
    server.extra_environ = server.extra_environ | {"REMOTE_ADDR": "192.0.2.7"}
    assert [send(server, "/developer/trouble", email=ADA).status_int for _ in range(3)] == [303, 303, 429]
    assert send(server, "/developer/trouble", email="nobody@example.com").status_int == 303


def test_who_is_signed_in_is_signed_out_by_the_button_and_after_a_while(server):
    developer_of(server)
    assert is_signed_in(server)
    send(server, "/developer/account").mustcontain("")
    token = server.get("/developer").html.find("input", {"name": "csrf_token"})["value"]
    server.post("/developer/sign-out", {"csrf_token": token}, status=303)
    assert not is_signed_in(server)
    signs_in(server)
    earlier(server, DeveloperSession, "seen_at", "created_at", seconds=server.settings.session_idle + 1)
    assert not is_signed_in(server)


def test_a_form_of_another_session_does_nothing(server):
    developer_of(server)
    refused = server.post(
        "/developer/account/about", {"name": "Eve", "organization": "x", "csrf_token": "x"}, status=400
    )
    assert "This page is no longer open" in refused
    assert row(server).name == "Ada Byron"


# Beside beneficiaries


def test_a_developer_tests_as_a_beneficiary_in_the_same_browser(server):
    add_developer(server)
    signs_in(server)
    kept = dict(server.cookies)
    server.sign_in("alice")
    for name, value in kept.items():
        server.set_cookie(name, value)
    assert is_signed_in(server)
    assert "Alice" in server.get("/connections")
    token = server.get("/connections").html.find("input", {"name": "csrf_token"})["value"]
    server.post("/sign-out", {"csrf_token": token}, status=303)
    assert is_signed_in(server)
    server.get("/connections", status=303)


def test_signing_out_as_a_developer_leaves_the_beneficiary(server):
    server.sign_in("alice")
    developer_of(server)
    token = server.get("/developer").html.find("input", {"name": "csrf_token"})["value"]
    server.post("/developer/sign-out", {"csrf_token": token}, status=303)
    assert "Alice" in server.get("/connections")


def test_a_cookie_of_the_one_kind_opens_nothing_of_the_other(server):
    server.sign_in("alice")
    add_developer(server)
    signs_in(server)
    assert is_signed_in(server)
    values = dict(server.cookies)
    server.reset()
    server.set_cookie("developer", values["beneficiary"])
    server.set_cookie("beneficiary", values["developer"])
    assert not is_signed_in(server)
    server.get("/connections", status=303)
    server.reset()
    server.set_cookie("beneficiary", values["beneficiary"])
    token = server.get("/connections").html.find("input", {"name": "csrf_token"})["value"]
    server.post("/developer/sign-out", {"csrf_token": token}, status=400)


# Recovery


def test_a_forgotten_password_is_set_anew_by_a_link_and_ends_every_session(make_server):
    server = make_server()
    developer_of(server)
    forgetful = another_browser(server)
    assert send(forgetful, "/developer/trouble", email=ADA.upper()).status_int == 303
    link = mailed_link(server)
    assert send(forgetful, link, password="password1", again="password1").status_int == 422
    answer = send(forgetful, link, password=OTHER, again=OTHER)
    assert answer.location == "http://localhost/developer"
    assert is_signed_in(forgetful)
    assert not is_signed_in(server)
    assert signs_in(server).status_int == 403
    assert signs_in(server, password=OTHER).status_int == 303
    assert subjects(server) == ["Your Blue Button developer password was changed"]
    server.get(link, status=410)


def test_who_closes_the_account_while_a_way_back_is_asked_for_is_mailed_none(postgresql):
    server = ConsentServer(*BUILT_IN, engine=emptied(postgresql))
    id = add_developer(server).id

    def close():
        with server.db() as db:
            accounts.close(db, accounts.lock(db, id))

    with just_before(server.engine, "FOR UPDATE", close):
        assert send(server, "/developer/trouble", email=ADA).status_int == 303
    assert count(server, DeveloperLink) == 0


def test_nobody_learns_who_has_an_account_from_the_way_back(server):
    add_developer(server)
    answers = [send(server, "/developer/trouble", email=address) for address in (ADA, "nobody@example.com")]
    assert len({(answer.status, answer.location) for answer in answers}) == 1
    assert len(server.mails()) == 1


def test_a_second_factor_is_asked_for_after_recovery_too(server):
    _key, codes = with_authenticator(server)
    server.reset()
    assert signs_in(server).location.endswith("/second")  # half signed in, as who has lost the phone
    send(server, "/developer/trouble", email=ADA)
    answer = send(server, mailed_link(server), password=OTHER, again=OTHER)
    assert answer.location == "http://localhost/developer/sign-in/second"
    assert not is_signed_in(server)
    assert send(server, "/developer/sign-in/second", code=codes[0]).status_int == 303
    assert is_signed_in(server)


def test_a_forgotten_password_is_set_anew_where_its_developer_is_signed_in_still(server):
    developer_of(server)
    send(server, "/developer/trouble", email=ADA)
    assert send(server, mailed_link(server), password=OTHER, again=OTHER).status_int == 303
    assert is_signed_in(server)


def test_a_way_back_is_over_after_half_an_hour(server):
    add_developer(server)
    send(server, "/developer/trouble", email=ADA)
    link = mailed_link(server)
    earlier(server, DeveloperLink, "expires_at", minutes=31)
    server.get(link, status=410)


def test_a_link_that_is_over_before_its_mail_leaves_is_not_mailed(server):
    add_developer(server)
    send(server, "/developer/trouble", email=ADA)
    earlier(server, DeveloperLink, "expires_at", minutes=31)
    assert server.mails() == []
    assert count(server, Notice) == 0


# Changes


def test_a_developer_changes_their_name_and_organization(server):
    developer_of(server)
    assert send(server, "/developer/account/about", name="", organization="x").status_int == 422
    answer = send(server, "/developer/account/about", name="<Ada>  King", organization="Lovelace")
    assert "Your name and organization are saved" in answer.follow()
    assert "&lt;Ada&gt; King" in server.get("/developer/account")


def test_a_new_password_ends_the_other_sessions_and_needs_the_earlier_one(server):
    developer_of(server)
    elsewhere = another_browser(server)
    signs_in(elsewhere)
    typed = {"password": OTHER, "again": OTHER}
    assert send(server, "/developer/account/password", current="no", **typed).status_int == 403
    assert is_signed_in(elsewhere)
    assert send(server, "/developer/account/password", current=PASSWORD, **typed).status_int == 303
    assert is_signed_in(server)
    assert not is_signed_in(elsewhere)


def test_a_new_address_counts_when_its_link_was_followed_and_the_old_one_is_told(server):
    developer_of(server)
    new = "ada@lovelace.example"
    assert send(server, "/developer/account/email", email=new, current="no").status_int == 403
    assert send(server, "/developer/account/email", email=new, current=PASSWORD).status_int == 303
    (mail,) = server.mails()
    assert mail["To"] == new
    assert row(server) is not None
    link = re.search(r"http://localhost(/developer/new-address/\S+)", words(mail))[1]
    elsewhere = another_browser(server)
    elsewhere.get(link)
    assert "You sign in with ada@lovelace.example" in send(elsewhere, link)
    assert [(mail["To"], mail["Subject"]) for mail in server.mails()] == [
        (ADA, "Your Blue Button developer account has another e-mail address")
    ]
    assert row(server, new).email_verified_at


def test_somebody_elses_address_is_not_taken_and_they_are_told(server):
    add_developer(server, "bea@example.com")
    developer_of(server)
    answer = send(server, "/developer/account/email", email="bea@example.com", current=PASSWORD)
    assert answer.location == "http://localhost/developer/account?done=address"
    assert [(mail["To"], mail["Subject"]) for mail in server.mails()] == [
        ("bea@example.com", "You have a Blue Button developer account already")
    ]
    assert count(server, DeveloperLink) == 0


def test_of_two_who_take_an_address_at_once_one_gets_it_and_the_other_is_told(make_server):
    server, forms = make_server(), []
    for email in (ADA, "bea@example.com"):
        server.reset()
        developer_of(server, email)
        send(server, "/developer/account/email", email="new@example.com", current=PASSWORD)
        forms.append(another_browser(server).get(mailed_link(server)).forms[0])
    assert sorted(at_once(lambda: forms.pop().submit(status="*").status_int, 2)) == [200, 410]


def test_signing_out_everywhere_ends_every_session_of_the_developer_and_of_nobody_else(server):
    developer_of(server)
    elsewhere, other = another_browser(server), another_browser(server)
    signs_in(elsewhere)
    developer_of(other, "bea@example.com")
    token = server.get("/developer/account").html.find("input", {"name": "csrf_token"})["value"]
    server.post("/developer/account/sign-out-everywhere", {"csrf_token": token}, status=200)
    assert [is_signed_in(browser) for browser in (server, elsewhere, other)] == [False, False, True]


# Closing


def test_a_closed_account_names_nobody_its_apps_are_deleted_and_its_address_is_free(make_server):
    server = make_server()
    developer = developer_of(server)
    with server.db() as db:
        client, _secret = add_client(db, server.scopes, name="Her App", redirect_uris=[server.redirect_uri])
        client.developer_id, id = developer.id, client.client_id
    assert "Her App" in server.get("/developer/account/close")
    wrong = send(server, "/developer/account/close", email="bea@example.com", current=PASSWORD)
    assert "Type the e-mail address of this account" in wrong
    closed = send(server, "/developer/account/close", email=ADA, current=PASSWORD)
    assert "Your account is closed" in closed
    assert not is_signed_in(server)
    with server.db() as db:
        tombstone = db.get(Developer, developer.id)
        assert (tombstone.name, tombstone.organization, tombstone.password_hash) == ("", "", "")
        assert "@" not in tombstone.email
        assert db.get(Client, id).disabled_at
    assert [(mail["To"], mail["Subject"]) for mail in server.mails()] == [
        (ADA, "Your Blue Button developer account is closed")
    ]
    assert signs_in(server).status_int == 403
    send(server, "/developer/sign-up", **SIGN_UP)
    assert send(server, mailed_link(server), current=PASSWORD).status_int == 303
    assert row(server).id != developer.id


# Where beneficiaries sign in elsewhere, and where there are no developers


def test_developers_sign_in_here_also_where_beneficiaries_sign_in_elsewhere(tmp_path):
    tmp_path.joinpath("secret").write_text("x")
    elsewhere = {"identity": "oidc", "oidc_issuer": "https://id.example", "oidc_client_id": "x", "oidc_claim": "sub"}
    elsewhere |= {"oidc_client_secret": str(tmp_path / "secret")}
    server = ConsentServer(*BUILT_IN, settings={f"bb2.{name}": value for name, value in elsewhere.items()})
    developer_of(server)
    assert is_signed_in(server)
    assert "data-passkey" in server.get("/developer/account/passkeys")


def test_a_server_without_developers_has_none_of_their_pages():
    server = ConsentServer(*BUILT_IN, settings={"bb2.developers": "false"})
    for path in "/developer", "/developer/sign-up", "/developer/sign-in/passkey/options":
        server.get(path, status=404)


# What is swept


def test_what_is_over_is_swept_and_accounts_stay(server):
    developer_of(server)
    send(server, "/developer/trouble", email=ADA)
    send(server, "/developer/sign-up", **SIGN_UP | {"email": "never@example.com"})
    server.mails()
    assert "developer" not in {name for name, rows in sweep(server.engine, server.settings).items() if rows}
    earlier(server, DeveloperSession, "seen_at", days=1)
    earlier(server, DeveloperLink, "expires_at", days=8)
    earlier(server, Developer, "created_at", days=8)
    sweep(server.engine, server.settings)
    assert count(server, DeveloperSession) == count(server, DeveloperLink) == 0
    assert count(server, Developer) == 1
    assert row(server)
    assert count(server, DeveloperPasskey) == 0
