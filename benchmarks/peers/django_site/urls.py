"""The toolkit's own endpoints, and one protected record."""

from django.db import connection
from django.http import HttpResponse
from django.urls import include, path
from oauth2_provider.views.generic import ScopedProtectedResourceView


class Record(ScopedProtectedResourceView):
    """The record of the token's person."""

    required_scopes = ("records",)

    def get(self, request, key):
        with connection.cursor() as cursor:
            cursor.execute("SELECT body FROM record WHERE id = %s AND person = %s", [key, request.resource_owner.pk])
            (body,) = cursor.fetchone()
        return HttpResponse(body, content_type="application/fhir+json")


urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("record/<str:key>", Record.as_view()),
]
