"""A test kit for scopes: subclass ScopeTests (for a sensitivity, SensitivityTests), name it, and inherit the tests.

class TestClaim(ScopeTests):
    plugin = bb2_claim
    scope = "patient/Claim.read"

A scope whose endpoints are not FHIR has EndpointTests.  The kit needs the extra `bb2[testing]`.
"""

from bb2.testing.kits import EndpointTests, ScopeTests, SensitivityTests
from bb2.testing.records import WHO, record
from bb2.testing.reuse import ALICE, BOB, PASSWORD
from bb2.testing.server import (
    REDIRECT_URI,
    STATE,
    ConsentServer,
    KeptPost,
    answer_of,
    challenge,
    code_of,
    consent_form,
)

__all__ = ["ALICE", "BOB", "WHO", "ConsentServer", "EndpointTests", "ScopeTests", "SensitivityTests", "record"]
FOR_PLUGINS = tuple(__all__)  #: what plugin authors may rely on; the rest is for bb2's own tests
__all__ += ["PASSWORD", "REDIRECT_URI", "STATE", "KeptPost"]
__all__ += ["answer_of", "challenge", "code_of", "consent_form"]
