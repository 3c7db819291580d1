"""The live preview: the authorization page of an app that is being registered, as people will see it."""

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.views.developer.own import render
from bb2.views.preview import NoPreview, client_of, consent_preview


@view_config(route_name="developer_preview", request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
def preview(request):
    """For anybody: it says what the installed plugins say.

    Parameters: `scope`, several or with spaces between; `name`, `website`, `privacy_policy`, `terms`, `access`,
    `client_id` and `logo` as of a Client; `asks_demographic=no`; `lang`.
    """
    asked = request.GET
    names = " ".join(asked.getall("scope")).split() if "scope" in asked else None
    try:
        return Response(consent_preview(request, client_of(request, asked), names))
    except NoPreview as error:
        return render(request, "no_preview", 400, reason=str(error))
