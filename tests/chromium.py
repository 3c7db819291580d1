"""The browser of the tests and of the README's pictures."""

from pathlib import Path

#: Chromium without windows, and where that is missing the one with windows, which takes twice as long for a page.
CHROMIUM = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
OPTIONS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)


def launch(playwright):
    """Start Chromium under Playwright."""
    there = next((path for path in CHROMIUM if path.exists()), None)
    assert there, "Chromium is missing: apt-get install chromium-headless-shell"
    return playwright.chromium.launch(executable_path=there, args=OPTIONS)
