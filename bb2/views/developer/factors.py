"""How does a developer get a second factor, and lose it?  An authenticator app and recovery codes."""

from io import BytesIO

import segno
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.developers import second_factor
from bb2.views.developer.account import done
from bb2.views.developer.confirmed import Confirmed
from bb2.views.developer.fields import ConfirmForm, code_field, current_password_field
from bb2.views.developer.own import signed_in
from bb2.views.forms import Form

NOT_RIGHT = "This code is not right now. Wait for the next one, and check that your phone's clock is right"


def offered_key(request, developer):
    """The key of an authenticator app that this page offers: it follows from the session, and nobody keeps it.

    Once a key was used, the next one that is offered is another.
    """
    return second_factor.totp_key(request.developer_browser.secret_for(f"totp {developer.id} {developer.totp_step}"))


class AuthenticatorForm(Form):
    code = code_field("Code", "The six digits that the app shows now.")
    current = current_password_field()


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_authenticator", permission=NO_PERMISSION_REQUIRED)
class Authenticator(Confirmed):
    """To set an app up: a picture to take, or a key to type, and a code that shows that it works."""

    template, form = "authenticator", AuthenticatorForm

    def shown(self):
        key = offered_key(self.request, self.developer)
        return {"key": " ".join(key[start : start + 4] for start in range(0, len(key), 4))}

    def prepared(self, form):
        return offered_key(self.request, self.developer)

    def act(self, form, key):
        step = second_factor.step_of(self.db, key, form.code.data)
        if step is None:
            form.code.errors = [NOT_RIGHT]
            return self.show(form, 422)
        second_factor.add_totp(self.request.registry["settings"], self.developer, key, step)
        self.record("developer.factor_added", factor="totp")
        return first_codes(self) or done(self.request, "authenticator")


@view_config(route_name="developer_authenticator_picture", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def picture(request):
    """The key as a QR code, for the camera of a phone."""
    developer = signed_in(request)
    site = request.registry["settings"].site_name
    uri = second_factor.totp_uri(offered_key(request, developer), developer, site)
    drawn = BytesIO()
    segno.make(uri, error="m", micro=False).save(drawn, kind="png", scale=5)
    return Response(drawn.getvalue(), content_type="image/png")


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_authenticator_remove", permission=NO_PERMISSION_REQUIRED)
class RemoveAuthenticator(Confirmed):
    template, form = "authenticator_remove", ConfirmForm

    def __init__(self, request):
        super().__init__(request)
        if self.developer.totp_secret is None:
            raise done(request, "")

    def act(self, form, prepared):
        self.developer.totp_secret = None
        removed(self, "totp")
        return done(self.request, "authenticator-removed")


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_codes", permission=NO_PERMISSION_REQUIRED)
class Codes(Confirmed):
    """New recovery codes, for who has a second factor."""

    template, form = "codes", ConfirmForm

    def __init__(self, request):
        super().__init__(request)
        if not second_factor.is_needed(self.db, self.developer):
            raise done(request, "")

    def shown(self):
        return {"left": second_factor.codes_left(self.db, self.developer), "codes": None}

    def act(self, form, prepared):
        return new_codes(self)


def new_codes(own):
    """The page with new recovery codes, which nobody sees a second time."""
    codes = second_factor.new_codes(own.db, own.developer)
    own.record("developer.codes_made")
    return own.page("codes", codes=codes)


def first_codes(own):
    """The same, with the first second factor of a developer; None where they have codes already."""
    return None if second_factor.codes_left(own.db, own.developer) else new_codes(own)


def removed(own, factor):
    """A factor is gone; without another one, nobody asks for a recovery code either."""
    own.record("developer.factor_removed", factor=factor)
    own.db.flush()
    if not second_factor.is_needed(own.db, own.developer):
        second_factor.take_codes(own.db, own.developer)
