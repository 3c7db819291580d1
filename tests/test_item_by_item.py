"""What is left out line by line stays closed; whatever a form lacks, doubles or makes up shares less, never more."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bb2.consent import BOXES, Choice, ConsentScreen, Line, NoChoice, NothingShared, Question
from bb2.sharing import sharing
from bb2.testing import ConsentServer, answer_of, code_of, consent_form
from built_in import BUILT_IN
from oauth.steps import (
    EVERYTHING,
    LESS,
    answer,
    apart,
    change_app,
    consents_of,
    error_of,
    newest_connection,
    opens,
    redeem,
    told,
)

CLAIMS, COVERAGE, PATIENT = "patient/ExplanationOfBenefit", "patient/Coverage", "patient/Patient"
BOX = "line-{}".format
SUBSTANCE_USE = "sensitive-substance-use"
LEFT_OUT = "The beneficiary left this out"


@pytest.fixture(scope="module")
def signed_in():
    """A server on which Alice is signed in; on SQLite: what is decided here, no database decides."""
    server = ConsentServer(*BUILT_IN)
    server.sign_in()
    return server


@pytest.fixture
def server(signed_in):
    return apart(signed_in)


def scopes(token):
    return set(token["scope"].split())


def without(*names):
    return set(EVERYTHING.split()) - {f"{name}.read" for name in names}


def summary(page):
    """(what the app will get, what it will not), as the page has it."""
    return [[item.get_text() for item in listed.find_all("li")] for listed in page.html.select(".done ul")]


def ticked(page):
    form = consent_form(page)
    return {name for name, value in form.submit_fields() if name.startswith("line-") and value == "share"}


# The rule

FAMILIES = ("openid", "profile", PATIENT, COVERAGE, CLAIMS, "patient/Claim")
FIELDS = ["demographic", "sensitive-a", "sensitive-b", BOXES, *map(BOX, FAMILIES)]
VALUES = ["share", "withhold", "", "yes", "on", "SHARE"]


@st.composite
def screens(draw):
    lines = []
    for family in draw(st.lists(st.sampled_from(FAMILIES), unique=True, min_size=1)):
        names = tuple(f"{family}.{each}" for each in ("read", "rs")) if "/" in family else (family,)
        flags = {"demographic": draw(st.booleans()), "opens_records": draw(st.booleans())}
        lines.append(Line(scopes=names, consent="c", detail="", **flags))
    asked = [
        Question(key, key, "", "", "", "", draw(st.lists(st.sampled_from(FAMILIES)).map(tuple)))
        for key in draw(st.sampled_from([(), ("a",), ("a", "b")]))
    ]
    one_by_one = draw(st.booleans())
    return ConsentScreen("An App", "en", "ongoing", None, "share", tuple(lines), tuple(asked), one_by_one)


@st.composite
def forms(draw, screen):
    """A form as the page sends it, some of whose fields are lost, doubled, changed or of no page."""
    fields = ["demographic", *(line.field for line in screen.optional), *(each.field for each in screen.questions)]
    form = [(BOXES, "1")]
    for field in fields:
        fate = draw(st.sampled_from(["as it is", "as it is", "as it is", "lost", "doubled", "changed"]))
        value = draw(st.sampled_from(VALUES)) if fate == "changed" else "share"
        form += [(field, value)] * {"lost": 0, "doubled": 2}.get(fate, 1)
    return form + draw(st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES)), max_size=2))


#: (screen, form)
ANSWERED = screens().flatmap(lambda screen: st.tuples(st.just(screen), forms(screen)))
#: (screen, form, another form)
TWICE = screens().flatmap(lambda screen: st.tuples(st.just(screen), forms(screen), forms(screen)))


def getter(form):
    return lambda field: [value for name, value in form if name == field]


def read(screen, form):
    """(scopes granted, sensitivities shared) of a form; nothing where it is no Yes."""
    try:
        choice = screen.choice(getter(form))
    except (NoChoice, NothingShared):
        return set(), set()
    return set(screen.granted(choice)), {key for key, shared in (choice.share_sensitive or {}).items() if shared}


class TestTheRule:
    @settings(max_examples=50, deadline=None)
    @given(ANSWERED)
    def test_granted_is_what_was_shown_and_ticked_and_no_more(self, answered):
        screen, form = answered
        choices = getter(form)
        granted, shared = read(screen, form)
        for line in screen.lines:
            wanted = not line.demographic or choices("demographic") == ["share"]
            kept = line.technical or not screen.item_by_item or choices(line.field) == ["share"]
            assert not granted.intersection(line.scopes) or (wanted and kept)
        assert granted <= {name for line in screen.lines for name in line.scopes}
        assert all(choices(f"sensitive-{key}") == ["share"] for key in shared)
        kept = [line for line in screen.lines if granted.intersection(line.scopes)]
        assert shared <= {question.key for question in screen.questions if question.matters_to(kept)}

    @settings(max_examples=30, deadline=None)
    @given(ANSWERED, st.data())
    def test_a_field_that_is_lost_or_doubled_or_added_shares_no_more(self, answered, data):
        screen, form = answered
        before = read(screen, form)
        field = data.draw(st.sampled_from(sorted({field for field, _value in form})))
        if data.draw(st.booleans()):
            changed = [each for each in form if each[0] != field]
        else:
            changed = [*form, (field, data.draw(st.sampled_from(VALUES)))]
        after = read(screen, changed)
        assert after[0] <= before[0]
        assert after[1] <= before[1]

    @settings(max_examples=30, deadline=None)
    @given(ANSWERED)
    def test_the_consent_says_what_was_left_out_and_the_summary_tells_all(self, answered):
        screen, form = answered
        try:
            choice = screen.choice(getter(form))
        except (NoChoice, NothingShared):
            return
        kept = {line.family for line in screen.kept(choice)}
        assert kept.isdisjoint(choice.left_out or ())
        personal = {line.family for line in screen.demographic}
        lines = {line.family for line in screen.lines}
        assert lines - kept == set(choice.left_out or ()) | (set() if choice.share_demographic else personal)
        told = sharing(screen, screen.granted(choice), choice.share_sensitive)
        matter = [question for question in screen.questions if question.matters_to(screen.kept(choice))]
        of_the_person = [line for line in screen.lines if not line.technical]
        assert len(told.shared) + len(told.left_out) == len(of_the_person) + len(matter)

    @settings(max_examples=30, deadline=None)
    @given(TWICE)
    def test_a_form_after_a_yes_takes_back_whatever_it_shares_less(self, answered):
        screen, first, second = answered
        granted, shared = read(screen, first)
        choices = getter(second)
        try:
            choice = screen.choice(choices)
        except (NoChoice, NothingShared):
            return
        takes_back = screen.takes_back(granted, dict.fromkeys(shared, True), choices)
        assert takes_back or granted <= set(screen.granted(choice))
        assert not screen.takes_back(granted, dict.fromkeys(shared, True), getter(first)) or "withhold" in str(first)

    @settings(max_examples=10, deadline=None)
    @given(screens())
    def test_a_page_is_read_as_it_was_stored(self, screen):
        again = ConsentScreen.from_json(screen.as_json())
        assert (again, again.digest) == (screen, screen.digest)

    def test_a_page_that_was_stored_before_there_were_boxes_grants_what_it_says(self):
        line = {
            "scopes": [f"{COVERAGE}.read"],
            "consent": "c",
            "detail": "",
            "demographic": False,
            "opens_records": True,
        }
        words = dict.fromkeys(("name", "question", "detail", "share", "withhold"), "words")
        stored = {
            "client_name": "An App",
            "language": "en",
            "access": "ongoing",
            "expires_at": None,
            "demographic_default": "share",
            "lines": [line, line | {"scopes": ["profile"], "demographic": True, "opens_records": False}],
            "questions": [words | {"key": "a"}],
        }
        screen = ConsentScreen.from_json(stored)
        choice = screen.choice(getter([("demographic", "share"), ("sensitive-a", "share")]))
        assert choice == Choice(share_demographic=True, left_out=None, share_sensitive={"a": True})
        assert screen.granted(choice) == [f"{COVERAGE}.read", "profile"]


class TestALineThatIsLeftOut:
    @pytest.mark.parametrize("family", [CLAIMS, COVERAGE])
    def test_stays_closed_and_the_app_is_told_so(self, server, family):
        token = server.grant(EVERYTHING, leave_out=(family,))
        assert scopes(token) == without(family)
        path = family.replace("patient", "fhir")
        refused = server.api(path, token, status=403)
        assert LEFT_OUT in refused.headers["WWW-Authenticate"]
        assert LEFT_OUT in refused.json["issue"][0]["diagnostics"]
        assert opens(server, token, "fhir/Patient") == opens(server, token, "connect/userinfo") == 200
        (consent,) = consents_of(server)
        given = told(server, "consent.given")
        assert consent.left_out == given.details["left_out"] == [family]
        assert set(consent.scopes) == set(given.details["scopes"]) == without(family)

    def test_stays_out_at_every_refresh_and_in_introspection(self, server):
        token = server.refresh(server.grant(EVERYTHING, leave_out=(CLAIMS,)))
        assert scopes(token) == without(CLAIMS)
        assert server.refresh(token, scope=f"{CLAIMS}.read", status=400)["error"] == "invalid_scope"
        credentials = {"client_id": server.client_id, "client_secret": server.client_secret}
        token = server.refresh(token)
        seen = server.post("/v2/o/introspect/", credentials | {"token": token["access_token"]}).json
        assert scopes(seen) == without(CLAIMS)

    def test_takes_every_spelling_along(self, server):
        token = server.grant(f"{COVERAGE}.read {CLAIMS}.read {CLAIMS}.rs {CLAIMS}.s", leave_out=(CLAIMS,))
        assert scopes(token) == {f"{COVERAGE}.read"}

    def test_of_personal_information_may_be_one_of_several(self, server):
        token = server.grant(EVERYTHING, leave_out=("profile",))
        assert scopes(token) == set(EVERYTHING.split()) - {"profile"}
        assert LEFT_OUT in server.api("connect/userinfo", token, status=403).headers["WWW-Authenticate"]
        token = server.grant(EVERYTHING, leave_out=(PATIENT,))
        assert scopes(token) == without(PATIENT)
        assert LEFT_OUT in server.api("fhir/Patient", token, status=403).headers["WWW-Authenticate"]
        assert [consent.share_demographic for consent in consents_of(server)] == [True, True]

    def test_is_all_of_the_personal_information_as_if_it_was_not_shared(self, server):
        token = server.grant(EVERYTHING, leave_out=("profile", PATIENT))
        assert scopes(token) == set(LESS.split())
        assert "did not share their demographic" in server.api("fhir/Patient", token, status=403).text
        (consent,) = consents_of(server)
        assert (consent.share_demographic, consent.left_out) == (False, [])

    def test_counts_for_nothing_beside_a_no_to_all_personal_information(self, server):
        token = server.grant(EVERYTHING, share_demographic=False, leave_out=("profile", CLAIMS))
        assert scopes(token) == set(LESS.split()) - {f"{CLAIMS}.read"}
        (consent,) = consents_of(server)
        assert (consent.share_demographic, consent.left_out) == (False, [CLAIMS])

    def test_is_not_what_the_app_is_told_where_it_may_not_have_it_anyway(self, server):
        token = server.grant(EVERYTHING, leave_out=(PATIENT,))
        change_app(server, asks_demographic=False)
        assert "not registered" in server.api("fhir/Patient", token, status=403).text

    def test_shares_nothing_sensitive_either(self, server):
        server.grant(EVERYTHING, leave_out=(CLAIMS,), share_sensitive=("substance-use",))
        (consent,) = consents_of(server)
        assert consent.share_sensitive == {"substance-use": False}

    def test_is_what_the_app_cannot_see_on_the_page_of_the_connection(self, server):
        server.grant(EVERYTHING, leave_out=(CLAIMS,))
        page = server.get(newest_connection(server)).html
        cannot = page.find("h2", string=re.compile("What App .* cannot see")).find_next_sibling("ul").get_text()
        assert "Your Medicare claims" in cannot
        assert "Your Medicare coverage" not in cannot


class TestTheBoxes:
    def test_are_all_ticked_when_the_page_opens_and_folded_away(self, server):
        page = server.consent_page(EVERYTHING)
        assert ticked(page) == {BOX(family) for family in (CLAIMS, COVERAGE, PATIENT, "profile")}
        assert "open" not in page.html.find(id="boxes").attrs

    def test_are_not_there_for_one_line_alone_or_for_how_the_connection_works(self, server):
        for scope in ("openid launch/patient", f"openid {COVERAGE}.read", "profile"):
            page = server.consent_page(scope)
            assert page.html.find(id="boxes") is None
            assert scopes(redeem(server, server.approve(page))) == set(scope.split())

    @pytest.mark.parametrize("sent", [None, "", "on", "share "])
    def test_count_as_cleared_unless_they_say_share(self, server, sent):
        token = redeem(server, answer(server.consent_page(EVERYTHING), **{BOX(CLAIMS): sent}))
        assert scopes(token) == without(CLAIMS)

    def test_doubled_or_in_the_address_or_of_another_line_do_not_count(self, server):
        form = consent_form(server.consent_page(f"{COVERAGE}.read {CLAIMS}.read"))
        sent = [(name, value) for name, value in form.submit_fields() if name != "answer"]
        sent += [("answer", "yes"), (BOX(CLAIMS), "share"), (BOX(PATIENT), "share"), (BOX("profile"), "share")]
        token = redeem(server, server.post(f"{form.action}?{BOX(CLAIMS)}=share", sent, status=303))
        assert scopes(token) == {f"{COVERAGE}.read"}

    def test_all_cleared_are_no_yes_and_the_person_is_told(self, server):
        page = server.consent_page(EVERYTHING)
        cleared = {BOX(family): None for family in (CLAIMS, COVERAGE, PATIENT, "profile")}
        for said in "yes", "show":
            for demographic in "share", "withhold":
                asked_again = answer(page, said, demographic=demographic, **cleared)
                assert "You have left everything out" in asked_again.html.find(class_="problem").get_text()
                assert ticked(asked_again) == set()
                assert consent_form(asked_again)["demographic"].value == demographic
        assert consents_of(server) == []
        assert error_of(answer(asked_again, "no")) == "access_denied"

    def test_left_ticked_only_for_what_is_not_shared_anyway_are_no_yes_either(self, server):
        page = server.consent_page(EVERYTHING)
        asked_again = answer(page, demographic="withhold", **{BOX(CLAIMS): None, BOX(COVERAGE): None})
        assert "You have left everything out" in asked_again.text
        assert consents_of(server) == []

    @pytest.mark.parametrize("problem", ["answer", "choose", "changed"])
    def test_stay_as_they_are_when_something_else_is_missing(self, server, problem):
        page = server.consent_page(EVERYTHING)
        changes = {"answer": {"said": ""}, "choose": {"demographic": None}, "changed": {"screen": "another"}}[problem]
        asked_again = answer(page, **changes, **{BOX(CLAIMS): None})
        assert asked_again.html.find(class_="problem")
        assert ticked(asked_again) == {BOX(family) for family in (COVERAGE, PATIENT, "profile")}
        assert "open" in asked_again.html.find(id="boxes").attrs
        assert scopes(redeem(server, answer(asked_again))) == without(CLAIMS)


class TestShowWhatThisShares:
    def test_tells_what_the_app_will_get_and_what_not_and_is_no_answer(self, server):
        page = server.consent_page(EVERYTHING)
        shown = answer(page, "show", **{BOX(CLAIMS): None, BOX("profile"): None})
        personal = "Your name, address, birth date, race and sex, and your Medicare number"
        assert summary(shown) == [
            ["Your Medicare coverage", personal],
            ["Your Medicare claims", "The name on your account"],
        ]
        assert shown.html.find(class_="done").attrs.keys() >= {"autofocus", "tabindex"}
        assert consents_of(server) == []
        assert scopes(redeem(server, answer(shown))) == without(CLAIMS) - {"profile"}

    def test_tells_of_what_is_sensitive_only_where_its_records_are_shared(self, server):
        page = server.consent_page(EVERYTHING)
        sensitive = "Claims about treatment for alcohol or drug use"
        assert sensitive in summary(answer(page, "show"))[1]
        assert sensitive in summary(answer(page, "show", **{SUBSTANCE_USE: "share"}))[0]
        gets, lacks = summary(answer(page, "show", **{BOX(CLAIMS): None}))
        assert sensitive not in [*gets, *lacks]

    def test_needs_the_other_choice_and_the_same_page(self, server):
        page = server.consent_page(EVERYTHING)
        assert "Please choose whether to share" in answer(page, "show", demographic=None).text
        assert "It has changed since" in answer(page, "show", screen="another").text

    def test_is_a_no_beside_a_no_and_nothing_beside_a_yes(self, server):
        form = consent_form(server.consent_page(EVERYTHING))
        sent = [(name, value) for name, value in form.submit_fields() if name != "answer"]
        both = server.post(form.action, [*sent, ("answer", "show"), ("answer", "yes")], status=200)
        assert "Please answer Yes or No" in both.text
        no = server.post(form.action, [*sent, ("answer", "show"), ("answer", "no")], status=303)
        assert answer_of(no)["error"] == "access_denied"

    def test_after_the_answer_changes_nothing(self, server):
        page = server.consent_page(EVERYTHING)
        token = redeem(server, answer(page))
        late = answer(page, "show", demographic="withhold", **{BOX(CLAIMS): None})
        assert "You have already said yes" in late.text
        assert opens(server, token, "fhir/Patient") == 200


class TestTheOtherLanguage:
    def test_keeps_every_choice_and_answers_nothing(self, server):
        chosen = {"demographic": "withhold", SUBSTANCE_USE: "share", BOX(COVERAGE): None}
        page = answer(server.consent_page(EVERYTHING), None, lang="es", **chosen)
        for language, there in (("es", "en"), ("en", "es")):
            assert page.status_int == 200
            assert page.html.html["lang"] == language
            assert page.html.select_one("nav .link")["value"] == there
            assert page.html.find(class_="problem") is None
            form = consent_form(page)
            assert (form["demographic"].value, form[SUBSTANCE_USE].value) == ("withhold", "share")
            assert BOX(COVERAGE) not in ticked(page)
            page = answer(page, None, lang=there)  # as it stands
        assert consents_of(server) == []
        token = redeem(server, answer(page))
        assert scopes(token) == set(LESS.split()) & without(COVERAGE)
        (consent,) = consents_of(server)
        assert (consent.language, consent.share_sensitive) == ("es", {"substance-use": True})

    def test_shares_nothing_sensitive_that_was_chosen_on_a_page_which_has_changed(self, server):
        page = answer(server.consent_page(EVERYTHING), None, lang="es", screen="0" * 32, **{SUBSTANCE_USE: "share"})
        assert consent_form(page)[SUBSTANCE_USE].value == "withhold"

    def test_takes_nothing_back_after_a_yes(self, server):
        page = server.consent_page(EVERYTHING)
        token = redeem(server, answer(page))
        said = answer(page, None, lang="es", demographic="withhold", **{BOX(CLAIMS): None})
        assert said.status_int == 409
        assert "Usted ya dijo que sí" in said.html.h1.get_text()
        assert opens(server, token) == opens(server, token, "connect/userinfo") == 200

    def test_beside_an_answer_is_no_language_alone(self, server):
        page = server.consent_page(EVERYTHING)
        assert error_of(answer(page, "no", lang="es")) == "access_denied"
        assert consents_of(server) == []


class TestAfterAYes:
    def test_clearing_a_box_and_yes_again_ends_what_the_yes_had_begun(self, server):
        page = server.consent_page(EVERYTHING)
        token = redeem(server, answer(page))
        assert "You have already said yes" in answer(page).text
        assert opens(server, token) == 200
        assert "no longer has access" in answer(page, **{BOX(CLAIMS): None}).text
        assert opens(server, token) == 401

    def test_ticking_one_shares_no_more(self, server):
        page = server.consent_page(EVERYTHING)
        token = redeem(server, answer(page, **{BOX(CLAIMS): None}))
        assert "You have already said yes" in answer(page).text
        assert opens(server, token, "fhir/ExplanationOfBenefit") == 403
        assert code_of(answer(server.consent_page(EVERYTHING)))


class TestWhatThePageSays:
    """Nothing that is not so: neither of what is not asked for, nor of what may be left out."""

    @pytest.mark.parametrize(("scope", "said"), [(f"{CLAIMS}.r", True), (f"{COVERAGE}.read profile", False)])
    def test_of_four_years_only_where_claims_are_asked_for(self, server, scope, said):
        assert ("at least four years of them" in server.consent_page(scope).text) is said

    @pytest.mark.parametrize("access", ["ongoing", "one-time", "research"])
    def test_of_copies_and_new_information_only_where_there_is_any(self, server, access):
        change_app(server, access=access)
        for scope, said in (("openid", False), ("profile", True)):
            page = server.consent_page(scope)
            assert ("It can keep copies." in page.text) is said
            assert ("come back for new information." in page.text) is (said and access != "one-time")
            assert page.html.select_one(".until li b").get_text().endswith(".")

    def test_of_each_record_unfolds(self, server):
        lines = server.consent_page(EVERYTHING).html.select(".lines details")
        assert [line.summary.get_text() for line in lines] == ["Your Medicare claims", "Your Medicare coverage"]
        assert all(line.p.get_text() and "open" not in line.attrs for line in lines)

    def test_holds_whatever_is_ticked_afterwards(self, server):
        """A page without a script cannot take words back: outside the summary it speaks of what is asked for."""
        page = server.consent_page(EVERYTHING)
        shown = answer(page, "show", **{BOX(CLAIMS): None})
        assert scopes(redeem(server, answer(shown, **{BOX(CLAIMS): "share"}))) == set(EVERYTHING.split())
        for part in (".lines", ".until", ".choice"):
            assert [each.get_text() for each in shown.html.select(part)] == [
                each.get_text() for each in page.html.select(part)
            ]
