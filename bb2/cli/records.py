"""bb2 load, bb2 reindex, bb2 judge: FHIR files into the store, and what is kept there beside each record."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import click

from bb2.cli.options import counted
from bb2.fhir.files import LoadError
from bb2.fhir.judge import count_unjudged, judge_batch
from bb2.fhir.load import RELEASES, load_file
from bb2.fhir.reindex import reindex as make_anew
from bb2.fhir.write import OUTCOMES


def add_to(command):
    command.add_command(load)
    command.add_command(reindex)
    command.add_command(judge)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--fhir", type=click.Choice(sorted(RELEASES)), help="The FHIR version.  Default: found from the records.")
@click.pass_obj
def load(state, files, fhir):
    """Load FHIR resources, Bundles or NDJSON (also .gz).  Each file is loaded whole, or not at all.

    A record takes the place of one with the same id that was last updated earlier, or at the same moment.
    """
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


@click.command()
@click.option("--all", "everything", is_flag=True, help="Of every type, whether its search parameters changed or not.")
@click.pass_obj
def reindex(state, everything):
    """Make stored records findable by the search parameters that their plugins declare now."""
    if not index_anew(state, list(state.registry.resources) if everything else None):
        click.echo("Nothing to do: every record is found by what its plugin declares.")


def index_anew(state, types=None):
    """Make records of these types anew in the store, or of those whose plugin declares something else now.

    Says what was done; returns how many records that were.
    """
    interactive = sys.stderr.isatty()

    def shown(records):
        if interactive:
            click.echo(f"\rMaking anew what records are found by: {counted(records, 'record')}", nl=False, err=True)

    with state.transaction() as db:
        counts = make_anew(db, state.registry.resources, types, shown)
    if interactive and counts:
        click.echo(err=True)
    for type, number in counts.items():
        click.echo(f"{type}: {counted(number, 'record')} can be found by what its plugin declares now.")
    return counts.total()


@click.command()
@click.pass_obj
def judge(state):
    """Judge which stored records are sensitive, by the plugins and lists of today; until then they are withheld."""
    if not judge_anew(state):
        click.echo("Every record was judged by the rules of today.")


def judge_anew(state):
    """Judge what nobody has judged, some records in a transaction; says so, and returns how many records that were."""
    with state.transaction() as db:
        waiting = count_unjudged(db, state.sensitivities)
    if not waiting:
        return 0
    judged = last = 0
    with click.progressbar(length=waiting, label="Judging what is sensitive") as bar:
        while True:
            with state.transaction() as db:
                count, last = judge_batch(db, state.sensitivities, last)
            if not count:
                break
            judged += count
            bar.update(count)
    click.echo(f"{counted(judged, 'record')} {'was' if judged == 1 else 'were'} judged by the rules of today.")
    return judged


def _load_one(state, path, version):
    with _progress_bar(path) as bar:

        def on_read(size):
            bar.update(size - bar.pos)

        def on_written(records):
            bar.current_item = records
            bar.render_progress()

        options = {"version": version, "sensitivities": state.sensitivities}
        watched = {"on_read": on_read, "on_written": on_written} if bar else {}
        with state.transaction() as db:
            counts = load_file(db, state.registry.resources, path, **options, **watched)
    click.echo(f"{path}: {counted(counts.total(), 'record')}", err=True)
    return counts


def _progress_bar(path):
    """How much of the file has been read, and how many records were written; None where nobody looks."""
    if not sys.stderr.isatty():
        return nullcontext()
    size = Path(path).stat().st_size or None  # a pipe has none
    return click.progressbar(length=size, label=path, item_show_func=_shown, file=sys.stderr)


def _shown(records):
    return counted(records or 0, "record")


def _table(counts):
    """How many records of each type met each of OUTCOMES."""
    lines = [f"{'':24}{''.join(f'{outcome:>12}' for outcome in OUTCOMES)}"]
    for resource_type in sorted({resource_type for resource_type, _outcome in counts}):
        numbers = "".join(f"{counts[resource_type, outcome]:12}" for outcome in OUTCOMES)
        lines.append(f"{resource_type:24}{numbers}")
    return "\n".join(lines)
