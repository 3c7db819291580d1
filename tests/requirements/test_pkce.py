"""PKCE (RFC 7636), which every app must use, with S256 (RFC 9700, 2.1.1)."""

import pytest

from bb2.testing import challenge, code_of
from oauth.steps import another_app, ask
from requirements.steps import RECORD_SCOPES, code_for_many_tests, exchange, is_refused, is_told_to_the_app, new_code

GOOD = "v" * 43


def test_pkce_01_the_verifier_of_the_challenge_gets_the_tokens(app):
    """RFC 7636, 4.6"""
    assert exchange(app, new_code(app)).json["access_token"]


def test_pkce_02_there_is_no_code_without_a_challenge(server):
    """RFC 7636, 4.4.1"""
    assert is_told_to_the_app(ask(server, code_challenge=None, code_challenge_method=None), "invalid_request")


def test_pkce_03_plain_is_refused(server):
    asked = {"code_challenge": GOOD, "code_challenge_method": "plain"}
    assert is_told_to_the_app(ask(server, **asked), "invalid_request")


def test_pkce_04_a_challenge_without_its_method_would_be_plain_and_is_refused(server):
    """RFC 7636, 4.3"""
    assert is_told_to_the_app(ask(server, code_challenge_method=None), "invalid_request")


@pytest.fixture(scope="module")
def unspent(one_server):
    """An app, its code and its verifier, which no refused request spends."""
    app = another_app(one_server[0])
    app.sign_in()
    yield from code_for_many_tests(app)


def refused(unspent, *errors, **changes):
    server, code, verifier = unspent
    return is_refused(exchange(server, code, **({"code_verifier": verifier} | changes)), *errors)


def test_pkce_05_another_verifier_is_refused(unspent):
    assert refused(unspent, "invalid_grant", code_verifier=GOOD)


def test_pkce_06_no_verifier_is_refused(unspent):
    """RFC 7636, 4.5"""
    assert refused(unspent, "invalid_grant", "invalid_request", code_verifier=None)


def test_pkce_07_the_challenge_is_no_verifier(unspent):
    assert refused(unspent, "invalid_grant", code_verifier=challenge(unspent[2]))


@pytest.mark.parametrize("verifier", ["", " ", "\x00" * 43, "v" * 42, "v" * 129, "é" * 43, "v" * 42 + "+"])
def test_pkce_08_a_malformed_verifier_is_refused(unspent, verifier):
    """RFC 7636, 4.1"""
    assert refused(unspent, "invalid_grant", "invalid_request", code_verifier=verifier)


def test_pkce_09_a_verifier_that_can_be_guessed_is_refused(app):
    """RFC 7636, 7.1"""
    code = new_code(app, code_challenge=challenge("0123456789"))
    assert is_refused(exchange(app, code, code_verifier="0123456789"), "invalid_grant", "invalid_request")


@pytest.mark.parametrize("value", ["short", "x" * 42, "x" * 44, "x" * 200, "x" * 42 + "+", "é" * 43, ""])
def test_pkce_10_a_malformed_challenge_is_refused(server, value):
    """RFC 7636, 4.2"""
    assert is_told_to_the_app(ask(server, code_challenge=value), "invalid_request")


@pytest.mark.parametrize("method", ["S512", "s256", "none", ""])
def test_pkce_11_another_method_is_refused(server, method):
    assert is_told_to_the_app(ask(server, code_challenge_method=method), "invalid_request")


def test_pkce_12_the_verifier_of_another_authorization_is_refused(app):
    """RFC 9700, 4.5.3.1"""
    code, verifier = new_code(app), app.verifier
    other = new_code(app)
    assert is_refused(exchange(app, code), "invalid_grant")
    assert is_refused(exchange(app, other, code_verifier=verifier), "invalid_grant")
    assert exchange(app, other).status_int == 200


def test_pkce_13_a_challenge_cannot_be_taken_away_on_the_way(app):
    """RFC 9700, 4.8.2: the code would then be good with any verifier, so there is none."""
    assert is_told_to_the_app(
        ask(app, RECORD_SCOPES, code_challenge=None, code_challenge_method=None), "invalid_request"
    )
    assert is_told_to_the_app(ask(app, RECORD_SCOPES, code_challenge=None), "invalid_request")


def test_pkce_14_a_public_app_needs_challenge_and_verifier(public_app):
    """RFC 9700, 2.1.1"""
    without = ask(public_app, code_challenge=None, code_challenge_method=None)
    assert is_told_to_the_app(without, "invalid_request")
    code = code_of(public_app.approve(public_app.consent_page(RECORD_SCOPES, username=None)))
    assert is_refused(exchange(public_app, code, code_verifier=None), "invalid_grant", "invalid_request")
    assert is_refused(exchange(public_app, code, code_verifier=GOOD), "invalid_grant")
    assert exchange(public_app, code).status_int == 200


def test_pkce_15_a_method_without_a_challenge_is_refused(server):
    assert is_told_to_the_app(ask(server, code_challenge=None, code_challenge_method="S256"), "invalid_request")
