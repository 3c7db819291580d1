"""The test client: a developer's first call, on the pages, over the wire."""

import sys
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pyramid.response import Response
from sqlalchemy import select

from bb2.clock import now
from bb2.models import AccessToken, Client, ClientTrial, Developer, DeveloperSession
from bb2.oauth.clients import add_client
from bb2.oauth.secrets import hashed, new_secret
from bb2.sandbox.demo import ensure_demo_client, read_demo_client
from bb2.scopes import Endpoint, Parameter, Scope, Words, hookimpl
from bb2.sweep import sweep
from bb2.testing import ALICE, BOB, ConsentServer, consent_form, record
from built_in import BUILT_IN

pytestmark = pytest.mark.either_database

SIDE = Parameter(name="side", summary="Which side", values=("front", "back"))
SIZE = Parameter(name="size", summary="How large it is drawn", values=("small", "large"))
CARD = Endpoint(path="card/{side}", summary="The card, drawn", parameters=(SIDE, SIZE))
PAGE = Endpoint(path="card-page")
EOB, COVERAGE, PATIENT, USERINFO = (
    "/v2/fhir/ExplanationOfBenefit",
    "/v2/fhir/Coverage",
    "/v2/fhir/Patient",
    "/v2/connect/userinfo",
)
OPEN = dict.fromkeys((EOB, COVERAGE, PATIENT, USERINFO, "/v2/card/front", "/v2/card/back", "/v2/card-page"), 200)
CALLBACK = "http://localhost/testclient/callback"


@hookimpl
def register_scopes():
    """A scope whose endpoints are not FHIR."""
    return Scope(name="card", consent=Words("Your card", es="Su tarjeta"), demographic=False, endpoints=(CARD, PAGE))


@hookimpl
def configure(config):
    def card(request):
        return Response(b"\x89PNG", content_type="image/png")

    def page(request):
        return Response(b"<script>alert(1)</script>", content_type="text/html")

    config.add_protected_view(card, CARD, renderer=None)
    config.add_protected_view(page, PAGE, renderer=None)


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    var = tmp_path_factory.mktemp("testclient")
    server = ConsentServer(*BUILT_IN, sys.modules[__name__], settings={"bb2.var": str(var)})
    with server.db() as db:
        ensure_demo_client(db, server.scopes, var, server.settings.base_url)
        for id, patient in (("a-1", ALICE), ("b-1", BOB)):
            server.load(db, [record(resource, id, patient) for resource in server.scopes.resources.values()])
    return server


@pytest.fixture
def server(one_server):
    one_server.reset()
    one_server.signed_in = None
    return one_server


@pytest.fixture(scope="module")
def bobs_trial(one_server):
    """(The page of the tokens, the cookies of the browser) of a trial as Bob, whom no other trial is as."""
    one_server.reset()
    page = connect(one_server, username="bob")
    return page, list(one_server.cookiejar)


@pytest.fixture
def connected(bobs_trial, server):
    """The page of the tokens of Bob's trial, in its browser: for tests that change nothing of it."""
    page, cookies = bobs_trial
    for cookie in cookies:
        server.cookiejar.set_cookie(cookie)
    return page


def begin(server, answer="connect", **chosen):
    """Send the form of the start page, as it stands but for what is `chosen`."""
    form = server.get("/testclient").forms[0]
    for name, value in chosen.items():
        form[name] = value
    return form.submit("answer", value=answer)


def connect(server, *, username="alice", demographic="share", answer="yes", **chosen):
    """From the start page to the page of the tokens."""
    server.sign_in(username)
    form = consent_form(begin(server, **chosen).follow().follow())
    form["demographic"] = demographic
    return form.submit("answer", value=answer).follow().follow()


def statuses(page):
    """{path: status} of the calls that the page has made."""
    calls = [call.get_text().split() for call in page.html.select(".calls li > span")]
    return {path: int(status) for _get, path, status, *_phrase in calls}


def text(page):
    return page.html.find("main").get_text(" ", strip=True)


def act(page, answer):
    form = next(form for form in page.forms.values() if form.action == "/testclient/act")
    return form.submit("answer", value=answer).follow()


def call(server, path, status=200):
    return server.get(f"/testclient/call{path}", status=status)


# The way there


def test_a_yes_opens_every_endpoint(connected):
    assert statuses(connected) == OPEN


def test_version_1_is_asked_as_well(server):
    assert set(statuses(connect(server, version="v1"))) == {path.replace("v2", "v1") for path in OPEN}


def test_without_personal_information_patient_and_userinfo_are_refused_and_the_page_says_what_was_left_out(server):
    page = connect(server, demographic="withhold")
    assert statuses(page) == OPEN | {PATIENT: 403, USERINFO: 403}
    left_out = page.html.find("b", string="Asked for and not granted:").parent
    assert [code.text for code in left_out.find_all("code")] == ["patient/Patient.read", "profile"]
    refused = call(server, PATIENT)
    assert "did not share their demographic information" in text(refused)
    assert 'error="insufficient_scope"' in text(refused)


def test_a_no_is_explained_and_leads_on(server):
    page = connect(server, answer="no")
    assert "access_denied" in text(page)
    assert statuses(page) == {}
    assert page.html.find("a", string="Connect again")["href"].startswith("/testclient?")


def test_the_request_is_shown_before_it_is_sent(server):
    page = begin(server, "show", language="es")
    start = page.html.select_one("main a.button")["href"]
    asked = parse_qs(urlsplit(start).query)
    assert f"GET {start} HTTP/1.1" in text(page)
    assert (asked["lang"], asked["code_challenge_method"]) == (["es"], ["S256"])
    assert asked["state"][0] in text(page)


def test_each_step_is_shown_as_on_the_wire(server, connected):
    wire = [pre.get_text() for pre in connected.html.find_all("pre")]
    assert wire[0].startswith("GET /v2/o/authorize/?response_type=code&client_id=")
    assert wire[1].startswith("GET /testclient/callback?code=")
    secret = read_demo_client(server.settings.var)["client_secret"]
    assert wire[2].startswith("POST /v2/o/token/ HTTP/1.1\nHost: localhost\nContent-Type: application/x-www-form")
    assert f"client_secret={secret}" in wire[2]
    assert wire[3].startswith("HTTP/1.1 200 OK\nContent-Type: application/json")
    assert '"token_type": "Bearer"' in wire[3]
    assert wire[4].startswith("curl -i -d ")


def test_only_the_scopes_that_are_picked_are_asked_for(server):
    server.sign_in()
    form = server.get("/testclient").forms[0]
    form.set("scope", True, index=[box._value for box in form.fields["scope"]].index("patient/Coverage.read"))
    consent = consent_form(form.submit("answer", value="connect").follow().follow())
    page = consent.submit("answer", value="yes").follow().follow()
    assert statuses(page) == dict.fromkeys(OPEN, 403) | {COVERAGE: 200}


def test_the_answer_can_be_read_again_and_its_address_holds_no_code(server, connected):
    assert connected.request.query_string == ""
    assert statuses(server.get("/testclient/callback")) == OPEN


def test_an_answer_that_is_brought_back_twice_is_exchanged_once(server):
    server.sign_in()
    form = consent_form(begin(server).follow().follow())
    back = form.submit("answer", value="yes")
    back.follow()
    assert statuses(server.get(back.location).follow()) == OPEN


def test_the_answer_of_another_trial_is_refused(server):
    begin(server)
    page = server.get("/testclient/callback?code=of-another&state=another", status=400)
    assert "belongs to another trial" in text(page)
    assert page.html.find("main").find("a")["href"] == "/testclient"


def test_who_comes_with_nothing_is_led_to_the_start(server):
    assert server.get("/testclient/callback", status=400).html.find("main").find("a")["href"] == "/testclient"
    assert server.get("/testclient/callback?state=x", status=400).html.find("main").find("a")["href"] == "/testclient"


def test_a_request_that_the_server_refuses_is_explained(server):
    begun = begin(server, "show")
    state = parse_qs(urlsplit(begun.html.select_one("main a.button")["href"]).query)["state"][0]
    answer = f"/testclient/callback?error=invalid_scope&error_description=Too+much&state={state}"
    assert "invalid_scope : Too much" in text(server.get(answer).follow())


# Who is who


def test_who_is_signed_in_goes_on_and_another_person_signs_in_anew(server):
    server.sign_in()
    people = server.get("/testclient").forms[0].fields["person"][0]
    assert people.options[0][0] == "here"
    assert people.options[0][2].startswith("alice")
    assert "prompt" not in begin(server).location
    assert "prompt=login" in begin(server, person="").location


def test_whoever_signs_in_or_out_meanwhile_the_forms_of_a_trial_work(server):
    begun = server.get("/testclient").forms[0]
    page = server.get("/sign-in").forms[0]
    page["username"], page["password"] = "alice", "correct horse"
    page.submit("answer", value="sign-in")
    assert "/o/authorize/" in begun.submit("answer", value="connect").location
    tokens = connect(server)
    server.post("/sign-out", {"csrf_token": server.get("/connections").forms[0]["csrf_token"].value})
    assert '"active": true' in text(act(tokens, "introspect"))


def test_a_trial_that_was_forgotten_says_so_and_leads_on(server):
    form = server.get("/testclient").forms[0]
    tokens = connect(server)
    with server.db() as db:
        trial = db.get(ClientTrial, hashed(server.cookies["testclient"]))
        trial.created_at, trial.seen_at = (then - timedelta(hours=13) for then in (trial.created_at, trial.seen_at))
    assert sweep(server.engine, server.settings)["client_trial"] > 0
    assert "This trial has ended" in text(form.submit("answer", value="connect", status=400))
    page = tokens.forms
    ended = next(f for f in page.values() if f.action == "/testclient/act").submit(
        "answer", value="refresh", status=400
    )
    assert ended.html.find("main").find("a")["href"] == "/testclient"


def test_nothing_that_opens_anything_is_readable_in_the_database(server, connected):
    token = connected.text.split("&#34;access_token&#34;: &#34;")[1].split("&#34;")[0]
    with server.db() as db:
        assert db.scalar(select(AccessToken).where(AccessToken.token_hash == hashed(token)))
        for trial in db.scalars(select(ClientTrial)):
            assert token not in str(vars(trial))
            assert read_demo_client(server.settings.var)["client_secret"] not in str(vars(trial))


# What can be called


def test_a_search_has_a_form_with_its_parameters_pages_and_records_to_read(server, connected):
    page = call(server, f"{EOB}?_count=1&type=&service-date=")
    assert f"GET {EOB}?_count=1 HTTP/1.1" in text(page)
    names = [field["name"] for field in page.html.select("form.search :is(input, select)")]
    assert {"type", "service-date", "_count"} <= set(names)
    assert "carrier" in [option.text for option in page.html.select("#search-type option")]
    read = page.html.find("a", string="ExplanationOfBenefit/b-1")["href"]
    assert '"resourceType": "ExplanationOfBenefit"' in text(server.get(read))


def test_the_next_page_is_a_link(server, connected):
    page = call(server, f"{COVERAGE}?_count=0")
    assert "1 record in all" in text(page)
    page = call(server, f"{EOB}?_count=1")
    first = page.html.find("a", string="First page")["href"]
    assert first.startswith(f"/testclient/call{EOB}?")
    assert "200 OK" in text(server.get(first))


def test_a_wrong_value_is_told_in_the_servers_words(server, connected):
    assert "service-date" in call(server, f"{EOB}?service-date=yesterday").html.select_one(".warning b").text


def test_an_id_goes_into_the_path(server, connected):
    form = next(f for f in connected.forms.values() if f.action.endswith("Coverage/{id}"))
    form["id"] = " b-1 "
    assert form.submit().location == f"http://localhost/testclient/call{COVERAGE}/b-1"
    form["id"] = ""
    assert "An id is missing" in text(form.submit(status=400))
    form["id"] = "../../x?y"
    assert "Nothing can be tried" in text(form.submit().follow(status=404))


def test_the_id_of_the_persons_own_record_is_filled_in(connected):
    form = next(f for f in connected.forms.values() if f.action.endswith("Patient/{id}"))
    assert form["id"].value == BOB
    assert f'"id": "{BOB}"' in text(form.submit().follow())


def test_a_picture_is_named_and_can_be_opened(server, connected):
    page = call(server, "/v2/card/front")
    assert "(image/png, 4 bytes)" in text(page)
    assert "The card, drawn" in text(page)
    assert [option.text for option in page.html.select("#search-size option")] == ["any", "small", "large"]
    opened = server.get(page.html.select_one("main a.button")["href"])
    assert (opened.content_type, opened.body) == ("image/png", b"\x89PNG")


def test_no_answer_runs_as_a_page_of_ours(server, connected):
    assert "<script>alert" not in call(server, "/v2/card-page").text
    assert server.get("/testclient/open/v2/card-page").content_type == "text/plain"


def test_what_no_scope_opens_and_nobody_publishes_is_not_called(server, connected):
    for path in ("/connections", "/testclient", "/v2/o/authorize", "/v2/fhir/Claim", "//example.org", "/v2/o/token"):
        assert "Nothing can be tried" in text(call(server, path, status=404))
        server.get(f"/testclient/open{path}", status=404)


def test_every_published_document_is_listed_and_answers(server, connected):
    documents = connected.html.find("h2", string="What anybody may read").find_all_next("a", href=True)
    found = [link["href"] for link in documents if "/testclient/call/" in link["href"]]
    assert len(found) == 5
    for href in found:
        assert "200 OK" in text(server.get(href)), href


def test_without_a_token_a_protected_call_says_what_to_do(server):
    page = call(server, EOB)
    assert "401 Unauthorized" in text(page)
    assert page.html.find("a", string="connect first")["href"].endswith("/testclient")


# What becomes of the tokens


def test_refreshed_introspected_and_revoked_each_is_shown(server):
    page = act(connect(server), "refresh")
    assert "grant_type=refresh_token" in text(page)
    assert statuses(page) == OPEN
    page = act(page, "introspect")
    assert '"active": true' in text(page)
    page = act(page, "revoke")
    assert statuses(page) == dict.fromkeys(OPEN, 401)
    assert "opens nothing any more" in text(page)
    assert "may now read" not in text(page)
    assert "not good any more" in text(call(server, EOB))
    assert "400 Bad Request" in text(act(page, "refresh"))


def test_the_consent_can_be_ended(server):
    page = act(connect(server), "end")
    assert "POST /v2/o/revoke/" in text(page)
    assert statuses(page) == dict.fromkeys(OPEN, 401)


# A developer's own app


@pytest.fixture
def developer(server):
    """Somebody who is signed in as a developer."""
    cookie = new_secret()
    with server.db() as db:
        moment = now(db)
        made = Developer(
            email=f"{cookie}@app.example", name="Dev", organization="App", password_hash="-", created_at=moment
        )
        session = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
        db.add(DeveloperSession(id_hash=hashed(cookie), developer=made, **session))
    server.set_cookie("developer", cookie)
    return made, cookie


def own_app(server, developer, name, redirect_uri=CALLBACK, **options):
    """An app of the developer: (its id, its secret)."""
    with server.db() as db:
        client, secret = add_client(db, server.scopes, name=name, redirect_uris=[redirect_uri], **options)
        client.developer_id = developer[0].id
        return client.client_id, secret


def play(server, developer, app, secret, status=303):
    server.sign_in()
    server.set_cookie("developer", developer[1])
    form = server.get("/testclient").forms[0]
    form["app"], form["secret"] = app, secret or ""
    return form.submit("answer", value="connect", status=status)


def test_an_app_of_the_developer_is_played_with_its_secret(server, developer):
    app, secret = own_app(server, developer, f"Own {new_secret()}, 100% mine")
    begun = play(server, developer, app, secret)
    page = consent_form(begun.follow().follow()).submit("answer", value="yes").follow().follow()
    assert statuses(page) == OPEN
    assert f"client_id={app}" in text(page)
    assert "Own" in text(page)


def test_a_public_app_of_the_developer_needs_no_secret(server, developer):
    app, _none = own_app(server, developer, f"Public {new_secret()}", public=True)
    begun = play(server, developer, app, None)
    page = consent_form(begun.follow().follow()).submit("answer", value="yes").follow().follow()
    assert statuses(page) == OPEN
    assert "client_secret" not in text(page)


def test_who_connects_an_own_app_again_need_not_type_its_secret_while_it_counts(server, developer):
    app, secret = own_app(server, developer, f"Again {new_secret()}")
    play(server, developer, app, secret)
    page = server.get("/testclient?person=")
    assert page.forms[0]["app"].value == app
    assert "This browser still holds that of Again" in text(page)
    assert page.forms[0].submit("answer", value="connect").status_int == 303
    with server.db() as db:
        db.get(Client, app).secret_hash = hashed(new_secret())
    page = page.forms[0].submit("answer", value="connect", status=422)
    assert "Paste the secret of Again" in text(page)
    assert "This browser still holds" not in text(page)


def test_a_wrong_secret_is_told_at_its_field(server, developer):
    app, _secret = own_app(server, developer, f"Wrong {new_secret()}")
    assert "Paste the secret of Wrong" in play(server, developer, app, None, status=422).text
    page = play(server, developer, app, "wrong", status=422)
    assert "This is not the secret of Wrong" in page.html.find(id="secret-mistake").text
    assert "wrong" not in page.html.find(id="secret").get("value", "")


def test_an_app_that_does_not_come_back_here_is_told_how_to(server, developer):
    app, _secret = own_app(server, developer, f"Elsewhere {new_secret()}", "https://app.example/callback")
    page = server.get("/testclient")
    assert f"/developer/apps/{app}/edit" in page.text
    assert CALLBACK in text(page)
    assert "another app does" not in text(page)
    assert "another app does" in text(server.get(f"/testclient?app={app}"))  # which its own page leads to


def test_another_developers_app_cannot_be_played(server, developer):
    app, _secret = own_app(server, developer, f"Mine {new_secret()}")
    server.reset()
    form = server.get("/testclient").forms[0]
    form["app"].force_value(app)
    page = form.submit("answer", value="connect", status=422)
    assert page.html.find("div", class_="problem")


def test_a_trial_with_an_own_app_ends_when_its_developer_signs_out(server, developer):
    app, secret = own_app(server, developer, f"Ends {new_secret()}")
    begun = play(server, developer, app, secret)
    page = consent_form(begun.follow().follow()).submit("answer", value="yes").follow().follow()
    assert secret in page.text
    server.set_cookie("developer", "nobody")
    assert secret not in server.get("/testclient/callback", status=400).text
    assert "401 Unauthorized" in text(call(server, EOB))


def test_an_app_that_is_switched_off_is_not_offered(server, developer):
    app, _secret = own_app(server, developer, f"Off {new_secret()}")
    with server.db() as db:
        db.get(Client, app).disabled_at = now(db)
    assert app not in server.get("/testclient").text


@pytest.mark.parametrize("path", ["/testclient/call/%ff", "/testclient/call/", "/testclient/call/v2/fhir/Coverage/%00"])
def test_an_address_that_makes_no_sense_leads_on(server, path):
    page = server.get(path, expect_errors=True)
    assert page.status_int < 500
    assert page.html.find("main").find("a")["href"]


def test_what_is_too_long_to_be_kept_is_no_dead_end(server):
    begun = begin(server, "show")
    state = parse_qs(urlsplit(begun.html.select_one("main a.button")["href"]).query)["state"][0]
    server.get(f"/testclient/callback?error=x&state={state}&more={'x' * 60_000}", status=303)
    page = server.get("/testclient/callback", expect_errors=True)
    assert page.html.find("main").find("a")["href"].startswith("/testclient")
    assert server.get("/testclient").forms[0]


def test_who_signs_in_as_a_developer_to_play_an_own_app_comes_back(server):
    way = server.get("/testclient").html.find("a", string="Sign in as a developer")["href"]
    assert 'value="/testclient"' in server.get(way).text


def test_no_other_site_begins_a_trial_or_ends_one(server, connected):
    for path in ("/testclient", "/testclient/act"):
        assert "This trial has ended" in text(server.post(path, {"answer": "end"}, status=400))
    assert statuses(server.get("/testclient/callback")) == statuses(connected) == OPEN
