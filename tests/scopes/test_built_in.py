"""The built-in FHIR scopes pass the tests that a stranger's must pass."""

import pytest

from bb2.scopes import coverage, explanation_of_benefit, patient
from bb2.testing import ScopeTests

pytestmark = pytest.mark.either_database

PERMISSIONS = ("read", "r", "s")  # `.rs` opens what `.read` opens


@pytest.mark.parametrize("permission", PERMISSIONS)
class EachPermission(ScopeTests):
    family = None

    @pytest.fixture(autouse=True)
    def _scope(self, permission):
        self.scope = f"{self.family}.{permission}"


class TestPatient(EachPermission):
    plugin, family = patient, "patient/Patient"


class TestCoverage(EachPermission):
    plugin, family = coverage, "patient/Coverage"


class TestExplanationOfBenefit(EachPermission):
    plugin, family = explanation_of_benefit, "patient/ExplanationOfBenefit"
