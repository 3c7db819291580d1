"""Token introspection (RFC 7662): oauthlib's answer, on a connection that only reads."""

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy.orm import Session

from bb2.views.token import answer


@view_config(route_name="introspect", permission=NO_PERMISSION_REQUIRED, require_csrf=False, limited="introspect")
def introspect(request):
    with Session(request.registry["reader"]) as db:
        request.oauth.validator.db = db
        return answer(request, request.oauth.create_introspect_response)
