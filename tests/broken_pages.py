"""A plugin whose own pages fail."""

from pyramid.httpexceptions import HTTPConflict
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy.exc import OperationalError

from bb2.scopes import hookimpl

BUSY = OperationalError("SELECT", {}, Exception("database is locked"))


@hookimpl
def configure(config):
    for name, failure in (
        ("refused", HTTPConflict()),
        ("broken", RuntimeError("a secret of the server")),
        ("busy", BUSY),
    ):
        config.add_route(name, f"/{name}")
        config.add_view(_raising(failure), route_name=name, permission=NO_PERMISSION_REQUIRED)


def _raising(failure):
    def view(request):
        raise failure

    return view
