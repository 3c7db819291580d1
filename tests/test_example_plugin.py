"""The example plugin in a fresh environment: bb2's wheel, `pip install`, and no line of the core changed."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

import design_system
from fresh_environment import CHECKOUT, FreshEnvironment

pytestmark = [pytest.mark.xdist_group("fresh environment"), pytest.mark.long]

CLAIM_SCOPES = {"patient/Claim.read", "patient/Claim.rs", "patient/Claim.r", "patient/Claim.s"}
CONSENT = "Your Medicare claims, as your providers sent them"
VERSIONS = ("v1", "v2")


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return FreshEnvironment.shared(tmp_path_factory)


def test_bb2_is_the_wheel_and_not_the_checkout(environment):
    for seen in (environment.without, environment.with_claim):
        assert Path(seen["core"]).is_relative_to(environment.venv)
        assert not Path(seen["core"]).is_relative_to(CHECKOUT)


def test_the_wheel_brings_what_comes_from_npm_and_the_licenses(environment):
    static = Path(environment.without["core"]) / "static"
    assert design_system.missing(static) == []
    for package, note in zip(design_system.PACKAGES, ("design-system.txt", "swagger-ui.txt"), strict=True):
        note = static.joinpath("licenses", note).read_text()
        assert f"{package.name} {package.version} " in note.replace("\n", " ")
        assert all(Path(name).name in note for name in package.files)
        for license in re.findall(r"Version 2\.0: (\S+\.txt)", note):
            assert "Apache License" in static.joinpath("licenses", license).read_text()


def test_the_plugins_tests_pass_in_a_fresh_environment(environment):
    last_line = environment.run_tests(CHECKOUT / "examples" / "bb2-claim" / "tests")
    assert "passed" in last_line
    assert "skipped" not in last_line


def test_without_the_plugin_nothing_knows_of_claims(environment):
    seen = environment.without
    assert CONSENT not in seen["consent page"]
    for names in ("granted", "openid-configuration", "smart-configuration"):
        assert not any("Claim" in name for name in seen[names])
    for version in VERSIONS:
        assert seen["Claim with every scope"][version] == 404
        assert "Claim" not in seen["CapabilityStatement"][version]


def test_with_the_plugin_the_beneficiary_is_asked_in_one_line(environment):
    page = environment.with_claim["consent page"]
    assert page.count(CONSENT) == 2  # in the list of what is asked for, and beside the box that leaves it out
    assert page.count("Your Medicare claims") == 4  # the built-in scope's own line stays


def test_with_the_plugin_claims_have_routes_that_only_their_scopes_open(environment):
    seen = environment.with_claim
    assert CLAIM_SCOPES & set(seen["granted"])
    assert seen["Claim with every scope"] == {"v1": 200, "v2": 200}
    assert seen["Claim with openid"] == {"v1": 403, "v2": 403}


def test_with_the_plugin_every_document_names_claims_and_says_nothing_else_anew(environment):
    before, after = environment.without, environment.with_claim
    for document in ("openid-configuration", "smart-configuration"):
        assert set(after[document]) == set(before[document]) | CLAIM_SCOPES
    for version in VERSIONS:
        assert sorted(after["CapabilityStatement"][version]) == sorted(
            [*before["CapabilityStatement"][version], "Claim"]
        )


def test_installing_the_plugin_changes_no_line_of_the_core(environment):
    assert environment.with_claim["fingerprint"] == environment.without["fingerprint"]


def test_bb2_scopes_names_the_plugins_distribution_and_version(environment):
    rows = json.loads(environment.run("bb2", "scopes", "--json"))
    claims = [row for row in rows if row["scope"] in CLAIM_SCOPES]
    assert len(claims) == len(CLAIM_SCOPES)
    assert {row["plugin"] for row in claims} == {"bb2-claim:claim 0.1.0"}
    assert {row["consent"] for row in claims} == {CONSENT}


def test_an_installed_wheel_makes_its_database_and_loads_claims_without_the_checkout(environment, tmp_path):
    settings = {"VAR": str(tmp_path), "BB2_BENEFICIARIES": "2"}
    assert "Ready." in environment.run("bb2", "init", **settings)
    claims = tmp_path / "claims.ndjson"
    claims.write_text('{"resourceType": "Claim", "id": "c-1", "patient": {"reference": "Patient/-1"}}\n')
    environment.run("bb2", "load", "--fhir", "r4", claims, **settings)
    with sqlite3.connect(tmp_path / "bb2.sqlite") as database:
        (revisions,) = database.execute("SELECT count(*) FROM alembic_version").fetchone()
        (people,) = database.execute("SELECT count(*) FROM account").fetchone()
        loaded = database.execute("SELECT version, patient FROM record WHERE resource_type = 'Claim'").fetchall()
    database.close()
    assert (revisions, people, loaded) == (1, 2, [("v2", "-1")])
