"""The test client: an app like any other, on the pages of a sandbox.  It calls this server as an app does, and shows
each request and its answer as on the wire.  Its pages are in English.
"""
