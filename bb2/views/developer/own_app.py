"""Whose app is this page about?  Its own developer sees it; to everybody else there is no such page."""

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther

from bb2.oauth.client_ends import OPERATOR
from bb2.oauth.clients import changed, described, find_client, lock_client
from bb2.views.developer.own import DeveloperPage

FOR_OPERATORS = "This app was approved as it is. Ask whoever runs this service to change this."


class AppPage(DeveloperPage):
    """A page about one app of the developer who is signed in.  Whatever changes it holds the app's lock."""

    def __init__(self, request):
        super().__init__(request)
        find = lock_client if request.method == "POST" else find_client
        self.client = find(self.db, request.matchdict["client_id"])
        if self.client is None or self.client.developer_id != self.developer.id or self.client.deleted_at:
            raise HTTPNotFound

    def page(self, name, status=200, **values):
        return super().page(name, status, client=self.client, approved=self.approved, **values)

    def record(self, event, **details):
        super().record(event, client_id=self.client.client_id, by="developer", **details)

    def record_changes(self, before):
        """`before`: what `described` said of the app."""
        if differs := changed(before, self.client):
            self.record("client.changed", changed=differs)

    @property
    def described(self):
        return described(self.client)

    @property
    def approved(self):
        """Where people are real, an operator has looked at this app: what they trust it by stays as it was then."""
        return not self.request.registry["settings"].sandbox and self.client.disabled_by != OPERATOR

    def done(self, what):
        """Back to the app's page, which says what was done."""
        path = self.request.route_path("developer_app", client_id=self.client.client_id, _query={"done": what})
        return HTTPSeeOther(path)
