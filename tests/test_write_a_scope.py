"""docs/write-a-scope.md, followed to the letter in a fresh environment: bb2's wheel, and no line of the core changed.

Beside the chapter's plugin, which is installed as a wheel, the finished examples are.
"""

import json
import re
import runpy
import sqlite3
from pathlib import Path

import pytest

import design_system
from bb2.plugins import CONTRACT
from fresh_environment import CHAPTER, CHECKOUT, FreshEnvironment, steps_of

pytestmark = [pytest.mark.xdist_group("fresh environment"), pytest.mark.long]

VERSIONS = ("v1", "v2")
FAMILIES = ("patient/CarePlan", "patient/Claim", "patient/Immunization")
SCOPES = {"insurance-card", *(f"{family}.{each}" for family in FAMILIES for each in ("read", "rs", "r", "s"))}
LINES = ("Your care plans", "Your Medicare claims, as your providers sent them", "Your vaccinations", "A picture of")
FHIR, JSON = "application/fhir+json", "application/json"
OPENED = {
    "v1": {"fhir/CarePlan": FHIR, "fhir/Claim": FHIR},
    "v2": {
        "fhir/CarePlan": FHIR,
        "fhir/Claim": FHIR,
        "fhir/Immunization": FHIR,
        "insurance/card.pdf": "application/pdf",
        "insurance/card.png": "image/png",
    },
}


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return FreshEnvironment.shared(tmp_path_factory)


def came_of(environment, command):
    """The output of each time that a command of this beginning was run."""
    return [done["output"] for done in environment.done if done["step"].get("run", "").startswith(command)]


def test_every_command_of_the_chapter_does_what_it_should(environment):
    for done in environment.done:
        refused = "environ" in done["step"]  # the server that is told to have what is not installed
        assert (done["code"] != 0) is refused, done


def test_every_example_of_the_chapter_is_followed_or_shown_beside_one(environment):
    followed = [done["step"] for done in environment.done]
    for step in steps_of(CHAPTER.read_text("utf-8")):
        assert step in followed
    assert sum("write" in step for step in followed) == 2


def test_the_plugins_that_the_chapter_switches_on_are_those_that_are_there(environment):
    (shown,) = re.findall(r"^```ini\n(.*?)^```$", CHAPTER.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    installed = {row["plugin"].split()[0] for row in json.loads(came_of(environment, "bb2 scopes --json")[0])}
    examples = {"bb2-claim:claim", "bb2-immunization:immunization", "bb2-insurance-card:insurance_card"}
    assert set(shown.split()[2:]) - {"bb2:substance_use"} == installed - examples


def test_the_deprecated_scope_of_the_chapter_is_one(tmp_path):
    (example,) = re.findall(r"^```python\n(CARE_PLAN.*?)^```$", CHAPTER.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (whole,) = (step["text"] for step in steps_of(CHAPTER.read_text("utf-8")) if step.get("write", "").endswith(".py"))
    (tmp_path / "plugin.py").write_text(f"{whole}\n\nfound = {example}", encoding="utf-8")
    assert {scope.deprecated for scope in runpy.run_path(str(tmp_path / "plugin.py"))["found"]} == {True}


def test_the_package_passes_its_tests_as_it_is_written_and_as_the_chapter_makes_it(environment):
    runs = came_of(environment, "python -m pytest")
    assert [re.search(r"(\d+) passed", run)[1] for run in runs] == ["12", "12"]
    assert not any("skipped" in run for run in runs)


def test_bb2_is_the_wheel_and_not_the_checkout(environment):
    for seen in (environment.installed, environment.removed):
        assert Path(seen["core"]).is_relative_to(environment.venv)
        assert not Path(seen["core"]).is_relative_to(CHECKOUT)


def test_the_wheel_brings_what_comes_from_npm_and_the_licenses(environment):
    static = Path(environment.removed["core"]) / "static"
    assert design_system.missing(static) == []
    for package, note in zip(design_system.PACKAGES, ("design-system.txt", "swagger-ui.txt"), strict=True):
        note = static.joinpath("licenses", note).read_text()
        assert f"{package.name} {package.version} " in note.replace("\n", " ")
        assert all(Path(name).name in note for name in package.files)
        for license in re.findall(r"Version 2\.0: (\S+\.txt)", note):
            assert "Apache License" in static.joinpath("licenses", license).read_text()


def test_a_plugin_changes_no_line_of_the_core(environment):
    assert environment.installed["fingerprint"] == environment.removed["fingerprint"]


def test_an_installed_wheel_makes_its_database_and_loads_records_without_the_checkout(environment):
    with sqlite3.connect(environment.folder / "var" / "bb2.sqlite") as database:
        (revisions,) = database.execute("SELECT count(*) FROM alembic_version").fetchone()
        (people,) = database.execute("SELECT count(*) FROM account").fetchone()
        loaded = database.execute("SELECT version, patient FROM record WHERE resource_type = 'CarePlan'").fetchall()
        (owner,) = database.execute(
            "SELECT b.patient FROM account a JOIN beneficiary b ON b.id = a.beneficiary_id "
            "WHERE a.username = 'bbuser00000'"
        ).fetchone()
    database.close()
    assert (revisions, people, loaded) == (
        1,
        2,
        [("v2", owner)],
    )  # the chapter's record is of the sandbox's first person


def test_bb2_scopes_names_distribution_version_and_contract_of_a_plugin(environment):
    rows = {row["scope"]: row for row in json.loads(came_of(environment, "bb2 scopes --json")[0])}
    assert rows.keys() >= SCOPES
    assert rows["patient/CarePlan.rs"]["plugin"] == "bb2-care-plan:care_plan 0.1.0"
    assert {row["contract"] for row in rows.values()} == {CONTRACT}
    for name in SCOPES:
        assert not rows[name]["demographic"]
        assert rows[name]["consent"].startswith(LINES)


def test_the_page_of_a_preview_has_the_scope_in_the_language_that_was_asked_for(environment):
    page = (environment.outside / "bb2-care-plan" / "page.html").read_text("utf-8")
    assert "Sus planes de atención" in page


# With the plugins


def test_the_beneficiary_is_asked_in_one_line_for_each(environment):
    page = environment.installed["consent page"]
    assert [page.count(line) for line in LINES] == [2] * 4  # in the list, and beside the box that leaves it out


def test_the_routes_are_there_and_only_their_scopes_open_them(environment):
    seen = environment.installed
    assert {"patient/CarePlan.read", "patient/Claim.read", "patient/Immunization.read", "insurance-card"} <= set(
        seen["granted"]
    )
    for version, opened in OPENED.items():
        for path, (status, media_type) in seen["with every scope"][version].items():
            if path == "fhir/Coverage":
                continue
            assert (status, media_type) == (200, opened[path]) if path in opened else status == 404, path
            assert seen["with openid"][version][path][0] == (403 if path in opened else 404), path


def test_every_document_names_them_and_says_nothing_else_anew(environment):
    before, after = environment.removed, environment.installed
    for document in ("openid-configuration", "smart-configuration"):
        assert set(after[document]) == set(before[document]) | SCOPES
    for version, more in (("v1", ["CarePlan", "Claim"]), ("v2", ["CarePlan", "Claim", "Immunization"])):
        assert sorted(after["CapabilityStatement"][version]) == sorted([*before["CapabilityStatement"][version], *more])


def test_openapi_has_their_paths_scopes_and_media_types_and_nothing_else_anew(environment):
    before, after = environment.removed["OpenAPI"], environment.installed["OpenAPI"]
    kinds = {"v1": ("CarePlan", "Claim"), "v2": ("CarePlan", "Claim", "Immunization")}
    fhir = {f"/{v}/fhir/{kind}{rest}" for v in kinds for kind in kinds[v] for rest in ("", "/{id}", "/_search")}
    assert set(after["paths"]) - set(before["paths"]) == fhir | {"/v2/insurance/card.{format}"}
    for version in VERSIONS:
        flow = after["components"]["securitySchemes"][f"oauth2_{version}"]["flows"]["authorizationCode"]
        assert flow["scopes"].keys() >= SCOPES
    card = after["paths"]["/v2/insurance/card.{format}"]["get"]
    assert set(card["responses"]["200"]["content"]) == {"application/pdf", "image/png"}
    assert card["parameters"][0]["schema"] == {"enum": ["pdf", "png"]}


def test_the_form_on_which_apps_are_registered_offers_them_in_their_words(environment):
    before, after = environment.removed["registration form"], environment.installed["registration form"]
    for line in LINES:
        assert line in after
        assert line not in before


def test_the_list_of_scopes_in_the_documentation_has_them_in_both_languages(environment):
    before, after = environment.removed["docs"], environment.installed["docs"]
    for words in (*LINES, "Sus planes de atención", "patient/CarePlan.rs", "insurance/card.{format}"):
        assert words in after
        assert words not in before


# When they are taken out


def test_nothing_knows_of_them_any_more(environment):
    seen = environment.removed
    assert not any(line in seen["consent page"] for line in LINES)
    assert not SCOPES & {*seen["granted"], *seen["openid-configuration"], *seen["smart-configuration"]}
    for version, opened in OPENED.items():
        for path in opened:
            assert seen["with every scope"][version][path][0] == 404
    assert not any(scope in came_of(environment, "bb2 scopes")[2] for scope in SCOPES if "CarePlan" in scope)


def test_a_token_that_was_granted_one_opens_nothing_of_it_and_goes_on_with_the_rest(environment):
    before, after = environment.installed["live"], environment.removed["live"]
    for version in VERSIONS:
        assert before["answers"][version]["fhir/CarePlan"] == [200, FHIR]
        assert after["answers"][version]["fhir/CarePlan"] == [404, FHIR]
        assert after["answers"][version]["fhir/Coverage"] == [200, FHIR]
        assert {status for status, _media_type in after["of the one alone"][version].values()} <= {403, 404}
    assert set(after["refreshed"].split()) == {"openid", "patient/Coverage.read"}
    assert after["refused"] == "invalid_grant"
    assert "error=invalid_scope" in after["asked for"]


def test_the_person_still_reads_what_they_had_agreed_to(environment):
    page = environment.removed["live"]["connection"]
    can, rest = page.split("The App cannot see", 1)
    assert "Your Medicare coverage" in can
    assert "Your care plans" not in can
    assert "Your care plans What you and your care team have planned, and how far you have come." in rest


def test_the_operator_is_told_what_people_granted_and_no_plugin_declares(environment):
    (line,) = (line for line in environment.removed["live"]["log"] if "no plugin declares" in line)
    assert "patient/CarePlan.read (2). Their tokens open nothing of it until the plugin is back" in line


def test_a_server_that_is_told_to_have_it_does_not_start(environment):
    (told,) = (done["output"] for done in environment.done if "environ" in done["step"])
    assert told.startswith("bb2: bb2.scopes names plugins that are not installed: ['bb2-care-plan:care_plan']")
    assert "Traceback" not in told
