"""An app asks to end the person's session here too (OpenID Connect RP-Initiated Logout 1.0).  Their consents stay."""

from pyramid.csrf import check_csrf_origin, check_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.models import Client
from bb2.oauth.requests import answer_uri
from bb2.views.errors import page
from bb2.views.pages import PageError, _, as_link

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@view_defaults(route_name="end_session", permission=NO_PERMISSION_REQUIRED, require_csrf=False)
class EndSession:
    """The request, read whole before anything is done: a wrong one leads nowhere, and ends nothing."""

    def __init__(self, request):
        self.request, self.person = request, request.browser.beneficiary
        self.asked = {}
        for name, value in request.params.items():
            if name in PARAMETERS and value != "":
                if name in self.asked or not isinstance(value, str) or "\x00" in value:
                    raise self.refused(f"{name} must be given once, and be text")
                self.asked[name] = value
        self.hint = self._hint()
        self.client = self._client()
        self.back = self._back()

    def _hint(self):
        """The claims of the id_token_hint, expired or not."""
        if "id_token_hint" not in self.asked:
            return None
        hint = self.request.oauth.id_tokens.read(self.asked["id_token_hint"])
        if hint is None or self.asked.get("client_id") not in (None, hint["aud"]):
            raise self.refused("id_token_hint is no id_token of ours, or was not made for this client_id")
        return hint

    def _client(self):
        """The app that asks, if it says who it is."""
        client_id = self.hint["aud"] if self.hint else self.asked.get("client_id")
        client = client_id and self.request.db.get(Client, client_id)
        if client_id and (client is None or client.disabled_at):
            raise self.refused("client_id is unknown or switched off")
        return client

    def _back(self):
        """Where the person goes afterwards: registered for this app, to the letter.  None: they stay here."""
        uri = self.asked.get("post_logout_redirect_uri")
        if uri is None:
            return None
        if self.client is None:
            raise self.refused("post_logout_redirect_uri needs an id_token_hint or a client_id beside it")
        if uri not in self.client.post_logout_redirect_uris:
            raise self.refused("post_logout_redirect_uri is not registered for this app")
        return answer_uri(uri, [("state", self.asked["state"])]) if "state" in self.asked else uri

    def refused(self, reason):
        return PageError(
            400,
            _("This link from the app does not work"),
            _("An app sent you here to sign out, in a way that we cannot answer safely. You may still be signed in."),
            _("To sign out here, choose “My connected apps” and then “Sign out”."),
            way_on=(self.request.route_path("connections"), _("My connected apps")),
            developer=reason,
        )

    @view_config(request_method="GET")
    @view_config(request_method="POST")
    def ask(self):
        """Ask the person, unless the app proves by an id_token that it means the one who is signed in."""
        if self.request.method == "POST" and self.request.browser.session_hash is None:
            # Another site's form brings no cookie (SameSite), a link does.
            return as_link(self.request)
        if self.person is None:
            return self.signed_out()
        if self.hint and self.hint["sub"] == self.person.sub:
            return self.end()
        values = {"client": self.client, "asked": self.asked, "person": self.person}
        return render_to_response("bb2:templates/end_session.jinja2", values, request=self.request)

    @view_config(request_method="POST", request_param="answer")
    def answer(self):
        check_csrf_origin(self.request)
        check_csrf_token(self.request)
        if self.request.POST.getall("answer") != ["sign-out"]:
            return HTTPSeeOther(self.request.route_path("connections"))
        return self.end()

    def end(self):
        if self.person:
            client_id = self.client and self.client.client_id
            audit.record(self.request.db, "account.signed_out", client_id=client_id, beneficiary_id=self.person.id)
        self.request.browser.sign_out()
        return self.signed_out()

    def signed_out(self):
        if self.back:
            return HTTPSeeOther(self.back)
        words = _("The apps that you connected keep their access until you stop sharing with them.")
        return page(self.request, PageError(200, _("You are signed out"), words))
