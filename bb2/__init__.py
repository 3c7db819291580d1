"""A consent server for Medicare data: OAuth 2.0, OpenID Connect and SMART on FHIR."""

import logging
from functools import partial

from pyramid.config import Configurator

from bb2.audit.tally import Tally
from bb2.db import make_engine
from bb2.discovery import oauth_urls
from bb2.documentation import documentation
from bb2.fhir.reindex import refuse_outdated
from bb2.fhir.sources import collect_sources
from bb2.fhir.store import SqlStore
from bb2.fhir.upstream import UpstreamSource
from bb2.identity.provider import Provider
from bb2.matching import Matching
from bb2.notices.post import post_of
from bb2.notices.postman import Postman
from bb2.oauth.assertions import Assertions
from bb2.oauth.claims import released
from bb2.oauth.fetch import Fetcher
from bb2.oauth.id_tokens import IdTokens
from bb2.oauth.introspection import Introspection
from bb2.oauth.keys import SigningKeys
from bb2.oauth.published_keys import PublishedKeys
from bb2.oauth.server import AuthorizationServer
from bb2.oauth.undeclared import tell_undeclared
from bb2.oauth.validator import Validator
from bb2.plugins import at_start, calls, installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.scopes import API_VERSIONS
from bb2.security import refuse_unserved
from bb2.sensitivities import Sensitivities
from bb2.settings import Settings, fhir_base, is_loopback
from bb2.sweep import Sweeper
from bb2.views.static import refuse_naked

log = logging.getLogger(__name__)

__version__ = "0.1.0"
PARTS = (
    "db",
    "security",
    "identity.sessions",
    "developers.sessions",
    "developers.trial",
    "views.pages",
    "views.readable",
    "views.cors",
    "views.limited",
    "views.records",
    "views.passkeys",
    "views.developer.passkeys",
    "routes",
)
#: Modules of bb2.views: the pages of people who have their user name and password from this server.
BUILT_IN_IDENTITY = ("sign_in", "trouble", "create_account", "account", "passkeys", "personas")


def main(global_config, **ini):
    """The WSGI application of an ini file (`paste.app_factory`); docs/settings.md lists the settings."""
    settings = Settings.read(ini)
    engine, keys = make_engine(settings.database_url), SigningKeys.load(settings.keys_folder)
    app = make_app(settings, engine, installed_plugins(settings.scopes), keys)
    start(app)
    return app


def start(app):
    """Begin what runs beside the requests: the tally is written out, what no check needs any more is taken out, and
    mail is sent.

    IndexingError where records were loaded under other search parameters than those that are served;
    NoDesignSystemError where the pages would be naked.
    """
    refuse_naked()
    registry = app.registry
    if not registry["documentation"].pages:
        log.warning("the documentation is missing: run `python build_docs.py` in the checkout")
    with registry["reader"].connect() as connection:
        refuse_outdated(connection, registry["scopes"].resources)
        tell_undeclared(connection, registry["scopes"])
    registry["tally"].start()
    Sweeper(registry["engine"], registry["settings"]).start()
    if post := post_of(registry["settings"]):
        Postman(registry["engine"], registry["settings"], post).start()


def make_app(settings, engine, plugins, signing_keys):
    """Assemble the application from its parts.  `plugins` is {name: module}."""
    _hush_libraries()
    manager = plugin_manager(plugins)
    with Configurator() as config:
        registry = config.registry
        registry.update(settings=settings, engine=engine, plugins=manager, signing_keys=signing_keys)
        registry["scopes"], registry["tally"] = ScopeRegistry.from_plugins(manager), Tally(engine)
        registry["documentation"] = documentation()
        registry["sensitivities"] = Sensitivities.from_plugins(manager, settings)
        for part in PARTS:
            config.include(f"bb2.{part}")
        registry["records"] = records_source(settings, registry["reader"])
        registry["sources"] = collect_sources(manager, settings, registry["records"], registry["scopes"].resources)
        registry["assertions"] = assertions(registry)
        if settings.identity == "oidc":
            registry["provider"] = Provider(settings)
            registry["matching"] = Matching(
                settings, registry["scopes"].resources, registry["sources"], registry["reader"]
            )
        config.add_request_method(authorization_server, "oauth", reify=True)
        config.scan("bb2.views", ignore=unused_pages(settings))
        for plugin, configure in calls(manager.hook.configure, config=config):
            with at_start(plugin, manager.hook.configure):
                configure()
        refuse_unserved(registry)
        registry["app"] = config.make_wsgi_app()
    return registry["app"]


def unused_pages(settings):
    """The modules of pages that these settings leave out: of the one way to sign in, or the other; of the sandbox."""
    unused = BUILT_IN_IDENTITY if settings.identity == "oidc" else ("provider",)
    unused = unused if settings.sandbox else (*unused, "testclient", "personas")
    unused = unused if settings.developers else (*unused, "developer")
    return [f"bb2.views.{name}" for name in unused]


def records_source(settings, reader):
    """The FhirSource of the types for which no plugin brings one.  `reader` is an engine that opens no transactions."""
    return UpstreamSource.of(settings) if settings.fhir_source == "upstream" else SqlStore(reader)


def _hush_libraries():
    """At their finest, oauthlib logs tokens, and SQLAlchemy the rows that it reads: no configuration turns that on.

    urllib3 logs the URLs of the records that it is asked for, in some of its warnings too.
    """
    for name in logging.root.manager.loggerDict:
        if name.startswith(("oauthlib", "sqlalchemy.engine")):
            logging.getLogger(name).addFilter(_above_debug)
        elif name.startswith("urllib3.connection"):
            logging.getLogger(name).addFilter(_above_warning)


def _above_debug(log_record):
    return log_record.levelno > logging.DEBUG


def _above_warning(log_record):
    return log_record.levelno > logging.WARNING


def authorization_server(request):
    """oauthlib for one request, on the request's database session."""
    registry = request.registry
    settings = registry["settings"]
    bases = [fhir_base(settings.base_url, version) for version in API_VERSIONS]
    tokens = id_tokens(request)
    introspection = Introspection(tokens, bases)
    validator = Validator(request.db, registry["scopes"], settings, registry["assertions"], introspection)
    return AuthorizationServer(validator, tokens, bases)


def assertions(registry):
    """What checks the clients' assertions; they name the issuer, or one of the endpoints at which clients use them."""
    settings = registry["settings"]
    endpoints = [url for version in API_VERSIONS for url in oauth_urls(settings.base_url, version).values()]
    published = PublishedKeys(Fetcher(loopback=settings.sandbox and is_loopback(settings.base_url)))
    return Assertions(registry["engine"], registry["reader"], published, [settings.base_url, *endpoints])


def id_tokens(request):
    """What makes the id_tokens of one API version, whose FHIR base they may name."""
    registry, scopes = request.registry, request.registry["scopes"]
    base_url = registry["settings"].base_url
    base = fhir_base(base_url, request.matchdict["version"])
    about = partial(released, registry["plugins"], scopes, fhir_base=base)
    return IdTokens(base_url, registry["signing_keys"], scopes, about)
