"""The examples of the documentation, each run as it stands, with a person at a browser beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import requests

from clients.node_app import NODE
from journey import sign_in_and_answer
from running import free_port

EXAMPLES = Path(__file__).parents[1] / "docs/examples"
#: {how the name ends: what runs it}
RUN_BY = {".sh": "bash", ".py": sys.executable, ".mjs": str(NODE)}


def registered(server):
    """An app at a RunningServer, as the examples are told of it: {name in the environment: value}."""
    redirect_uri = f"http://localhost:{free_port()}/callback"
    made = json.loads(server.command("client", "add", "--name", "Mine", "--redirect-uri", redirect_uri, "--json"))
    told = {"BASE": server.url, "REDIRECT_URI": redirect_uri}
    return told | {"CLIENT_ID": made["client_id"], "CLIENT_SECRET": made["client_secret"]}


def run_example(name, app, **answer):
    """Run an example; the person at the browser gives the answer.  Returns (exit code, what it printed last)."""
    path = EXAMPLES / name
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen([RUN_BY[path.suffix], path], env=os.environ | app, text=True, **pipes) as example:
        try:
            address = next(line.strip() for line in example.stdout if "/o/authorize" in line)
            back = (
                f"{app['REDIRECT_URI']}?{urlencode(sign_in_and_answer(address, 'BBUser00000', 'PW00000!', **answer))}"
            )
            if name != "curl.sh":  # the browser comes back to the example; there, the person pastes the address
                assert "Go back to the terminal" in requests.get(back, timeout=20).text
            printed, _none = example.communicate(f"{back}\n", timeout=60)
        finally:
            example.kill()
    return example.returncode, printed
