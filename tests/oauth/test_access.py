"""What the API says to a token that does not open an endpoint (RFC 6750), in the shape of the place."""

import pytest

from bb2.clock import utcnow
from bb2.models import AccessToken, Consent
from bb2.testing import ALICE
from oauth.steps import (
    EVERYTHING,
    another_app,
    answer,
    change_app,
    consents_of,
    earlier,
    newest_connection,
    redeem,
    stop_form,
)

pytestmark = pytest.mark.either_database

PATHS = ("connect/userinfo", "connect/UserInfo", "fhir/Patient", "fhir/Coverage", "fhir/ExplanationOfBenefit/any")

URLS = [f"/{version}/{path}" for version in ("v1", "v2") for path in PATHS]


def assert_refused(response, status, error, words=""):
    """RFC 6750, 3 in the header; below /fhir an OperationOutcome, elsewhere OAuth's JSON."""
    assert response.status_int == status
    assert response.headers["Cache-Control"] == "no-store"
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="bb2"')
    assert f'error="{error}"' in challenge if error else "error" not in challenge
    if "/fhir/" in response.request.path:
        assert response.content_type == "application/fhir+json"
        assert response.json["resourceType"] == "OperationOutcome"
        said = response.json["issue"][0]["diagnostics"]
    else:
        assert response.content_type == "application/json"
        said = response.json["error_description"]
        assert response.json["error"] == (error or "invalid_token")
    assert words in said


class TestWithoutAGoodToken:
    def test_nothing_is_opened_and_no_error_named(self, server):
        for url in URLS:
            assert_refused(server.get(url, status=401), 401, None)

    @pytest.mark.parametrize(
        "value",
        [
            "unknown",
            "x" * 8000,
            "a.b.c",
            "eyJhbGciOiJub25lIn0.e30.",
            "%00",
            "' OR 1=1 --",
            "a,b",
            "a b",
            "",
            "é",
            "\x7f",
        ],
    )
    def test_an_odd_token_is_invalid(self, server, value):
        for url in URLS:
            response = server.get(url, headers={"Authorization": f"Bearer {value}"}, status=401)
            assert_refused(response, 401, "invalid_token")

    @pytest.mark.parametrize("header", ["", " ", "Basic YTpi", "Token x", "bearerx", "é", "Bearer,"])
    def test_another_scheme_is_no_token(self, server, header):
        for url in URLS:
            response = server.get(url, headers={"Authorization": header}, status=401)
            assert_refused(response, 401, None, "is needed")

    def test_a_token_in_the_url_is_refused(self, server):
        for url in URLS:
            response = server.get(f"{url}?access_token=x", status=400)
            assert_refused(response, 400, "invalid_request", "Authorization header")


def test_a_good_token_in_the_url_is_refused_alone_and_beside_the_header(server):
    token = server.grant(EVERYTHING)
    url = f"fhir/Coverage?access_token={token['access_token']}"
    assert_refused(server.get(f"/v2/{url}", status=400), 400, "invalid_request")
    assert_refused(server.api(url, token, status=400), 400, "invalid_request")


def test_the_scheme_is_read_in_any_case_and_the_token_is_not(server):
    value = server.grant(EVERYTHING)["access_token"]
    for scheme in "Bearer", "bearer", "BEARER", "Bearer ":
        server.get("/v2/fhir/Coverage", headers={"Authorization": f"{scheme} {value}"}, status=200)
    for other in value.swapcase(), value[:-1], f"{value}A", f"{value}=", value[::-1]:
        server.get("/v2/fhir/Coverage", headers={"Authorization": f"Bearer {other}"}, status=401)


def test_the_persons_own_browser_opens_nothing(server):
    server.sign_in()
    assert_refused(server.get("/v2/fhir/Coverage", status=401), 401, None)
    assert_refused(server.get("/v2/connect/userinfo", status=401), 401, None)


class TestWhatWasNotShared:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_is_forbidden_and_says_that_the_person_did_not_share_it_and_how_to_ask_again(self, server, version):
        token = server.grant(EVERYTHING, share_demographic=False)
        for path, scope in (
            ("connect/userinfo", "profile"),
            ("fhir/Patient", "patient/Patient.read"),
            (f"fhir/Patient/{ALICE}", "patient/Patient.read"),
        ):
            response = server.api(path, token, version=version, status=403)
            assert_refused(response, 403, "insufficient_scope", "did not share")
            assert_refused(response, 403, "insufficient_scope", scope)
            assert_refused(response, 403, "insufficient_scope", "through authorization once more")
            assert scope in response.headers["WWW-Authenticate"].split('scope="')[1].rstrip('"').split()
        server.api("fhir/Coverage", token, version=version)
        server.api("fhir/ExplanationOfBenefit", token, version=version)

    def test_is_forbidden_to_an_app_that_may_not_ask_and_says_so(self, server):
        server = another_app(server, asks_demographic=False)
        token = redeem(server, answer(server.consent_page(None)))
        for path in "connect/userinfo", "fhir/Patient":
            response = server.api(path, token, status=403)
            assert_refused(response, 403, "insufficient_scope", "is not registered to ask for demographic information")

    def test_is_forbidden_to_an_app_that_did_not_ask(self, server):
        token = redeem(server, answer(server.consent_page("patient/Coverage.read")))
        for path in "connect/userinfo", "fhir/Patient":
            assert_refused(server.api(path, token, status=403), 403, "insufficient_scope", "did not ask for")

    def test_another_missing_scope_is_named(self, server):
        token = server.grant("patient/Coverage.s")
        response = server.api("fhir/ExplanationOfBenefit", token, status=403)
        assert_refused(response, 403, "insufficient_scope", "patient/ExplanationOfBenefit.read")
        response = server.api("fhir/Coverage/any", token, status=403)
        assert_refused(response, 403, "insufficient_scope", "patient/Coverage.r ")
        server.api("fhir/Coverage", token)


class TestAnEndedToken:
    """401, and the description says which, to the token's own app."""

    @pytest.fixture
    def fresh(self, server):
        server = another_app(server)
        return server, server.grant(EVERYTHING)

    def refused(self, fresh, words):
        server, token = fresh
        for path in PATHS:
            assert_refused(server.api(path, token, status=401), 401, "invalid_token", words)

    def test_that_expired(self, fresh):
        earlier(fresh[0], AccessToken, "expires_at", hours=1)
        self.refused(fresh, "get a new one with the refresh token")

    def test_whose_consent_expired(self, fresh):
        earlier(fresh[0], Consent, "expires_at", days=400)
        self.refused(fresh, "has expired. Ask the beneficiary to connect again")

    def test_whose_consent_the_beneficiary_ended(self, fresh):
        stop_form(fresh[0].get(f"{newest_connection(fresh[0])}/stop")).submit(status=303)
        self.refused(fresh, "ended by the beneficiary")

    def test_whose_consent_was_replaced(self, fresh):
        fresh[0].grant(EVERYTHING, share_demographic=False)
        self.refused(fresh, "answered anew")

    def test_whose_app_was_switched_off(self, fresh):
        change_app(fresh[0], disabled_at=utcnow())
        self.refused(fresh, "switched off")
        change_app(fresh[0], disabled_at=None)
        fresh[0].api("fhir/Coverage", fresh[1])


class TestUserinfo:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize("path", ["connect/userinfo", "connect/UserInfo", "connect/userinfo/"])
    def test_tells_the_claims_of_profile_by_get_and_post(self, server, version, path):
        token = server.grant("openid profile")
        told = server.api(path, token, version=version)
        assert told.headers["Cache-Control"] == "no-store"
        sub = told.json["sub"]
        assert told.json == {
            "sub": sub,
            "name": "Alice Doe",
            "given_name": "Alice",
            "family_name": "Doe",
            "patient": ALICE,
        }
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert server.post(f"/{version}/{path}", headers=headers).json == told.json

    def test_is_closed_to_openid_alone(self, server):
        assert_refused(server.api("connect/userinfo", server.grant("openid"), status=403), 403, "insufficient_scope")

    def test_takes_no_token_from_a_form(self, server):
        token = server.grant("profile")
        server.post("/v2/connect/userinfo", {"access_token": token["access_token"]}, status=401)


def test_a_consent_that_was_never_redeemed_opens_nothing_and_is_no_connection(make_server):
    server = make_server()
    server.approve(server.consent_page(EVERYTHING))
    (consent,) = consents_of(server)
    assert consent.activated_at is None
    assert "No app can see your Medicare information" in server.get("/connections").text


def test_two_apps_of_one_person_never_mix(server):
    server = another_app(server)
    other = another_app(server, asks_demographic=False)
    mine, theirs = server.grant(EVERYTHING), redeem(other, answer(other.consent_page(None)))
    server.api("fhir/Patient", mine)
    server.api("fhir/Patient", theirs, status=403)
