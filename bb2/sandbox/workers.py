"""How are many people made, on every processor of the machine?  Other processes make them; this one only writes."""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.sandbox.fill import Made, Recipe, make

TOGETHER = 25  #: people that a process makes at a time, and that are written in one transaction
FEW = 50  #: people who are made before other processes would have started
AHEAD = 2  #: tasks that wait for each process, so that what is made and not yet written stays small

_resources = {}  #: {type: FhirResource}, in a process that makes people


def made(of: Recipe, numbers: Sequence[int], plugins: Sequence[str] | None) -> Iterator[list[Made]]:
    """The people with these numbers, some at a time, in order.  `plugins`: those that are switched on; None: all."""
    tasks = [(of, numbers[start : start + TOGETHER]) for start in range(0, len(numbers), TOGETHER)]
    if len(numbers) <= FEW:
        _begin(plugins)
        yield from map(_make, tasks)
        return
    processes = os.cpu_count() or 1
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin_process, (plugins,))
    try:
        waiting = deque()
        for task in tasks:
            waiting.append(pool.submit(_make, task))
            if len(waiting) > processes * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _make(task):
    of, numbers = task
    return [make(of, number, _resources) for number in numbers]


def _begin(plugins):
    _resources.update(ScopeRegistry.from_plugins(plugin_manager(installed_plugins(plugins))).resources)


def _begin_process(plugins):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that writes; it ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    _begin(plugins)


def _end_with_parent():
    """Where the parent was killed, nobody would tell this process that there is no more to do."""
    wait([parent_process().sentinel])
    os._exit(1)
