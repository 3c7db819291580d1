"""The browser of the tests and of the README's pictures."""

from pathlib import Path

PLACES = [Path("/usr/bin", name) for name in ("chromium-headless-shell", "chromium")]
#: Chromium without windows, or where that is missing, the one with windows, which takes twice as long for a page.
CHROMIUM = next((path for path in PLACES if path.exists()), PLACES[0])
OPTIONS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--js-flags=--no-opt --no-maglev",  # most of what a page runs, it runs once
)


def launch(playwright):
    """Start Chromium under Playwright."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: apt-get install {CHROMIUM.name}"
    return playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
