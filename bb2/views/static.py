"""How do the pages' style sheets, fonts, scripts and pictures go out?  Once: their address tells what is in them.

`request.static_path("bb2:static/…")` has a fingerprint of all of them, so a browser may keep them for good, and asks
for changed ones at once.  Relative addresses in a style sheet stay true.
"""

import gzip
from hashlib import sha256
from pathlib import Path

from pyramid.httpexceptions import HTTPNotFound
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.static import static_view

from bb2.views.pages import ONE_YEAR
from bb2.views.representation import takes_gzip

ASSETS = "bb2:static"
FOLDER = Path(__file__).parents[1] / "static"
DESIGN_SYSTEM = "cms/integrity.txt"  # the last file that design_system.py writes
#: What gzip makes smaller.  No page is among them: it has the form's token beside what a request brought, and how
#: well the two pack together would tell the token (BREACH).
PACKED = ("text/css", "text/javascript", "application/javascript", "image/svg+xml", "text/plain")


class NoDesignSystemError(Exception):
    """The pages would be naked."""


def refuse_naked(folder=FOLDER):
    """NoDesignSystemError where the files of the design system are missing, as in a checkout that was not set up."""
    if not (folder / DESIGN_SYSTEM).is_file():
        raise NoDesignSystemError("the pages' design system is missing; run `python design_system.py` in the checkout")


def contents():
    """{path below the folder: bytes} of what goes out."""
    found = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*")}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if path.is_file()}


def fingerprint(files):
    told = sha256()
    for name, content in files.items():
        told.update(f"{name}\n{len(content)}\n".encode())
        told.update(content)
    return told.hexdigest()[:16]


def known_file(request):
    """Nothing but the files: Pyramid would redirect from a folder, with whatever is in the query."""
    if "/".join(request.matchdict["subpath"]) not in request.registry["static_files"]:
        raise HTTPNotFound


def packing_tween_factory(handler, registry):
    """Static files are tagged, and packed where the browser takes that."""

    def packing_tween(request):
        response = handler(request)
        if request.environ.get("PATH_INFO", "").startswith("/static/") and response.status_int == 200:
            response.etag = (registry["static_version"], False)  # weak: packed and plain have the same
            if response.content_type in PACKED:
                response.vary = ("Accept-Encoding",)
                if takes_gzip(request):
                    response.body = gzip.compress(response.body, mtime=0)
                    response.content_encoding = "gzip"
        return response

    return packing_tween


def includeme(config):
    files = contents()
    version = fingerprint(files)
    config.registry.update(static_files=frozenset(files), static_version=version)
    config.add_static_view(f"static/{version}", ASSETS, cache_max_age=ONE_YEAR, factory=known_file)
    # While servers are replaced, a page of one may ask another: it gets what is there, but not for good.
    other = "static_of_another_version"
    config.add_route(other, "/static/{another}/*subpath", factory=known_file)
    config.add_view(
        static_view(ASSETS, cache_max_age=0, use_subpath=True), route_name=other, permission=NO_PERMISSION_REQUIRED
    )
    config.add_tween("bb2.views.static.packing_tween_factory")
