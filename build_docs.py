"""The documentation: Sphinx makes bb2/docs_built, which the server shows under /docs, of what is written in docs/.

`make` runs this, and so does whatever builds a wheel (setup.py), hence only the standard library.  What was built of
these very files is used as it is, without Sphinx.  A warning is an error.
"""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

SOURCES = Path(__file__).parent / "docs"
FOLDER = Path(__file__).parent / "bb2" / "docs_built"
COMPLETE = "sources.txt"  # written last: the fingerprint of what it was built from
REQUIRES = ["sphinx>=8", "myst-parser>=4"]
#: What of Sphinx's output is shown: the pages, their pictures, and files to download.
KEPT = ("*.fjson", "_images/*", "_downloads/*/*")
NO_PAGE = {"genindex.fjson", "search.fjson"}


def fingerprint(sources=SOURCES):
    """Of the names and the contents of all that is written there."""
    files = {path.relative_to(sources).as_posix(): path for path in sources.rglob("*") if path.is_file()}
    written = [(name, path.read_bytes()) for name, path in sorted(files.items()) if "__pycache__" not in name]
    return sha256(repr(written).encode()).hexdigest()


def there(folder=FOLDER, sources=SOURCES):
    """Is the documentation there, built from what is written now?  (What builds from a wheel's files writes none.)"""
    mark = folder / COMPLETE
    return mark.is_file() and (not sources.is_dir() or mark.read_text() == fingerprint(sources))


def build_requires(folder=FOLDER):
    """What a build must install first."""
    return [] if there(folder) else REQUIRES


def build(folder=FOLDER, sources=SOURCES):
    """Build the documentation, where it is not there."""
    if there(folder, sources):
        return
    if missing := [name for name in ("sphinx", "myst_parser") if importlib.util.find_spec(name) is None]:
        raise SystemExit(f"The documentation is built by Sphinx; missing: {', '.join(missing)}.")
    built_from = fingerprint(sources)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".docs") as scratch:
        made, kept = Path(scratch, "made"), Path(scratch, "kept")
        order = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "json"]
        done = subprocess.run([*order, "-d", Path(scratch, "doctrees"), sources, made], check=False)
        if done.returncode:
            raise SystemExit("The documentation has faults: see above.")
        _keep(made, kept)
        (kept / COMPLETE).write_text(built_from)
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)


def _keep(made, kept):
    for pattern in KEPT:
        for path in made.glob(pattern):
            if path.name not in NO_PAGE:
                to = kept / path.relative_to(made)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, to)


if __name__ == "__main__":
    build()
