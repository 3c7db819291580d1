"""Processes of bb2, of which none has to read bb2's modules: that takes longer than most of what they do.

Run as a program, this is the process that has read them, and done nothing else; the others are forks of it.  It
hears and answers one line of JSON at a time, and ends with whoever it hears.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import bb2
from bb2 import cli

PATIENCE = 60  # seconds within which a process ends


class Fork:
    """A process that runs the `bb2` command, or another Python program, in a folder; it prints into the file `log`."""

    def __init__(self, *arguments, environ, folder, log=os.devnull, program=None):
        order = {"arguments": arguments, "environ": dict(environ), "folder": str(folder), "log": str(log)}
        order["program"] = program and str(program)
        self.pid, self.code = _answer(order), None

    def poll(self):
        """The exit code; None while it runs."""
        if self.code is None:
            self.code = _answer({"ended": self.pid})
        return self.code

    def wait(self):
        """The exit code, when it has ended."""
        for _ in range(PATIENCE * 50):
            if self.poll() is not None:
                return self.code
            time.sleep(0.02)
        raise AssertionError(f"it has not ended within {PATIENCE} s")

    def end(self, how=signal.SIGTERM):
        """Send it a signal, and wait until it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)
        self.wait()


@cache
def _origin():
    """The process that is forked, which ends with this one."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-P", __file__], **pipes)
    atexit.register(process.communicate)
    return process


def _answer(order):
    origin = _origin()
    origin.stdin.write(json.dumps(order) + "\n")
    origin.stdin.flush()
    return json.loads(origin.stdout.readline())


# In the process that is forked


def main():
    for module in walk_packages(bb2.__path__, "bb2."):
        if not module.name.startswith("bb2.testing"):
            import_module(module.name)
    gc.freeze()  # they stay: the collector need not look at them
    running = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "ended" in order:
            ended, status = os.waitpid(order["ended"], os.WNOHANG)
            running.discard(ended)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        elif answer := os.fork():
            running.add(answer)
        else:
            return become(**order)
        print(json.dumps(answer), flush=True)
    for left_over in running:  # by a test that failed
        os.kill(left_over, signal.SIGKILL)
    return None


def become(arguments, environ, folder, log, program):
    """What the shell would start; it ends as that does."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    with open(os.devnull) as nothing, open(log, "a") as out:
        for ours, number in (nothing, 0), (out, 1), (out, 2):
            os.dup2(ours.fileno(), number)
    sys.argv = [program or "bb2", *arguments]
    if program:
        runpy.run_path(program, run_name="__main__")
    else:
        cli.main()


if __name__ == "__main__":
    main()
