"""What can a plugin do, and what is refused at startup?  A refusal names the plugin, and what to mend."""

import re
import sys
from textwrap import dedent
from types import SimpleNamespace

import pytest
from babel.messages import Catalog, mofile
from pluggy import PluginValidationError
from pyramid.httpexceptions import HTTPNotFound, HTTPServiceUnavailable
from pyramid.i18n import TranslationStringFactory
from pyramid.response import Response

from bb2 import cli
from bb2.fhir import FhirRecord, MemorySource, Page
from bb2.plugins import installed_plugins
from bb2.registry import UNDECLARED, ScopeRegistry
from bb2.scopes import (
    USERINFO,
    Endpoint,
    FhirResource,
    Include,
    Parameter,
    Scope,
    ScopeError,
    SearchParam,
    Words,
    coverage,
    hookimpl,
    openid,
    patient,
    profile,
)
from bb2.settings import Settings
from bb2.testing import ALICE, BOB, WHO, ConsentServer, ScopeTests, record

pytestmark = pytest.mark.either_database

CLAIM = FhirResource("Claim", demographic_elements=("subscriber", "insurance.number"))
VERSIONS = ("v1", "v2")


def plugin(name, declare=list, **hooks):
    """A plugin: what a module is, made of functions.  `declare()` returns its scopes."""

    @hookimpl
    def register_scopes():
        return declare()

    return SimpleNamespace(name=name, register_scopes=register_scopes, **hooks)


def scope(name, *endpoints, demographic=False, consent="Your dental records", claims=()):
    return Scope(name=name, consent=consent, demographic=demographic, endpoints=endpoints, claims=claims)


def claims(demographic=False, resource=CLAIM, **hooks):
    """A plugin that declares the family of a resource type."""
    return plugin("claims", lambda: resource.scopes(consent="Your claims", demographic=demographic), **hooks)


def refused(*plugins):
    """The message with which the server does not start."""
    with pytest.raises(ScopeError) as caught:
        ConsentServer(*plugins)
    return str(caught.value)


def dental(declare):
    """The message with which a server with this plugin, `test:dental`, does not start."""
    message = refused(openid, plugin("dental", declare))
    assert "test:dental" in message
    return message


# Refused at startup


def test_two_plugins_cannot_declare_one_scope():
    message = refused(coverage, plugin("rival", lambda: scope("patient/Coverage.read", coverage.COVERAGE.read)))
    assert "patient/Coverage.read is declared twice" in message
    assert "test:rival" in message
    assert "test:bb2.scopes.coverage" in message
    assert "switch one of them off in bb2.scopes" in message


def test_a_scope_opens_only_the_resource_type_in_its_name():
    message = dental(lambda: scope("patient/Claim.read", patient.PATIENT.read))
    assert "patient/Claim.read declares GET fhir/Patient/{id}, which its name does not say: take it out" in message


@pytest.mark.parametrize(("permission", "endpoint"), [("r", CLAIM.search), ("s", CLAIM.read)])
def test_a_scope_opens_only_the_interaction_in_its_name(permission, endpoint):
    assert f"patient/Claim.{permission} declares {endpoint}" in dental(
        lambda: scope(f"patient/Claim.{permission}", CLAIM.read, CLAIM.search)
    )


@pytest.mark.parametrize("name", ["everything", "patient/*.read", "user/Claim.read", "patient/Claim.write"])
def test_a_name_that_is_not_smarts_opens_no_fhir_resource(name):
    assert f"{name} declares GET fhir/Claim/{{id}}" in dental(lambda: scope(name, CLAIM.read))


def test_a_fhir_path_needs_a_resource_whose_patient_is_known():
    message = dental(lambda: scope("everything", Endpoint(path="fhir/Claim/{id}")))
    assert "without a FhirResource: declare one" in message


def test_what_a_demographic_scope_protects_no_other_scope_opens():
    rival = plugin("rival", lambda: scope("patient/Patient.r", patient.PATIENT.read))
    half = plugin("half", lambda: scope("patient/Patient.read", patient.PATIENT.read, demographic=True))
    message = refused(half, rival)
    assert "GET fhir/Patient/{id} is protected by the demographic ['patient/Patient.read']" in message
    assert "['patient/Patient.r'] (test:rival)" in message
    assert "declare demographic=True, or leave it out" in message


def test_userinfo_is_opened_by_no_scope_that_is_not_demographic():
    message = refused(profile, plugin("dental", lambda: scope("dental", USERINFO)))
    assert "GET connect/userinfo is protected by the demographic ['profile']" in message
    assert "test:dental" in message


def test_a_demographic_claim_is_released_by_no_other_scope():
    message = refused(profile, plugin("dental", lambda: scope("dental", claims=("given_name",))))
    assert "given_name is protected by the demographic ['profile']" in message
    assert "test:dental" in message


@pytest.mark.parametrize("path", ["fhir/Claim/{id}", "fhir/Claim/{key}", "fhir/Claim/{id}/"])
def test_an_endpoint_is_described_once(path):
    rival = Endpoint(path=path, resource=CLAIM, interaction="read", versions=("v2",))
    message = refused(
        plugin("one", lambda: scope("patient/Claim.r", CLAIM.read)),
        plugin("two", lambda: scope("patient/Claim.read", rival)),
    )
    assert "GET fhir/Claim/{} is described in two ways, by ['test:one', 'test:two']: import the Endpoint" in message


def test_two_plugins_may_open_one_endpoint_in_one_description():
    server = ConsentServer(
        plugin("one", lambda: scope("patient/Claim.r", CLAIM.read)),
        plugin("two", lambda: scope("patient/Claim.read", CLAIM.read)),
    )
    assert server.scopes.scopes_opening(CLAIM.read) == {"patient/Claim.r", "patient/Claim.read"}


def test_an_endpoint_of_more_methods_does_not_hide_that_it_is_the_same():
    card, rival = Endpoint(path="card", methods=("GET", "POST")), Endpoint(path="card", methods=("POST",))
    message = refused(plugin("one", lambda: scope("one", card)), plugin("two", lambda: scope("two", rival)))
    assert "POST card is described in two ways, by ['test:one', 'test:two']" in message


def test_a_resource_type_is_described_once():
    other = FhirResource("Claim", patient_element="subject")
    message = refused(
        plugin("one", lambda: scope("patient/Claim.r", CLAIM.read)),
        plugin("two", lambda: scope("patient/Claim.s", other.search)),
    )
    assert "resource type Claim is described in two ways, by ['test:one', 'test:two']: import" in message


def test_two_plugins_cannot_hold_the_records_of_one_type():
    @hookimpl
    def register_fhir_sources(settings):
        return {"Coverage": MemorySource()}

    rivals = [plugin(name, register_fhir_sources=register_fhir_sources) for name in ("one", "two")]
    message = refused(coverage, *rivals)
    assert "two plugins hold the records of Coverage" in message
    assert "test:one" in message
    assert "test:two" in message
    assert "switch one of them off in bb2.scopes" in message


def test_records_of_a_type_that_no_scope_opens_are_refused():
    @hookimpl
    def register_fhir_sources(settings):
        return {"Coverrage": MemorySource()}

    message = refused(openid, coverage, plugin("dental", register_fhir_sources=register_fhir_sources))
    assert message == "test:dental brings records of Coverrage, which no scope opens; opened: Coverage"


def test_a_misspelt_hook_is_refused_and_the_hooks_are_listed():
    @hookimpl
    def register_scope():
        pass

    message = refused(openid, SimpleNamespace(name="dental", register_scope=register_scope))
    assert "plugin test:dental: unknown hook 'register_scope'" in message
    hooks = "configure, register_fhir_sources, register_scopes, register_sensitivities, userinfo_claims"
    assert message.endswith(f"the hooks are: {hooks}")


def test_a_misspelt_argument_of_a_hook_is_refused():
    @hookimpl
    def userinfo_claims(benificiary):
        pass

    with pytest.raises(PluginValidationError, match=r"'test:dental' for hook 'userinfo_claims'") as caught:
        ConsentServer(openid, plugin("dental", userinfo_claims=userinfo_claims))
    assert "{'benificiary'} are declared in the hookimpl but can not be found" in str(caught.value)


@pytest.mark.parametrize("consent", ["", " \n", Words("Your dental records", es=""), None])
def test_a_scope_needs_consent_words_in_each_of_its_languages(consent):
    assert "dental has no consent words: say what the beneficiary would share" in dental(
        lambda: scope("dental", consent=consent)
    )


@pytest.mark.parametrize("declare", [lambda: Scope(name="dental", consent="Teeth"), lambda: CLAIM.scopes(consent="C")])
def test_a_scope_must_say_whether_it_is_demographic(declare):
    assert "missing 1 required keyword-only argument: 'demographic'" in dental(declare)


@pytest.mark.parametrize("demographic", [None, "no", 0])
def test_a_scope_is_demographic_or_not(demographic):
    assert "dental: demographic must be True or False" in dental(lambda: scope("dental", demographic=demographic))


def test_a_scope_that_a_generator_declares_is_checked_too():
    def declare():
        yield scope("dental")
        yield scope("two words")

    assert "'two words' is not a scope name (RFC 6749, 3.3)" in dental(declare)


@pytest.mark.parametrize(
    ("declare", "mend"),
    [
        (lambda: FhirResource("Claim", demographic_elements=("subscriber")), "Claim: demographic_elements must be a"),
        (lambda: FhirResource("Claim", versions=("v2")), "Claim: versions must be a tuple"),
        (lambda: SearchParam(name="created", type="date", path=("created")), "created: path must be a tuple"),
        (lambda: Include("coverage", "insurance.coverage", types=("Coverage")), "coverage: types must be a tuple"),
        (lambda: scope("dental", claims=("dentist")), "dental: claims must be a tuple"),
        (lambda: Endpoint(path="card", methods=("GET")), "card: methods must be a tuple"),
    ],
)
def test_a_forgotten_comma_is_refused(declare, mend):
    """`("subscriber")` would be taken letter by letter, and the element would go out."""
    assert mend in dental(declare)


@pytest.mark.parametrize("versions", [("v3",), ("R4", "v1"), ()])
def test_an_unknown_api_version_is_refused(versions):
    message = dental(lambda: FhirResource("Claim", versions=versions))
    assert message.endswith("accepted: v1, v2")
    assert "accepted: v1, v2" in dental(lambda: Endpoint(path="card", versions=versions))


@pytest.mark.parametrize(
    ("declare", "told"),
    [
        (lambda: FhirResource("Claim", patient_element="participant.actor"), "accepted: an element at the top of a"),
        (lambda: FhirResource("Claim", demographic_elements=("onset[x]",)), "demographic_elements has 'onset[x]'"),
        (lambda: FhirResource("Claim", search_params=(STATUS, STATUS)), "the search parameter status twice"),
        (lambda: FhirResource("Claim", search_params=(by("patient"),)), "the search parameter patient already"),
        (lambda: by("_id"), "'_id' is no name of a search parameter"),
        (lambda: by("status", path=()), "search parameter status has no path"),
        (lambda: by("status", path=("status ",)), "search parameter status: path has 'status '"),
    ],
)
def test_what_would_be_found_in_no_record_is_refused(declare, told):
    assert told in dental(declare)


def by(name, path=("status",)):
    return SearchParam(name=name, type="token", path=path)


STATUS = by("status")


# A hook that fails

HOOKS = ("register_scopes", "register_sensitivities", "register_fhir_sources", "configure")


@pytest.mark.parametrize("hook", HOOKS)
def test_what_fails_in_a_hook_is_told_with_the_plugin_the_hook_and_the_line(hook):
    def fails():
        raise KeyError("teeth")

    message = refused(openid, SimpleNamespace(name="dental", **{hook: hookimpl(fails)}))
    assert message.startswith(f"plugin test:dental: {hook} fails in test_plugins.py, line ")
    assert message.endswith(": KeyError: 'teeth'")


@pytest.mark.parametrize(
    ("hook", "returned", "told"),
    [
        ("register_scopes", [[]], "register_scopes returns []; accepted: a Scope, or one list of them"),
        ("register_scopes", CLAIM, "register_scopes returns FhirResource("),
        ("register_sensitivities", ["hiv"], "returns 'hiv'; accepted: a Sensitivity, or one list of them"),
        ("register_fhir_sources", ["Claim"], "returns ['Claim']; accepted: {resource type: FhirSource}"),
        ("register_fhir_sources", {"Claim": None}, "its source of Claim, None, has no read and no search"),
    ],
)
def test_what_a_hook_returns_is_of_its_kind(hook, returned, told):
    message = refused(openid, SimpleNamespace(name="dental", **{hook: hookimpl(lambda: returned)}))
    assert message.startswith("plugin test:dental: ")
    assert told in message


def test_a_hook_without_its_mark_is_refused_as_it_would_never_be_called():
    message = refused(openid, SimpleNamespace(name="dental", register_scopes=list))
    assert message == "plugin test:dental: register_scopes is never called: put @hookimpl above it"


# Installed plugins


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a distribution with one plugin module on the import path of this test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    installed = []

    def add(distribution, entry, source):
        module = distribution.replace("-", "_")
        installed.append(module)
        (tmp_path / f"{module}.py").write_text(dedent(source))
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[bb2.scopes]\n{entry} = {module}\n")

    yield add
    for module in installed:
        sys.modules.pop(module, None)


def test_a_plugin_that_is_switched_on_and_not_installed_is_named():
    settings = Settings.read({"bb2.scopes": "bb2:openid\n  bb2-dental:dental"}, {})
    with pytest.raises(ScopeError, match=r"not installed: \['bb2-dental:dental'\]; installed: .*'bb2:openid'"):
        installed_plugins(settings.scopes)


def test_a_command_tells_a_refusal_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("BB2_SCOPES", "bb2:openid bb2-dental:dental")
    monkeypatch.setattr("sys.argv", ["bb2", "scopes"])
    told = r"bb2: bb2\.scopes names plugins that are not installed: \['bb2-dental:dental'\][^\n]*"
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert re.fullmatch(told, end.value.code)  # Python prints it, and the status is 1


def test_only_what_is_switched_on_is_there(install):
    install("bb2-dental", "dental", "")
    assert set(installed_plugins(("bb2:openid", "bb2:coverage"))) == {"bb2:openid", "bb2:coverage"}
    assert {"bb2-dental:dental", "bb2:openid"} <= set(installed_plugins(None))
    server = ConsentServer(*installed_plugins(("bb2:openid",)).values())
    server.fhir("Coverage", server.grant("openid"), status=404)


def test_a_package_cannot_take_the_place_of_another_by_using_its_name(install):
    install("bb2-dental", "coverage", "")
    found = installed_plugins(None)
    assert found["bb2:coverage"] is coverage
    assert found["bb2-dental:coverage"].__name__ == "bb2_dental"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("from bb2.scopes import Scope\nScope(name='dental', consent=' ', demographic=False)", "no consent words"),
        ("from bb2.scopes import FhirResource\nFhirResource('Claim', pateint_element='x')", "'pateint_element'"),
    ],
)
def test_what_is_wrong_in_a_plugins_module_is_told_with_its_name(install, source, problem):
    install("bb2-dental", "dental", source)
    with pytest.raises(ScopeError, match=f"plugin bb2-dental:dental cannot be loaded: .*{problem}"):
        installed_plugins(None)


# What the hooks do


def test_a_plugin_without_hooks_changes_nothing(make_server):
    server = make_server(openid, SimpleNamespace(name="empty"))
    assert [declared.name for declared in server.scopes] == ["openid"]
    assert server.grant("openid")["scope"] == "openid"


def test_a_scope_opens_nothing_where_it_is_not_installed():
    assert not ScopeRegistry([]).scopes_opening(coverage.COVERAGE.read)


def test_a_claim_is_released_only_where_a_granted_scope_names_it(make_server):
    @hookimpl
    def userinfo_claims(beneficiary):
        return {"dentist": f"of {beneficiary.patient}", "name": "Nobody", "blood_type": "A", "sub": "forged"}

    own = scope("dental", USERINFO, demographic=True, claims=("dentist",))
    server = make_server(openid, profile, plugin("dental", lambda: own, userinfo_claims=userinfo_claims))
    sub = server.api("connect/userinfo", server.grant("profile")).json["sub"]
    for version in VERSIONS:
        token = server.grant("dental", version=version)
        answer = server.api("connect/userinfo", token, version=version).json
        assert answer == {"sub": sub, "dentist": f"of {ALICE}"}
    answer = server.api("connect/userinfo", server.grant("profile dental")).json
    assert answer.keys() == {*profile.register_scopes().claims, "dentist"}
    assert answer["sub"] == sub
    assert "dentist" not in server.api("connect/userinfo", server.grant("profile")).json
    server.api("connect/userinfo", server.grant("openid"), status=403)
    assert "dentist" in server.get("/.well-known/openid-configuration").json["claims_supported"]


CARD = Endpoint(path="insurance-card/{number}")


@hookimpl
def add_views(config):
    """A protected view of the plugin's own; one for an endpoint that no scope opens; one that nothing protects."""
    config.add_protected_view(lambda request: {"patient": request.identity.patient}, CARD)
    config.add_protected_view(lambda request: {}, Endpoint(path="forgotten"))
    config.add_route("bare", "/bare")
    config.add_view(lambda request: Response("bare"), route_name="bare")


def test_a_plugins_own_view_is_opened_by_its_scope_in_every_version(make_server):
    server = make_server(openid, plugin("card", lambda: scope("insurance_card", CARD), configure=add_views))
    token = server.grant("insurance_card")
    for version in VERSIONS:
        for path in ("insurance-card/1", "insurance-card/1/"):
            assert server.api(path, token, version=version).json == {"patient": ALICE}
            server.get(f"/{version}/{path}", status=401)
    token = server.grant("openid")
    for version in VERSIONS:
        answer = server.api("insurance-card/1", token, version=version, status=403)
        assert answer.json["error"] == "insufficient_scope"
        assert 'scope="insurance_card"' in answer.headers["WWW-Authenticate"]


def test_a_view_that_no_scope_opens_is_closed_even_to_every_scope(make_server):
    server = make_server(openid, plugin("card", lambda: scope("insurance_card", CARD), configure=add_views))
    token = server.grant("openid insurance_card")
    for path in ("/v1/forgotten", "/v2/forgotten", "/bare"):
        server.get(path, headers={"Authorization": f"Bearer {token['access_token']}"}, status=403)
    assert not server.scopes.scopes_opening(UNDECLARED)


def test_a_hook_may_take_fewer_arguments(make_server):
    @hookimpl
    def register_fhir_sources():
        return {"Claim": MemorySource([record(CLAIM, "a-1", ALICE)])}

    @hookimpl
    def userinfo_claims():
        return {}

    @hookimpl
    def configure():
        pass

    own = claims(register_fhir_sources=register_fhir_sources, userinfo_claims=userinfo_claims, configure=configure)
    server = make_server(openid, own)
    assert server.fhir("Claim", server.grant("patient/Claim.read")).json["total"] == 1


def test_a_plugin_finds_its_own_settings(make_server):
    asked = []

    @hookimpl
    def register_fhir_sources(settings):
        asked.append(settings.others["dental.office"])

    make_server(openid, plugin("dental", register_fhir_sources=register_fhir_sources), settings={"dental.office": "3"})
    assert asked == ["3"]


def test_words_are_translated_from_the_plugins_own_catalogue(make_server, tmp_path):
    words = TranslationStringFactory("bb2_dental")("dental-line", default="Your dental records")
    catalog = Catalog(locale="es", domain="bb2_dental")
    catalog.add("dental-line", "Sus registros dentales")
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "bb2_dental.mo").open("wb") as file:
        mofile.write_mo(file, catalog)

    @hookimpl
    def configure(config):
        config.add_translation_dirs(str(tmp_path))

    server = make_server(openid, plugin("dental", lambda: scope("dental", consent=words), configure=configure))
    assert "Sus registros dentales" in server.consent_page("dental", lang="es").html.get_text()
    assert "Your dental records" in server.consent_page("dental", lang="en").html.get_text()


# Families and versions

FAMILY = ["patient/Claim.read", "patient/Claim.rs", "patient/Claim.r", "patient/Claim.s"]


def test_one_declaration_gives_the_four_names_of_a_permission(make_server):
    server = make_server(openid, claims(), records=[record(CLAIM, "a-1", ALICE)])
    supported = server.get("/.well-known/openid-configuration").json["scopes_supported"]
    assert [name for name in supported if "Claim" in name] == FAMILY
    for name, read, search in [
        ("patient/Claim.read", 200, 200),
        ("patient/Claim.rs", 200, 200),
        ("patient/Claim.r", 200, 403),
        ("patient/Claim.s", 403, 200),
    ]:
        token = server.grant(name)
        assert token["scope"] == name
        for version in VERSIONS:
            server.fhir("Claim/a-1", token, version=version, status=read)
            server.fhir("Claim", token, version=version, status=search)


def test_a_family_is_one_line_on_the_page(make_server):
    server = make_server(openid, claims())
    for asked in (FAMILY, FAMILY[2:], FAMILY[:1]):
        page = server.consent_page(" ".join(["openid", *asked]))
        assert page.html.get_text().count("Your claims") == 1, asked


def kit(**words):
    """The tests of a plugin with a scope for claims, in these words."""
    tests = ScopeTests()
    tests.plugin = plugin("claims", lambda: CLAIM.scopes(demographic=False, **words))
    tests.scope = "patient/Claim.read"
    return tests


def test_the_kit_misses_the_spanish_of_a_smaller_text():
    tests = kit(consent=Words("Your claims", es="Sus reclamos"), detail="All of them")
    with pytest.raises(AssertionError, match="no Spanish in detail"):
        tests.test_the_beneficiary_is_asked_in_spanish_too()


def test_the_kit_goes_on_when_a_scope_is_deprecated():
    tests = kit(consent="Your claims", deprecated=True)
    tests.test_a_granted_scope_opens_every_endpoint_that_it_declares()
    tests.test_discovery_names_it()


def test_a_resource_can_exist_in_one_version_only(make_server):
    resource = FhirResource("Claim", versions=("v2",))
    server = make_server(openid, claims(resource=resource), records={"v2": [record(resource, "a-1", ALICE)]})
    token = server.grant("patient/Claim.read")
    for path in ("Claim", "Claim/a-1"):
        server.fhir(path, token, version="v2", status=200)
        server.fhir(path, token, version="v1", status=404)
    assert _types(server, "v2") == ["Claim"]
    assert _types(server, "v1") == []


def _types(server, version):
    (rest,) = server.get(f"/{version}/fhir/metadata").json["rest"]
    return [resource["type"] for resource in rest.get("resource", [])]


# What holds for a plugin's records


def from_the_store(resource):
    return claims(resource=resource), [record(resource, "a-1", ALICE), record(resource, "b-1", BOB)]


def from_its_own_source(resource):
    @hookimpl
    def register_fhir_sources(settings):
        return {"Claim": MemorySource([record(resource, "a-1", ALICE), record(resource, "b-1", BOB)])}

    return claims(resource=resource, register_fhir_sources=register_fhir_sources), []


@pytest.mark.parametrize("kept", [from_the_store, from_its_own_source])
def test_demographic_elements_leave_only_under_a_demographic_scope_for_records(make_server, kept):
    own, records = kept(CLAIM)
    server = make_server(openid, profile, patient, own, records=records)
    for asked, share, whole in [
        ("patient/Claim.read", True, False),
        ("patient/Claim.read profile", True, False),
        ("patient/Claim.read patient/Patient.read", True, True),
        ("patient/Claim.read patient/Patient.read", False, False),
    ]:
        token = server.grant(asked, share_demographic=share)
        for version in VERSIONS:
            for path in ("Claim/a-1", "Claim"):
                text = server.fhir(path, token, version=version).text
                assert (WHO in text) is whole
                assert ('"subscriber"' in text) is whole
                assert ('"number"' in text) is whole


class CarelessSource:
    """Asked for anything, it finds a record of Bob."""

    found = FhirRecord.of(CLAIM, record(CLAIM, "b-1", BOB))

    def read(self, version, resource, id, patient):
        return self.found

    def search(self, query):
        return Page(1, [self.found])


def test_another_patients_record_does_not_leave_a_careless_source(make_server):
    @hookimpl
    def register_fhir_sources(settings):
        return {"Claim": CarelessSource()}

    server = make_server(openid, claims(register_fhir_sources=register_fhir_sources))
    token = server.grant("patient/Claim.read")
    unknown = server.fhir("Claim/unknown", token, status=404)
    assert server.fhir("Claim/b-1", token, status=404).body == unknown.body
    assert "b-1" not in server.fhir("Claim", token).text


def test_a_record_that_does_not_say_when_it_changed_can_be_searched_by_that(make_server):
    @hookimpl
    def register_fhir_sources(settings):
        dated = record(CLAIM, "a-2", ALICE) | {"meta": {"lastUpdated": "2026-03-01T00:00:00Z"}}
        return {"Claim": MemorySource([record(CLAIM, "a-1", ALICE), dated])}

    server = make_server(openid, claims(register_fhir_sources=register_fhir_sources))
    found = server.fhir("Claim?_lastUpdated=ge2026", server.grant("patient/Claim.read")).json
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["a-2"]


# An endpoint that is not FHIR

FORMATS = Parameter(name="format", summary="How it is written", values=("pdf", "x.y"))
SIZE = Parameter(name="size", summary="How large it is", values=("small", "large"), required=True, example="small")
NOTE = Parameter(name="note", summary="What stands beside it")
LEAFLET = Endpoint(path="leaflet.{format}", produces=("application/pdf",), parameters=(FORMATS, SIZE, NOTE))


@pytest.fixture(scope="module")
def leaflets():
    @hookimpl
    def configure(config):
        config.add_protected_view(lambda request: {"size": request.GET["size"]}, LEAFLET)

    return ConsentServer(openid, plugin("leaflets", lambda: scope("leaflet", LEAFLET), configure=configure))


@pytest.fixture(scope="module")
def reads_leaflets(leaflets):
    """The token response of an app that may read them."""
    return leaflets.grant("leaflet")


def test_an_endpoint_tells_its_parameters_apart_by_its_path():
    assert LEAFLET.path_parameters == (FORMATS,)
    assert LEAFLET.query_parameters == (SIZE, NOTE)
    assert [parameter.name for parameter in CARD.path_parameters] == ["number"]  # declared or not
    assert CLAIM.read.path_parameters[0].summary == "The id of the record"
    assert CLAIM.search.produces == CLAIM.read.produces == ("application/fhir+json",)


@pytest.mark.parametrize(
    ("path", "status"),
    [("leaflet.pdf", 200), ("leaflet.x.y", 200), ("leaflet.xzy", 404), ("leaflet.gif", 404), ("leaflet.", 404)],
)
def test_a_path_answers_the_accepted_values_of_its_parameters_only(leaflets, reads_leaflets, path, status):
    leaflets.api(f"{path}?size=small", reads_leaflets, status=status)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "size is needed: How large it is"),
        ("?size=huge", "size has the value 'huge'; accepted: one of small, large"),
        ("?size=small&size=large", "size has the value 'large'; accepted: one of small, large"),
        ("?size=small&note=a&note=b", "note has the value 'b'; accepted: one value"),
    ],
)
def test_a_query_that_is_not_as_declared_is_refused_before_the_view(leaflets, reads_leaflets, query, told):
    answer = leaflets.api(f"leaflet.pdf{query}", reads_leaflets, status=400)
    assert (answer.json["error"], answer.json["error_description"]) == ("invalid_request", told)


def test_a_query_is_told_nothing_without_a_token_that_opens_the_endpoint(leaflets):
    leaflets.get("/v2/leaflet.pdf", status=401)
    answer = leaflets.api("leaflet.pdf", leaflets.grant("openid", username="bob"), status=403)
    assert answer.json["error"] == "insufficient_scope"


@pytest.mark.parametrize(
    ("declare", "told"),
    [
        (lambda: Endpoint(path="leaflet", produces=("pdf",)), "leaflet produces ('pdf',): name the media types"),
        (lambda: Endpoint(path="leaflet", produces=()), "leaflet produces (): name the media types"),
        (lambda: Endpoint(path="leaflet", produces="application/pdf"), "leaflet: produces must be a tuple"),
        (lambda: Endpoint(path="leaflet", produces=("a/b/c",)), "leaflet produces ('a/b/c',): name the media types"),
        (lambda: Endpoint(path="leaflet", methods=()), "leaflet has the methods (); accepted: GET"),
        (lambda: Endpoint(path="leaflet", methods=("get",)), "leaflet has the methods ('get',); accepted: GET"),
        (lambda: Endpoint(path="/leaflet"), "the path of an endpoint is '/leaflet'; accepted"),
        (lambda: Endpoint(path="leaflet/{version}"), "the path of an endpoint is 'leaflet/{version}'"),
        (lambda: Endpoint(path="o/token"), "the paths under o/ and connect/ are the server's own"),
        (lambda: Endpoint(path="leaflet"), "dental opens GET leaflet, which no view answers: give it one by config"),
        (lambda: Endpoint(path="leaflet", parameters=(SIZE, SIZE)), "leaflet declares ['size'] twice"),
        (lambda: Parameter(name="size", summary="", values=("a",), example="b"), "the example 'b' is not among"),
        (lambda: Parameter(name="size", summary="", values=("a")), "size: values must be a tuple"),
    ],
)
def test_a_description_that_nobody_could_follow_is_refused(declare, told):
    assert told in dental(lambda: scope("dental", declare()))


def test_a_view_that_has_no_answer_says_so_in_its_own_words(make_server):
    refusals = {
        "1": (HTTPNotFound, "not_found"),
        "2": (HTTPServiceUnavailable, "temporarily_unavailable"),
    }

    def view(request):
        refusal, _error = refusals[request.matchdict["number"]]
        raise refusal("There is no leaflet of this person")

    @hookimpl
    def configure(config):
        config.add_protected_view(view, CARD)

    server = make_server(openid, plugin("card", lambda: scope("card", CARD), configure=configure))
    token = server.grant("card")
    for number, (refusal, error) in refusals.items():
        answer = server.api(f"insurance-card/{number}", token, status=refusal.code)
        assert answer.json["error"] == error
        assert answer.json["error_description"] == "There is no leaflet of this person"


def test_a_view_of_its_own_gets_the_records_as_the_token_shows_them(make_server):
    def view(request):
        return {"opens": bool(request.has_permission(CLAIM.read)), "records": request.records(CLAIM).all()}

    @hookimpl
    def configure(config):
        config.add_protected_view(view, CARD)

    many = [record(CLAIM, f"a-{number:03}", ALICE) for number in range(120)]
    card = plugin("card", lambda: scope("card", CARD), configure=configure)
    server = make_server(openid, patient, claims(), card, records=[*many, record(CLAIM, "b-1", BOB)])
    for asked, shows, opens in (
        ("card", False, False),
        ("card patient/Claim.read", False, True),
        ("card patient/Patient.read", True, False),
    ):
        answer = server.api("insurance-card/1", server.grant(asked))
        assert [each["id"] for each in answer.json["records"]] == [each["id"] for each in many]
        assert (WHO in answer.text) is shows
        assert answer.json["opens"] is opens


def test_a_browsers_app_may_read_a_plugins_endpoint_as_any_other(leaflets, reads_leaflets):
    asked = {"Authorization": f"Bearer {reads_leaflets['access_token']}", "Origin": "https://app.example"}
    answer = leaflets.get("/v2/leaflet.pdf?size=small", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    other = leaflets.get("/v2/leaflet.pdf?size=small", headers=asked | {"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
