"""What do the pages of a developer who is signed in share?"""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response

from bb2 import audit
from bb2.developers import accounts
from bb2.notices.post import post_of
from bb2.views.pages import PageError


def render(request, name, status=200, **values):
    """The page of templates/developer/NAME.jinja2, as a response."""
    response = render_to_response(f"bb2:templates/developer/{name}.jinja2", values, request=request)
    response.status_int = status
    return response


def signed_in(request):
    """The developer who is signed in; whoever is not is led to the sign-in, and from there back to a page."""
    developer = request.developer_browser.developer
    if developer is None:
        back = {"next": request.path_qs} if request.method == "GET" else {}
        raise HTTPSeeOther(request.route_path("developer_sign_in", _query=back))
    return developer


def mails_or_refuses(request):
    """What follows needs a mail: where this server sends none, who comes is told, before they type anything."""
    if post_of(request.registry["settings"]) is None:
        raise PageError(
            503,
            "This server sends no mail",
            "Without it nobody can confirm an e-mail address here. Its operator can set bb2.mail_url.",
            way_on=(request.route_path("developer"), "Start"),
        )


class DeveloperPage:
    """A page of a developer who is signed in."""

    def __init__(self, request):
        self.request, self.db, self.developer = request, request.db, signed_in(request)

    def page(self, name, status=200, **values):
        return render(self.request, name, status, developer=self.developer, **values)

    def lock(self):
        """Nobody else changes the developer in this transaction.  Whose account was closed meanwhile is nobody here."""
        if accounts.lock(self.db, self.developer.id) is None:
            raise HTTPSeeOther(self.request.route_path("developer_sign_in"))

    def record(self, event, **details):
        audit.record(self.db, event, developer_id=self.developer.id, **details)
