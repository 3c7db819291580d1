"""The pages on which a developer registers and keeps apps."""

import copy
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from joserfc.jwk import ECKey, KeySet
from PIL import Image

import bb2
from app_pages import (
    REDIRECT,
    app_called,
    edit,
    edit_form,
    events,
    fill,
    filled,
    mistakes,
    new_form,
    path_of,
    press,
    register,
    registered,
    secret_of,
)
from bb2.clock import utcnow
from bb2.developers import accounts
from bb2.models import Client, Developer
from bb2.oauth import client_ends
from bb2.oauth.secrets import same_secret
from bb2.sandbox.demo import VIEWER, ensure_viewer
from bb2.scopes import coverage, hookimpl, openid
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from databases import emptied, just_before
from developing import ADA, PASSWORD, developer_of, send
from oauth.steps import change, opens
from oauth.wire import post, together
from pictures import picture

pytestmark = pytest.mark.either_database
ACTS = ("", "edit", "secret", "disable", "delete", "logo")


@pytest.fixture
def server(make_server):
    server = make_server()
    developer_of(server)
    return server


@pytest.fixture
def mine(server):
    """An app of the developer who is signed in."""
    return registered(server)


def key_set():
    key = ECKey.generate_key("P-384", parameters={"kid": "mine"})
    return {private: json.dumps(KeySet([key]).as_dict(private=private)) for private in (False, True)}


def by_developer(server, client):
    return [event for event, details in events(server, client) if details.get("by") == "developer"]


class TestANewApp:
    def test_that_signs_or_is_off_is_not_sent_to_the_test_client(self, server):
        page = register(server)
        client = app_called(server)
        link = page.html.find("a", string="Try it in the test client")["href"]
        assert link == f"/testclient?app={client.client_id}"
        edit(server, client, kind="key", jwks=key_set()[False])
        assert link not in server.get(path_of(client)).text

    def test_needs_a_name_an_address_and_one_answer_and_gets_its_credentials_once(self, server):
        page = register(server)
        client = app_called(server)
        client_id, secret = secret_of(page)
        assert client_id == client.client_id
        assert same_secret(secret, client.secret_hash)
        assert (client.redirect_uris, client.access, client.disabled_at) == ([REDIRECT], "ongoing", None)
        assert set(client.scopes) == set(server.scopes.one_of_each_family())
        assert by_developer(server, client) == ["client.registered"]
        for act in ACTS:
            assert secret not in server.get(path_of(client, act)).text
        assert page.headers["Cache-Control"] == "no-store"

    def test_works_at_once_in_a_sandbox(self, server):
        server.client_id, server.client_secret = secret_of(register(server))
        server.redirect_uri = REDIRECT
        assert opens(server, server.grant()) == 200
        server.get("/developer/apps")  # the developer is signed in as before

    def test_that_needs_nobodys_name_is_registered_for_none(self, server):
        register(server, asks_demographic="no")
        client = app_called(server)
        assert client.asks_demographic is False
        assert not server.scopes.demographic(client.scopes)

    def test_of_a_phone_gets_no_secret(self, server):
        page = register(server, kind="public", redirect_uris="org.example.app:/callback\nhttp://127.0.0.1/cb")
        assert len(secret_of(page)) == 1
        assert app_called(server).public

    def test_that_signs_gets_none_and_a_private_key_is_refused(self, server):
        keys = key_set()
        page = register(server, kind="key", jwks=keys[True], status=422)
        assert "it is private" in page.text
        page = register(server, kind="key", jwks=keys[False])
        assert len(secret_of(page)) == 1
        assert app_called(server).has_keys

    def test_whose_button_is_pressed_twice_is_one_app(self, server):
        form = filled(server)
        form.submit("save", status=200)
        again = form.submit("save", status=303)
        assert "registered already" in again.follow().text
        assert by_developer(server, app_called(server)) == ["client.registered"]

    def test_waits_for_approval_outside_a_sandbox(self, make_server):
        server = make_server(settings={"bb2.sandbox": "false", "bb2.developers": "true"})
        developer_of(server)
        page = register(server)
        client = app_called(server)
        assert "waits for approval" in page.text
        assert "Waits for approval" in server.get("/developer/apps").text
        answer = send_enable(server, client)
        assert answer.status_int == 403
        assert app_called(server).disabled_by == "operator"
        with server.db() as db:
            client_ends.switch_on(db.get(Client, client.client_id), client_ends.OPERATOR)
        assert "Waits" not in server.get("/developer/apps").text

    def test_stays_what_was_approved_but_for_what_makes_it_less(self, make_server):
        """Else an app would be approved under one name, and then ask people under another."""
        server = make_server(settings={"bb2.sandbox": "false", "bb2.developers": "true"})
        developer_of(server)
        wide = sorted(scope.name for scope in server.scopes if scope.name.endswith(".rs"))
        register(server, scopes=wide[:1], asks_demographic="no", access="one-time")
        client = app_called(server)
        edit(server, client, name="Mine", redirect_uris="https://mine.example/before")  # while nobody has looked
        with server.db() as db:
            client_ends.switch_on(db.get(Client, client.client_id), client_ends.OPERATOR)
        for wider in (
            {"name": "Medicare"},
            {"redirect_uris": "https://evil.example/"},
            {"access": "ongoing"},
            {"scopes": wide},
            {"scopes": wide, "asks_demographic": "yes"},
        ):
            assert "Ask whoever runs this service" in edit(server, client, status=422, **wider).text, wider
        logo = [("logo", "logo.png", picture())]
        form = server.get(path_of(client, "logo")).forms[0]
        answer = server.post(form.action, {"csrf_token": form["csrf_token"].value}, upload_files=logo, status=422)
        assert "Ask whoever runs this service" in answer.text
        kept = app_called(server)
        assert (kept.name, kept.redirect_uris, kept.access) == ("Mine", ["https://mine.example/before"], "one-time")
        assert (kept.scopes, kept.asks_demographic, kept.logo) == (wide[:1], False, None)
        edit(server, client, description="What it does.")
        assert app_called(server).description == "What it does."

    def test_is_refused_where_there_are_as_many_as_allowed(self, make_server):
        server = make_server(settings={"bb2.apps_per_developer": "1"})
        developer_of(server)
        form = filled(server, "Second")
        register(server, "First")
        assert "no more are allowed" in form.submit("save", status=403).text
        press(server, app_called(server, "First"), "delete", name="First")
        register(server, "Second")


def send_enable(server, client):
    """As a form would that the page does not show."""
    token = server.get(path_of(client, "delete")).forms[0]["csrf_token"].value
    return server.post(path_of(client, "disable"), {"csrf_token": token, "enable": "1"}, status="*")


@pytest.fixture(scope="module")
def refusal():
    """A function that returns the page that refuses what is typed; so nothing changes, and each may follow another."""
    server = ConsentServer(*BUILT_IN)
    developer_of(server)
    good = filled(server).submit_fields("save")

    def refused(typed):
        sent = [(name, value) for name, value in good if name not in typed]
        for name, value in typed.items():
            sent += [(name, each) for each in (value if name == "scopes" else [value])]
        return server.post("/developer/apps/new", sent, status=422)

    return refused


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("field", "typed", "told"),
        [
            ("name", "", "1 to 80 printable"),
            ("name", "The app", "another app is called"),
            ("name", "Pay\u202eme", "printable"),
            ("redirect_uris", "", "at least one redirect URI"),
            ("redirect_uris", "https://a.example/*\nhttps://ok.example\nfoo", "'https://a.example/*'"),
            ("redirect_uris", "https://ok.example\nhttps://a.example/#x\nfoo", "'foo'"),
            ("website", "javascript:alert(1)", "https"),
            ("privacy_policy", "data:text/html,x", "https"),
            ("terms", "http://terms.example", "https"),
            ("terms", "https://terms.example/%zz%(x)s{", "special character"),
            ("support_email", "nobody", "name@example.com"),
            ("support_phone", "call me", "telephone number"),
            ("description", "Medicare\u202e says: say yes", "printable"),
            ("description", "x" * 301, "300"),
            ("post_logout_redirect_uris", "foo", "'foo'"),
        ],
    )
    def test_is_told_at_its_field_and_in_the_summary_and_stays(self, refusal, field, typed, told):
        page = refusal({field: typed})
        (mistake,) = mistakes(page)
        assert told.lower() in mistake.lower()
        assert page.html.find(id=f"{field}-mistake").get_text(strip=True) == mistake
        stays = page.html.find(attrs={"name": field})
        assert stays.get("value", stays.get_text()).replace("\r", "").strip("\n") == typed

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"scopes": ()}, "at least one thing"),
            ({"scopes": ("openid",)}, "who the person is, or choose No"),
            ({"kind": "key"}, "one of the two"),
            ({"kind": "key", "jwks": "{"}, "not JSON"),
            ({"kind": "key", "jwks": '{"keys": [], "more": NaN}'}, "not JSON"),
            ({"kind": "key", "jwks": "[" * 20_000}, "not JSON"),
            ({"kind": "key", "jwks": '{"keys": [{"kid": "\\ud800"}]}'}, "printable"),
            ({"kind": "key", "jwks_uri": "http://x.example/jwks"}, "https"),
            ({"kind": "key", "jwks": "{}", "jwks_uri": "https://x.example/jwks"}, "one of the two"),
        ],
    )
    def test_together_makes_sense(self, refusal, fields, told):
        assert told in " ".join(mistakes(refusal(fields)))

    @pytest.mark.parametrize("field", ["asks_demographic", "kind", "access", "id_token_alg"])
    def test_is_one_of_the_choices(self, refusal, field):
        assert len(mistakes(refusal({field: "research"}))) == 1

    def test_is_text_and_a_file_in_place_of_the_ticket_is_none(self, server):
        fields = dict(filled(server).submit_fields("save"))
        ticket = [("ticket", "ticket.txt", fields.pop("ticket").encode())]
        server.post("/developer/apps/new", fields, upload_files=ticket, status=200)
        assert app_called(server)

    def test_of_scopes_is_what_is_offered(self, server):
        form = filled(server)
        form.fields["scopes"][0].checked = True
        form.fields["scopes"][0]._value = "system/*.read"
        form.submit("save", status=200)
        assert "system/*.read" not in app_called(server).scopes

    def test_is_shown_on_the_page_that_people_would_see_without_scripts_too(self, server):
        page = filled(server, preview_language="es", scopes=["openid"], asks_demographic="no").submit(
            "show", status=200
        )
        frame = page.html.find("iframe")["src"]
        assert page.forms["app-form"]["name"].value == "Mine"
        assert "Mine" in server.get(frame).text
        assert server.get(frame).html.find("html")["lang"] == "es"


class TestAChange:
    def test_is_made_and_on_record_and_people_read_what_they_may(self, server, mine):
        edit(
            server,
            mine,
            description="It counts <b>your</b> pills.",
            website="https://mine.example",
            support_email="help@mine.example",
            support_phone="+1 800 555 0100",
            id_token_alg="ES256",
            post_logout_redirect_uris="https://mine.example/bye",
        )
        client = app_called(server)
        assert (client.id_token_alg, client.post_logout_redirect_uris) == ("ES256", ["https://mine.example/bye"])
        event, details = events(server, client)[-1]
        assert event == "client.changed"
        assert details["changed"]["website"] == "https://mine.example"
        assert details["changed"]["support_email"] == details["changed"]["support_phone"] == "changed"
        server.client_id, server.redirect_uri = client.client_id, REDIRECT
        page = server.consent_page("openid patient/Coverage.read", lang="es")
        for words in ("dice de sí misma: “It counts <b>your</b> pills.”", "help@mine.example", "+1 800 555 0100"):
            assert words in page.html.find("main").get_text()

    def test_that_changes_nothing_is_no_event(self, server):
        register(server)
        mine = app_called(server)
        assert "Nothing has changed" in edit(server, mine).follow().text
        assert by_developer(server, mine) == ["client.registered"]

    def test_that_widens_says_so_before_and_after(self, server, mine):
        form = edit_form(server, mine)
        assert "must say yes again" in form.response.text
        fill(form, scopes=["openid"], asks_demographic="no")
        assert "stopped at once" in form.submit("save").follow().html.find("main").text
        widened = edit(server, mine, scopes=["openid", "patient/Coverage.read"])
        assert "must say yes again" in widened.follow().html.find("main").text

    def test_of_another_tab_is_not_overwritten_unseen(self, server, mine):
        early = fill(edit_form(server, mine), name="Early")
        edit(server, mine, name="Late", website="https://late.example")
        page = early.submit("save", status=409)
        assert "Different from what is there now: Name, Website." in page.text
        assert app_called(server, "Late")
        page.forms["app-form"].submit("save", status=303)
        assert app_called(server, "Early").website is None

    def test_of_an_operator_counts_as_another_tab(self, server, mine):
        form = edit_form(server, mine)
        with server.db() as db:
            client_ends.switch_off(db, db.get(Client, mine.client_id), client_ends.OPERATOR)
        form.submit("save", status=409)

    def test_from_a_secret_to_keys_to_public_and_back_gives_a_new_secret(self, server, mine):
        edit(server, mine, kind="key", jwks=key_set()[False])
        assert (app_called(server).has_keys, app_called(server).secret_hash) == (True, None)
        edit(server, mine, kind="public")
        assert app_called(server).public
        _client_id, secret = secret_of(edit(server, mine, status=200, kind="secret"))
        assert same_secret(secret, app_called(server).secret_hash)

    def test_leaves_what_an_operator_alone_may_choose(self, server, mine):
        with server.db() as db:
            db.get(Client, mine.client_id).access = "research"
        edit(server, mine, name="Study")
        assert app_called(server, "Study").access == "research"

    def test_leaves_what_an_app_has_of_a_plugin_that_is_gone(self, server, mine):
        with server.db() as db:
            db.get(Client, mine.client_id).scopes = ["gone", "openid", "profile"]
        assert "not offered here" in server.get(path_of(mine)).text
        edit(server, mine, scopes=["openid", "patient/Coverage.r"], asks_demographic="no")
        assert app_called(server).scopes == ["gone", "openid", "patient/Coverage.r"]

    def test_offers_what_is_deprecated_only_to_an_app_that_has_it(self, server, mine):
        deprecated = [replace(scope, deprecated=True) for scope in coverage.register_scopes()]
        plugin = SimpleNamespace(__name__="deprecating", register_scopes=hookimpl(lambda: deprecated))
        changed = copy.copy(server)
        changed.app = bb2.make_app(server.settings, server.engine, {"a": openid, "b": plugin}, None)
        assert "patient/Coverage" not in new_form(changed).text
        assert "patient/Coverage.read" in edit_form(changed, mine).text


class TestAnotherDeveloper:
    def test_finds_no_such_page(self, server, mine):
        server.reset()
        developer_of(server, "bea@example.com")
        token = new_form(server)["csrf_token"].value
        for act in ACTS:
            server.get(path_of(mine, act), status=404)
            server.get(f"/developer/apps/{server.client_id}/{act}".rstrip("/"), status=404)  # an operator's
            server.get(f"/developer/apps/none/{act}".rstrip("/"), status=404)
            if act:
                server.post(path_of(mine, act), {"csrf_token": token, "name": mine.name}, status=404)
        assert app_called(server).disabled_at is None
        assert "Mine" not in server.get("/developer/apps").text

    def test_who_is_not_signed_in_is_led_there_and_back(self, server, mine):
        server.reset()
        for act in ACTS:
            answer = server.get(path_of(mine, act), status=303)
            assert "/developer/sign-in?next=" in answer.location

    def test_form_of_another_session_does_nothing(self, server, mine):
        server.post(path_of(mine, "delete"), {"name": "Mine"}, status=400)
        assert app_called(server)


class TestASecret:
    def test_is_made_anew_with_an_overlap_that_can_be_cut_short(self, server, mine):
        page = press(server, mine, "secret", status=200, button="rotate")
        _client_id, secret = secret_of(page)
        client = app_called(server)
        assert same_secret(secret, client.secret_hash)
        assert client.previous_secret_hash == mine.secret_hash
        assert "Two secrets count" in server.get(path_of(mine)).text
        assert secret not in server.get(path_of(mine, "secret")).text
        assert "counts no more" in page.forms[0].submit("stop", status=303).follow().text
        assert app_called(server).previous_secret_hash is None
        assert by_developer(server, mine)[1:] == ["client.secret_rotated", "client.secret_stopped"]

    def test_is_one_of_a_button_that_is_pressed_twice_and_none_of_a_page_that_is_old(self, server, mine):
        old_page = server.get(path_of(mine, "secret")).forms[0]
        once, twice = (secret_of(old_page.submit("rotate", status=200)) for _ in range(2))
        assert once == twice
        assert app_called(server).previous_secret_hash == mine.secret_hash  # what the app's servers have counts on
        press(server, mine, "secret", status=200, button="rotate")
        before = app_called(server).secret_hash
        assert "Two secrets count" in old_page.submit("rotate", status=200)
        assert app_called(server).secret_hash == before

    def test_is_none_of_a_public_app(self, server):
        register(server, kind="public")
        assert "has no secret" in server.get(path_of(app_called(server), "secret")).text


class TestOffAndOn:
    def test_by_its_developer(self, server, mine):
        press(server, mine, "disable", button="disable")
        assert app_called(server).disabled_by == "developer"
        assert "Switched off by you" in server.get("/developer/apps").text
        press(server, mine, "disable", button="enable")
        assert app_called(server).disabled_at is None
        assert by_developer(server, mine)[1:] == ["client.disabled", "client.enabled"]

    def test_by_an_operator_is_told_with_whom_to_ask(self, server, mine):
        with server.db() as db:
            client_ends.switch_off(db, db.get(Client, mine.client_id), client_ends.OPERATOR)
        page = server.get(path_of(mine))
        assert "has switched this app off" in page.text
        assert server.settings.support_phone in page.text
        assert send_enable(server, mine).status_int == 403
        assert app_called(server).disabled_at


class TestDeleting:
    def test_asks_for_the_name_and_is_gone(self, server, mine):
        assert mistakes(press(server, mine, "delete", status=422, name="Nine"))
        assert "is deleted" in press(server, mine, "delete", name=" mine ").follow().text
        server.get(path_of(mine), status=404)
        assert by_developer(server, mine)[-1] == "client.deleted"
        register(server)

    def test_and_registering_with_the_same_form_again_makes_another(self, server):
        form = filled(server)
        form.submit("save", status=200)
        press(server, app_called(server), "delete", name="Mine")
        form.submit("save", status=200)


class TestALogo:
    def send(self, server, client, data, status=303):
        form = server.get(path_of(client, "logo")).forms[0]
        form["logo"] = ("face.png", data)
        return form.submit("save", status=status)

    def test_is_kept_shown_and_taken_away(self, server, mine):
        self.send(server, mine, picture())
        logo = server.get(path_of(mine)).html.find("img", class_="logo")["src"]
        assert server.get(logo).content_type == "image/png"
        press(server, mine, "logo", button="remove")
        assert app_called(server).logo is None
        assert by_developer(server, mine)[1:] == ["client.changed", "client.changed"]

    def test_that_is_none_is_told_at_its_field(self, server, mine):
        for data, told in ((b"<svg/>", "PNG or JPEG"), (b"", "Choose a picture"), (b"x" * 300_000, "100 KB")):
            assert told in mistakes(self.send(server, mine, data, status=422))[0]

    def test_of_almost_100_kb_is_taken_and_of_megabytes_is_told_on_a_page(self, server, mine):
        noise = io.BytesIO()
        Image.effect_noise((300, 310), 90).save(noise, "PNG")
        assert 80_000 < len(noise.getvalue()) < 100_000
        self.send(server, mine, noise.getvalue())
        page = self.send(server, mine, b"x" * 1_100_000, status=413)
        assert "The picture is too large" in page.text
        assert page.html.find("a", string="Choose another picture")["href"] == path_of(mine, "logo")

    def test_makes_room_on_its_own_page_only(self, server, mine):
        server.post(path_of(mine, "edit"), {"x": "x" * 100_000}, status=413)


def test_two_requests_at_once_make_one_app(make_server):
    server = make_server()
    developer_of(server)
    form = dict(filled(server).submit_fields("save"))
    cookies = dict(server.cookies)
    answers = together(*[lambda: post(server.app, "/developer/apps/new", form, cookies)] * 2)
    assert sorted(answer.status_int for answer in answers) == [200, 303]


@pytest.mark.parametrize(("path", "button"), [("/developer/apps/new", "save"), ("/developer/account/about", None)])
def test_nothing_comes_of_a_form_while_whose_developer_closes_the_account(postgresql, path, button):
    server = ConsentServer(*BUILT_IN, engine=emptied(postgresql))
    developer = developer_of(server)
    form = filled(server) if button else next(f for f in server.get(path).forms.values() if "name" in f.fields)

    def close():
        with server.db() as db:
            accounts.close(db, accounts.lock(db, developer.id))

    with just_before(server.engine, "FOR UPDATE", close):
        assert form.submit(button, status=303).location == "http://localhost/developer/sign-in"
    with server.db() as db:
        assert db.get(Developer, developer.id).name == ""
        assert db.query(Client).filter_by(developer_id=developer.id).count() == 0


def test_an_app_that_is_switched_on_while_its_developer_closes_the_account_goes_all_the_same(postgresql):
    server = ConsentServer(*BUILT_IN, engine=emptied(postgresql))
    developer_of(server)
    register(server)
    id = app_called(server).client_id
    change(server, Client, disabled_at=utcnow(), disabled_by="developer")
    with just_before(server.engine, "FOR NO KEY UPDATE", lambda: change(server, Client, disabled_at=None)):
        send(server, "/developer/account/close", email=ADA, current=PASSWORD)
    with server.db() as db:
        gone = db.get(Client, id)
        assert gone.deleted_at
        assert gone.disabled_at


def test_an_app_that_has_the_name_of_the_viewer_stays_its_developers(server):
    register(server, VIEWER)
    with server.db() as db:
        ensure_viewer(db, server.scopes, server.settings.base_url)
    assert app_called(server, VIEWER).redirect_uris == [REDIRECT]


def test_the_list_of_a_developer_without_apps_leads_to_the_form():
    server = ConsentServer(*BUILT_IN)
    developer_of(server)
    server.get("/developer/apps").click("Register an app")


def test_of_two_developers_who_take_a_name_at_once_one_gets_it_and_the_other_is_told(make_server):
    server, sent = make_server(), []
    for email in "ada@example.com", "bea@example.com":
        server.reset()
        developer_of(server, email)
        sent.append((dict(filled(server).submit_fields("save")), dict(server.cookies)))
    answers = together(
        *[lambda f=form, c=cookies: post(server.app, "/developer/apps/new", f, c) for form, cookies in sent]
    )
    registered, told = sorted(answers, key=lambda answer: answer.status_int)
    assert (registered.status_int, told.status_int in (409, 422)) == (200, True)
    assert "Another app is called" in told.text
    assert app_called(server)
