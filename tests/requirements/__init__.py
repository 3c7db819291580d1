"""One test for each thing that the standards ask of the server, named after its id in `ids.py`."""
