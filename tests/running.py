"""A real server process for tests: `bb2 serve` on a port of its own, with its state in a folder of its own."""

import os
import signal
import socket
import sys
import time
import urllib.request
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from bb2.cli import command
from forks import Fork
from log_guard import secret_lines

BB2 = str(Path(sys.executable).with_name("bb2"))
READY_WITHIN = 60  # seconds
#: Settings of people whose claims fill no more than some pages.
FEW_CLAIMS = {"BB2_SANDBOX_YEARS": "2"}


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningServer:
    """`with` a server that was made ready and answers.  `environ` holds settings: {"BB2_…": text}."""

    def __init__(self, var, port=None, **environ):
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.environ = os.environ | {"VAR": str(var), "BB2_PORT": str(self.port), "BB2_BENEFICIARIES": "2"} | environ
        self.log = Path(var) / "server.log"
        self.process = None

    def __enter__(self):
        Path(self.log.parent).mkdir(parents=True, exist_ok=True)
        self.process = Fork("serve", "--init", environ=self.environ, folder=self.log.parent, log=self.log)
        self._wait()
        return self

    def __exit__(self, *_error):
        self.process.end()
        assert secret_lines(self.log.read_text()) == []

    def kill(self):
        """As `kill -9` does."""
        self.process.end(signal.SIGKILL)

    def command(self, *arguments, **options):
        """Run another `bb2` command on the same state, in this process: it starts at once.  Returns what it printed."""
        with chdir(self.log.parent):
            done = CliRunner(env=self.environ).invoke(command, arguments, **options)
        assert done.exit_code == 0, done.output
        return done.stdout

    def _wait(self):
        for _ in range(READY_WITHIN * 10):
            assert self.process.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health").close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"no answer within {READY_WITHIN} s: {self.log.read_text()}")
