"""Every claim of every persona, page by page, with fhirclient and the CMS SDK, unmodified.  Only `make proofs` asks.

fhirclient 4 has the models of R4.  Those of STU3 are in the releases before it, which know no PKCE: both are given a
token here, as tests/clients/fhirclient_app.py has the whole way of fhirclient 4 to one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cms_bluebutton import BlueButton
from sqlalchemy import select
from sqlalchemy.orm import Session

from bb2.db import make_engine, reader
from bb2.models import Account, Record
from bb2.sandbox import PERSONAS
from journey import connect, sign_in_and_answer
from running import RunningServer

SDK_PORT = 8000  # the SDK's environment LOCAL is http://localhost:8000
CALLBACK = "http://localhost:8000/testclient/callback"
EVERYTHING = {"answer": "yes", "demographic": "share", "sensitive-substance-use": "share"}
PAGE_CLAIMS = Path(__file__).with_name("page_claims.py")
OPEN = {name: who for name, who in PERSONAS.items() if who.merged_into is None and who.has_account}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    var = tmp_path_factory.mktemp("personas")
    unlimited = {"BB2_LIMIT_SIGN_IN_ADDRESS": "100000 per minute"}
    with RunningServer(var, SDK_PORT, BB2_BENEFICIARIES=str(len(PERSONAS)), **unlimited) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    added = server.command("client", "add", "--name", "Personas", "--redirect-uri", CALLBACK, "--json")
    return json.loads(added)


@pytest.fixture(scope="module")
def stored(server):
    """A function: the ids of a person's claims of a version, as the database has them."""
    engine = make_engine(f"sqlite:///{server.environ['VAR']}/bb2.sqlite")

    def ids(persona, version):
        with Session(reader(engine)) as db:
            account = db.get(Account, persona.username.lower())
            claims = select(Record.id).where(
                Record.version == version,
                Record.resource_type == "ExplanationOfBenefit",
                Record.patient == account.beneficiary.patient,
            )
            return sorted(db.scalars(claims))

    yield ids
    engine.dispose()


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", OPEN)
def test_the_sdk_pages_through_every_claim(client, stored, name, version):
    told = {
        "environment": "LOCAL",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "callback_url": CALLBACK,
        "version": int(version[1:]),
    }
    sdk, persona = BlueButton(told), OPEN[name]
    asked = sdk.generate_auth_data()
    answer = sign_in_and_answer(sdk.generate_authorize_url(asked), persona.username, persona.password, **EVERYTHING)
    config = {"auth_token": sdk.get_authorization_token(asked, answer["code"], answer["state"]), "params": {}}
    first = sdk.get_explaination_of_benefit_data(config)["response"].json()
    pages = sdk.get_pages(first, config)["pages"]
    claims = [entry["resource"]["id"] for page in pages for entry in page.get("entry", ())]
    assert sorted(claims) == stored(persona, version)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """{API version: the folder with the fhirclient whose models are of it}, as its makers publish them."""
    stu3 = tmp_path_factory.mktemp("stu3")
    subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--target", stu3, "fhirclient<4"], check=True)
    return {"v1": str(stu3), "v2": ""}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", OPEN)
def test_fhirclient_pages_through_every_claim(server, client, stored, libraries, name, version):
    persona = OPEN[name]
    token = connect(server.url, client, CALLBACK, persona.username, persona.password, **EVERYTHING)["access_token"]
    read = subprocess.run(
        [sys.executable, PAGE_CLAIMS, f"{server.url}/{version}/fhir", token],
        env=os.environ | {"PYTHONPATH": libraries[version]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert sorted(json.loads(read.stdout)) == stored(persona, version)


def test_the_persona_with_a_thousand_claims_has_them(stored):
    assert len(stored(PERSONAS["thousand"], "v2")) == 1000
