"""Refresh tokens: used once, in turn; an old one closes the family; scopes get fewer, never more."""

from datetime import timedelta

import pytest

from bb2.clock import utcnow
from bb2.models import Consent, RefreshToken
from bb2.testing import ALICE
from oauth.steps import EVERYTHING, LESS, another_app, change_app, consents_of, earlier, opens, redeem, told, trail

pytestmark = pytest.mark.either_database

#: What is wrong with a refresh, the status, and RFC 6749's word for it.
BAD_REFRESHES = (
    ({"refresh_token": None}, 400, "invalid_request"),
    ({"refresh_token": ""}, 400, "invalid_request"),
    ({"refresh_token": "unknown"}, 400, "invalid_grant"),
    ({"refresh_token": "é\n"}, 400, "invalid_grant"),
    ({"refresh_token": "nul\x00"}, 400, "invalid_request"),
    ({"refresh_token": "x" * 9000}, 400, "invalid_grant"),
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_secret": None}, 401, "invalid_client"),
    ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
)
#: Scopes that are more than `openid patient/Coverage.s`, or none at all.
WIDER = (
    "openid profile",
    "profile",
    "patient/Patient.r",
    "patient/Coverage.rs",
    "offline_access",
    "nonsense",
    " ",
    "openid  profile",
)


@pytest.fixture
def token(server):
    return server.grant(EVERYTHING)


class TestRotation:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_gives_a_new_pair_that_opens_the_same(self, server, token, version):
        new = server.refresh(token, version=version)
        assert new["access_token"] != token["access_token"]
        assert new["refresh_token"] != token["refresh_token"]
        kept = "token_type", "expires_in", "scope", "patient", "access_grant_expiration"
        assert {name: new[name] for name in kept} == {name: token[name] for name in kept}
        assert opens(server, new) == 200

    def test_goes_on_and_on_with_the_same_scope(self, server, token):
        first = token
        for _ in range(5):
            token = server.refresh(token)
        assert token["scope"] == first["scope"]
        assert opens(server, token) == 200

    def test_keeps_its_answer_out_of_caches(self, server, token):
        asked = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        response = server.post(
            "/v2/o/token/", asked | {"client_id": server.client_id, "client_secret": server.client_secret}
        )
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Pragma"] == "no-cache"

    def test_leaves_a_trail(self, server):
        server = another_app(server)
        server.refresh(server.grant(EVERYTHING))
        assert told(server, "token.refreshed").consent_id == consents_of(server)[0].id


class TestReplay:
    def test_of_an_old_token_closes_the_whole_family(self, server, token):
        second = server.refresh(token)
        third = server.refresh(second)
        refused = server.refresh(token, status=400)
        assert refused["error"] == "invalid_grant"
        assert server.refresh(third, status=400)["error"] == "invalid_grant"
        for each in token, second, third:
            assert opens(server, each) == 401
        assert [e.event for e in trail(server)][-1] == "token.replayed"

    def test_leaves_the_consent_so_that_the_next_yes_opens_records_again(self, server, token):
        server.refresh(token)
        server.refresh(token, status=400)
        assert consents_of(server)[-1].revoked_at is None
        assert opens(server, server.grant(EVERYTHING)) == 200

    def test_by_another_app_closes_nothing(self, server):
        server = another_app(server)
        other, token = another_app(server), server.grant(EVERYTHING)
        new = server.refresh(token)
        for each in token, new:
            assert other.refresh(each, status=400)["error"] == "invalid_grant"
        assert opens(server, new) == 200
        server.refresh(new)

    def test_of_the_last_refresh_is_allowed_within_the_operators_window(self, make_server):
        server = make_server(settings={"bb2.refresh_replay_window": "30"})
        token = server.grant(EVERYTHING)
        lost = server.refresh(token)
        new = server.refresh(token)
        assert opens(server, new) == 200
        # What came of the lost response is closed, and the family goes on from the repeated one.
        assert server.refresh(new)["scope"] == token["scope"]
        assert server.refresh(lost, status=400)["error"] == "invalid_grant"

    def test_within_the_window_is_for_the_last_refresh_only(self, make_server):
        server = make_server(settings={"bb2.refresh_replay_window": "30"})
        token = server.grant(EVERYTHING)
        newest = server.refresh(server.refresh(token))
        server.refresh(token, status=400)
        assert opens(server, newest) == 401

    def test_after_the_window_closes_the_family(self, make_server):
        server = make_server(settings={"bb2.refresh_replay_window": "30"})
        token = server.grant(EVERYTHING)
        new = server.refresh(token)
        earlier(server, RefreshToken, "used_at", seconds=31)
        server.refresh(token, status=400)
        assert opens(server, new) == 401

    def test_within_the_window_is_not_for_public_apps(self, make_server):
        server = make_server(settings={"bb2.refresh_replay_window": "30"}, client={"public": True})
        token = server.grant(EVERYTHING)
        new = server.refresh(token)
        server.refresh(token, status=400)
        assert opens(server, new) == 401


class TestNarrowing:
    def test_gives_what_was_asked_for_and_no_more(self, server, token):
        new = server.refresh(token, scope="openid patient/Coverage.read")
        assert set(new["scope"].split()) == {"openid", "patient/Coverage.read"}
        assert opens(server, new) == 200
        assert opens(server, new, "fhir/ExplanationOfBenefit") == 403
        assert opens(server, new, "fhir/Patient") == 403

    def test_may_name_a_part_of_a_permission_and_names_it_once(self, server, token):
        new = server.refresh(token, scope="patient/Coverage.s patient/Coverage.s")
        assert new["scope"] == "patient/Coverage.s"
        assert opens(server, new) == 200
        assert opens(server, new, "fhir/Coverage/any") == 403

    def test_leaves_the_refresh_token_as_wide_as_it_was(self, server, token):
        """RFC 6749, 6"""
        assert server.refresh(server.refresh(token, scope="openid"))["scope"] == token["scope"]

    def test_never_widens_and_its_refusal_spends_nothing(self, server):
        token = server.grant("openid patient/Coverage.s")
        for scope in WIDER:
            assert server.refresh(token, scope=scope, status=400)["error"] == "invalid_scope"
        assert server.refresh(token)["scope"] == token["scope"]

    def test_gets_no_demographic_scope_that_the_person_did_not_share(self, server):
        token = server.grant(EVERYTHING, share_demographic=False)
        for scope in "profile", "patient/Patient.read", "patient/Patient.r", EVERYTHING:
            assert server.refresh(token, scope=scope, status=400)["error"] == "invalid_scope"
        assert set(server.refresh(token)["scope"].split()) == set(LESS.split())


class TestARefusal:
    def test_spends_nothing(self, server, token):
        for changes, status, error in BAD_REFRESHES:
            assert server.refresh(token, status=status, **changes)["error"] == error
        assert opens(server, server.refresh(token)) == 200

    def test_of_other_kinds_of_token(self, server, token):
        for value in token["access_token"], token["id_token"]:
            assert server.refresh({"refresh_token": value}, status=400)["error"] == "invalid_grant"
        assert opens(server, {"access_token": token["refresh_token"]}) == 401

    def test_when_the_consent_has_expired_says_so(self, server):
        server = another_app(server)
        token = server.grant(EVERYTHING)
        with server.db() as db:
            db.query(Consent).update({"expires_at": utcnow() - timedelta(seconds=1)})
        refused = server.refresh(token, status=400)
        assert refused["error"] == "invalid_grant"
        assert "has expired" in refused["error_description"]
        assert opens(server, token) == 401

    def test_when_the_app_is_switched_off(self, server):
        server = another_app(server)
        token = server.grant(EVERYTHING)
        change_app(server, disabled_at=utcnow())
        assert server.refresh(token, status=401)["error"] == "invalid_client"
        assert opens(server, token) == 401
        change_app(server, disabled_at=None)
        assert opens(server, server.refresh(token)) == 200

    def test_when_the_app_became_a_one_time_app(self, server):
        server = another_app(server)
        token = server.grant(EVERYTHING)
        change_app(server, access="one-time")
        for _ in range(2):
            assert server.refresh(token, status=400)["error"] == "unauthorized_client"

    def test_when_nothing_is_left_that_the_app_is_registered_for(self, server):
        server = another_app(server)
        token = server.grant("patient/Coverage.read")
        change_app(server, scopes=["openid"])
        assert server.refresh(token, status=400)["error"] == "invalid_grant"
        assert opens(server, token) == 403


class TestARegistrationThatIsNarrowed:
    def test_to_no_demographic_data_takes_effect_on_live_tokens_at_once(self, server):
        server = another_app(server)
        token = server.grant(EVERYTHING)
        assert opens(server, token, "fhir/Patient") == 200
        assert opens(server, token, "connect/userinfo") == 200
        change_app(server, asks_demographic=False)
        for path in "fhir/Patient", f"fhir/Patient/{ALICE}", "connect/userinfo":
            assert opens(server, token, path) == 403
        assert opens(server, token) == 200
        assert set(server.refresh(token)["scope"].split()) == set(LESS.split())

    def test_to_fewer_scopes_takes_effect_on_live_tokens_at_once(self, server):
        server = another_app(server)
        token = server.grant(EVERYTHING)
        change_app(server, scopes=["openid", "patient/Coverage.rs"])
        assert opens(server, token) == 200
        assert opens(server, token, "fhir/ExplanationOfBenefit") == 403
        assert set(server.refresh(token)["scope"].split()) == {"openid", "patient/Coverage.read"}


class TestPublicApps:
    def test_refresh_without_a_secret_and_never_twice_with_one_token(self, server):
        server = another_app(server, public=True)
        token = server.grant(EVERYTHING)
        new = server.refresh(token)
        assert opens(server, new) == 200
        server.refresh(new, client_secret="any", status=401)
        server.refresh(token, status=400)
        assert opens(server, new) == 401


def test_a_code_redeemed_again_after_a_refresh_names_what_it_closed(server):
    server = another_app(server)
    redirect = server.approve(server.consent_page(EVERYTHING))
    token = server.refresh(redeem(server, redirect))
    redeem(server, redirect, status=400)
    assert opens(server, token) == 401
    assert told(server, "code.replayed").consent_id == consents_of(server)[0].id
