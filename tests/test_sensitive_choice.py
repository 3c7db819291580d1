"""The question about what is sensitive: withheld, unless the person says Yes to it; nothing lost or added opens it."""

import re

import pytest
from sqlalchemy import update

from bb2.models import Consent
from bb2.scopes import substance_use
from bb2.settings import Settings
from bb2.testing import ALICE, ConsentServer, consent_form
from built_in import BUILT_IN
from oauth.steps import answer, apart, consents_of, earlier, error_of, newest_connection, opens, redeem, told

pytestmark = pytest.mark.either_database

FIELD, KEY = "sensitive-substance-use", "substance-use"
CLAIMS = "openid patient/ExplanationOfBenefit.read"
DECLARED = substance_use.register_sensitivities(Settings.read({}, {}))
DIAGNOSIS = {"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F10.20"}]}}
HIDDEN = {
    "resourceType": "ExplanationOfBenefit",
    "id": "hidden",
    "patient": {"reference": f"Patient/{ALICE}"},
    "diagnosis": [DIAGNOSIS],
}


def new_server(**options):
    """On SQLite: what is decided here, no database decides; what a database keeps is tested on both."""
    return ConsentServer(*BUILT_IN, records=[HIDDEN], **options)


@pytest.fixture(scope="module")
def signed_in():
    """A server on which Alice is signed in."""
    server = new_server()
    server.sign_in()
    return server


@pytest.fixture
def server(signed_in):
    return apart(signed_in)


def shares(server, token):
    return opens(server, token, "fhir/ExplanationOfBenefit/hidden") == 200


def checked(page):
    return consent_form(page)[FIELD].value


class TestTheQuestion:
    def test_stands_at_no_though_the_operator_has_personal_information_shared(self, server):
        assert server.settings.demographic_default == "share"
        assert checked(server.consent_page(CLAIMS)) == "withhold"

    @pytest.mark.parametrize(
        ("scope", "asked"),
        [
            ("patient/ExplanationOfBenefit.r", True),
            ("patient/ExplanationOfBenefit.s", True),
            ("openid patient/Coverage.read patient/Patient.read profile", False),
        ],
    )
    def test_is_asked_only_where_a_scope_opens_such_records(self, server, scope, asked):
        page = server.consent_page(scope)
        assert (FIELD in consent_form(page).fields) is asked
        redeem(server, server.approve(page))
        assert consents_of(server)[0].share_sensitive == ({KEY: False} if asked else None)

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_is_kept_in_its_words_with_the_answer(self, make_server, language):
        server = make_server()
        page = server.consent_page(CLAIMS, lang=language)
        redeem(server, answer(page, **{FIELD: "share"}))
        (consent,) = consents_of(server)
        (question,) = consent.shown["questions"]
        for word in ("question", "detail", "share", "withhold"):
            assert question[word] == getattr(DECLARED, word).in_language(language)
            assert question[word] in page.html.get_text()
        given = told(server, "consent.given")
        assert consent.share_sensitive == given.details["share_sensitive"] == {KEY: True}
        assert given.details["shown"]["questions"] == [question]


class TestNothingOpensItBut:
    @pytest.mark.parametrize("sent", [None, "", "withhold", "yes", "SHARE", "share ", "on", "true", "1", "share,share"])
    def test_the_very_answer_of_the_form(self, server, sent):
        token = redeem(server, answer(server.consent_page(CLAIMS), **{FIELD: sent}))
        assert not shares(server, token)
        assert consents_of(server)[0].share_sensitive == {KEY: False}

    def test_one_answer(self, server):
        """Two at once are none; and another field's, or the address's, is not this one's."""
        form = consent_form(server.consent_page(CLAIMS))
        sent = [(name, value) for name, value in form.submit_fields() if name not in ("answer", FIELD)]
        both = [("answer", "yes"), (FIELD, "withhold"), (FIELD, "share"), ("sensitive-other", "share"), (KEY, "share")]
        token = redeem(server, server.post(f"{form.action}?{FIELD}=share", [*sent, *both], status=303))
        assert not shares(server, token)

    def test_a_question_that_the_page_asked(self, server):
        page = server.consent_page("openid patient/Coverage.read")
        redeem(server, answer(page, **{FIELD: "share"}))
        assert consents_of(server)[0].share_sensitive is None

    def test_an_answer_to_this_page(self, server):
        """What was chosen on a page that has changed is not chosen on the page that took its place."""
        english = server.consent_page(CLAIMS)
        server.get(f"{english.request.path}?lang=es")
        asked_again = answer(english, **{FIELD: "share"})
        assert asked_again.status_int == 200
        assert checked(asked_again) == "withhold"

    def test_a_choice_that_waits_for_another_stays(self):
        server = new_server(settings={"bb2.demographic_default": "ask"})
        assert checked(server.consent_page(CLAIMS)) == "withhold"
        for chosen in "share", "withhold":
            page = server.consent_page(f"{CLAIMS} profile")
            asked_again = answer(page, demographic=None, **{FIELD: chosen})
            assert "Please choose whether to share" in asked_again.text
            assert checked(asked_again) == chosen
            token = redeem(server, answer(asked_again, demographic="withhold"))
            assert shares(server, token) is (chosen == "share")


class TestTabsAndBack:
    def test_the_first_answer_of_two_tabs_counts(self, server):
        page = server.consent_page(CLAIMS)
        other_tab = server.get(page.request.path)
        first = answer(page)
        assert answer(other_tab, **{FIELD: "share"}).status_int == 409
        assert not shares(server, redeem(server, first))

    def test_a_no_to_the_question_after_a_yes_ends_the_connection(self, server):
        page = server.consent_page(CLAIMS)
        token = redeem(server, answer(page, **{FIELD: "share"}))
        assert shares(server, token)
        assert "you share less" in answer(page, **{FIELD: "withhold"}).text
        assert opens(server, token, "fhir/ExplanationOfBenefit") == 401

    def test_a_new_yes_begins_at_no_and_replaces_the_answer_when_it_is_redeemed(self, server):
        token = redeem(server, answer(server.consent_page(CLAIMS), **{FIELD: "share"}))
        again = server.consent_page(CLAIMS)
        assert checked(again) == "withhold"
        redirect = answer(again)
        assert shares(server, token)
        newer = redeem(server, redirect)
        assert opens(server, token, "fhir/ExplanationOfBenefit") == 401
        assert not shares(server, newer)

    def test_a_refresh_changes_nothing(self, server):
        for share in [], [KEY]:
            token = server.refresh(server.grant(CLAIMS, share_sensitive=share))
            assert shares(server, token) is bool(share)

    def test_no_to_the_page_shares_nothing(self, server):
        assert error_of(answer(server.consent_page(CLAIMS), "no", **{FIELD: "share"})) == "access_denied"
        assert consents_of(server) == []


class TestAConsentFromBefore:
    def test_the_question_withholds(self, server):
        token = server.grant(CLAIMS, share_sensitive=[KEY])
        with server.db() as db:
            shown = {name: kept for name, kept in consents_of(server)[0].shown.items() if name != "questions"}
            db.execute(update(Consent).values(share_sensitive=None, shown=shown))
        assert not shares(server, token)
        assert "Claims about treatment" in listed(server, "cannot see")

    def test_another_answer_of_the_same_person_to_another_app_changes_nothing(self, server):
        token = server.grant(CLAIMS)
        server.grant(CLAIMS, username="bob", share_sensitive=[KEY])
        assert not shares(server, token)


def listed(server, heading, language="en"):
    """What stands on the page of the newest connection under the heading that ends so, after the app's name."""
    page = server.get(f"{newest_connection(server)}?lang={language}").html
    found = [h2 for h2 in page.find_all("h2") if re.search(rf"App \S+ {heading}$", h2.get_text())]
    return found[0].find_next_sibling("ul").get_text() if found else ""


class TestMyConnectedApps:
    @pytest.mark.parametrize("language", ["en", "es"])
    def test_say_what_is_shared_and_what_is_left_out(self, server, language):
        name = DECLARED.name.in_language(language)
        can, cannot = {"en": ("can see", "cannot see"), "es": ("puede ver", "no puede ver")}[language]
        for share in [], [KEY]:
            server.grant(CLAIMS, share_sensitive=share)
            assert (name in listed(server, cannot, language)) is not bool(share)
            assert (name in listed(server, can, language)) is bool(share)

    def test_say_nothing_of_it_where_no_such_records_are_shared(self, server):
        server.grant("openid patient/Coverage.read")
        assert DECLARED.name not in server.get(newest_connection(server)).text


def test_the_answer_ends_with_the_consent(server):
    token = server.grant(CLAIMS, share_sensitive=[KEY])
    earlier(server, Consent, "granted_at", "expires_at", days=500)
    assert opens(server, token, "fhir/ExplanationOfBenefit/hidden") == 401
