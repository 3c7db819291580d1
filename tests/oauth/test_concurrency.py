"""Many requests with one code, token or page at the same moment: one of them is served, and none breaks the server."""

import json
from collections import Counter
from functools import partial

import pytest
import requests
from sqlalchemy import func, select

from bb2.models import AccessToken, Consent
from bb2.testing import REDIRECT_URI, code_of, consent_form
from databases import new_database
from journey import connect
from oauth.steps import (
    EVERYTHING,
    another_app,
    another_browser,
    answer,
    at_once,
    consents_of,
    newest_connection,
    opens,
    stop_form,
    trail,
)
from oauth.wire import post, read, together
from running import FEW_CLAIMS, RunningServer

WORKERS = 8
TOKEN, REVOKE, REVOKE_TOKEN = "/v2/o/token/", "/v2/o/revoke/", "/v2/o/revoke_token/"


def statuses(responses):
    return Counter(response.status_int for response in responses)


def issued(responses):
    """The token responses among them."""
    return [r.json for r in responses if r.status_int == 200 and r.body and "access_token" in r.json]


def refreshing(server, token):
    return TOKEN, {
        "grant_type": "refresh_token",
        "refresh_token": token["refresh_token"],
        "client_id": server.client_id,
        "client_secret": server.client_secret,
    }


def redeeming(server, redirect):
    return TOKEN, server.token_request(code_of(redirect))


def closing(server, token, path=REVOKE):
    credentials = {"client_id": server.client_id, "client_secret": server.client_secret}
    return path, {"token": token["access_token"]} | credentials


def answering(server, page, said, demographic="share"):
    """The authorization page's form with an answer, sent from the browser that shows it."""
    fields = dict(consent_form(page).submit_fields()) | {"answer": said, "demographic": demographic}
    cookies = {cookie.name: cookie.value for cookie in server.cookiejar}
    return partial(post, server.app, page.request.path, fields, cookies)


def ending(server, connection):
    """The form that ends a connection, sent from the browser."""
    form = stop_form(server.get(connection + "/stop"))
    cookies = {cookie.name: cookie.value for cookie in server.cookiejar}
    return partial(post, server.app, form.action, dict(form.submit_fields()), cookies)


def narrowing(server):
    """The form by which the app's newest connection loses the name, sent from the browser."""
    page = server.get(newest_connection(server) + "/less")
    form = next(form for form in page.forms.values() if form.action.endswith("/less"))
    kept = [value for name, value in form.submit_fields() if name == "kept" and value != "line-profile"]
    cookies = {cookie.name: cookie.value for cookie in server.cookiejar}
    return partial(post, server.app, form.action, {"csrf_token": form["csrf_token"].value, "kept": kept}, cookies)


def assert_closed(server, *tokens):
    """No access token opens anything, and no refresh token is worth another."""
    for token in tokens:
        assert opens(server, token) == 401
        assert server.refresh(token, status=400)["error"] == "invalid_grant"


@pytest.fixture
def fresh(unlimited):
    """A new app on the server that counts no tries, with a browser that has no cookies."""
    unlimited.reset()
    return another_app(unlimited)


def test_one_code_is_redeemed_once_and_the_replay_closes_what_it_opened(fresh):
    form = redeeming(fresh, fresh.approve(fresh.consent_page(EVERYTHING)))
    responses = at_once(fresh, [form] * WORKERS)
    assert statuses(responses) == {200: 1, 400: WORKERS - 1}
    assert {r.json["error"] for r in responses if r.status_int == 400} == {"invalid_grant"}
    with fresh.db() as db:
        of_app = select(func.count()).select_from(AccessToken).join(Consent)
        assert db.scalar(of_app.where(Consent.client_id == fresh.client_id)) == 1
    assert_closed(fresh, *issued(responses))


def test_one_refresh_token_is_used_once_and_the_replay_closes_the_family(fresh):
    token = fresh.grant(EVERYTHING)
    responses = at_once(fresh, [refreshing(fresh, token)] * WORKERS)
    assert statuses(responses) == {200: 1, 400: WORKERS - 1}
    assert_closed(fresh, token, *issued(responses))


def test_within_the_replay_window_one_successor_lives(make_server):
    server = make_server(settings={"bb2.refresh_replay_window": "60"})
    token = server.grant(EVERYTHING)
    responses = at_once(server, [refreshing(server, token)] * WORKERS)
    assert statuses(responses) == {200: WORKERS}
    alive = Counter(post(server.app, *refreshing(server, r.json)).status_int for r in responses)
    assert alive == {200: 1, 400: WORKERS - 1}


@pytest.mark.parametrize("path", [REVOKE, REVOKE_TOKEN])
def test_what_is_revoked_while_it_reads_stops(fresh, path):
    """Each reader sees the records or the closed door; whoever asks after the revocation was answered, the door."""
    token = fresh.grant(EVERYTHING)
    reading = partial(read, fresh.app, "/v2/fhir/Coverage", token["access_token"])

    def revoking():
        revoked = post(fresh.app, *closing(fresh, token, path))
        return revoked, reading()

    *readers, (revoked, afterwards) = together(*[reading] * (WORKERS - 1), revoking)
    assert revoked.status_int == 200
    assert afterwards.status_int == 401
    assert set(statuses(readers)) <= {200, 401}
    assert_closed(fresh, token)


@pytest.mark.parametrize("path", [REVOKE, REVOKE_TOKEN])
def test_two_refreshes_and_a_revocation_at_once_leave_nothing_open(fresh, path):
    for _ in range(2):
        token = fresh.grant(EVERYTHING)
        responses = at_once(fresh, [*[refreshing(fresh, token)] * 2, closing(fresh, token, path)])
        assert responses[-1].status_int == 200
        assert len(issued(responses)) <= 1
        assert set(statuses(responses)) <= {200, 400}
        assert_closed(fresh, token, *issued(responses))


def test_a_connection_that_ends_while_its_code_is_redeemed_stays_ended(fresh):
    for _ in range(2):
        first = fresh.grant(EVERYTHING)
        connection = newest_connection(fresh)
        newer = fresh.approve(fresh.consent_page(EVERYTHING))
        redeem = partial(post, fresh.app, *redeeming(fresh, newer))
        redeemed, ended = together(redeem, ending(fresh, connection))
        # Who came first decides: a code that is redeemed later brings nothing back, and what it had replaced is over.
        assert ended.status_int == 303
        assert_closed(fresh, first)
        assert (redeemed.status_int == 200) == (consents_of(fresh)[-1].revoked_at is None)


def test_who_shares_less_while_a_token_is_refreshed_shares_less(fresh):
    """Whichever comes first: neither the old token nor the new one opens what was taken out."""
    for _ in range(2):
        token = fresh.grant(EVERYTHING)
        refreshed, narrowed = together(partial(post, fresh.app, *refreshing(fresh, token)), narrowing(fresh))
        assert (refreshed.status_int, narrowed.status_int) == (200, 303)
        for each in token, refreshed.json:
            assert (opens(fresh, each, "connect/userinfo"), opens(fresh, each)) == (403, 200)
        assert "profile" not in fresh.refresh(refreshed.json)["scope"]


def test_who_shares_less_while_a_newer_code_is_redeemed_narrows_what_is_in_force(fresh):
    """Where the code came first, the page says that another connection took the place of the one that it showed."""
    for _ in range(2):
        first, narrow = fresh.grant(EVERYTHING), narrowing(fresh)
        redeem = partial(post, fresh.app, *redeeming(fresh, fresh.approve(fresh.consent_page(EVERYTHING))))
        redeemed, narrowed = together(redeem, narrow)
        assert narrowed.status_int == 303
        if redeemed.status_int == 200:
            assert_closed(fresh, first)
        else:
            assert (opens(fresh, first, "connect/userinfo"), opens(fresh, first)) == (403, 200)


def test_who_stops_and_shares_less_at_once_has_stopped(fresh):
    token = fresh.grant(EVERYTHING)
    both = [narrowing(fresh), ending(fresh, newest_connection(fresh))]
    assert statuses(together(*both)) == {303: 2}
    assert_closed(fresh, token)


def test_a_no_after_back_while_the_code_is_redeemed_leaves_nothing_open(fresh):
    for _ in range(2):
        page = fresh.consent_page(EVERYTHING)
        redirect = fresh.approve(page)
        redeem = partial(post, fresh.app, *redeeming(fresh, redirect))
        redeemed, said_no = together(redeem, answering(fresh, page, "no"))
        assert said_no.status_int == 409
        assert redeemed.status_int in (200, 400)
        assert_closed(fresh, *issued([redeemed]))
        assert consents_of(fresh)[-1].revoked_by == "beneficiary"


def test_a_yes_in_two_tabs_at_once_makes_one_consent(fresh):
    page = fresh.consent_page(EVERYTHING)
    responses = together(*[answering(fresh, page, "yes")] * WORKERS)
    assert statuses(responses) == {303: 1, 409: WORKERS - 1}
    (consent,) = consents_of(fresh)
    assert consent.revoked_at is None


def test_a_yes_and_a_no_to_one_request_at_once_end_as_a_no(fresh):
    page = fresh.consent_page(EVERYTHING)
    responses = together(*[answering(fresh, page, "no" if number % 2 else "yes") for number in range(WORKERS)])
    assert statuses(responses) == {303: 1, 409: WORKERS - 1}
    # Whichever came first, there was a No: nothing is open.
    assert len(consents_of(fresh)) <= 1
    assert all(consent.revoked_at for consent in consents_of(fresh))


def test_two_browsers_that_share_and_withhold_at_once_leave_the_newer_answer(fresh):
    other = another_browser(fresh)
    pages = fresh.consent_page(EVERYTHING), other.consent_page(EVERYTHING)
    shared, withheld = together(answering(fresh, pages[0], "yes"), answering(other, pages[1], "yes", "withhold"))
    assert (shared.status_int, withheld.status_int) == (303, 303)
    responses = at_once(fresh, [redeeming(fresh, shared), redeeming(other, withheld)])
    live = [token for token in issued(responses) if opens(fresh, token) == 200]
    newest = consents_of(fresh)[-1]
    assert len(live) == 1
    assert set(live[0]["scope"].split()) == set(newest.scopes)
    assert (opens(fresh, live[0], "fhir/Patient") == 200) == newest.share_demographic


def test_two_codes_of_one_person_redeemed_at_once_leave_the_newer_consent(fresh):
    forms = [redeeming(fresh, answer(fresh.consent_page(EVERYTHING))) for _ in range(2)]
    responses = at_once(fresh, forms)
    assert responses[1].status_int == 200
    older, newer = consents_of(fresh)
    assert newer.activated_at
    assert newer.replaced_at is None
    assert older.activated_at is None or older.replaced_at is not None
    assert opens(fresh, responses[1].json) == 200
    assert "consent.activated" in [e.event for e in trail(fresh)]


@pytest.mark.long
def test_two_servers_on_one_database_use_a_refresh_token_once(postgresql_url, tmp_path):
    """Two `bb2 serve` processes, as an operator runs them behind one address."""
    database = FEW_CLAIMS | {"BB2_DATABASE_URL": new_database(postgresql_url, "processes"), "BB2_BENEFICIARIES": "1"}
    with RunningServer(tmp_path, **database) as first, RunningServer(tmp_path, **database) as second:
        printed = first.command("client", "add", "--name", "The App", "--redirect-uri", REDIRECT_URI, "--json")
        credentials = {name: json.loads(printed)[name] for name in ("client_id", "client_secret")}
        said = {"answer": "yes", "demographic": "share"}
        token = connect(first.url, credentials, REDIRECT_URI, "BBUser00000", "PW00000!", **said)
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]} | credentials
        calls = [partial(requests.post, f"{server.url}{TOKEN}", form, timeout=30) for server in (first, second)]
        responses = together(*calls * (WORKERS // 2))
        assert Counter(response.status_code for response in responses) == {200: 1, 400: WORKERS - 1}
        for each in token, *(response.json() for response in responses if response.status_code == 200):
            headers = {"Authorization": f"Bearer {each['access_token']}"}
            assert requests.get(f"{second.url}/v2/fhir/Coverage", headers=headers, timeout=30).status_code == 401
