"""Signing in and out: sessions that cannot be fixed, guessed or kept for ever, and forms that lead nowhere else."""

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from argon2 import extract_parameters
from sqlalchemy import select, text

from bb2.clock import utcnow
from bb2.identity import builtin
from bb2.models import Account, AuditEvent, AuthorizationRequest, BrowserSession
from bb2.oauth.secrets import hashed
from bb2.scopes import openid
from bb2.testing import PASSWORD, ConsentServer, answer_of
from databases import emptied, just_before
from oauth.steps import another_browser, answer, change, earlier, redeem
from oauth.wire import post

pytestmark = pytest.mark.either_database

ELSEWHERE = ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil.example")

PUBLIC = {"bb2.base_url": "https://bb2.example", "bb2.scopes": "those of the test"}


@pytest.fixture
def server(make_server):
    return make_server()


def public_server(make_server):
    """A server that browsers reach over https."""
    server = make_server(settings=PUBLIC)
    server.extra_environ |= {"wsgi.url_scheme": "https", "HTTP_HOST": "bb2.example"}
    return server


def sign_in_form(page):
    return next(form for form in page.forms.values() if "password" in form.fields)


def sign_in(server, username="alice", password=PASSWORD, **options):
    """The answer to a user name and password, in whatever session the browser has."""
    form = sign_in_form(server.get("/sign-in"))
    form["username"], form["password"] = username, password
    return form.submit("answer", value="sign-in", status="*", **options)


def session_of(server):
    """The value of the session cookie, or None."""
    values = [cookie.value for cookie in server.cookiejar if cookie.name.endswith("beneficiary")]
    return values[0] if values else None


def signed_in(server, **headers):
    """True when this browser sees its connections."""
    return server.get("/connections", headers=headers, status="*").status_int == 200


def test_a_button_pressed_twice_signs_in_once_and_its_second_page_leads_on(server):
    form = sign_in_form(server.get("/sign-in"))
    form["username"], form["password"] = "alice", PASSWORD
    cookies, fields, answers = dict(server.cookies), dict(form.submit_fields()), []

    def press():
        answers.append(post(server.app, "/sign-in", fields, cookies))

    with just_before(server.engine, "rate_limit", press):
        press()
    first, second = answers
    assert first.status_int == 303
    assert second.status_int == 400
    assert 'href="/connections"' in second.text
    assert "beneficiary=" not in second.headers.get("Set-Cookie", "")  # the session of the first one stays


def test_a_password_that_is_changed_while_somebody_signs_in_with_it_opens_nothing(postgresql):
    server = ConsentServer(openid, engine=emptied(postgresql))
    other = builtin.published_hash("plum rocket sofa nine")
    with just_before(server.engine, "FOR NO KEY UPDATE", lambda: change(server, Account, password_hash=other)):
        assert sign_in(server).status_int == 403


def test_who_waits_for_a_person_holds_none_of_their_sessions(postgresql):
    server = ConsentServer(openid, engine=emptied(postgresql))
    server.sign_in()
    form = next(form for form in server.get("/account").forms.values() if form.action.endswith("everywhere"))
    earlier(server, BrowserSession, "seen_at", minutes=5)

    def hold_sessions():
        with server.engine.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '1s'"))
            other.execute(select(BrowserSession.id_hash).with_for_update())

    with just_before(server.engine, "FOR NO KEY UPDATE", hold_sessions):
        assert form.submit(status="*").status_int < 500


class TestAWrongPassword:
    def test_and_an_unknown_user_get_the_same_page(self, server):
        pages = [
            sign_in(server, username, password)
            for username, password in (("alice", "a wrong password"), ("nobody", PASSWORD), ("", ""), ("alice", ""))
        ]
        for page in pages:
            assert page.status_int == pages[0].status_int
            assert 400 <= page.status_int < 500
            assert "The user name or the password is not right" in page.text
        shown = {
            page.text.replace(f'value="{name}"', 'value=""')
            for page, name in zip(pages, ("alice", "nobody", "", "alice"), strict=True)
        }
        assert len(shown) == 1
        assert not signed_in(server)

    def test_and_an_unknown_user_cost_the_same_work(self, server, dear_passwords, monkeypatch):
        """An unknown user's password is checked too, against a hash as dear as that of an account made in earnest."""
        for name, dear in zip(("HASHER", "NOBODY"), dear_passwords, strict=True):
            monkeypatch.setattr(builtin, name, dear)
        with server.db() as db:
            person = {"patient": "-1003", "given_name": "Carol", "family_name": "Doe"}
            account = builtin.add_account(db, username="carol", password=PASSWORD, **person)
            assert extract_parameters(builtin.NOBODY) == extract_parameters(account.password_hash)
            assert extract_parameters(builtin.NOBODY).memory_cost >= 19_456  # OWASP, in KiB

    def test_is_on_record_without_the_name_or_the_password(self, server):
        sign_in(server, "alice", "a wrong password")
        with server.db() as db:
            (event,) = db.scalars(select(AuditEvent)).all()
        assert event.event == "account.refused"
        assert event.details == {}

    def test_repeats_the_user_name_harmlessly_and_never_the_password(self, server):
        page = sign_in(server, '"><script>alert(1)</script>', "a wrong password")
        assert "<script>alert" not in page.text
        assert "a wrong password" not in page.text

    def test_leaves_the_request_of_the_app_where_it_was(self, server):
        page = server.get("/v2/o/authorize", server.authorization_request("openid")).follow().follow()
        form = sign_in_form(page)
        form["username"], form["password"] = "alice", "a wrong password"
        form = sign_in_form(form.submit("answer", value="sign-in", status="*"))
        form["password"] = PASSWORD
        page = form.submit("answer", value="sign-in").follow()
        assert redeem(server, answer(page))["scope"] == "openid"

    @pytest.mark.parametrize("username", ["ALICE", " alice ", "Alice"])
    def test_is_not_what_case_and_white_space_of_the_user_name_make(self, server, username):
        assert sign_in(server, username).status_int == 303

    def test_is_not_what_another_keyboard_makes_of_the_same_letters(self, server):
        """NIST SP 800-63B, 5.1.1.2"""
        composed, decomposed = "Z\u00fcrich-caf\u00e9", "Zu\u0308rich-cafe\u0301"
        for number, (made, typed) in enumerate([(composed, decomposed), (decomposed, composed)]):
            with server.db() as db:
                person = {"patient": f"-200{number}", "given_name": "Zo", "family_name": "Doe"}
                builtin.add_account(db, username=f"{made}{number}", password=made, **person)
            assert sign_in(server, f"{typed}{number}", typed).status_int == 303

    @pytest.mark.parametrize("password", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD}\x00", PASSWORD[:-1]])
    def test_is_what_case_and_white_space_of_the_password_make(self, server, password):
        assert sign_in(server, "alice", password).status_int >= 400


class TestTheSession:
    def test_gets_a_new_id_at_sign_in_and_the_old_one_is_dead(self, server):
        server.get("/sign-in")
        before = session_of(server)
        sign_in(server)
        after = session_of(server)
        assert before != after
        with server.db() as db:
            assert db.get(BrowserSession, hashed(before)) is None
            assert db.get(BrowserSession, hashed(after)).beneficiary_id
        other = another_browser(server)
        assert not signed_in(other, Cookie=f"beneficiary={before}")

    def test_that_somebody_planted_is_not_taken_over(self, server):
        """Session fixation: the thief knows the id that the browser had before sign-in."""
        thief = another_browser(server)
        thief.get("/sign-in")
        planted = session_of(thief)
        server.set_cookie("beneficiary", planted)
        sign_in(server)
        assert signed_in(server)
        assert not signed_in(thief)

    @pytest.mark.parametrize("value", ["made-up", "", "x" * 5000, "%00", "..", "é"])
    def test_is_never_one_that_the_browser_made_up(self, server, value):
        page = server.get("/sign-in", headers={"Cookie": f"beneficiary={value}"})
        assert page.status_int == 200
        cookie = SimpleCookie(page.headers["Set-Cookie"])["beneficiary"]
        assert cookie.value != value
        assert len(cookie.value) >= 43  # 256 bits

    def test_ends_at_sign_out_on_the_server_too(self, server):
        sign_in(server)
        value = session_of(server)
        page = server.get("/connections")
        out = next(form for form in page.forms.values() if form.action.endswith("/sign-out"))
        response = out.submit(status=303)
        assert SimpleCookie(response.headers["Set-Cookie"])["beneficiary"]["max-age"] == "0"
        assert session_of(server) is None
        assert not signed_in(server)
        assert not signed_in(another_browser(server), Cookie=f"beneficiary={value}")
        assert server.get("/sign-in").status_int == 200

    def test_ends_when_nobody_clicks_for_a_while(self, server):
        sign_in(server)
        earlier(server, BrowserSession, "seen_at", minutes=29)
        assert signed_in(server)
        earlier(server, BrowserSession, "seen_at", minutes=29)
        assert signed_in(server)
        earlier(server, BrowserSession, "seen_at", minutes=30)
        assert not signed_in(server)

    def test_ends_after_its_whole_life_whoever_clicks(self, server):
        sign_in(server)
        earlier(server, BrowserSession, "created_at", hours=11, minutes=59)
        assert signed_in(server)
        earlier(server, BrowserSession, "created_at", minutes=1)
        assert not signed_in(server)

    def test_of_a_minute_stays_while_somebody_clicks(self, make_server):
        server = make_server(settings={"bb2.session_idle": "60"})
        sign_in(server)
        for _ in range(4):
            earlier(server, BrowserSession, "seen_at", seconds=40)
            assert signed_in(server)

    def test_lasts_from_sign_in_not_from_when_the_browser_came(self, server):
        server.get("/sign-in")
        change(server, BrowserSession, created_at=utcnow() - timedelta(hours=11))
        sign_in(server)
        earlier(server, BrowserSession, "created_at", hours=2)
        assert signed_in(server)

    def test_of_one_person_is_replaced_by_the_next_persons(self, server):
        sign_in(server, "alice")
        alices = session_of(server)
        sign_in(server, "bob")
        assert session_of(server) != alices
        assert signed_in(server)
        assert not signed_in(another_browser(server), Cookie=f"beneficiary={alices}")


class TestTheCookie:
    def test_is_out_of_reach_of_scripts_and_other_sites(self, server):
        for response in server.get("/sign-in"), sign_in(server):
            (header,) = (h for h in response.headers.getall("Set-Cookie") if h.startswith("beneficiary="))
            attributes = {part.strip().lower() for part in header.split(";")[1:]}
            assert attributes == {"path=/", "httponly", "samesite=lax"}

    def test_is_bound_to_this_host_and_to_https_where_the_server_is_public(self, make_server):
        server = public_server(make_server)
        responses = [server.get("/sign-in")]
        form = sign_in_form(responses[0])
        form["username"], form["password"] = "alice", PASSWORD
        headers = {"Origin": "https://bb2.example"}
        responses.append(form.submit("answer", value="sign-in", headers=headers, status=303))
        page = server.get("/connections")
        out = next(form for form in page.forms.values() if form.action.endswith("/sign-out"))
        responses.append(out.submit(headers=headers, status=303))
        for response in responses:
            cookies = {}
            for header in response.headers.getall("Set-Cookie"):
                name, _, rest = header.partition("=")
                cookies[name] = {part.strip().lower().split("=")[0] for part in rest.split(";")[1:]}
            assert "__Host-beneficiary" in cookies
            for name, attributes in cookies.items():
                assert name in ("__Host-beneficiary", "__Host-known")
                assert {"path", "secure", "httponly", "samesite"} <= attributes
                assert "domain" not in attributes
            assert "max-age=31536000" in response.headers["Strict-Transport-Security"]

    def test_holds_nothing_but_a_random_value(self, server):
        sign_in(server)
        assert "alice" not in session_of(server)
        with server.db() as db:
            (session,) = db.scalars(select(BrowserSession)).all()
        assert session_of(server) not in {str(value) for value in vars(session).values()}


class TestTheKit:
    def test_begins_the_session_that_the_page_begins(self, server):
        """Many tests sign in by the kit, and would hold for a session that the page never makes."""
        begun = []
        for enter in lambda: sign_in(server, "Bob "), lambda: server.sign_in("Bob "):
            enter()
            with server.db() as db:
                begun.append(db.get_one(BrowserSession, hashed(session_of(server))))
        by_page, by_kit = begun
        assert by_page.id_hash != by_kit.id_hash
        assert by_page.beneficiary_id == by_kit.beneficiary_id is not None
        for session in begun:
            assert session.authenticated_at == session.seen_at == session.created_at


class TestEveryForm:
    @pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/connections/stop", "/consent/any"])
    def test_needs_the_csrf_token_of_its_own_session(self, server, path):
        sign_in(server)
        thief = another_browser(server)
        thiefs = sign_in_form(thief.get("/sign-in"))["csrf_token"].value
        for token in (None, "", "x", thiefs, session_of(server), hashed(session_of(server))):
            form = {"username": "bob", "password": PASSWORD} | ({} if token is None else {"csrf_token": token})
            refused = server.post(path, form, status=400)
            assert "This page is no longer open" in refused.text
            assert "Set-Cookie" not in refused.headers
        assert signed_in(server)

    def test_of_a_browser_that_refuses_cookies_is_refused(self, server):
        token = sign_in_form(server.get("/sign-in"))["csrf_token"].value
        server.reset()
        form = {"username": "alice", "password": PASSWORD, "csrf_token": token}
        server.post("/sign-in", form, status=400)

    def test_gets_a_new_csrf_token_at_sign_in(self, server):
        before = sign_in_form(server.get("/sign-in"))["csrf_token"].value
        sign_in(server)
        assert sign_in_form(server.get("/sign-in"))["csrf_token"].value != before

    def test_from_another_site_is_refused_over_https(self, make_server):
        server = public_server(make_server)
        form = sign_in_form(server.get("/sign-in"))
        form["username"], form["password"] = "alice", PASSWORD
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ):
            assert form.submit("answer", value="sign-in", headers=headers, status=400)
        for headers in ({"Origin": "https://bb2.example"}, {"Referer": "https://bb2.example/sign-in"}):
            form = sign_in_form(server.get("/sign-in"))
            form["username"], form["password"] = "alice", PASSWORD
            form.submit("answer", value="sign-in", headers=headers, status=303)

    def test_is_sent_by_post(self, server):
        sign_in(server)
        server.get("/sign-out", status=404)
        assert signed_in(server)


class TestNoPageLeadsElsewhere:
    def test_after_sign_in(self, server):
        names = "next", "request", "came_from", "redirect_uri", "return_to", "url"
        each_name, each_url = [{name: ELSEWHERE[0]} for name in names], [dict.fromkeys(names, url) for url in ELSEWHERE]
        for added in *each_name, *each_url:
            form = sign_in_form(server.get("/sign-in", added))
            sent = dict(form.submit_fields()) | {"username": "alice", "password": PASSWORD} | added
            assert server.post("/sign-in", sent, status=303).location == "http://localhost/connections"

    @pytest.mark.parametrize("url", ELSEWHERE)
    def test_after_sign_out(self, server, url):
        sign_in(server)
        token = sign_in_form(server.get("/sign-in"))["csrf_token"].value
        sent = {"csrf_token": token, "next": url, "request": url}
        assert server.post("/sign-out", sent, status=303).location == "http://localhost/"

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:80", "localhost@evil.example", "localhost.evil.example"]
    )
    def test_whatever_the_host_header_says(self, server, host):
        form = dict(sign_in_form(server.get("/sign-in")).submit_fields()) | {"username": "alice", "password": PASSWORD}
        forged = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}", "X-Forwarded-Proto": "gopher"}
        response = server.post("/sign-in", form, headers=forged, status="*")
        assert "evil" not in response.headers.get("Location", "") + response.text
        assert "evil" not in server.get("/connections", headers=forged, status="*").text

    def test_the_request_of_another_browser_is_no_way_on(self, server):
        thief = another_browser(server)
        kept = thief.get("/v2/o/authorize", thief.authorization_request("openid")).location.rpartition("/")[2]
        page = server.get("/sign-in", {"request": kept})
        assert "The App" not in page.text
        for said in "cancel", "sign-in":
            form = dict(sign_in_form(server.get("/sign-in")).submit_fields())
            sent = form | {"username": "alice", "password": PASSWORD, "request": kept, "answer": said}
            assert server.post("/sign-in", sent, status=303).location == "http://localhost/connections"
        with server.db() as db:
            assert db.get(AuthorizationRequest, kept).answered_at is None

    @pytest.mark.parametrize(
        "request_id",
        ["\x00", "é", "x" * 9000, "%00", "unknown", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")],
    )
    def test_a_request_that_is_none_is_ignored(self, server, request_id):
        assert server.get("/sign-in", {"request": request_id}).status_int == 200
        token = sign_in_form(server.get("/sign-in"))["csrf_token"].value
        assert server.post("/sign-out", {"csrf_token": token, "request": request_id}).location == "http://localhost/"


def test_sign_in_to_answer_an_app_leads_to_its_page_and_back_to_the_app(server):
    page = server.get("/v2/o/authorize", server.authorization_request("openid")).follow().follow()
    form = sign_in_form(page)
    form["username"], form["password"] = "alice", PASSWORD
    redirect = answer(form.submit("answer", value="sign-in", status=303).follow())
    assert set(answer_of(redirect)) == {"code", "state", "iss"}
