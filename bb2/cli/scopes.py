"""bb2 scopes: what is installed, and what each scope opens."""

import json

import click

from bb2.cli.options import JSON
from bb2.plugins import contract_of, distribution_versions
from bb2.scopes import API_VERSIONS


def add_to(command):
    command.add_command(scopes)


@click.command()
@JSON
@click.pass_obj
def scopes(state, as_json):
    """List the scopes: plugin, demographic or not, what each opens, the consent line."""
    versions = distribution_versions()
    rows = [_row(scope, state.registry.plugin_of(scope.name), versions, state.plugins) for scope in state.registry]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    headings = ("scope", "plugin", "contract", "demographic", "deprecated", *API_VERSIONS, "consent")
    cells = [[_cell(row[heading]) for heading in headings] for row in rows]
    widths = [max(len(row[i]) for row in [headings, *cells]) for i in range(len(headings))]
    for row in [headings, *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(scope, plugin, versions, plugins):
    opens = {v: [_opened(endpoint) for endpoint in scope.endpoints if v in endpoint.versions] for v in API_VERSIONS}
    return {
        "scope": scope.name,
        "plugin": f"{plugin} {versions.get(plugin, '')}".strip(),
        "contract": contract_of(plugins[plugin]),
        "demographic": scope.demographic,
        "deprecated": scope.deprecated,
        **opens,
        "consent": str(scope.consent),
    }


def _opened(endpoint):
    """`Coverage read` for a FHIR interaction, the path for another endpoint."""
    return f"{endpoint.resource.type} {endpoint.interaction}" if endpoint.resource else endpoint.path


def _cell(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) or "-" if isinstance(value, list) else value
