"""bb2 load: FHIR files into the store."""

import sys
from collections import Counter

import click

from bb2.fhir.files import LoadError
from bb2.fhir.load import OUTCOMES, RELEASES, load_file


def add_to(command):
    command.add_command(load)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--fhir", type=click.Choice(sorted(RELEASES)), help="The FHIR version.  Default: found from the records.")
@click.pass_obj
def load(state, files, fhir):
    """Load FHIR resources, Bundles or NDJSON (also .gz).  Each file is loaded whole, or not at all."""
    totals, failed = Counter(), 0
    for path in files:
        try:
            totals += _load_one(state, path, RELEASES.get(fhir))
        except LoadError as error:
            failed += 1
            click.echo(f"{error}\n  Nothing of this file was kept.", err=True)
    if totals:
        click.echo(_table(totals))
    if failed:
        sys.exit(1)


def _load_one(state, path, version):
    interactive = sys.stderr.isatty()

    def progress(count):
        if interactive:
            click.echo(f"\r{path}: {_counted(count)}", nl=False, err=True)

    with state.transaction() as db:
        counts = load_file(
            db,
            state.registry.resources,
            path,
            version=version,
            on_progress=progress,
            sensitivities=state.sensitivities,
        )
    click.echo(f"{chr(13) if interactive else ''}{path}: {_counted(sum(counts.values()))}", err=True)
    return counts


def _counted(number):
    return "1 record" if number == 1 else f"{number} records"


def _table(counts):
    """How many records of each type were added, replaced, unchanged."""
    lines = [f"{'':24}{''.join(f'{outcome:>12}' for outcome in OUTCOMES)}"]
    for resource_type in sorted({resource_type for resource_type, _outcome in counts}):
        numbers = "".join(f"{counts[resource_type, outcome]:12}" for outcome in OUTCOMES)
        lines.append(f"{resource_type:24}{numbers}")
    return "\n".join(lines)
