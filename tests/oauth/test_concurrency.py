"""Many requests with one code or token at the same moment: one of them is served, and none breaks the server."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select
from webob import Request

from bb2.models import AccessToken
from bb2.testing import code_of
from oauth.steps import EVERYTHING, answer, consents_of, opens, trail

THREADS = 12


def at_once(server, requests):
    """The responses to several forms, [(path, form)], each sent by a thread of its own at the same moment."""
    barrier = threading.Barrier(len(requests))

    def send(path, form):
        request = Request.blank(path, method="POST", body=urlencode(form).encode(), base_url="http://localhost")
        request.content_type = "application/x-www-form-urlencoded"
        barrier.wait()
        return request.get_response(server.app)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, *zip(*requests, strict=True)))


def statuses(responses):
    return Counter(response.status_int for response in responses)


@pytest.fixture
def fresh(make_server):
    return make_server()


def test_one_code_is_redeemed_once_and_the_replay_closes_what_it_opened(fresh):
    form = fresh.token_request(code_of(fresh.approve(fresh.consent_page(EVERYTHING))))
    responses = at_once(fresh, [("/v2/o/token/", form)] * THREADS)
    assert statuses(responses) == {200: 1, 400: THREADS - 1}
    assert {r.json["error"] for r in responses if r.status_int == 400} == {"invalid_grant"}
    with fresh.db() as db:
        assert db.scalar(select(func.count()).select_from(AccessToken)) == 1
    (token,) = (r.json for r in responses if r.status_int == 200)
    assert opens(fresh, token) == 401


def test_one_refresh_token_is_used_once_and_the_replay_closes_the_family(fresh):
    token = fresh.grant(EVERYTHING)
    responses = at_once(fresh, [("/v2/o/token/", refresh_form(fresh, token))] * THREADS)
    assert statuses(responses) == {200: 1, 400: THREADS - 1}
    for each in token, *(r.json for r in responses if r.status_int == 200):
        assert opens(fresh, each) == 401


def test_within_the_replay_window_one_successor_lives(make_server):
    server = make_server(settings={"bb2.refresh_replay_window": "60"})
    token = server.grant(EVERYTHING)
    responses = at_once(server, [("/v2/o/token/", refresh_form(server, token))] * THREADS)
    assert statuses(responses) == {200: THREADS}
    alive = Counter(server.post("/v2/o/token/", refresh_form(server, r.json), status="*").status_int for r in responses)
    assert alive == {200: 1, 400: THREADS - 1}


def test_a_refresh_and_a_revocation_at_once_leave_nothing_open(fresh):
    for _ in range(3):
        token = fresh.grant(EVERYTHING)
        closing = {"token": token["access_token"], "client_id": fresh.client_id, "client_secret": fresh.client_secret}
        requests = [("/v2/o/token/", refresh_form(fresh, token)), ("/v2/o/revoke/", closing)] * 2
        responses = at_once(fresh, requests)
        assert set(statuses(responses)) <= {200, 400}
        for each in token, *(r.json for r in responses if r.status_int == 200 and r.body):
            assert opens(fresh, each) == 401


def test_two_answers_to_one_request_make_one_consent(fresh):
    page = fresh.consent_page(EVERYTHING)
    form = {"answer": "yes", "demographic": "share", "screen": "", "csrf_token": ""}
    hidden = next(f for f in page.forms.values() if "screen" in f.fields)
    form |= {name: hidden[name].value for name in ("screen", "csrf_token")}
    cookie = "; ".join(f"{c.name}={c.value}" for c in fresh.cookiejar)
    barrier = threading.Barrier(6)

    def send(number):
        body = urlencode(form | {"answer": "no" if number % 2 else "yes"}).encode()
        request = Request.blank(page.request.path, method="POST", body=body, base_url="http://localhost")
        request.content_type = "application/x-www-form-urlencoded"
        request.headers["Cookie"] = cookie
        barrier.wait()
        return request.get_response(fresh.app)

    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(send, range(6)))
    assert statuses(responses) == {303: 1, 409: 5}
    # Whichever came first, there was a No: nothing is open.
    assert all(consent.revoked_at for consent in consents_of(fresh))
    assert len(consents_of(fresh)) <= 1


def test_two_codes_of_one_person_redeemed_at_once_leave_the_newer_consent(fresh):
    forms = []
    for _ in range(2):
        redirect = answer(fresh.consent_page(EVERYTHING))
        forms.append(("/v2/o/token/", fresh.token_request(code_of(redirect))))
    responses = at_once(fresh, forms)
    assert responses[1].status_int == 200
    older, newer = consents_of(fresh)
    assert newer.activated_at
    assert newer.replaced_at is None
    assert older.activated_at is None or older.replaced_at is not None
    assert opens(fresh, responses[1].json) == 200
    assert "consent.activated" in [e.event for e in trail(fresh)]


def refresh_form(server, token):
    return {
        "grant_type": "refresh_token",
        "refresh_token": token["refresh_token"],
        "client_id": server.client_id,
        "client_secret": server.client_secret,
    }
