"""What would the state machine be worth if it noticed nothing?  Only `make proofs` asks: it takes a minute."""

from collections import Counter

import pytest
from hypothesis import Phase

from bb2.clock import utcnow
from bb2.oauth import consents
from bb2.oauth.validator import Validator
from bb2.registry import ScopeRegistry
from bb2.views.consent import ConsentPage
from oauth.test_state_machine import take


@pytest.mark.parametrize("unlimited", ["sqlite"], indirect=True)
class TestTheMachineNotices:
    """Each test takes one line out of the server."""

    @pytest.fixture
    def noticed(self, unlimited):
        def noticed():
            taken = Counter()
            with pytest.raises(AssertionError):
                take(unlimited, 2000, taken, phases=(Phase.generate,))
            print(f"noticed after {taken.total()} steps")

        return noticed

    def test_that_a_newer_consent_does_not_close_the_older(self, noticed, monkeypatch):
        monkeypatch.setattr(consents, "activate", lambda db, consent: setattr(consent, "activated_at", utcnow()))
        noticed()

    def test_that_a_code_is_redeemed_twice(self, noticed, monkeypatch):
        monkeypatch.setattr(Validator, "invalidate_authorization_code", lambda *_arguments: None)
        noticed()

    def test_that_a_replay_closes_nothing(self, noticed, monkeypatch):
        monkeypatch.setattr(consents, "close_replayed", lambda *_arguments: None)
        noticed()

    def test_that_less_after_back_ends_nothing(self, noticed, monkeypatch):
        monkeypatch.setattr(ConsentPage, "takes_back", lambda *_arguments: False)
        noticed()

    def test_that_a_narrowed_app_keeps_what_it_had(self, noticed, monkeypatch):
        allowed = ScopeRegistry.allowed
        monkeypatch.setattr(
            ScopeRegistry, "allowed", lambda self, scopes, registered, _asks: allowed(self, scopes, registered, True)
        )
        noticed()
