"""What published clients do that a purist would refuse: all of it is accepted."""

import base64
import hashlib
import secrets

import pytest

from bb2.testing import code_of
from oauth.steps import EVERYTHING, answer, opens, redeem

pytestmark = pytest.mark.either_database


@pytest.fixture(params=["v1", "v2"])
def version(request):
    return request.param


def test_pkce_values_are_padded_with_equals_signs(server, version):
    """The CMS SDKs pad both: the challenge is compared without, the verifier is hashed as it was sent."""
    for octets in 32, 33, 34:
        verifier = base64.urlsafe_b64encode(secrets.token_bytes(octets)).decode()
        padded = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()
        assert padded.endswith("=")
        code = code_of(server.approve(server.consent_page(EVERYTHING, version=version, code_challenge=padded)))
        if verifier.endswith("="):
            redeem(server, code, code_verifier=verifier.rstrip("="), status=400)
        assert redeem(server, code, version=version, code_verifier=verifier)["scope"]


def test_the_token_request_is_multipart_form_data(server, version):
    code = code_of(server.approve(server.consent_page(EVERYTHING, version=version)))
    token = server.post(f"/{version}/o/token/", *multipart(server, server.token_request(code))).json
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": token["refresh_token"],
        "client_id": server.client_id,
        "client_secret": server.client_secret,
    }
    token = server.post(f"/{version}/o/token/", *multipart(server, refresh)).json
    closing = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    server.post(f"/{version}/o/revoke_token/", *multipart(server, closing), status=200)
    assert opens(server, token) == 401


def test_basic_credentials_come_with_a_client_id_in_the_body(server, version):
    code = code_of(server.approve(server.consent_page(EVERYTHING, version=version)))
    credentials = base64.b64encode(f"{server.client_id}:{server.client_secret}".encode()).decode()
    asked = server.token_request(code, client_secret=None)
    assert asked["client_id"] == server.client_id
    server.post(f"/{version}/o/token/", asked, headers={"Authorization": f"Basic {credentials}"}, status=200)


@pytest.mark.parametrize("slash", ["", "/"])
def test_paths_come_with_and_without_their_slash(server, version, slash):
    server.sign_in()
    page = server.get(f"/{version}/o/authorize{slash}", server.authorization_request(EVERYTHING), status=303).follow()
    asked = server.token_request(code_of(server.approve(page)))
    token = server.post(f"/{version}/o/token{slash}", asked, status=200).json
    for path in "fhir/Coverage", "fhir/Patient", "connect/userinfo":
        server.api(f"{path}{slash}", token, version=version)
    closing = {"token": token["access_token"], "client_id": server.client_id, "client_secret": server.client_secret}
    server.post(f"/{version}/o/revoke{slash}", closing, status=200)


def test_a_get_carries_a_left_over_multipart_content_type(server, version):
    server.sign_in()
    left_over = {"Content-Type": "multipart/form-data; boundary=left-over"}
    asked = server.authorization_request(EVERYTHING)
    page = server.get(f"/{version}/o/authorize", asked, headers=left_over, status=303).follow(headers=left_over)
    token = redeem(server, server.approve(page), version=version)
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    for path in "fhir/Coverage", "connect/userinfo", "fhir/metadata":
        server.get(f"/{version}/{path}", headers=left_over | bearer, status=200)


def test_a_code_exchange_carries_the_bearer_token_of_an_earlier_person(server, version):
    earlier = server.grant(EVERYTHING, username="bob", version=version)
    asked = server.token_request(code_of(answer(server.consent_page(EVERYTHING, version=version))))
    headers = {"Authorization": f"Bearer {earlier['access_token']}"}
    token = server.post(f"/{version}/o/token/", asked, headers=headers, status=200).json
    assert token["patient"] != earlier["patient"]
    assert opens(server, earlier) == 200


def test_a_bearer_token_is_no_client_authentication(server):
    token = server.grant(EVERYTHING)
    code = code_of(server.approve(server.consent_page(EVERYTHING)))
    asked = server.token_request(code, client_secret=None)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    server.post("/v2/o/token/", asked, headers=headers, status=401)


def test_a_followed_link_repeats_count(server, version):
    token = server.grant(EVERYTHING)
    server.api("fhir/ExplanationOfBenefit?_count=10&startIndex=0&_count=10", token, version=version, status=200)


def multipart(server, fields):
    """The body and headers of a form as multipart/form-data."""
    content_type, body = server.encode_multipart(fields.items(), [])
    return body, {"Content-Type": content_type}
