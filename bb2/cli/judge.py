"""bb2 judge: records that were loaded before a plugin, or before its rules changed, need be withheld no more."""

import click

from bb2.fhir.judge import count_unjudged, judge_batch


def add_to(command):
    command.add_command(judge)


@click.command()
@click.pass_obj
def judge(state):
    """Judge which stored records are sensitive, by the plugins and lists of today; until then they are withheld."""
    if not judge_records(state):
        click.echo("Every record was judged by the rules of today.")


def judge_records(state):
    """Judge what nobody has judged; returns how many records that were."""
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
    click.echo(f"{'1 record was' if judged == 1 else f'{judged} records were'} judged by the rules of today.")
    return judged
