"""The logo of an app, as a picture."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import select

from bb2.models import Client, ClientLogo
from bb2.views.pages import ONE_YEAR


@view_config(route_name="logo", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def logo(request):
    """Pages name the version that they mean, which never changes: a browser asks for it once."""
    asked = request.matchdict["client_id"]
    found = select(Client.logo, ClientLogo.png).join(ClientLogo).where(Client.client_id == asked)
    known = asked.isascii() and asked.isprintable()  # no database looks for what it cannot hold
    with request.registry["reader"].connect() as connection:
        row = connection.execute(found).one_or_none() if known else None
    if row is None:
        raise HTTPNotFound
    response = Response(row.png, content_type="image/png", conditional_response=True, etag=row.logo)
    lasts = request.GET.get("version") == row.logo
    response.cache_control = f"public, max-age={ONE_YEAR}, immutable" if lasts else "public, no-cache"
    return response
