"""Which FHIR base is a token for?  (SMART App Launch 2.2, `aud`; RFC 8707)"""

import pytest

from bb2.testing import code_of
from oauth.steps import another_app, ask, consents_of, error_of, opens, redeem

pytestmark = pytest.mark.either_database

V1, V2 = "http://localhost/v1/fhir", "http://localhost/v2/fhir"
SCOPE = "openid profile patient/Coverage.read"


def granted(app, **asked):
    """The code of a consent to a request with these parameters."""
    return code_of(app.approve(app.consent_page(SCOPE, **asked)))


def opened(app, token):
    """The status at each version's FHIR base."""
    return [app.fhir("Coverage", token, version=version, status="*").status_int for version in ("v1", "v2")]


class TestATokenForOneFhirBase:
    @pytest.mark.parametrize(("name", "slash"), [("aud", ""), ("resource", "/")])
    def test_opens_that_one_only(self, server, name, slash):
        for base, statuses in (V1, [200, 401]), (V2, [401, 200]):
            token = redeem(server, granted(server, **{name: base + slash}))
            assert opened(server, token) == statuses
            assert consents_of(server)[-1].audience == base

    def test_is_told_so_at_the_other(self, server):
        token = redeem(server, granted(server, aud=V2))
        refused = server.fhir("Coverage/x", token, version="v1", status=401)
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
        assert V2 in refused.json["issue"][0]["diagnostics"]
        assert opens(server, token) == 200

    def test_opens_userinfo_and_what_everybody_may_see_in_both_versions(self, server):
        token = redeem(server, granted(server, aud=V2))
        for version in "v1", "v2":
            server.api("connect/userinfo", token, version=version)
            server.api("fhir/metadata", token, version=version)

    def test_is_refreshed_for_that_one_only(self, server):
        first = redeem(server, granted(server, aud=V1))
        refused = server.refresh(first, resource=V2, status=400)
        assert refused["error"] == "invalid_target"
        second = server.refresh(first, resource=f"{V1}/")
        assert opened(server, second) == [200, 401]
        assert opened(server, server.refresh(second)) == [200, 401]


class TestATokenForNoneInParticular:
    def test_opens_every_base(self, server):
        assert opened(server, redeem(server, granted(server))) == [200, 200]

    def test_may_be_asked_for_one_base_at_the_token_endpoint(self, server):
        """RFC 8707, 2.2: each access token for what it is asked for, and the grant stays what it was."""
        narrow = redeem(server, granted(server), resource=V2)
        assert opened(server, narrow) == [401, 200]
        other = server.refresh(narrow, resource=V1)
        assert opened(server, other) == [200, 401]
        assert opened(server, server.refresh(other)) == [200, 200]


class TestAnotherServersBase:
    def test_is_refused_at_authorize(self, server):
        evil = "https://evil-fhir.example/r4"
        assert error_of(ask(server, SCOPE, aud=evil)) == "invalid_request"
        assert error_of(ask(server, SCOPE, resource=evil)) == "invalid_target"
        assert error_of(ask(server, SCOPE, aud=V1, resource=V2)) == "invalid_target"
        for near in (f"{V2}/Patient", V2.upper(), f"{V2}?x", f"{V2}#x", "http://localhost", V2.replace("v2", "v3")):
            assert error_of(ask(server, SCOPE, aud=near)) == "invalid_request", near

    def test_is_refused_at_the_token_endpoint_and_spends_nothing(self, server):
        code = granted(server, aud=V2)
        for wrong in (V1, "https://evil-fhir.example/r4", "x"):
            assert redeem(server, code, resource=wrong, status=400)["error"] == "invalid_target"
        assert opened(server, redeem(server, code, resource=V2)) == [401, 200]

    def test_is_not_taken_beside_ours(self, server):
        asked = [*server.authorization_request(SCOPE, resource=V2).items(), ("resource", "https://evil.example")]
        assert error_of(server.get("/v2/o/authorize", asked)) == "invalid_request"
        twice = [*server.token_request(granted(server)).items(), ("resource", V1), ("resource", V2)]
        assert server.post("/v2/o/token/", twice, status=400).json["error"] == "invalid_request"

    def test_is_no_reason_to_give_a_public_app_more(self, server):
        app = another_app(server, public=True)
        token = redeem(app, granted(app, aud=V1))
        assert opened(app, token) == [200, 401]
