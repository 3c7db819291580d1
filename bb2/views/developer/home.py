"""The first page for app developers: what this place is for, and the way to the first call."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.views.developer.own import render


@view_config(route_name="developer", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def home(request):
    return render(request, "home", developer=request.developer_browser.developer)
