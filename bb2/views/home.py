"""Home: what this service is for."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config


@view_config(
    route_name="home",
    request_method=("GET", "HEAD"),
    renderer="bb2:templates/home.jinja2",
    permission=NO_PERMISSION_REQUIRED,
)
def home(request):
    return {"person": request.browser.beneficiary}
