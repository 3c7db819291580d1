"""A plugin with a form among the pages for app developers."""

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from bb2.scopes import hookimpl


@hookimpl
def configure(config):
    config.add_route("developer_form", "/developer/form")
    config.add_view(lambda _request: Response("done"), route_name="developer_form", permission=NO_PERMISSION_REQUIRED)
