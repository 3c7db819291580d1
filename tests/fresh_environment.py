"""A fresh virtual environment with bb2's wheel and then the example plugin, made once for all test processes."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[1]
SOURCES = ("alembic", "bb2", "build_docs.py", "design_system.py", "docs", "pyproject.toml", "README.md", "setup.py")
PROBE = Path(__file__).with_name("claim_probe.py")
#: What of the tests' own environment would change what is found in the fresh one.
OURS = ("BB2_", "PYTEST_", "PYTHON", "VAR", "VIRTUAL_ENV")


class FreshEnvironment:
    """The environment in `folder`/venv.  `without` and `with_claim`: what the probe saw before and after the plugin."""

    def __init__(self, folder):
        self.folder, self.venv = folder, folder / "venv"
        self.outside = folder / "outside"  # a folder that is not in the checkout

    @classmethod
    def shared(cls, tmp_path_factory):
        """Made by the first test process that asks; another waits for it."""
        folder = tmp_path_factory.getbasetemp()
        folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "fresh-environment"
        folder.mkdir(exist_ok=True)
        environment = cls(folder)
        with environment.lock("making", fcntl.LOCK_EX):
            if not (folder / "ready").exists():
                environment.make()
                (folder / "ready").touch()
        return environment

    @contextmanager
    def lock(self, name, kind):
        """Test processes wait here for each other."""
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, kind)
            yield

    @property
    def without(self):
        return json.loads((self.folder / "without.json").read_text())

    @property
    def with_claim(self):
        return json.loads((self.folder / "with_claim.json").read_text())

    def make(self):
        source, example = self.folder / "source", self.folder / "bb2-claim"
        for left_over in (source, example, self.venv, self.outside):  # by a process that failed
            shutil.rmtree(left_over, ignore_errors=True)
        self.outside.mkdir()
        source.mkdir()
        for name in SOURCES:
            _copy(CHECKOUT / name, source / name)
        _copy(CHECKOUT / "examples" / "bb2-claim", example)

        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        for needed in required_by("bb2[testing]"):
            self.link(needed)
        self.uv("build", "--wheel", "--no-build-isolation", "--out-dir", self.folder, source)
        (wheel,) = self.folder.glob("bb2-*.whl")
        self.uv("pip", "install", f"{wheel}[testing]")
        shutil.rmtree(source)
        (self.folder / "without.json").write_text(self.run("python", PROBE))
        self.install(example)
        (self.folder / "with_claim.json").write_text(self.run("python", PROBE))

    def link(self, installed):
        """Bring in a distribution that the tests' own environment has: its files are the same, and need no network."""
        (to,) = self.venv.glob("lib/python*/site-packages")
        files = {str(file) for file in installed.files if ".." not in file.parts}
        files |= {cache_from_source(file) for file in files if file.endswith(".py")}  # as far as they are compiled
        for file in files:
            path = Path(installed.locate_file(file))
            if path.exists():
                (to / file).parent.mkdir(parents=True, exist_ok=True)
                _link(path, to / file)

    def install(self, package):
        """Install a plugin package, as its README says; what it needs must be there already."""
        with self.lock("plugins", fcntl.LOCK_EX):  # nobody reads a plugin that is half installed
            self.uv("pip", "install", "--no-build-isolation", f"{package}[test]")

    def uv(self, *arguments):
        """Without a network, and quicker than pip."""
        self._run(sys.executable, "-m", "uv", *arguments, "--offline", "--python", self.venv / "bin" / "python")

    def run(self, program, *arguments, **environ):
        """Run one of the environment's own programs, outside the checkout; returns what it printed."""
        with self.lock("plugins", fcntl.LOCK_SH):
            return self._run(self.venv / "bin" / program, *arguments, **environ)

    def _run(self, *arguments, **environ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        done = subprocess.run(
            arguments,
            cwd=self.outside,
            env=kept | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_tests(self, tests):
        """Run a package's tests with the environment's own pytest; returns its last line."""
        copied = shutil.copytree(tests, self.outside / f"{tests.parent.name}-tests", dirs_exist_ok=True)
        return self.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", copied).splitlines()[-1]


def required_by(requirement, seen=None):
    """The distributions that a requirement needs, by what they declare themselves, and no others."""
    seen = {} if seen is None else seen
    wanted = Requirement(requirement)
    for line in distribution(wanted.name).requires or ():
        needed = Requirement(line)
        asked = needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in ("", *wanted.extras))
        if asked and (needed.name, *needed.extras) not in seen:
            seen[needed.name, *needed.extras] = distribution(needed.name)
            required_by(f"{needed.name}[{','.join(needed.extras)}]", seen)
    return {needed.name: needed for needed in seen.values()}.values()


def _link(path, to):
    """One file by two names; a copy where the two are on different disks."""
    try:
        to.hardlink_to(path)
    except OSError:
        shutil.copy(path, to)


def _copy(path, to):
    """Elsewhere, as a build writes into the folder that it builds from."""
    if path.is_dir():
        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    else:
        shutil.copy(path, to)
