"""Which tests must every scope and every sensitivity pass, whoever wrote it?"""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest

from bb2.scopes import Words, hookimpl, openid, profile
from bb2.testing.records import WHO, record
from bb2.testing.reuse import ALICE, BOB
from bb2.testing.server import ConsentServer


class EndpointTests:
    """What holds for every scope that opens something, FHIR or not, whoever wrote it."""

    plugin = None  #: the plugin module
    scope = None  #: the scope's name
    beside = ()  #: the plugin modules whose records it reads
    settings = None  #: settings for the server, {name: text}

    def server(self, *others, **options):
        plugins = (openid, *others, *self.beside, _as_granted(self.plugin))
        return ConsentServer(*plugins, records=self.records(), settings=self.settings, **options)

    def records(self):
        """The records that the server holds."""
        return ()

    def declared(self):
        scopes = self.plugin.register_scopes()
        return next(s for s in (scopes if isinstance(scopes, list) else [scopes]) if s.name == self.scope)

    def requests(self):
        """(Endpoint, version, path) of what the scope opens to GET, for Alice.

        Of a parameter of the path, with each of its values, or with its example.
        """
        for endpoint in self.declared().endpoints:
            names = [parameter.name for parameter in endpoint.path_parameters]
            choices = [parameter.values or (parameter.example,) for parameter in endpoint.path_parameters]
            paths = [endpoint.path.format(**dict(zip(names, chosen, strict=True))) for chosen in product(*choices)]
            for version, path in product(endpoint.versions, paths if "GET" in endpoint.methods else ()):
                yield endpoint, version, path

    def test_the_beneficiary_is_asked_in_the_scopes_own_words(self):
        page = self.server().consent_page(self.scope)
        assert str(self.declared().consent) in page.html.get_text()

    def test_the_beneficiary_is_asked_in_spanish_too(self):
        page = self.server().consent_page(self.scope, lang="es")
        words = self.declared().consent
        assert page.html.find("html")["lang"] == "es"
        for field in ("consent", "detail", "reach"):
            assert _says_spanish(getattr(self.declared(), field)), f'no Spanish in {field}: Words("…", es="…")'
        assert (words.in_language("es") if hasattr(words, "in_language") else str(words)) in page.html.get_text()

    def test_a_granted_scope_opens_every_endpoint_that_it_declares(self):
        server = self.server()
        token = server.grant(self.scope)
        assert token["scope"] == self.scope
        for endpoint, version, path in self.requests():
            assert server.api(path, token, version=version).content_type in endpoint.produces

    def test_another_scope_does_not_open_it(self):
        server = self.server()
        token = server.grant("openid")
        for _endpoint, version, path in self.requests():
            refusal = server.api(path, token, version=version, status=403)
            assert self.scope in refusal.headers["WWW-Authenticate"]

    def test_no_token_does_not_open_it(self):
        server = self.server()
        for _endpoint, version, path in self.requests():
            server.get(f"/{version}/{path}", status=401)

    def test_discovery_names_it(self):
        server = ConsentServer(openid, *self.beside, self.plugin, settings=self.settings)
        named = self.scope in server.get("/.well-known/openid-configuration").json["scopes_supported"]
        assert named is not self.declared().deprecated

    def test_declining_personal_information_takes_away_a_demographic_scope_only(self):
        token = self.server().grant(f"openid {self.scope}", share_demographic=False)
        assert (self.scope in token["scope"].split()) is not self.declared().demographic

    def test_it_can_be_left_out_on_its_own(self):
        server = self.server(profile)
        token = server.grant(f"profile {self.scope}", leave_out=(self.scope,))
        assert token["scope"] == "profile"
        for _endpoint, version, path in self.requests():
            refusal = server.api(path, token, version=version, status=403)
            assert "The beneficiary left this out" in refusal.text


def _as_granted(plugin):
    """The plugin as it was when people granted what is deprecated now: all that it opens, it opens still."""
    scopes = plugin.register_scopes()
    scopes = list(scopes) if isinstance(scopes, (list, tuple)) else [scopes]
    if not any(scope.deprecated for scope in scopes):
        return plugin
    granted = [replace(scope, deprecated=False) for scope in scopes]
    return SimpleNamespace(**vars(plugin) | {"register_scopes": hookimpl(lambda: granted)})


def _says_spanish(words):
    """Nothing needs no translation; a translation string has its own in a catalogue, which nobody sees from here."""
    return "es" in words.translations if isinstance(words, Words) else not words or type(words) is not str


class ScopeTests(EndpointTests):
    """What holds for every FHIR scope, whoever wrote it."""

    def resource(self):
        return self.declared().endpoints[0].resource

    def records(self):
        """One record of Alice and one of Bob; the defaults suit most resource types."""
        return [record(self.resource(), "a-1", ALICE), record(self.resource(), "b-1", BOB)]

    def own_and_other(self):
        own, other = self.records()
        return own["id"], other["id"]

    def requests(self):
        for endpoint in self.declared().endpoints:
            for version in endpoint.versions:
                yield endpoint, version, endpoint.path.format(id=self.own_and_other()[0])

    def test_another_patients_record_is_not_found(self):
        if self.resource().read not in self.declared().endpoints:
            return
        server, (_own, other) = self.server(), self.own_and_other()
        token = server.grant(self.scope)
        for version in self.resource().versions:
            server.fhir(f"{self.resource().type}/{other}", token, version=version, status=404)

    def test_search_returns_the_patients_own_records_only(self):
        if self.resource().search not in self.declared().endpoints:
            return
        server, (own, _other) = self.server(), self.own_and_other()
        token = server.grant(self.scope)
        for version in self.resource().versions:
            found = server.fhir(self.resource().type, token, version=version).json
            assert [entry["resource"]["id"] for entry in found["entry"]] == [own]

    def test_the_capability_statement_names_it(self):
        server = self.server()
        for version in self.resource().versions:
            resources = server.get(f"/{version}/fhir/metadata").json["rest"][0]["resource"]
            assert self.resource().type in [resource["type"] for resource in resources]

    def test_no_demographic_element_leaves_without_a_demographic_scope(self):
        if self.declared().demographic:
            return
        server = self.server()
        token = server.grant(self.scope, share_demographic=False)
        for _endpoint, version, path in self.requests():
            assert WHO not in server.api(path, token, version=version).text


class SensitivityTests:
    """What holds for every sensitivity, whoever wrote it."""

    plugin = None  #: the plugin module
    key = None  #: the sensitivity's key
    opener = None  #: the plugin module whose scope opens records that can carry it
    scope = None  #: that scope's name
    settings = None  #: settings for the server, {name: text}

    def carrying(self):
        """Records (dicts) of Alice that carry it, for every API version of their type; or {version: dicts}."""
        raise NotImplementedError

    def free(self):
        """The same, of records that do not carry it."""
        raise NotImplementedError

    def server(self):
        server = ConsentServer(openid, self.opener, self.plugin, settings=self.settings)
        with server.db() as db:
            server.load(db, self.carrying())
            server.load(db, self.free())
        return server

    def declared(self, server):
        return next(each for each in server.sensitivities if each.key == self.key)

    def resource(self, server):
        return server.scopes[self.scope].endpoints[0].resource

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_the_beneficiary_is_asked_in_its_own_words(self, language):
        server = self.server()
        page = server.consent_page(self.scope, lang=language)
        for words in ("question", "detail", "share", "withhold"):
            said = getattr(self.declared(server), words)
            assert (said.in_language(language) if hasattr(said, "in_language") else said) in page.html.get_text()

    def test_a_scope_that_opens_no_such_record_brings_no_question(self):
        server = self.server()
        assert str(self.declared(server).question) not in server.consent_page("openid").html.get_text()

    def test_a_record_that_carries_it_leaves_only_if_it_is_shared_and_then_with_its_label(self):
        server = self.server()
        for share in ((), (self.key,)):
            token = server.grant(self.scope, share_sensitive=share)
            for version in self.resource(server).versions:
                free, carrying = _of(self.free(), version), _of(self.carrying(), version)
                found = server.fhir(f"{self.resource(server).type}?_count=50", token, version=version).json
                labels = {entry["resource"]["id"]: _labels(entry["resource"]) for entry in found.get("entry", ())}
                assert found["total"] == len(labels)
                assert labels.keys() == {each["id"] for each in (*free, *(carrying if share else ()))}
                for each in carrying:
                    path = f"{self.resource(server).type}/{each['id']}"
                    server.fhir(path, token, version=version, status=200 if share else 404)
                    assert not share or self.declared(server).label in labels[each["id"]]
                assert not any(self.declared(server).label in labels[each["id"]] for each in free)


def _of(records, version):
    return records[version] if isinstance(records, dict) else records


def _labels(record):
    return [coding.get("code") for coding in record.get("meta", {}).get("security", ())]
