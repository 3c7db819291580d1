"""How are many people made, on every processor of the machine?  Other processes make them; this one only writes."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence

from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.sandbox.fill import Made, Recipe, SandboxError, make
from bb2.sensitivities import Sensitivities
from bb2.settings import Settings

TOGETHER = 25  #: people that a process makes at a time, and that are written in one transaction
FEW = 50  #: people who are made before another process would have started
AHEAD = 2  #: tasks that each process is given ahead, so that none waits, and little is made before it can be written


def made(of: Recipe, numbers: Sequence[int], settings: Settings) -> Iterator[list[Made]]:
    """The people with these numbers, some at a time, in order, as the plugins that are switched on want them."""
    tasks = [(of, numbers[start : start + TOGETHER]) for start in range(0, len(numbers), TOGETHER)]
    if len(numbers) <= FEW:
        declared = _declared(settings)
        yield from (_make(task, declared) for task in tasks)
        return
    processes = [_start(settings) for _ in range(os.cpu_count() or 1)]
    try:
        ahead = AHEAD * len(processes)
        for turn in range(len(tasks) + ahead):
            process = processes[turn % len(processes)]
            if turn >= ahead:
                yield _receive(process)
            if turn < len(tasks):
                _send(process, tasks[turn])
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _make(task, declared):
    of, numbers = task
    return [make(of, number, *declared) for number in numbers]


def _declared(settings):
    """What the plugins say of records: {type: FhirResource}, and the Sensitivities."""
    manager = plugin_manager(installed_plugins(settings.scopes))
    return ScopeRegistry.from_plugins(manager).resources, Sensitivities.from_plugins(manager, settings)


# Between the processes: pickles of our own, over pipes


def _start(settings):
    """A process that answers tasks until there are no more: also where this one was killed.

    Ctrl+C is not for it (a session of its own), but for this one, which ends it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    _send(process, settings)
    return process


def _send(process, value):
    pickle.dump(value, process.stdin)
    process.stdin.flush()


def _receive(process):
    try:
        return pickle.load(process.stdout)
    except EOFError:
        raise SandboxError("a process that makes people has ended; `bb2 init` goes on where it was") from None


def _answer_tasks():
    declared = _declared(pickle.load(sys.stdin.buffer))
    try:
        while True:
            pickle.dump(_make(pickle.load(sys.stdin.buffer), declared), sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except (EOFError, BrokenPipeError):  # nobody asks or listens any more
        os._exit(0)  # nor is there anything to say at the end


if __name__ == "__main__":
    _answer_tasks()
