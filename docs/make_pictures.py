"""Make the README's pictures from the running program: `make pictures`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from chromium import launch
from running import RunningServer

PICTURES = Path(__file__).with_name("pictures")
PHONE = {"width": 390, "height": 800}


def main():
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as var, RunningServer(var) as server, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=PHONE, device_scale_factor=2, locale="en-US")
        authorize(page, server.url)
        page.screenshot(path=PICTURES / "authorize.png", full_page=True)
        browser.close()
    print(PICTURES / "authorize.png")


def authorize(page, url):
    """Go from the demo client to the authorization page."""
    page.goto(f"{url}/testclient")
    page.get_by_role("link", name="Connect with Medicare").click()
    page.get_by_label("User name").fill("BBUser00000")
    page.get_by_label("Password").fill("PW00000!")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/consent/*")


if __name__ == "__main__":
    main()
