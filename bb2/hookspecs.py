"""Every hook that a plugin can implement.

A plugin is a module named by a `bb2.scopes` entry point.  It implements those that it needs.
"""

import pluggy

hookspec = pluggy.HookspecMarker("bb2")
hookimpl = pluggy.HookimplMarker("bb2")


@hookspec
def register_scopes():
    """Return the Scope, or a list of the Scopes, that this plugin adds.  Called once, at startup."""


@hookspec
def register_sensitivities(settings):
    """Return the Sensitivity, or a list of the Sensitivities, whose records go out only with a Yes of their own.

    `settings` as for `register_fhir_sources`.  Called once, at startup, and by the commands that load records.
    """


@hookspec
def register_fhir_sources(settings):
    """Return {resource type: FhirSource} for records that the server's own store does not hold.

    `settings` is a `bb2.settings.Settings`; the plugin's own settings (names outside `bb2.`) are in `settings.others`.
    Called once, at startup.
    """


@hookspec
def userinfo_claims(beneficiary, fhir_base):
    """Return {claim: value} about `beneficiary` (`sub`, `patient`, `given_name`, `family_name`).

    `fhir_base` is the URL of the FHIR API in the version that the app uses.  The core releases those that a granted
    scope names.  Called at each userinfo request, and for an id_token that carries any (OpenID Connect Core 5.3, 5.5).
    """


@hookspec
def configure(config):
    """Add views for endpoints of the plugin's own, with `config.add_protected_view(view, endpoint)`.

    `config` is the Pyramid Configurator.  A view finds the token's holder in `request.identity`, and their records, as
    the token shows them, by `request.records(resource)`.  Called once, last.
    """
