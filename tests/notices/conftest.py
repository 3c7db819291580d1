"""A server on which Alice has an address."""

import pytest

from bb2.testing import ConsentServer
from built_in import BUILT_IN
from notices.mails import with_address


@pytest.fixture
def server(make_server):
    server = make_server()
    with_address(server)
    return server


@pytest.fixture
def one_server():
    """On one database: what a mail says does not hang on it."""
    server = ConsentServer(*BUILT_IN)
    with_address(server)
    return server
