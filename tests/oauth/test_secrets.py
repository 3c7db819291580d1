"""Nothing that is secret stands in the database or in the log, after everything that a person and an app can do."""

import logging

import pyotp
import pytest
from sqlalchemy import select

import developing
from bb2.clock import now
from bb2.models import Base
from bb2.testing import ALICE, PASSWORD, code_of
from developing import SIGN_UP, mailed_link, send, signs_in
from enrolling import TYPED, forgot
from oauth.keyed import app_with_key, proof
from oauth.steps import EVERYTHING, another_browser, answer, redeem
from test_sign_in import sign_in

pytestmark = pytest.mark.either_database

MEDICARE_NUMBER = "1S00E00AA00"
RECORDS = (
    {
        "resourceType": "Patient",
        "id": ALICE,
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": MEDICARE_NUMBER}],
        "name": [{"family": "Doe", "given": ["Alice"]}],
    },
    {
        "resourceType": "Coverage",
        "id": "part-a",
        "subscriberId": MEDICARE_NUMBER,
        "beneficiary": {"reference": f"Patient/{ALICE}"},
    },
)


def whole_journey(server):
    """Everything once; returns every secret that came along, {what: value}."""
    secrets = {"client secret": server.client_secret, "password": PASSWORD}
    sign_in(server)
    page = server.consent_page(EVERYTHING, username=None, nonce="nonce")
    secrets["session cookie"] = next(c.value for c in server.cookiejar if c.name == "beneficiary")
    secrets["CSRF token"] = page.forms[1]["csrf_token"].value
    redirect = server.approve(page)
    secrets |= {"code": code_of(redirect), "verifier": server.verifier}
    token = redeem(server, redirect)
    new = server.refresh(token)
    for name, response in ("first", token), ("second", new):
        secrets |= {f"{name} {kind}": response[kind] for kind in ("access_token", "refresh_token", "id_token")}
    for path in "fhir/Patient", "fhir/Coverage", "connect/userinfo":
        server.api(path, new)
    server.api(f"fhir/Patient?identifier={MEDICARE_NUMBER}", new, status="*")
    # What goes wrong is told and logged too.
    redeem(server, redirect, status=400)
    server.refresh(token, status=400)
    server.refresh(new, client_secret="a wrong secret", status=401)
    server.api("connect/userinfo", new, status=401)
    answer(server.consent_page(EVERYTHING, username="bob"), "no")
    wrong = server.get("/sign-in").forms
    form = next(form for form in wrong.values() if "password" in form.fields)
    form["username"], form["password"] = "alice", "a wrong password"
    form.submit("answer", value="sign-in", status="*")
    closing = {"client_id": server.client_id, "client_secret": server.client_secret}
    server.post("/v2/o/revoke/", closing | {"token": new["access_token"]})
    keyed = app_with_key(server)
    pushed = keyed.authorization_request(EVERYTHING) | proof(keyed)
    pushed = {name: value for name, value in pushed.items() if value is not None}
    secrets |= {
        "assertion": pushed["client_assertion"],
        "request_uri": server.post("/v2/o/par/", pushed).json["request_uri"].rpartition(":")[2],
    }
    forgot(server)
    secrets["Medicare number that was typed"] = TYPED["number"]
    secrets |= developers_journey(another_browser(server))
    return secrets | {"wrong secret": "a wrong secret", "wrong password": "a wrong password"}


def developers_journey(server):
    """Everything of an account of an app developer, once; returns its secrets, {what: value}."""
    send(server, "/developer/sign-up", **SIGN_UP)
    link = mailed_link(server)
    send(server, link, current=developing.PASSWORD)
    key = server.get("/developer/account/authenticator").html.find("code", class_="copy").text.replace(" ", "")
    with server.db() as db:
        typed = {"code": pyotp.TOTP(key).at(int(now(db).timestamp())), "current": developing.PASSWORD}
    shown = send(server, "/developer/account/authenticator", **typed)
    (code, *_others) = shown.html.find("pre", class_="codes").text.split()
    cookie = dict(server.cookies)["developer"]
    signs_in(server)
    send(server, "/developer/sign-in/second", code=code)
    send(server, "/developer/trouble", email=SIGN_UP["email"])
    way_back = mailed_link(server)
    send(server, "/developer/trouble", email=SIGN_UP["email"])  # the mail waits
    return {
        "developer's password": developing.PASSWORD,
        "developer's link": link.rpartition(".")[2],
        "developer's way back": way_back.rpartition(".")[2],
        "developer's cookie": cookie,
        "authenticator's key": key,
        "recovery code": code.replace("-", ""),
    }


@pytest.fixture
def everything_is_logged(caplog):
    """Every logger at its finest, those of the libraries too; each is put back afterwards."""
    caplog.set_level(logging.DEBUG)
    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    levels = [(each, each.level) for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
    yield caplog
    for each, level in levels:
        each.setLevel(level)


NOT_OF_A_JOURNEY = (
    *("record_index", "record_indexing", "sandbox", "sandbox_person", "provider_sign_in"),
    *("passkey", "passkey_challenge", "enrollment_draft", "client_logo", "developer_passkey", "client_trial"),
    "calls_of_day",
)


def test_no_column_of_any_table_holds_a_secret(make_server):
    server = make_server(records=RECORDS)
    secrets = whole_journey(server)
    with server.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(select(table)).mappings().all()
            for what, secret in secrets.items():
                for row in rows:
                    for column, value in row.items():
                        assert secret not in str(value), f"{what} stands in {table.name}.{column}"
            assert rows or table.name in NOT_OF_A_JOURNEY


def test_no_line_of_the_log_holds_a_secret_or_says_who_the_person_is(make_server, everything_is_logged):
    server = make_server(records=RECORDS)
    for each in ("sqlalchemy.engine.Engine", "oauthlib.oauth2.rfc6749.grant_types.refresh_token", "bb2.audit"):
        logging.getLogger(each).setLevel(logging.DEBUG)
    secrets = whole_journey(server)
    log = everything_is_logged.text
    assert "consent.given" in log
    for what, secret in secrets.items():
        assert secret not in log, f"the log holds the {what}"
    for who in "Alice", "Doe", MEDICARE_NUMBER, SIGN_UP["name"], SIGN_UP["email"]:
        assert who not in log
