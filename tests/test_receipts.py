"""Receipts: one for each decision of a person, the same for ever, for that person only; on paper and for machines."""

import base64
import uuid

import pytest
from fhir.resources.R4B.consent import Consent as FhirConsent
from sqlalchemy import update

import bb2
from bb2.audit.decisions import decisions
from bb2.models import Consent
from bb2.scopes import explanation_of_benefit, openid, profile, substance_use
from bb2.testing import ALICE, ConsentServer
from built_in import BUILT_IN
from oauth.steps import another_browser, answer, newest_connection, share_less, stop_form

STATUS = {"given": "active", "declined": "rejected", "narrowed": "active", "ended": "inactive"}


@pytest.fixture(scope="module")
def server():
    """A server on which Alice has made each kind of decision; all in English."""
    server = ConsentServer(*BUILT_IN)
    answer(server.consent_page("profile patient/ExplanationOfBenefit.read"), "no")
    server.grant(leave_out=("patient/Coverage",), share_sensitive=["substance-use"])
    share_less(server, "line-profile", "sensitive-substance-use")
    stop_form(server.get(newest_connection(server) + "/stop")).submit(status=303)
    return server


@pytest.fixture(scope="module")
def paths(server):
    """{decision: the path of its receipt}"""
    page = server.get("/connections/receipts")
    links = [link["href"] for link in page.html.select(".calls a")][::-1]
    assert len(links) == 4
    return dict(zip(("declined", "given", "narrowed", "ended"), links, strict=True))


@pytest.fixture(scope="module")
def receipts(server, paths):
    """{decision: its consent receipt}"""
    return {name: server.get(f"{path}.json").json for name, path in paths.items()}


@pytest.fixture(scope="module")
def resources(server, paths):
    """{decision: its FHIR Consent}"""
    return {name: server.get(f"{path}.fhir.json").json for name, path in paths.items()}


# As JSON


def test_each_has_what_the_specification_requires(receipts):
    """Kantara Initiative, "Consent Receipt Specification" 1.1, but for the address of the controller."""
    for decision, receipt in receipts.items():
        assert receipt["version"] == "KI-CR-v1.1.0"
        assert isinstance(receipt["consentTimestamp"], int)
        assert uuid.UUID(receipt["consentReceiptID"])
        required = {"jurisdiction", "collectionMethod", "piiPrincipalId", "piiControllers", "policyUrl", "spiCat"}
        assert required <= receipt.keys()
        assert receipt["sensitive"] is True
        assert receipt["decision"] == decision
        for purpose in receipt["services"][0]["purposes"]:
            assert purpose["consentType"] == "EXPLICIT"
            assert purpose["thirdPartyName"] == "The App"
    assert len({receipt["consentReceiptID"] for receipt in receipts.values()}) == 4


def test_each_says_what_was_shared_and_what_was_not(receipts):
    claims, who = "Your Medicare claims", "Your name, address, birth date, race and sex, and your Medicare number"
    treatment, name = "Claims about treatment for alcohol or drug use", "The name on your account"
    shared = {decision: r["services"][0]["purposes"] for decision, r in receipts.items()}
    assert shared["declined"] == []
    assert shared["given"][0]["piiCategory"] == [claims, who, name, treatment]
    assert shared["narrowed"][0]["piiCategory"] == [claims, who]
    assert receipts["narrowed"]["piiWithheld"] == ["Your Medicare coverage", name, treatment]
    assert receipts["declined"]["piiWithheld"] == [claims, name]
    assert shared["ended"][0]["termination"] < shared["narrowed"][0]["termination"]


def test_a_receipt_names_the_person_by_a_number_alone(receipts):
    for receipt in receipts.values():
        assert not {"Alice", "Doe", ALICE, "alice"} & set(str(receipt).replace('"', " ").replace("'", " ").split())


# As FHIR


def test_each_is_a_valid_consent(resources):
    for decision, resource in resources.items():
        FhirConsent.model_validate(resource)
        assert resource["status"] == STATUS[decision]
        assert resource["scope"]["coding"][0]["code"] == "patient-privacy"
        assert resource["patient"] == {"reference": f"Patient/{ALICE}"}
        assert "type" not in resource["provision"]  # FHIR R4, Consent.provision.type: not in the root
        assert all(nested["type"] in ("permit", "deny") for nested in resource["provision"]["provision"])
        (actor,) = resource["provision"]["actor"]
        assert actor["reference"]["display"] == "The App"


def provisions(resource, kind):
    """What is permitted or denied, in words."""
    for nested in resource["provision"]["provision"]:
        if nested["type"] == kind:
            words = [c["code"] for c in (*nested.get("class", ()), *nested.get("securityLabel", ()))]
            yield " ".join(words) or nested["code"][0]["text"]


def test_each_permits_what_was_shared_and_denies_what_was_not(resources):
    eob, name = "ExplanationOfBenefit", "The name on your account"
    assert list(provisions(resources["given"], "permit")) == [eob, "Patient", name, f"{eob} ETH"]
    assert list(provisions(resources["narrowed"], "permit")) == [eob, "Patient"]
    assert list(provisions(resources["narrowed"], "deny")) == ["Coverage", name, f"{eob} ETH"]
    assert list(provisions(resources["declined"], "permit")) == []
    assert list(provisions(resources["declined"], "deny")) == [eob, name]
    rules = {decision: r["policyRule"]["coding"][0]["code"] for decision, r in resources.items()}
    assert rules == {"given": "OPTIN", "narrowed": "OPTIN", "ended": "OPTIN", "declined": "OPTOUT"}


def test_the_time_runs_from_the_yes_until_the_end(resources):
    begun = {decision: r["provision"]["period"] for decision, r in resources.items()}
    assert begun["ended"]["start"] == begun["given"]["start"]
    assert begun["ended"]["end"] == resources["ended"]["dateTime"]
    assert begun["given"]["end"] > begun["ended"]["end"]
    assert "end" not in begun["declined"]


def test_the_words_of_the_page_are_attached(resources):
    attached = resources["given"]["sourceAttachment"]
    text = base64.b64decode(attached["data"]).decode()
    assert attached["language"] == "en"
    assert "Share claims about treatment" in text
    assert "- Yes, share these claims" in text
    assert (
        "- No, leave these claims out" in base64.b64decode(resources["narrowed"]["sourceAttachment"]["data"]).decode()
    )


def test_a_no_is_not_said_to_have_answered_the_questions_of_the_page(server, paths, receipts):
    for text in receipts["declined"]["notice"], server.get(paths["declined"]).text:
        assert "Share claims about treatment" in text
        assert "leave these claims out" not in text


def test_the_files_are_downloads_that_no_cache_keeps(server, paths):
    for ending, content_type in ("json", "application/json"), ("fhir.json", "application/fhir+json"):
        response = server.get(f"{paths['given']}.{ending}")
        assert response.content_type == content_type
        assert response.headers["Content-Disposition"].startswith('attachment; filename="receipt-')
        assert response.headers["Cache-Control"] == "no-store"


# On paper


def test_the_page_says_who_what_and_when_in_the_words_of_then(server, paths):
    page = server.get(f"{paths['narrowed']}?lang=es")
    server.get("/?lang=en")
    assert page.html.find("h1").get_text() == "Usted eligió compartir menos con The App"
    assert "hora del Este" in page.html.find("dl").get_text()
    assert "Alice Doe" in page.html.find("dl").get_text()
    then = [each.get_text() for each in page.html.find("main").find_all(lang="en")]
    assert "Your Medicare claims" in then[0]
    assert "The name on your account" in then[1]


def test_an_ending_says_that_copies_stay(server, paths):
    assert "Copies that The App had made before stay with it." in server.get(paths["ended"]).text


def test_a_yes_that_was_taken_back_in_time_is_not_said_to_have_shown_anything():
    server = ConsentServer(*BUILT_IN)
    page = server.consent_page()
    answer(page)
    answer(page, "no")
    receipt = server.get("/connections/receipts").click("stopped sharing").text
    assert "What The App had asked for, and did not get" in receipt
    assert "could see" not in receipt
    assert "Copies" not in receipt


def test_only_what_a_person_decided_has_a_receipt(make_server):
    """On both databases, since the trail's details are searched: no Cancel, nothing that the app or the server did."""
    server = make_server()
    page = server.consent_page()
    server.get(f"/sign-in?request={page.request.path.rpartition('/')[2]}")
    token = server.grant()
    closing = {"client_id": server.client_id, "client_secret": server.client_secret, "token": token["access_token"]}
    server.post("/v2/o/revoke/", closing)
    answer(server.consent_page("profile patient/Coverage.read"), "no")
    with server.db() as db:
        assert [each.event for each in decisions(db, 1)] == ["consent.declined", "consent.given"]
        assert decisions(db, 2) == []


# For the person only, and for ever


def test_another_persons_receipt_is_as_unknown_as_none(server, paths):
    other = another_browser(server)
    other.sign_in("bob")
    for ending in "", ".json", ".fhir.json":
        his, nobodys = (f"{path}{ending}" for path in (paths["given"], "/connections/receipts/9999"))
        answers = [other.get(path, status=404).text.replace(path, "") for path in (his, nobodys)]
        assert answers[0] == answers[1]
    # What is in the trail and is no decision has no receipt either.
    assert server.get("/connections/receipts/1", status=404)


def test_a_receipt_is_the_same_when_its_plugins_are_gone():
    server = ConsentServer(openid, profile, explanation_of_benefit, substance_use)
    server.grant(share_sensitive=["substance-use"])
    (path,) = (link["href"] for link in server.get("/connections/receipts").html.select(".calls a"))
    with_them = [server.get(f"{path}{ending}").body for ending in (".json", ".fhir.json")]
    keys = server.app.registry["signing_keys"]
    server.app = bb2.make_app(server.settings, server.engine, {"test:openid": openid}, keys)
    assert [server.get(f"{path}{ending}").body for ending in (".json", ".fhir.json")] == with_them


def test_a_receipt_from_before_the_choices_line_by_line_is_there():
    server = ConsentServer(*BUILT_IN)
    server.grant("openid patient/ExplanationOfBenefit.read", share_sensitive=["substance-use"])
    with server.db() as db:
        consent = db.get(Consent, 1)
        shown = {name: kept for name, kept in consent.shown.items() if name not in ("questions", "item_by_item")}
        shown["lines"] = [{name: kept for name, kept in line.items() if name != "reach"} for line in shown["lines"]]
        db.execute(update(Consent).values(shown=shown, left_out=None, share_sensitive=None))
    stop_form(server.get("/connections/1/stop")).submit(status=303)
    path = server.get("/connections/receipts").html.select(".calls a")[0]["href"]
    FhirConsent.model_validate(server.get(f"{path}.fhir.json").json)
