"""Run by another environment's Python: does what it is told, step by step, and tells as JSON how each step ended.

Each step is in a fork of this process, which has read the modules of bb2 and pytest once: it then takes a fraction of
a second.  What is installed meanwhile is found all the same, as a fork looks for it anew.
"""

import gc
import importlib
import json
import os
import runpy
import shlex
import site
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from pathlib import Path
from pkgutil import walk_packages

import pytest

import bb2


def follow(steps):
    """[{"step", "code", "output"}] of steps: {"write": path, "text"}, {"probe": path, "to": path}, {"run": command}."""
    for module in walk_packages(bb2.__path__, "bb2."):
        importlib.import_module(module.name)
    gc.freeze()  # they stay: the collector need not look at them in every step
    return [did(step) | {"step": step} for step in steps]


def did(step):
    if "write" in step:
        Path(step["write"]).write_text(step["text"], encoding="utf-8")
        return {"code": 0, "output": ""}
    if "probe" in step:
        return forked(probed, step["probe"], step["to"])
    words = shlex.split(step["run"])
    if words[0] == "cd":
        os.chdir(words[1])
        return {"code": 0, "output": ""}
    if words[0] == "bb2":
        return forked(bb2_command, words, step.get("environ", {}))
    if words[:3] == ["python", "-m", "pytest"]:
        return forked(pytest.main, [*words[3:], "-p", "no:cacheprovider"])
    assert words[:3] == ["python", "-m", "pip"], step
    done = subprocess.run(as_uv(*words[3:]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return {"code": done.returncode, "output": done.stdout}


def as_uv(what, *words):
    """The same for uv, which is quicker than pip and needs no network; it has another word for a wheel."""
    uv = [os.environ["UV_OF"], "-m", "uv"]
    if what == "wheel":
        folder = words[words.index("--wheel-dir") + 1]
        return [*uv, "build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable, "-o", folder]
    words = [word for word in words if word != "--yes"]
    offline = ["--no-build-isolation"] if what == "install" else []
    return [*uv, "pip", what, *words, *offline, "--offline", "--python", sys.executable]


def bb2_command(words, environ):
    os.environ.update(environ)
    sys.argv = words
    bb2.cli.main()


def probed(path, to):
    Path(to).write_text(json.dumps(runpy.run_path(path)["seen"]()))


def forked(run, *arguments):
    """How `run` ended in a child process, as of a program."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(ended(run, *arguments))
        _child, status = os.waitpid(child, 0)
        output.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "output": output.read()}


def ended(run, *arguments):
    """The exit code."""
    try:
        importlib.invalidate_caches()
        site.addsitedir(sysconfig.get_path("purelib"))  # what was installed to be edited
        code = run(*arguments) or 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else bool(stop.code)
        if isinstance(stop.code, str):
            print(stop.code)
    except BaseException:  # it is the child's, and must not go on as its parent
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


if __name__ == "__main__":
    print(json.dumps(follow(json.load(sys.stdin))))
