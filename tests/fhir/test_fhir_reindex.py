"""When a plugin changes how its records are searched, those that were loaded before are found by it too."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fhir_records import EVERYTHING, RESOURCES, VERSIONS, claim, coverage, ids, server_with
from sqlalchemy import delete, select, update

import bb2
from bb2 import cli
from bb2.fhir.load import load_file
from bb2.fhir.reindex import IndexingError, mark_new, outdated, refuse_outdated, reindex
from bb2.fhir.rows import declaration
from bb2.models import Record, RecordIndex, RecordIndexing
from bb2.scopes import SearchParam, hookimpl
from bb2.scopes import coverage as coverage_scope
from bb2.testing import ALICE, BOB
from built_in import BUILT_IN

STATUS = SearchParam(name="status", type="token", path=("status",))
COVERAGE = coverage_scope.COVERAGE
SEARCHED = replace(COVERAGE, search_params=(*COVERAGE.search_params, STATUS))


def declaring(server, resource):
    """The same database, served by a server whose plugin declares Coverage so."""
    other = copy.copy(server)
    scopes = resource.scopes(consent="Your coverage", demographic=False)
    plugins = {str(number): plugin for number, plugin in enumerate(BUILT_IN) if plugin is not coverage_scope}
    plugins["changed"] = SimpleNamespace(register_scopes=hookimpl(lambda: scopes))
    other.app = bb2.make_app(server.settings, server.engine, plugins, server.app.registry["signing_keys"])
    other.scopes = other.app.registry["scopes"]
    return other


@pytest.fixture
def before(make_server):
    """A server with records, loaded as its plugins declare."""
    server = make_server()
    with server.db() as db:
        mark_new(db, server.scopes.resources)
        server.load(db, [coverage("a"), coverage("b", status="cancelled"), coverage("c", patient=BOB)])
    return server


def test_records_are_found_by_a_parameter_that_was_declared_after_they_were_loaded(before):
    after = declaring(before, SEARCHED)
    resources = after.scopes.resources
    token = before.grant("patient/Coverage.read")
    assert ids(after.fhir("Coverage?status=active", token).json) == []
    with after.db() as db:
        stored = select(Record.number, Record.body, Record.last_updated).order_by(Record.number)
        bodies = db.execute(stored).all()
        assert outdated(db, resources) == ["Coverage"]
        assert reindex(db, resources) == {"Coverage": 6}
        assert outdated(db, resources) == []
        assert db.execute(stored).all() == bodies
    for version in VERSIONS:
        assert ids(after.fhir("Coverage?status=active", token, version=version).json) == [f"part-a-{ALICE}"]


def test_a_server_does_not_start_over_records_that_it_would_not_find(before):
    after = declaring(before, SEARCHED)
    with pytest.raises(IndexingError, match=r"records of Coverage .*bb2 reindex"):
        bb2.start(after.app)
    with after.db() as db:
        refuse_outdated(db, before.scopes.resources)
        reindex(db, after.scopes.resources)
        refuse_outdated(db, after.scopes.resources)


def test_a_type_without_records_is_never_outdated(before):
    with before.db() as db:
        db.execute(delete(RecordIndex))
        db.execute(delete(Record))
        changed = before.scopes.resources | {"Coverage": SEARCHED}
        refuse_outdated(db, changed)
        assert reindex(db, changed) == {}


def test_the_first_records_of_a_new_type_are_loaded_as_its_plugin_declares(before, tmp_path):
    """A plugin that is installed, and whose records are then loaded, needs no other command."""
    path = tmp_path / "claim.json"
    path.write_text('{"resourceType": "Claim", "id": "x", "patient": {"reference": "Patient/-1"}}')
    resources = before.scopes.resources | {"Claim": replace(COVERAGE, type="Claim", patient_element="patient")}
    with before.db() as db:
        load_file(db, resources, path, version="v2")
        refuse_outdated(db, resources)


def test_an_element_that_names_the_patient_anew_moves_the_records(before):
    resources = before.scopes.resources | {"Coverage": replace(COVERAGE, patient_element="subscriber")}
    with before.db() as db, pytest.raises(IndexingError, match=r"Coverage/.*: no patient: subscriber"):
        reindex(db, resources)
    with before.db() as db:
        before.load(db, [coverage(part, subscriber={"reference": f"Patient/{BOB}"}) for part in "ab"])
        db.execute(delete(Record).where(Record.patient == BOB))
        reindex(db, resources)
        assert set(db.scalars(select(Record.patient))) == {BOB}


@pytest.mark.parametrize(
    "change",
    [
        {"search_params": ()},
        {"search_params": (replace(STATUS, name="state"),)},
        {"search_params": (replace(STATUS, path=("state",)),)},
        {"search_params": (replace(STATUS, type="date"),)},
        {"patient_element": "subscriber"},
    ],
)
def test_whatever_a_row_depends_on_changes_the_declaration(change):
    assert declaration(replace(SEARCHED, **change)) != declaration(SEARCHED)


def test_what_a_row_does_not_depend_on_leaves_the_declaration():
    for change in ({"demographic_elements": ()}, {"includes": ()}, {"profiles": ("https://profile.example/",)}):
        assert declaration(replace(RESOURCES["Coverage"], **change)) == declaration(COVERAGE)
    turned = replace(SEARCHED, search_params=SEARCHED.search_params[::-1])
    assert declaration(turned) == declaration(SEARCHED)


class TestTheCommands:
    @pytest.fixture
    def forgotten(self, shared_engine, tmp_path):
        """A server whose claims were loaded before they were searched at all; and a function that runs bb2 on it."""
        server = server_with(shared_engine, {"v2": [claim("v2", "pde-1")]})
        with server.db() as db:
            reindex(db, server.scopes.resources)
            db.execute(delete(RecordIndex))
            known = update(RecordIndexing).where(RecordIndexing.resource_type == "ExplanationOfBenefit")
            db.execute(known.values(declaration="of another time"))
        url = server.engine.url.render_as_string(hide_password=False)
        environment = {"BB2_DATABASE_URL": url, "BB2_SCOPES": "*", "BB2_BASE_URL": "http://localhost"}
        environment |= {"BB2_VAR": str(tmp_path), "BB2_SANDBOX": "false"}

        def run(*arguments):
            return CliRunner().invoke(cli.command, arguments, env=environment)

        return server, run

    def test_reindex_says_what_it_did(self, forgotten):
        server, run = forgotten
        done = run("reindex")
        assert done.exit_code == 0, done.output
        assert done.output == "ExplanationOfBenefit: 1 record can be found by what its plugin declares now.\n"
        token = server.grant(EVERYTHING)
        assert ids(server.fhir("ExplanationOfBenefit?type=pde", token).json) == ["pde-1"]
        assert run("reindex").output == "Nothing to do: every record is found by what its plugin declares.\n"
        assert "ExplanationOfBenefit: 1 record can" in run("reindex", "--all").output
