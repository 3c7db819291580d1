"""No log holds a code, token, secret, name or Medicare number: the guard over all tests (log_guard.py) sees them."""

import logging
import secrets
import threading

import pytest
import requests
import waitress

from bb2.models import Beneficiary
from bb2.oauth.secrets import new_secret
from bb2.testing import PASSWORD, ConsentServer
from log_guard import secret_lines

pytest_plugins = ["pytester"]
log = logging.getLogger("bb2.anything")
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"


def raises(what):
    """An exception in the log, with what it says."""
    try:
        raise ValueError(what)
    except ValueError:
        log.exception("something went wrong")


WAYS = {
    "in a sentence": lambda secret: log.debug("the code is %s.", secret),
    "in a URL": lambda secret: log.info("GET /callback?code=%s&state=1", secret),
    "with more around it": lambda secret: log.info("code_%s_1", secret),
    "in an exception": raises,
    "of a library": lambda secret: logging.getLogger("waitress").warning("%r", {"token": secret}),
}


@pytest.fixture
def leaks(log_guard):
    """What the guard has seen, which this test means; so it does not fail for it."""
    yield log_guard.leaks
    log_guard.leaks.clear()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [new_secret, lambda: secrets.token_urlsafe(48), lambda: JWT, lambda: "1S00-E00-AA00"])
def test_a_log_line_with_a_secret_is_seen(leaks, way, make):
    WAYS[way](make())
    assert len(leaks) == 1


@pytest.mark.parametrize("way", [way for way in WAYS if way != "with more around it"])
@pytest.mark.parametrize("what", ["Wilhelmina", "Oyelaran-Núñez", PASSWORD, "123456789A"])
def test_a_log_line_with_a_person_in_it_is_seen(leaks, way, what):
    Beneficiary(sub="1", patient="-1", given_name="Wilhelmina", family_name="Oyelaran-Núñez")
    WAYS[way](what)
    assert len(leaks) == 1


def test_a_test_that_leaves_a_secret_in_the_log_fails(pytester, leaks):
    pytester.makeconftest('pytest_plugins = ["log_guard"]')
    pytester.makepyfile(
        """
        import logging
        from bb2.oauth.secrets import new_secret

        def test_leaks():
            logging.getLogger("bb2").debug(new_secret())

        def test_does_not():
            logging.getLogger("bb2").debug("all's well")
        """
    )
    outcome = pytester.runpytest("-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=2, errors=1)
    outcome.stdout.fnmatch_lines(["*ERROR at teardown of test_leaks*", "*bb2 logged a code, token or secret*"])


def test_ids_that_open_nothing_may_be_logged(leaks):
    log.info("correlation %s consent=12 %s beneficiary=3", secrets.token_hex(16), secrets.token_hex(32))
    assert not leaks


def test_what_a_server_process_prints_is_looked_through():
    fine = ["a sentence", f"    client_secret  {new_secret()}", secrets.token_hex(32), "/very/long/" + "path" * 20]
    bad = [f"GET /callback?code={'aB3' + 'x' * 40} HTTP/1.1", JWT, "1S00E00AA00"]
    assert secret_lines("\n".join(fine + bad)) == bad


@pytest.fixture
def url():
    """The address of a server as it is in earnest: behind waitress."""
    app = ConsentServer().app
    server = waitress.create_server(app, listen="127.0.0.1:0")
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.trigger.pull_trigger(server.close)
    thread.join()


def test_no_url_is_logged(url, caplog):
    caplog.set_level(logging.DEBUG)
    for path in (
        f"/testclient/callback?code={new_secret()}&state={new_secret()}",
        f"/v2/fhir/Patient/-20140000010000?access_token={new_secret()}",
        f"/v2/o/authorize/?client_id=x&state={new_secret()}",
        f"/nowhere?identifier=http://hl7.org/fhir/sid/us-mbi|1S00E00AA00&code={new_secret()}",
    ):
        requests.get(url + path, allow_redirects=False)
    of_the_server = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert not [line for line in of_the_server if "?" in line or "-2014" in line]
