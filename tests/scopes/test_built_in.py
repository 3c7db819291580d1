"""The built-in FHIR scopes pass the tests that a stranger's must pass."""

import pytest

from bb2.scopes import coverage, explanation_of_benefit, patient
from bb2.testing import ScopeTests

pytestmark = pytest.mark.either_database


class EachPermission(ScopeTests):
    """Each permission is one of two types', since one function makes those of all; `.rs` opens what `.read` opens."""

    family = None

    @pytest.fixture(autouse=True)
    def _scope(self, permission):
        self.scope = f"{self.family}.{permission}"


@pytest.mark.parametrize("permission", ["read", "r"])
class TestPatient(EachPermission):
    plugin, family = patient, "patient/Patient"


@pytest.mark.parametrize("permission", ["r", "s"])
class TestCoverage(EachPermission):
    plugin, family = coverage, "patient/Coverage"


@pytest.mark.parametrize("permission", ["read", "s"])
class TestExplanationOfBenefit(EachPermission):
    plugin, family = explanation_of_benefit, "patient/ExplanationOfBenefit"
