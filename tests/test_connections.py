"""My connected apps: what each page says, how an app comes to see less or nothing more, and whose pages they are."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bb2.clock import EASTERN, utcnow
from bb2.consent import Choice, ConsentScreen, Line, NothingShared, Question
from bb2.models import AuditEvent, Client, Consent
from bb2.sharing import less, sharing
from bb2.testing import ALICE, ConsentServer, code_of, record
from built_in import BUILT_IN
from databases import statements
from oauth.steps import (
    EVERYTHING,
    another_app,
    another_browser,
    change,
    change_app,
    consents_of,
    earlier,
    newest_connection,
    opens,
    redeem,
    share_less,
    stop_form,
    told,
    trail,
)

PATIENT, PROFILE, CLAIMS, COVERAGE = (
    f"line-{family}" for family in ("patient/Patient", "profile", "patient/ExplanationOfBenefit", "patient/Coverage")
)
SENSITIVE = "sensitive-substance-use"


@pytest.fixture
def server():
    return nothing_counted(ConsentServer(*BUILT_IN))


def nothing_counted(server):
    """The server; what an earlier one on the same database has counted is forgotten."""
    server.app.registry["tally"].forget()
    return server


@pytest.fixture
def records():
    """A server with a Coverage that has a secret number of Alice's, and a claim."""
    server = ConsentServer(*BUILT_IN)
    resources = server.scopes.resources
    coverage = record(resources["Coverage"], "coverage", ALICE) | {"subscriberId": "her number"}
    claim = record(resources["ExplanationOfBenefit"], "claim", ALICE)
    with server.db() as db:
        server.load(db, [coverage, claim, {"resourceType": "Patient", "id": ALICE}])
    return server


def stop(server, path=None):
    return stop_form(server.get(f"{path or newest_connection(server)}/stop")).submit(status=303)


def text_of(page):
    return " ".join(page.html.find("main").get_text(" ").split())


def listed(page, heading):
    """The items of the list under a heading."""
    found = page.html.find("h2", string=heading)
    return [item.get_text() for item in found.find_next_sibling("ul").find_all("li")] if found else []


# The list


def test_the_list_says_since_when_until_when_and_when_it_was_read_last(server):
    token = server.grant()
    assert "Last read Never so far" in text_of(server.get("/connections"))
    server.fhir("Coverage", token)
    server.app.registry["tally"].flush()
    page = text_of(server.get("/connections"))
    day = r"[A-Z][a-z]+ \d{1,2}, \d{4}"
    assert re.search(rf"The App You said yes {day} Access Until {day} Last read {day} See or change", page)


def test_an_app_that_had_access_stays_in_the_history_ten_on_a_page(server):
    server.grant("openid patient/Coverage.read")
    with server.db() as db:
        first = db.get(Consent, 1)
        columns = [c.key for c in Consent.__table__.columns if c.key not in ("id", "request_id", "revoked_at")]
        again = {name: getattr(first, name) for name in columns}
        for _ in range(10):
            db.add(Consent(**again, revoked_at=utcnow()))
        first.replaced_at = utcnow()
    server.grant("openid patient/Coverage.read")
    page = server.get("/connections")
    assert len(page.html.select(".connection")) == 1
    seen = [item["href"] for item in page.html.select(".calls a")]
    page = page.click("Show older connections")
    seen += [item["href"] for item in page.html.select(".calls a")]
    assert page.html.select(".connection") == []
    assert seen == [f"/connections/{number}" for number in range(11, 0, -1)]
    assert "Back to my connected apps" in page.text
    assert "no earlier connections" in server.get("/connections?before=1").text


def test_a_yes_whose_code_nobody_redeemed_is_no_connection(server):
    server.approve(server.consent_page())
    assert "No app can see your Medicare information." in server.get("/connections").text
    server.get(newest_connection(server), status=404)


def test_a_page_costs_few_statements_however_many_apps_there_are(server):
    seen = []
    for apps in 1, 3:
        for _ in range(apps):
            another_app(server).grant("openid profile patient/Coverage.read")
        if apps == 1:
            stop(server, "/connections/1")
        with statements(server.engine) as sent:
            server.get("/connections")
        seen.append(len(sent))
        with statements(server.engine) as sent:
            server.get("/connections/2" if apps == 3 else "/connections/1")
        seen.append(len(sent))
    assert max(seen[0], seen[2]) <= 4
    assert max(seen[1], seen[3]) <= 5


# One connection


def test_what_is_left_out_on_the_authorization_page_stands_as_what_it_cannot_see(server):
    server.grant(EVERYTHING, leave_out=("profile", "patient/Coverage"))
    page = server.get(newest_connection(server))
    name = "Your name, address, birth date, race and sex, and your Medicare number"
    assert listed(page, "What The App can see") == ["Your Medicare claims", name]
    sensitive = "Claims about treatment for alcohol or drug use"
    assert listed(page, "What The App cannot see") == ["Your Medicare coverage", "The name on your account", sensitive]


def test_an_app_that_may_not_ask_any_more_who_the_person_is_cannot_see_it(server):
    server.grant()
    change_app(server, asks_demographic=False)
    page = server.get(newest_connection(server))
    assert "The name on your account" in listed(page, "What The App cannot see")
    assert "The name on your account" not in server.get(newest_connection(server) + "/less").text
    stop(server)  # and from now on it counts what was so at the end
    at_the_end = listed(server.get(newest_connection(server)), "What The App could see at the end")
    assert "The name on your account" in at_the_end


def test_an_app_that_asked_for_no_personal_information_is_said_to_have_none(server):
    server.grant("openid patient/Coverage.read")
    assert "Who you are is left out" in text_of(server.get(newest_connection(server)))


def test_the_words_agreed_to_are_in_the_language_of_then_and_the_page_in_that_of_now(server):
    server.grant(share_sensitive=["substance-use"], leave_out=("patient/Coverage",))
    page = server.get(newest_connection(server) + "?lang=es")
    assert "Sus reclamos de Medicare" in listed(page, "Lo que The App puede ver")
    agreed = next(each for each in page.html.find_all(lang="en") if "Your Medicare claims" in each.get_text())
    assert "Yes, share these claims" in agreed.get_text()


ENDINGS = {
    "You stopped sharing on": lambda server, token: stop(server),
    "The app ended the connection on": lambda server, token: server.post(
        "/v2/o/revoke/",
        {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret},
    ),
    "We ended the connection on": lambda server, token: change(
        server, Consent, revoked_at=utcnow(), revoked_by="server"
    ),
    "You connected this app anew on": lambda server, token: server.grant(),
    "The time that you agreed to was over on": lambda server, token: earlier(
        server, Consent, "granted_at", "activated_at", "expires_at", days=500
    ),
}


@pytest.mark.parametrize("said", ENDINGS)
def test_a_connection_that_has_ended_says_how_and_offers_nothing(server, said):
    token = server.grant()
    ENDINGS[said](server, token)
    page = server.get("/connections/1")
    assert f"This connection has ended. {said}" in text_of(page)
    assert "What The App could see at the end" in page.text
    assert not {"/connections/1/less", "/connections/1/stop"} & {link.get("href") for link in page.html.find_all("a")}
    connected = server.get("/connections")
    assert said in connected.text
    assert len(connected.html.select(".connection")) == (1 if "anew" in said else 0)
    for below in "less", "stop":
        assert server.get(f"/connections/1/{below}", status=303).location.endswith("/connections/1")


# The picture of what was read


def read(server, at, kind, outcome=200, count=1):
    with server.db() as db:
        (consent,) = consents_of(server)
        details = {"kind": kind, "version": "v2", "interaction": "read", "outcome": outcome, "count": count}
        whose = {"consent_id": consent.id, "beneficiary_id": consent.beneficiary_id, "client_id": server.client_id}
        db.add(AuditEvent(at=at, event="records.read", details=details, **whose))


def pictures(server):
    """{what was read: (the numbers in words, how many bars)}"""
    page = server.get(newest_connection(server)).html
    found = page.select("svg.bars")
    return {
        p.find_previous_sibling("h3").get_text(): (p.find_previous_sibling("p").get_text(), len(p.find_all("rect")))
        for p in found
    }


def test_the_picture_counts_what_was_answered_by_day_and_kind(server):
    server.grant()
    now = utcnow()
    for days, count in (0, 2), (1, 3), (1, 1), (45, 7):
        read(server, now - timedelta(days=days), "ExplanationOfBenefit", count=count)
    read(server, now, "Patient", outcome=403)
    read(server, now, "Patient", outcome=404)
    read(server, now, "connect/userinfo", outcome=200)
    read(server, now, "Plugin that is gone", outcome=304)
    once = ("Number of reads: 1. Days with reads: 1.", 1)
    assert pictures(server) == {
        "Your Medicare claims": ("Number of reads: 6. Days with reads: 2.", 2),
        "The name on your account": once,
        "Plugin that is gone": once,
    }
    rows = [row.get_text(" ") for row in server.get(newest_connection(server)).html.select("tbody tr")]
    assert [row.rpartition(" ")[2] for row in rows] == ["2", "1", "1", "4"]


def test_a_day_begins_at_midnight_in_eastern_time(server):
    server.grant()
    earlier(server, Consent, "granted_at", days=20)
    midnight = datetime.combine((utcnow() - timedelta(days=3)).astimezone(EASTERN).date(), datetime.min.time(), EASTERN)
    for seconds in -1, 1:
        read(server, midnight + timedelta(seconds=seconds), "Coverage")
    assert pictures(server)["Your Medicare coverage"] == ("Number of reads: 2. Days with reads: 2.", 2)


def test_an_app_that_read_nothing_lately_is_said_so(server):
    server.grant()
    assert "The App has not read any of your records." in text_of(server.get(newest_connection(server)))
    read(server, utcnow() - timedelta(days=40), "Coverage")
    page = text_of(server.get(newest_connection(server)))
    assert "It last read your records on" in page
    assert pictures(server) == {}


def test_the_picture_of_a_connection_that_has_ended_is_of_the_time_before_its_end(make_server):
    """On both databases: what was read is summed up in SQL of our own."""
    server = nothing_counted(make_server())
    token = server.grant()
    server.fhir("Coverage", token)
    server.api("connect/userinfo", token)
    server.app.registry["tally"].flush()
    stop(server)
    assert len(pictures(server)) == 2
    with server.db() as db:
        db.get(Consent, consents_of(server)[0].id).revoked_at -= timedelta(days=90)
    assert pictures(server) == {}
    assert "Last read" in server.get("/connections/1").text


# Share less


def test_the_next_patient_read_is_refused_and_claims_go_on(records):
    server = records
    token = server.grant(EVERYTHING)
    assert "her number" in server.fhir("Coverage/coverage", token).text
    done = share_less(server, PATIENT, PROFILE).follow()
    assert "The App now sees less" in done.html.find(class_="done").get_text()
    for path in f"fhir/Patient/{ALICE}", "connect/userinfo":
        assert "The beneficiary did not share" in server.api(path, token, status=403).text
    server.fhir("ExplanationOfBenefit/claim", token)
    assert "her number" not in server.fhir("Coverage/coverage", token).text
    asked = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    left = {"openid", "patient/Coverage.read", "patient/ExplanationOfBenefit.read"}
    assert set(server.post("/v2/o/introspect/", asked).json["scope"].split()) == left
    assert set(server.refresh(token)["scope"].split()) == left


def test_a_line_that_is_dropped_is_refused_in_words_that_say_who_left_it_out(records):
    server = records
    token = server.grant(EVERYTHING)
    share_less(server, COVERAGE)
    refused = server.fhir("Coverage", token, status=403)
    assert "The beneficiary left this out" in refused.text
    server.fhir(f"Patient/{ALICE}", token)


def test_a_name_that_is_no_longer_shared_leaves_the_id_token(server):
    page = server.consent_page(EVERYTHING, claims='{"id_token": {"name": null}}')
    form = server.token_request(server.approve(page).location.partition("code=")[2].partition("&")[0])
    token = server.post("/v2/o/token/", form).json
    claims_of = server.app.registry["signing_keys"].claims_of
    assert claims_of(token["id_token"])["name"] == "Alice Doe"
    share_less(server, PROFILE)
    assert "name" not in claims_of(server.refresh(token)["id_token"])


def test_a_token_that_names_a_permission_in_another_spelling_is_cut_too(server):
    token = server.refresh(server.grant(EVERYTHING), scope="patient/Patient.r patient/Coverage.rs")
    share_less(server, PATIENT)
    assert opens(server, token, f"fhir/Patient/{ALICE}") == 403
    assert opens(server, token, "fhir/Coverage") == 200


def test_sensitive_records_leave_with_their_answer_or_with_their_line(server):
    for dropped in SENSITIVE, CLAIMS:
        server.grant(share_sensitive=["substance-use"])
        share_less(server, dropped)
        assert consents_of(server)[-1].share_sensitive == {"substance-use": False}


def test_the_trail_has_what_was_dropped_and_in_which_words(server):
    server.grant(EVERYTHING, share_sensitive=["substance-use"])
    server.get("/?lang=es")
    share_less(server, COVERAGE, SENSITIVE)
    said = told(server, "consent.narrowed").details
    assert said["dropped"] == ["patient/Coverage", "substance-use"]
    assert said["left_out"] == ["patient/Coverage"]
    assert said["share_sensitive"] == {"substance-use": False}
    assert said["shown"]["dropped"][0] == "Su cobertura de Medicare"
    assert "patient/Coverage.read" in told(server, "consent.given").details["scopes"]
    assert "Your Medicare coverage" in str(consents_of(server)[-1].shown)


def test_to_take_everything_out_changes_nothing_and_asks_whether_to_stop(server):
    token = server.grant(EVERYTHING)
    asked = share_less(server, PATIENT, PROFILE, CLAIMS, COVERAGE, SENSITIVE).follow()
    assert "You took everything out" in asked.text
    assert opens(server, token) == 200
    stop_form(asked).submit(status=303)
    assert opens(server, token) == 401


def test_to_take_nothing_out_changes_nothing(server):
    server.grant(EVERYTHING)
    assert "Nothing has changed" in share_less(server).follow().text
    assert "consent.narrowed" not in [each.event for each in trail(server)]


def test_a_form_that_says_more_than_is_shared_adds_nothing(server):
    server.grant(EVERYTHING, share_demographic=False)
    page = server.get(newest_connection(server) + "/less")
    csrf = page.forms[0]["csrf_token"].value
    kept = [("kept", field) for field in (PATIENT, PROFILE, CLAIMS, COVERAGE, SENSITIVE, "line-openid", "line-x", "")]
    before = consents_of(server)[-1].scopes
    server.post(newest_connection(server) + "/less", [("csrf_token", csrf), *kept], status=303)
    consent = consents_of(server)[-1]
    assert (consent.scopes, consent.share_demographic, consent.share_sensitive) == (
        before,
        False,
        {"substance-use": False},
    )


def test_a_form_of_before_another_tab_narrowed_adds_nothing_back(server):
    token = server.grant(EVERYTHING)
    page = server.get(newest_connection(server) + "/less")
    share_less(server, PATIENT)
    page.forms[0].submit(status=303)
    assert opens(server, token, f"fhir/Patient/{ALICE}") == 403


def test_one_thing_alone_cannot_be_made_less(server):
    server.grant("openid patient/Coverage.read")
    path = newest_connection(server)
    assert f"{path}/less" not in server.get(path).text
    assert server.get(f"{path}/less", status=303).location.endswith(path)


# Stop


def test_stopping_closes_the_app_at_once_and_says_that_copies_stay_and_where_its_policy_is(server):
    token = server.grant()
    with server.db() as db:
        db.get(Client, server.client_id).privacy_policy = "https://app.example/privacy"
    asked = server.get(newest_connection(server) + "/stop")
    assert "Copies stay with the app." in asked.text
    assert asked.html.find("a", href="https://app.example/privacy")
    assert opens(server, token) == 200
    done = stop_form(asked).submit(status=303).follow()
    assert "The App no longer has access" in done.html.find(class_="done").get_text()
    assert opens(server, token) == 401
    assert done.click("See the receipt").html.find("h1").get_text() == "You stopped sharing with The App"


def test_stopping_twice_stops_once(server):
    server.grant()
    form = stop_form(server.get(newest_connection(server) + "/stop"))
    form.submit(status=303)
    assert "This connection has ended." in form.submit(status=303).follow().text
    assert [each.event for each in trail(server)].count("consent.revoked") == 1


def test_a_connection_in_force_is_never_called_ended(server):
    server.grant()
    assert server.get("/connections", {"ended": "1"}).html.find(class_="done") is None
    assert server.get("/connections", {"ended": "all"}).html.find(class_="done") is None


def test_ending_all_ends_each_and_names_each_before(server):
    other = another_app(server)
    tokens = [(server, server.grant()), (other, other.grant())]
    asked = server.get("/connections").click("Stop sharing with all apps")
    assert "The App" in text_of(asked)
    done = stop_form(asked).submit(status=303).follow()
    assert "No app has access any more" in done.text
    assert [opens(*each) for each in tokens] == [401, 401]
    assert server.get("/connections/stop", status=303).location.endswith("/connections")


@pytest.mark.parametrize("act", [stop, lambda *which: share_less(which[0], PROFILE, path=which[1])])
def test_a_code_that_is_out_when_less_is_shared_brings_nothing_back(server, act):
    token = server.grant(EVERYTHING)
    newest = newest_connection(server)
    code = code_of(server.approve(server.consent_page(EVERYTHING)))
    act(server, newest)
    assert redeem(server, code, status=400)["error"] == "invalid_grant"
    assert opens(server, token, "connect/userinfo") in (401, 403)


# Whose pages they are

BELOW = ("", "/less", "/stop")


def test_another_persons_connection_is_as_unknown_as_none(server):
    token = server.grant()
    mine, other = newest_connection(server), another_browser(server)
    other.sign_in("bob")
    csrf = other.get("/connections").forms[0]["csrf_token"].value
    for below in BELOW:
        his, nobodys = (other.get(path + below, status=404) for path in (mine, "/connections/9"))
        assert his.text.replace(f"{mine}{below}", "") == nobodys.text.replace(f"/connections/9{below}", "")
    for below in BELOW[1:]:
        other.post(mine + below, {"csrf_token": csrf}, status=404)
    assert "The App" not in other.get("/connections", {"ended": mine.rpartition("/")[2]}).text
    assert opens(server, token) == 200


def test_what_is_no_number_is_not_found(server):
    server.sign_in()
    for odd in "0", "x", "-1", "1" * 40, "%00", "%D9%A3", "1.5", "2147483648":
        for below in BELOW:
            server.get(f"/connections/{odd}{below}", status=404)
        assert server.get(f"/connections?before={odd}&ended={odd}").html.find(class_="done") is None


def test_whoever_is_not_signed_in_is_led_to_the_sign_in(server):
    server.grant()
    stranger = another_browser(server)
    for path in "/connections", "/connections/stop", "/connections/1", "/connections/1/less", "/connections/receipts":
        assert stranger.get(path, status=303).location.endswith("/sign-in")


# The rule, for any page and any form


def screens():
    """Pages of two lines about records, two about the person and one about neither; and a question about the first."""
    return ConsentScreen(
        client_name="The App",
        language="en",
        access="ongoing",
        expires_at=None,
        demographic_default="share",
        lines=tuple(
            Line((f"{name}.read",), name, "", demographic=who, opens_records=opens)
            for name, who, opens in [
                ("patient/A", False, True),
                ("patient/B", False, True),
                ("patient/P", True, True),
                ("profile", True, True),
                ("openid", False, False),
            ]
        ),
        questions=(Question("q", "Q", "Q?", "", "Yes", "No", families=("patient/A",)),),
        item_by_item=True,
    )


SCREEN = screens()
FIELDS = [*(line.field for line in SCREEN.lines), "sensitive-q", "line-unknown"]


@settings(max_examples=60, deadline=None)
@given(
    shared=st.sets(st.sampled_from(FIELDS)),
    kept=st.sets(st.sampled_from(FIELDS)),
    again=st.sets(st.sampled_from(FIELDS)),
)
def test_whatever_a_form_keeps_is_shared_before_and_nothing_comes_back(shared, kept, again):
    scopes = [name for line in SCREEN.lines if line.field in shared for name in line.scopes]
    who = any(line.field in shared for line in SCREEN.demographic)
    choice = Choice(who, (), {"q": "sensitive-q" in shared and "line-patient/A" in shared})
    for fields in kept, again:
        before = sharing(SCREEN, scopes, choice.share_sensitive)
        try:
            change = less(SCREEN, scopes, choice, fields)
        except NothingShared:
            assert not any(line.field in fields for line in SCREEN.lines if line in before.shared)
            return
        after = sharing(SCREEN, change.scopes, change.choice.share_sensitive)
        assert set(after.shared) | set(change.dropped) == set(before.shared)
        assert {item.field for item in after.shared} <= fields
        assert set(change.scopes) <= set(scopes)
        assert not change.choice.share_demographic or any(isinstance(i, Line) and i.demographic for i in after.shared)
        assert set(SCREEN.granted(change.choice)) >= set(change.scopes)
        scopes, choice = change.scopes, change.choice
