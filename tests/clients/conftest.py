"""One server for all of this folder's clients, and the apps that are registered at it."""

import json
from functools import cache

import pytest
from click.testing import CliRunner
from joserfc.jwk import ECKey

from bb2.cli import command
from clients.apps import SCOPE
from clients.browser_app import served
from running import FEW_CLAIMS, RunningServer

REDIRECT_URI = "http://localhost:3000/callback"  # nobody listens there: the test is the person's browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("clients"), BB2_BENEFICIARIES="1", **FEW_CLAIMS) as running:
        yield running


@pytest.fixture(scope="module")
def register(server):
    """A function that registers an app, and returns what its developer then tells the app."""

    def register(name, *options, redirect_uri=REDIRECT_URI, **more):
        asked = ["client", "add", "--name", name, "--redirect-uri", redirect_uri, "--json", *options]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(server.log.parent)
            done = CliRunner(env=server.environ).invoke(command, asked, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        client = json.loads(done.stdout)
        return {
            "issuer": server.url,
            "fhir": f"{server.url}/v2/fhir",
            "urls": {
                "Patient": f"{server.url}/v2/fhir/Patient",
                "Coverage": f"{server.url}/v2/fhir/Coverage",
                "ExplanationOfBenefit": f"{server.url}/v2/fhir/ExplanationOfBenefit",
                "userinfo": f"{server.url}/v2/connect/userinfo",
            },
            "client_id": client["client_id"],
            "client_secret": client.get("client_secret"),
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            **more,
        }

    return register


@pytest.fixture(scope="module")
def settings(register, new_page, spa, tmp_path_factory):
    """A function: what an app of this kind is told.  It is registered when that is first asked."""

    def with_a_key():
        key = ECKey.generate_key("P-384", {"kid": "of the tests"})
        jwks = tmp_path_factory.mktemp("keys") / "jwks.json"
        jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        return register("With a key", "--jwks", str(jwks), private_jwk=key.as_dict(private=True))

    kinds = {
        "secret": lambda: register("With a secret"),
        "key": with_a_key,
        "public": lambda: register("Public", "--public"),
        "browser": lambda: register("In a browser", "--public", redirect_uri=spa, new_page=new_page),
    }
    return cache(lambda kind: kinds[kind]())


@pytest.fixture(scope="module")
def spa():
    """The URL of the page of the app that lives in the browser."""
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def new_page(request):
    """A function that opens a page of the browser, which starts when it is first called."""
    return lambda: request.getfixturevalue("browser").new_page()


@pytest.fixture(autouse=True)
def oauthlib_on_loopback(monkeypatch):
    """oauthlib, as its documentation has it: http is allowed on this machine, and to be granted less is no error."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
