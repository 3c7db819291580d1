"""bb2 as a WSGI callable, with its settings from the environment."""

import bb2

application = bb2.main({})
