"""The authorization page: what it asks, what each answer grants, and that nothing turns a No into a Yes."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bb2.clock import add_months, utcnow
from bb2.models import AuthorizationRequest, BrowserSession
from bb2.testing import ALICE, BOB, PASSWORD, STATE, answer_of, code_of, consent_form
from oauth.steps import (
    EVERYTHING,
    LESS,
    another_app,
    answer,
    change,
    change_app,
    consents_of,
    earlier,
    error_of,
    opens,
    redeem,
    told,
    trail,
)

pytestmark = pytest.mark.either_database

DEMOGRAPHIC = set(EVERYTHING.split()) - set(LESS.split())


def scopes(token):
    return set(token["scope"].split())


@pytest.fixture
def server(make_server):
    return make_server()


class TestTheTable:
    """contract.md, "Consent": what the app is registered for, what the person chooses, what the token holds."""

    def test_share_grants_what_was_asked_for(self, server):
        token = redeem(server, answer(server.consent_page(EVERYTHING), demographic="share"))
        assert scopes(token) == set(EVERYTHING.split())
        assert opens(server, token, "fhir/Patient") == opens(server, token, "connect/userinfo") == 200

    def test_do_not_share_grants_the_same_without_who_the_person_is(self, server):
        token = redeem(server, answer(server.consent_page(EVERYTHING), demographic="withhold"))
        assert scopes(token) == set(LESS.split())
        assert opens(server, token, "fhir/Patient") == opens(server, token, "connect/userinfo") == 403
        assert opens(server, token) == 200
        (consent,) = consents_of(server)
        assert consent.share_demographic is False

    def test_do_not_share_takes_away_every_spelling_of_patient(self, server):
        every = "patient/Patient.read patient/Patient.rs patient/Patient.r patient/Patient.s"
        token = redeem(server, answer(server.consent_page(f"openid {every}"), demographic="withhold"))
        assert scopes(token) == {"openid"}

    def test_an_app_that_needs_none_gets_the_same_and_the_person_is_not_asked(self, make_server):
        server = make_server(client={"asks_demographic": False, "scopes": EVERYTHING.split()})
        page = server.consent_page(EVERYTHING)
        assert "demographic" not in consent_form(page).fields
        assert "personal information too" not in page.text
        token = redeem(server, answer(page))
        assert scopes(token) == set(LESS.split())
        assert consents_of(server)[0].share_demographic is None

    def test_an_app_that_needs_none_gets_none_whatever_the_form_says(self, make_server):
        server = make_server(client={"asks_demographic": False, "scopes": EVERYTHING.split()})
        token = redeem(server, answer(server.consent_page(EVERYTHING), demographic="share"))
        assert scopes(token) == set(LESS.split())

    def test_no_tells_the_app_and_leaves_earlier_connections_as_they_were(self, server):
        token = server.grant(EVERYTHING)
        redirect = answer(server.consent_page(EVERYTHING), "no")
        assert error_of(redirect) == "access_denied"
        assert answer_of(redirect)["state"] == STATE
        assert opens(server, token) == 200
        assert len(consents_of(server)) == 1

    def test_cancel_at_sign_in_tells_the_app_the_same(self, server):
        token = server.grant(EVERYTHING)
        server.reset()
        page = server.get("/v2/o/authorize", server.authorization_request(EVERYTHING)).follow().follow()
        redirect = page.forms[0].submit("answer", value="cancel", status=303)
        assert error_of(redirect) == "access_denied"
        assert answer_of(redirect)["state"] == STATE
        assert opens(server, token) == 200
        # The form once more: the request was answered.
        page.forms[0].submit("answer", value="cancel", status="*")
        server.app.registry["tally"].flush()
        assert told(server, "consent.declined").details == {"answer": "cancel", "count": 1}

    def test_yes_to_nothing_is_a_no(self, server):
        """The app asks only who the person is, and the person leaves that out: there is nothing to grant."""
        token = server.grant(EVERYTHING)
        redirect = answer(server.consent_page("profile patient/Patient.rs"), demographic="withhold")
        assert error_of(redirect) == "access_denied"
        assert opens(server, token, "fhir/Patient") == 200

    def test_more_is_not_asked_for_because_it_was_granted_before(self, server):
        server.grant(EVERYTHING)
        token = redeem(server, answer(server.consent_page("openid")))
        assert scopes(token) == {"openid"}


class TestTheDemographicChoice:
    @pytest.mark.parametrize(("default", "checked"), [(None, "share"), ("withhold", "withhold"), ("ask", None)])
    def test_stands_as_the_operator_says_and_a_form_without_it_shares_nothing(self, make_server, default, checked):
        server = make_server(settings=default and {"bb2.demographic_default": default})
        page = server.consent_page(EVERYTHING)
        assert consent_form(page)["demographic"].value == checked
        for missing in (None, "", "yes", "SHARE", "share "):
            asked_again = answer(page, demographic=missing)
            assert asked_again.status_int == 200
            assert "Please choose whether to share" in asked_again.text
        assert consents_of(server) == []
        token = redeem(server, answer(asked_again, demographic="withhold"))
        assert not scopes(token) & DEMOGRAPHIC
        assert error_of(answer(server.consent_page(EVERYTHING), "no", demographic=None)) == "access_denied"
        if checked:  # yes grants it as it stands
            granted = {"share": EVERYTHING, "withhold": LESS}[checked]
            assert scopes(redeem(server, answer(server.consent_page(EVERYTHING)))) == set(granted.split())

    def test_that_comes_as_a_file_is_none(self, server):
        form = consent_form(server.consent_page(EVERYTHING))
        sent = {"csrf_token": form["csrf_token"].value, "screen": form["screen"].value}
        for said, asked in (("", "Please answer Yes or No"), ("yes", "Please choose whether to share")):
            file = [("demographic", "x", b"share")]
            page = server.post(form.action, sent | {"answer": said}, upload_files=file, status=200)
            assert asked in page.text
            assert consent_form(page)["demographic"].value == "share"  # as the page stands from the beginning


class TestTheForm:
    def test_cannot_add_scopes(self, server):
        added = {"scope": "patient/Coverage.read", "scopes": "patient/Coverage.read", "shown": "x", "share": "1"}
        token = redeem(server, answer(server.consent_page("openid"), **added))
        assert scopes(token) == {"openid"}
        assert opens(server, token) == 403

    def test_counts_only_for_the_page_that_it_was_given_on(self, server):
        page = server.consent_page(EVERYTHING)
        for screen in None, "", "0" * 32, "é":
            page = answer(page, screen=screen)
            assert page.status_int == 200
            assert "Please read this page once more" in page.text
        assert consents_of(server) == []
        assert scopes(redeem(server, server.approve(page))) == set(EVERYTHING.split())

    def test_of_another_request_does_not_count_for_this_one(self, server):
        small = consent_form(server.consent_page("openid"))["screen"].value
        page = answer(server.consent_page(EVERYTHING, username=None), screen=small)
        assert "Please read this page once more" in page.text
        assert consents_of(server) == []

    def test_without_a_clear_yes_grants_nothing(self, server):
        page = server.consent_page("openid")
        for said in None, "", "YES", "maybe", "yes ":
            assert answer(page, said).status_int == 200
        assert consents_of(server) == []

    def test_needs_its_csrf_token_for_yes_and_no(self, server):
        page = server.consent_page("openid")
        for token in None, "", "x", "é", "x" * 9000:
            for said in "yes", "no":
                refused = answer(page, said, csrf_token=token)
                assert refused.status_int == 400
                assert refused.content_type == "text/html"
                assert "Nothing was shared or changed" in refused.text
        assert [e.event for e in trail(server)] == ["consent.shown"]
        assert scopes(redeem(server, answer(page))) == {"openid"}

    def test_from_a_browser_without_the_session_does_nothing(self, server):
        page = server.consent_page("openid")
        kept = dict(consent_form(page).submit_fields())
        server.reset()
        for said in "yes", "no":
            assert server.post(page.request.path, kept | {"answer": said}, status=400).content_type == "text/html"
        assert server.get(page.request.path, status=400).content_type == "text/html"
        assert consents_of(server) == []

    def test_comes_too_late_when_the_session_has_ended(self, server):
        page = server.consent_page("openid")
        change(server, BrowserSession, seen_at=utcnow() - timedelta(minutes=31))
        assert answer(page).status_int == 400
        assert consents_of(server) == []

    def test_comes_too_late_when_the_request_has_expired(self, server):
        page = server.consent_page("openid")
        change(server, AuthorizationRequest, expires_at=utcnow())
        for response in answer(page), answer(page, "no"), server.get(page.request.path, status=400):
            assert response.status_int == 400
            assert "This request is no longer open" in response.text
            assert "Go back to the app and connect again" in response.text
        assert consents_of(server) == []

    def test_comes_too_late_when_the_app_was_switched_off_meanwhile(self, server):
        page = server.consent_page("openid")
        change_app(server, disabled_at=utcnow())
        for response in answer(page), answer(page, "no"), server.get(page.request.path, status=400):
            assert response.status_int == 400
            assert "The App is switched off" in response.text
            assert "Location" not in response.headers
        change_app(server, disabled_at=None)
        assert scopes(redeem(server, answer(page))) == {"openid"}

    def test_grants_no_more_than_the_app_is_registered_for_when_it_comes(self, server):
        page = server.consent_page(EVERYTHING)
        change_app(server, asks_demographic=False)
        assert scopes(redeem(server, answer(page))) == set(LESS.split())

    def test_of_a_request_nobody_knows_is_a_page(self, server):
        server.sign_in()
        for id in "unknown", "%00", "%C3%A9", "x" * 5000, "%0d%0a":
            assert "no longer open" in server.get(f"/consent/{id}", status=400).text


class TestTwoTabs:
    def test_of_one_request_give_one_answer(self, server):
        page = server.consent_page(EVERYTHING)
        other_tab = server.get(page.request.path)
        code = code_of(answer(page, demographic="withhold"))
        late = answer(other_tab, demographic="share")
        assert late.status_int == 409
        assert "You have already said yes" in late.text
        assert scopes(redeem(server, code)) == set(LESS.split())

    def test_of_one_request_show_the_same_page_and_either_may_answer(self, server):
        page = server.consent_page(EVERYTHING)
        server.get(page.request.path)
        assert answer(page).status_int == 303

    def test_in_two_languages_keep_the_words_that_were_answered(self, server):
        english = server.consent_page("openid")
        spanish = server.get(f"{english.request.path}?lang=es")
        asked_again = answer(english)
        assert asked_again.status_int == 200
        redeem(server, answer(spanish))
        assert consents_of(server)[0].language == "es"

    def test_of_two_requests_are_answered_each_for_itself(self, server):
        first = server.consent_page("openid")
        first_verifier = server.verifier
        second = server.consent_page("openid profile", username=None)
        yes = code_of(answer(second, demographic="share"))
        no = answer(first, "no")
        assert error_of(no) == "access_denied"
        redeem(server, yes, code_verifier=first_verifier, status=400)
        assert scopes(redeem(server, yes)) == {"openid", "profile"}


class TestBackAndResend:
    def test_yes_sent_twice_makes_one_consent_and_one_code(self, server):
        page = server.consent_page("openid")
        code = code_of(answer(page))
        for _ in range(2):
            assert "You have already said yes" in answer(page).text
        assert "You have already said yes" in server.get(page.request.path, status=409).text
        assert len(consents_of(server)) == 1
        redeem(server, code)

    def test_yes_after_no_stays_no(self, server):
        page = server.consent_page("openid")
        answer(page, "no")
        for response in answer(page), server.get(page.request.path, status=409):
            assert response.status_int == 409
            assert "You have already said no" in response.text
            assert "Location" not in response.headers
        assert consents_of(server) == []

    def test_no_after_yes_ends_the_consent_before_its_code_is_redeemed(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        code = code_of(answer(page))
        assert "no longer has access" in answer(page, "no").text
        assert redeem(server, code, status=400)["error"] == "invalid_grant"

    def test_no_after_yes_ends_the_consent_and_its_tokens_afterwards_too(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        token = redeem(server, answer(page))
        assert opens(server, token) == 200
        assert answer(page, "no").status_int == 409
        assert opens(server, token) == 401
        assert server.refresh(token, status=400)["error"] == "invalid_grant"
        (consent,) = consents_of(server)
        assert consent.revoked_by == "beneficiary"
        assert "You have already said" in answer(page).text

    def test_no_after_yes_counts_when_the_request_has_expired_or_the_app_is_switched_off(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        token = redeem(server, answer(page))
        earlier(server, AuthorizationRequest, "created_at", "expires_at", hours=2)
        change_app(server, disabled_at=utcnow())
        assert "no longer has access" in answer(page, "no").text
        change_app(server, disabled_at=None)
        assert opens(server, token) == 401

    def test_no_after_yes_ends_whatever_the_app_has_by_then(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        redeem(server, answer(page))
        token = redeem(server, answer(server.consent_page("patient/Coverage.read", username=None)))
        assert "no longer has access" in answer(page, "no").text
        assert opens(server, token) == 401

    def test_no_after_a_yes_whose_code_is_out_ends_the_earlier_connection_too(self, server):
        token = server.grant(EVERYTHING)
        page = server.consent_page(EVERYTHING)
        answer(page)
        assert "no longer has access" in answer(page, "no").text
        assert opens(server, token) == 401


class TestAnotherPerson:
    def test_who_signed_in_meanwhile_cannot_answer_the_first_persons_page(self, server):
        page = server.consent_page("openid")
        form = next(f for f in server.get("/sign-in").forms.values() if "password" in f.fields)
        form["username"], form["password"] = "bob", PASSWORD
        form.submit("answer", value="sign-in", status=303)
        old_form = answer(page)
        assert old_form.status_int == 400
        token = server.get("/connections").forms[0]["csrf_token"].value
        for said in "yes", "no":
            assert answer(page, said, csrf_token=token).status_int == 400
        assert consents_of(server) == []

    def test_who_takes_over_by_not_you_is_asked_anew_and_shares_their_own(self, server):
        page = server.consent_page(EVERYTHING)
        not_you = next(f for f in page.forms.values() if f.action.endswith("/sign-out"))
        sign_in = not_you.submit(status=303).follow()
        assert answer(page).status_int == 400
        sign_in.forms[0]["username"], sign_in.forms[0]["password"] = "bob", PASSWORD
        bobs = sign_in.forms[0].submit("answer", value="sign-in").follow()
        assert "Bob" in bobs.text
        assert "Alice" not in bobs.text
        assert redeem(server, server.approve(bobs))["patient"] == BOB
        (consent,) = consents_of(server)
        with server.db() as db:
            assert db.merge(consent).beneficiary.patient == BOB

    def test_of_two_people_each_has_their_own_consent(self, server):
        alice, bob = server.grant(EVERYTHING), server.grant(EVERYTHING, username="bob", share_demographic=False)
        assert (alice["patient"], bob["patient"]) == (ALICE, BOB)
        assert opens(server, alice, "fhir/Patient") == 200
        assert opens(server, bob, "fhir/Patient") == 403


class TestANewYes:
    def test_replaces_the_earlier_consent_when_its_code_is_redeemed_not_before(self, server):
        old = server.grant(EVERYTHING)
        redirect = answer(server.consent_page(EVERYTHING), demographic="withhold")
        assert opens(server, old, "fhir/Patient") == 200
        old = server.refresh(old)
        new = redeem(server, redirect)
        assert opens(server, old) == 401
        assert server.refresh(old, status=400)["error"] == "invalid_grant"
        assert opens(server, new) == 200
        first, second = consents_of(server)
        assert first.replaced_at
        assert second.replaced_at is None
        assert told(server, "consent.replaced").details == {"by": second.id}

    def test_whose_code_is_lost_breaks_nothing(self, server):
        old = server.grant(EVERYTHING)
        answer(server.consent_page(EVERYTHING))
        assert opens(server, server.refresh(old)) == 200

    def test_is_not_overridden_by_an_older_yes_whose_code_comes_later(self, server):
        older = answer(server.consent_page(EVERYTHING), demographic="share")
        older_verifier = server.verifier
        newer = answer(server.consent_page(EVERYTHING), demographic="withhold")
        token = redeem(server, newer)
        refused = redeem(server, older, code_verifier=older_verifier, status=400)
        assert refused["error"] == "invalid_grant"
        assert "answered anew" in refused["error_description"]
        assert opens(server, token) == 200
        assert opens(server, token, "fhir/Patient") == 403

    def test_that_was_withdrawn_does_not_let_an_older_yes_in(self, server):
        older = answer(server.consent_page(EVERYTHING))
        older_verifier = server.verifier
        page = server.consent_page(EVERYTHING, username=None)
        redeem(server, answer(page))
        answer(page, "no")
        redeem(server, older, code_verifier=older_verifier, status=400)

    def test_of_another_app_or_another_person_changes_nothing(self, server):
        other = another_app(server)
        mine, bobs = server.grant(EVERYTHING), server.grant(EVERYTHING, username="bob")
        theirs = other.grant(EVERYTHING)
        server.grant(EVERYTHING, share_demographic=False)
        assert opens(server, mine) == 401
        assert opens(server, bobs, "fhir/Patient") == opens(other, theirs, "fhir/Patient") == 200


class TestWhatIsKept:
    @pytest.mark.parametrize(("language", "share"), [("en", True), ("es", False)])
    def test_of_a_yes_is_the_page_in_its_words_the_choice_and_the_times(self, server, language, share):
        begun = utcnow()
        page = server.consent_page(EVERYTHING, lang=language)
        redeem(server, server.approve(page, share_demographic=share))
        (consent,) = consents_of(server)
        given = told(server, "consent.given")
        for shown in consent.shown, given.details["shown"]:
            assert shown["language"] == language
            assert shown["client_name"] == "The App"
            for line in shown["lines"]:
                assert line["consent"] in page.html.get_text()
                assert line["detail"] in page.html.get_text()
        assert len(consent.shown["lines"]) == len(EVERYTHING.split())
        assert consent.language == language
        assert consent.share_demographic is share
        assert set(consent.scopes) == set((EVERYTHING if share else LESS).split())
        assert begun <= consent.granted_at <= consent.activated_at <= utcnow()
        assert given.details["share_demographic"] is share
        assert given.details["scopes"] == consent.scopes
        assert given.consent_id == consent.id
        assert told(server, "consent.activated").consent_id == consent.id

    def test_of_a_no_is_the_page_in_its_words_too(self, server):
        page = server.consent_page(EVERYTHING, lang="es")
        answer(page, "no")
        assert consents_of(server) == []
        declined = told(server, "consent.declined")
        assert declined.details["answer"] == "no"
        assert declined.details["shown"]["language"] == "es"
        for line in declined.details["shown"]["lines"]:
            assert line["consent"] in page.html.get_text()
        with server.db() as db:
            kept = db.scalars(select(AuthorizationRequest)).one()
            assert (kept.answer, kept.shown) == ("no", declined.details["shown"])
        assert declined.beneficiary_id == kept.shown_to

    def test_in_two_languages_is_in_two_languages(self, server):
        for language in "en", "es":
            answer(server.consent_page(EVERYTHING, lang=language), "no")
        declined = [event.details["shown"] for event in trail(server) if event.event == "consent.declined"]
        english, spanish = ({line["consent"] for line in shown["lines"]} for shown in declined)
        assert "Your Medicare claims" in english
        assert "Sus reclamos de Medicare" in spanish
        assert not english & spanish

    def test_of_a_replay_a_refresh_and_an_end_is_a_trail(self, server):
        page = server.consent_page(EVERYTHING)
        redirect = answer(page)
        server.refresh(redeem(server, redirect))
        redeem(server, redirect, status=400)
        answer(page, "no")
        assert [e.event for e in trail(server)] == [
            "consent.shown",
            "consent.given",
            "code.issued",
            "consent.activated",
            "token.issued",
            "token.refreshed",
            "code.replayed",
            "consent.revoked",
        ]


class TestHowLong:
    def test_an_ongoing_app_has_until_the_date_that_the_page_shows(self, server):
        page = server.consent_page(EVERYTHING, lang="en")
        token = redeem(server, answer(page))
        (consent,) = consents_of(server)
        until = add_months(utcnow(), 13)
        assert abs(consent.expires_at - until) < timedelta(minutes=1)
        assert f"Until {until:%B} {until.day}, {until.year}." in page.text
        assert token["access_grant_expiration"] == consent.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert datetime.fromisoformat(token["access_grant_expiration"]) <= consent.expires_at

    def test_the_operator_may_say_another_number_of_months(self, make_server):
        server = make_server(settings={"bb2.consent_months": "1"})
        server.grant(EVERYTHING)
        assert abs(consents_of(server)[0].expires_at - add_months(utcnow(), 1)) < timedelta(minutes=1)

    def test_a_one_time_app_has_an_hour_and_the_page_says_so(self, make_server):
        server = make_server(client={"access": "one-time"})
        page = server.consent_page(EVERYTHING)
        assert "For one hour." in page.text
        redeem(server, answer(page))
        (consent,) = consents_of(server)
        assert consent.expires_at - consent.granted_at == timedelta(hours=1)

    def test_a_research_app_has_no_end_and_the_page_says_so(self, make_server):
        server = make_server(client={"access": "research"})
        page = server.consent_page(EVERYTHING)
        assert "Until you stop it." in page.text
        redeem(server, answer(page))
        assert consents_of(server)[0].expires_at is None

    def test_it_was_shown_holds_when_the_registration_changes_meanwhile(self, server):
        page = server.consent_page(EVERYTHING)
        change_app(server, access="research")
        redeem(server, answer(page))
        assert abs(consents_of(server)[0].expires_at - add_months(utcnow(), 13)) < timedelta(minutes=1)


def test_two_choices_at_once_are_none(make_server):
    server = make_server()
    page = server.consent_page("openid profile")
    form = consent_form(page)
    fields = [(name, value) for name, value in form.submit_fields() if name not in ("answer", "demographic")]
    both = [("answer", "yes"), ("demographic", "withhold"), ("demographic", "share")]
    assert "Please choose" in server.post(form.action, [*fields, *both], status=200).text
    refused = server.post(form.action, [*fields, ("answer", "no"), ("answer", "yes"), ("demographic", "share")])
    assert answer_of(refused)["error"] == "access_denied"


def test_leaving_personal_information_out_after_a_yes_ends_what_the_yes_had_begun(make_server):
    server = make_server()
    page = server.consent_page("openid profile")
    token = server.post("/v2/o/token/", server.token_request(code_of(server.approve(page)))).json
    server.api("connect/userinfo", token)
    form = consent_form(page)
    form["demographic"] = "withhold"
    form.submit("answer", value="yes", status=409)
    server.api("connect/userinfo", token, status=401)
