"""A fresh virtual environment with bb2's wheel, in which docs/write-a-scope.md is followed, made once for all tests."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import build_docs

CHECKOUT = Path(__file__).parents[1]
SOURCES = ("alembic", "bb2", "build_docs.py", "design_system.py", "docs", "pyproject.toml", "README.md", "setup.py")
HERE = Path(__file__).parent
CHAPTER = CHECKOUT / "docs" / "write-a-scope.md"
FENCE = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = ("bb2-claim", "bb2-immunization", "bb2-insurance-card")
#: Which examples of the chapter are files, by how they begin, and where they are saved.
FILES = {'"""patient/CarePlan': "bb2_care_plan.py", '{"resourceType"': "plans.ndjson"}
#: What of the tests' own environment would change what is found in the fresh one.
OURS = ("BB2_", "PYTEST_", "PYTHON", "VAR", "VIRTUAL_ENV")


class FreshEnvironment:
    """The environment in `folder`/venv.

    `done`: what came of each step of the chapter.  `installed` and `removed`: what the probe saw with the chapter's
    plugin, as a wheel, and the examples; and when they were gone.
    """

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
    def done(self):
        return json.loads((self.folder / "done.json").read_text())

    @property
    def installed(self):
        return json.loads((self.folder / "installed.json").read_text())

    @property
    def removed(self):
        return json.loads((self.folder / "removed.json").read_text())

    def make(self):
        source, examples = self.folder / "source", [self.folder / name for name in EXAMPLES]
        for left_over in (source, *examples, self.venv, self.outside, self.folder / "live"):  # by a process that failed
            shutil.rmtree(left_over, ignore_errors=True)
        build_docs.build()
        self.outside.mkdir()
        source.mkdir()
        for name in SOURCES:
            _copy(CHECKOUT / name, source / name)
        for example in examples:
            _copy(CHECKOUT / "examples" / example.name, example)

        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        for needed in required_by("bb2[testing]", "typst"):
            self.link(needed)
        self.uv("build", "--wheel", "--no-build-isolation", "--out-dir", self.folder, source)
        (wheel,) = self.folder.glob("bb2-*.whl")
        self.uv("pip", "install", f"{wheel}[testing]")
        self.link_compiled()
        shutil.rmtree(source)
        self.follow(examples)

    def follow(self, examples):
        """The chapter; with a look before the plugin is taken out, beside the examples, and one after all are gone."""
        before, after = (steps_of(text) for text in CHAPTER.read_text("utf-8").split("\n## Take it out\n"))
        probe = {"probe": str(HERE / "scope_probe.py")}
        steps = [
            *before,
            {"run": f"python -m pip install {' '.join(map(str, examples))}"},
            {"run": "bb2 scopes --json"},
            probe | {"to": str(self.folder / "installed.json")},
            *after,
            {"run": f"python -m pip uninstall --yes {' '.join(EXAMPLES)}"},
            {"run": "bb2 scopes", "environ": {"BB2_SCOPES": "bb2:openid bb2-care-plan:care_plan"}},
            probe | {"to": str(self.folder / "removed.json")},
        ]
        settings = {"VAR": self.folder / "var", "LIVE": self.folder / "live", "HELPERS": HERE, "UV_OF": sys.executable}
        done = self.run("python", HERE / "follow.py", input=json.dumps(steps), BB2_BENEFICIARIES="2", **settings)
        (self.folder / "done.json").write_text(done)

    def link(self, installed):
        """Bring in a distribution that the tests' own environment has: its files are the same, and need no network."""
        (to,) = self.venv.glob("lib/python*/site-packages")
        files = {str(file) for file in installed.files if ".." not in file.parts}
        files |= {cache_from_source(file) for file in files if file.endswith(".py")}  # as far as they are compiled
        for folder in {os.path.dirname(file) for file in files}:
            os.makedirs(to / folder, exist_ok=True)
        site = installed.locate_file("")
        for file in files:
            if os.path.exists(f"{site}/{file}"):
                os.symlink(f"{site}/{file}", f"{to}/{file}")

    def link_compiled(self):
        """Of the files that came with the wheel, too, what is compiled already: Python looks at their time and size."""
        (core,) = self.venv.glob("lib/python*/site-packages/bb2")
        for path in core.rglob("*.py"):
            source = CHECKOUT / "bb2" / path.relative_to(core)
            compiled = Path(cache_from_source(source))
            if compiled.exists() and source.read_bytes() == path.read_bytes():
                os.utime(path, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
                path.with_name("__pycache__").mkdir(exist_ok=True)
                os.symlink(compiled, cache_from_source(path))

    def uv(self, *arguments):
        """Without a network, and quicker than pip."""
        self._run(sys.executable, "-m", "uv", *arguments, "--offline", "--python", self.venv / "bin" / "python")

    def run(self, program, *arguments, input=None, **environ):
        """Run one of the environment's own programs, outside the checkout; returns what it printed."""
        return self._run(self.venv / "bin" / program, *arguments, input=input, **environ)

    def _run(self, *arguments, input=None, **environ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        done = subprocess.run(
            arguments,
            cwd=self.outside,
            env=kept | {name: str(value) for name, value in environ.items()},
            input=input,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def steps_of(text):
    """What the examples of a text tell to do, for follow.py: commands, and files to be written."""
    for language, example in FENCE.findall(text):
        if language == "bash":
            yield from ({"run": line} for line in example.replace("\\\n", " ").splitlines())
        for beginning, path in FILES.items():
            if example.startswith(beginning):
                yield {"write": path, "text": example}


def required_by(requirement, *others):
    """The distributions that a requirement needs, by what they declare themselves, and `others`; and no more."""
    seen = set()
    _require(requirement, seen)
    return [distribution(name) for name in sorted({canonicalize_name(name) for name, *_extras in seen} | {*others})]


def _require(requirement, seen):
    """Add to `seen` what a requirement needs: (name, *extras)."""
    wanted = Requirement(requirement)
    for line in distribution(wanted.name).requires or ():
        needed = Requirement(line)
        asked = needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in ("", *wanted.extras))
        if asked and (needed.name, *needed.extras) not in seen:
            seen.add((needed.name, *needed.extras))
            _require(f"{needed.name}[{','.join(needed.extras)}]", seen)


def _copy(path, to):
    """Elsewhere, as a build writes into the folder that it builds from."""
    if path.is_dir():
        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    else:
        shutil.copy(path, to)
