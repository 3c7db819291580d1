"""fhirclient.js in Chromium, as an app that has no server: every request of it crosses origins.  It checks state."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(__file__).parent


class Files(SimpleHTTPRequestHandler):
    """The files of this folder, without a line for each in the output."""

    def log_message(self, *_words):
        pass


@contextmanager
def served():
    """`with` the URL of the app's page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=FOLDER)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/spa.html"
        server.shutdown()
        thread.join()


def browser_app(settings):
    """`settings["new_page"]` opens a page of a browser."""
    told = {name: value for name, value in settings.items() if name != "new_page"}
    page = settings["new_page"]()
    page.goto(settings["redirect_uri"])
    callback_url = yield page.evaluate("start", told)
    page.goto(callback_url)
    seen = page.evaluate("finish", told)
    page.close()
    return seen
