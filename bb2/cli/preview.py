"""bb2 preview: the authorization page for any set of scopes, in any language, as HTML and as a picture."""

import mimetypes
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import click
from PIL import Image, ImageChops
from pyramid.request import Request
from pyramid.scripting import prepare
from sqlalchemy import create_engine

from bb2 import make_app
from bb2.language import LANGUAGES
from bb2.oauth.client_checks import ACCESS_CATEGORIES
from bb2.oauth.keys import SigningKeys
from bb2.views.preview import NoPreview, client_of, consent_preview
from bb2.views.static import FOLDER

BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
TALLEST = 12_000  # pixels that are looked at: where the page ends is found in the picture
MARGIN = 24  # pixels that stay under the last words
PATIENCE = 60  # seconds
NOT_NEEDED = re.compile(r'<link rel="preload"[^>]*>\n?|<script\b[^>]*></script>\n?')
STYLE_URL = re.compile(r'url\("([^":]+)"\)')


def add_to(command):
    command.add_command(preview)


@click.command()
@click.option("--scope", "scopes", multiple=True, help="May be given several times.  Default: all that are installed.")
@click.option("--app-name", default="", help="What the app is called.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--demographic/--no-demographic", default=True, help="The app asks for demographic information, or not.")
@click.option("--access", type=click.Choice(ACCESS_CATEGORIES), default="ongoing", show_default=True)
@click.option("--width", type=click.IntRange(200, 4000), default=375, show_default=True, help="Pixels of the picture.")
@click.option("--html", type=click.Path(dir_okay=False), help="File to write; it needs no other.  `-`: print it.")
@click.option("--png", type=click.Path(dir_okay=False), help="File to write; a Chromium or Chrome makes the picture.")
@click.option("--browser", help="The program of the browser.  Default: the first that is found.")
@click.pass_obj
def preview(state, scopes, app_name, lang, demographic, access, width, html, png, browser):
    """Render the authorization page as people get it, without a database or a server.

    Nothing on it works.  Without --html and --png, the HTML is printed.
    """
    program = found_browser(browser) if png else None
    asked = {"name": app_name, "access": access, "asks_demographic": "yes" if demographic else "no"}
    page = rendered(state, asked, " ".join(scopes).split() if scopes else None, lang)
    if html == "-" or not (html or png):
        click.echo(page)
    elif html:
        Path(html).write_text(page, encoding="utf-8")
    if png:
        take_picture(program, page, width, png)


def rendered(state, asked, names, lang):
    """The page as one HTML file."""
    app = make_app(state.settings, create_engine("sqlite://"), state.plugins, SigningKeys(()))
    request = Request.blank(f"/?{urlencode({'lang': lang})}")
    try:
        with prepare(request=request, registry=app.registry):
            page = consent_preview(request, client_of(request, asked), names)
    except NoPreview as error:
        raise click.ClickException(str(error)) from None
    return self_contained(page, f"/static/{app.registry['static_version']}/")


def self_contained(page, prefix):
    """The HTML with the style sheets, fonts and pictures in it, whose addresses begin with `prefix`."""
    address = re.compile(f'"{re.escape(prefix)}([^"]+)"')
    return address.sub(lambda found: f'"{data_url(FOLDER / found[1])}"', NOT_NEEDED.sub("", page))


def data_url(path):
    """The file as an address (RFC 2397); a style sheet takes along what it names."""
    content, kind = path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind == "text/css":
        inlined = STYLE_URL.sub(lambda named: f'url("{data_url(path.parent / named[1])}")', content.decode())
        content = inlined.encode()
    return f"data:{kind};base64,{b64encode(content).decode()}"


def found_browser(named):
    """The program that takes the picture."""
    if found := next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None):
        return found
    missing = f"there is no program {named}" if named else "there is no Chromium or Chrome on this machine"
    raise click.ClickException(f"{missing}: install one, or name it with --browser; --html needs none")


def take_picture(program, page, width, png):
    """Have the browser draw the page, and cut off what is below it."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, drawn = Path(folder, "page.html"), Path(folder, "page.png")
        source.write_text(page, encoding="utf-8")
        command = [
            *(program, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions"),
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium has none for root; the page is ours
            *(f"--user-data-dir={Path(folder, 'of-browser')}", f"--window-size={width},{TALLEST}"),
            *(f"--screenshot={drawn}", source.as_uri()),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise click.ClickException(f"{program} did not draw the page within {PATIENCE} seconds") from None
        if not drawn.exists():
            said = done.stderr.strip().splitlines() or ["it did not say why"]
            raise click.ClickException(f"{program} drew no picture: {said[-1]}")
        with Image.open(drawn) as picture:
            trimmed(picture.convert("RGB")).save(png, "PNG", optimize=True)
    click.echo(png, file=sys.stderr)


def trimmed(picture):
    """Without the empty ground under the page."""
    ground = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    _left, _top, _right, bottom = ImageChops.difference(picture, ground).getbbox() or (0, 0, *picture.size)
    return picture.crop((0, 0, picture.width, min(bottom + MARGIN, picture.height)))
