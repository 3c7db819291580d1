"""The first page for app developers: what this place is for, and the way to the first call."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.developers import accounts, second_factor
from bb2.views.developer.own import render


@view_config(route_name="developer", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def home(request):
    developer = request.developer_browser.developer
    if developer is None:
        return render(request, "home", developer=None)
    apps, protected = accounts.apps_of(request.db, developer), second_factor.is_needed(request.db, developer)
    return render(request, "home", developer=developer, apps=apps, protected=protected)
