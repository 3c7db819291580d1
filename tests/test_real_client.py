"""The CMS SDK for Python, unmodified, against a server on the address that is its own for a local server."""

import json
import socket

import pytest
from cms_bluebutton import BlueButton

from journey import sign_in_and_answer
from running import FEW_CLAIMS, RunningServer
from written import registered, run_example

SDK_PORT = 8000  # the SDK's environment LOCAL is http://localhost:8000
CALLBACK = "http://localhost:8000/testclient/callback"
USERNAME, PASSWORD = "BBUser00000", "PW00000!"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", SDK_PORT)), f"something listens on {SDK_PORT}: stop it, the SDK needs it"
    with RunningServer(tmp_path_factory.mktemp("sdk"), SDK_PORT, BB2_BENEFICIARIES="1", **FEW_CLAIMS) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    return json.loads(server.command("client", "add", "--name", "SDK", "--redirect-uri", CALLBACK, "--json"))


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def sdk(client, request):
    return BlueButton(
        {
            "environment": "LOCAL",
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
            "callback_url": CALLBACK,
            "version": request.param,
            "retry_settings": {"total": 0},
        }
    )


def connect(sdk, demographic):
    """The SDK's own steps, with the person's between them."""
    auth_data = sdk.generate_auth_data()
    url = sdk.generate_authorize_url(auth_data)
    answer = sign_in_and_answer(url, USERNAME, PASSWORD, answer="yes", demographic=demographic)
    return sdk.get_authorization_token(auth_data, answer["code"], answer["state"])


def read_everything(sdk, token):
    """{what: response} of each of the SDK's calls."""
    calls = {
        "Patient": sdk.get_patient_data,
        "Coverage": sdk.get_coverage_data,
        "ExplanationOfBenefit": sdk.get_explaination_of_benefit_data,
        "profile": sdk.get_profile_data,
    }
    return {what: call({"auth_token": token, "params": {}})["response"] for what, call in calls.items()}


def every_claim(sdk, token, first_page):
    """The claims of all pages, as the SDK follows them; it repeats its parameters on every link."""
    pages = sdk.get_pages(first_page, {"auth_token": token, "params": {"_count": 10}})["pages"]
    return [entry["resource"] for page in pages for entry in page["entry"]]


def who_the_person_is(responses):
    """The name, the birth date and the Medicare number, from what was shared."""
    patient = responses["Patient"].json()["entry"][0]["resource"]
    numbers = [i["value"] for i in patient["identifier"] if not i["system"].endswith("bene_id")]
    return [patient["name"][0]["family"], patient["birthDate"], *numbers]


def test_sharing_everything(sdk):
    token = connect(sdk, "share")
    responses = read_everything(sdk, token)
    assert {what: response.status_code for what, response in responses.items()} == dict.fromkeys(responses, 200)
    assert responses["Patient"].json()["entry"][0]["resource"]["id"] == token.patient
    assert responses["profile"].json()["family_name"]
    assert responses["Coverage"].json()["total"] == 4
    first_page = responses["ExplanationOfBenefit"].json()
    claims = every_claim(sdk, token, first_page)
    assert len(claims) == first_page["total"] > 10
    assert len({claim["id"] for claim in claims}) == len(claims)


def test_declining_personal_information(sdk):
    person = who_the_person_is(read_everything(sdk, connect(sdk, "share")))
    token = connect(sdk, "withhold")
    responses = read_everything(sdk, token)
    assert {what: response.status_code for what, response in responses.items()} == {
        "Patient": 403,
        "profile": 403,
        "Coverage": 200,
        "ExplanationOfBenefit": 200,
    }
    claims = every_claim(sdk, token, responses["ExplanationOfBenefit"].json())
    bodies = [responses["Coverage"].text, str(claims)]
    assert len(person) > 2
    for value in person:
        assert not any(value in body for body in bodies)


def test_refreshing(sdk):
    token = connect(sdk, "share")
    fresh = sdk.refresh_auth_token(token)
    assert fresh.access_token != token.access_token
    assert fresh.scope == token.scope
    assert read_everything(sdk, fresh)["Patient"].status_code == 200


def test_the_example_of_the_documentation_prints_a_claim(server):
    app = registered(server)
    code, printed = run_example("sdk.py", app, answer="yes", demographic="share")
    assert (code, "claims; the first is" in printed) == (0, True), printed
    code, printed = run_example("sdk.py", app, answer="no")
    assert (code, "No code came back: access_denied" in printed) == (1, True), printed
