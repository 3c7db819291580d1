"""Passkeys of developers: how one adds one, removes one, and signs in with one."""

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2 import audit
from bb2.db import need_not_last
from bb2.developers import accounts
from bb2.identity import passkeys
from bb2.identity.passkeys import NotAccepted
from bb2.models import DeveloperPasskey
from bb2.views.developer.account import done
from bb2.views.developer.arriving import leading_on
from bb2.views.developer.confirmed import Confirmed
from bb2.views.developer.credentials import PLACE, enter
from bb2.views.developer.factors import first_codes, removed
from bb2.views.developer.fields import ConfirmForm
from bb2.views.own import number_of
from bb2.views.pages import PageError
from bb2.views.passkeys import OwnPasskeys, as_json, shown_name
from bb2.views.tries import Tries, by_address


def of_developer(request):
    """`request.developer_passkeys`"""
    return OwnPasskeys(request, request.developer_browser)


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_passkeys", permission=NO_PERMISSION_REQUIRED)
class AddPasskey(Confirmed):
    """Whoever wants to add one a while after the sign-in types the password first."""

    template = "passkey_add"

    def act(self, form, prepared):
        self.request.developer_browser.sign_in(self.developer)
        return HTTPSeeOther(self.request.route_path("developer_passkeys"))

    @view_config(request_method="POST", request_param="credential")
    def add(self):
        name, answer = (str(self.request.POST.get(field, "")) for field in ("passkey-name", "credential"))
        mine = self.request.developer_passkeys
        party, session_hash = mine.needed_party(), self.request.developer_browser.session_hash
        if not mine.fresh or accounts.lock(self.db, self.developer.id) is None:
            return HTTPSeeOther(self.request.route_path("developer_passkeys"))
        try:
            added = passkeys.add(self.db, party, self.developer, session_hash, answer, shown_name(name))
        except NotAccepted as error:
            self.db.commit()  # its challenge was used, though the answer is an error
            raise PageError(
                400,
                "The passkey was not added",
                "It took too long, or this device has a passkey for you already. Nothing was changed.",
                way_on=(self.request.route_path("developer_passkeys"), "Try again"),
            ) from error
        self.record("developer.factor_added", factor="passkey", backed_up=added.backed_up)
        return first_codes(self) or done(self.request, "passkey-added")


@view_config(request_method="GET", attr="ask")
@view_config(request_method="POST", attr="answer")
@view_defaults(route_name="developer_passkey_remove", permission=NO_PERMISSION_REQUIRED)
class RemovePasskey(Confirmed):
    template, form = "passkey_remove", ConfirmForm

    def __init__(self, request):
        super().__init__(request)
        number, theirs = number_of(request.matchdict["number"]), passkeys.of_person(self.db, self.developer)
        self.passkey = next((passkey for passkey in theirs if passkey.id == number), None)
        if self.passkey is None:
            raise HTTPSeeOther(request.route_path("developer_account"))

    def shown(self):
        return {"passkey": self.passkey}

    def prepared(self, form):
        return self.passkey.id

    def act(self, form, id):
        if passkeys.remove(self.db, self.developer, id):
            removed(self, "passkey")
        return done(self.request, "passkey-removed")


@view_defaults(route_name="developer_passkey_sign_in", permission=NO_PERMISSION_REQUIRED)
class PasskeySignIn:
    """It is both factors at once, and needs no password."""

    def __init__(self, request):
        self.request, self.db = request, request.db

    @view_config(request_method="GET")
    def ask(self):
        return HTTPSeeOther(leading_on(self.request, "developer_sign_in"))

    @view_config(request_method="POST")
    def answer(self):
        id, developer_id = self._right_passkey()
        developer = accounts.lock(self.db, developer_id)
        if developer is None or self.db.get(DeveloperPasskey, id, populate_existing=True) is None:
            self._refuse("unknown")
        return enter(self.request, developer, "passkey")

    def _right_passkey(self):
        """(its number, whose it is); only wrong answers stay counted, apart from passwords."""
        session_hash, answer = self.request.developer_browser.session_hash, str(self.request.POST.get("credential", ""))
        tries, party = self._tries(), self.request.developer_passkeys.needed_party()
        tries.count()
        try:
            found = passkeys.used(self.db, party, session_hash, answer, DeveloperPasskey)
        except NotAccepted as error:
            self._refuse(error.reason, error.passkey)
        ids = found.id, found.developer_id
        self.db.commit()
        tries.take_back()
        return ids

    def _tries(self):
        limit = self.request.registry["settings"].limit_sign_in_address
        return Tries(
            self.request,
            by_address(self.request, f"{PLACE} passkey", limit),
            event="developer.paused",
            asked={},
            advice="You can sign in with your password meanwhile.",
            way_on=(leading_on(self.request, "developer_sign_in"), "Sign in"),
        )

    def _refuse(self, reason, passkey=None):
        whose = {"developer_id": passkey.developer_id} if passkey else {}
        audit.record(self.db, "developer.refused", method="passkey", reason=reason, **whose)
        self.db.commit()  # the refusal is on record, and the challenge was used
        raise PageError(
            403,
            "We could not sign you in with this passkey",
            "It took too long, or the passkey was removed here. Try again, or sign in with your password.",
            way_on=(leading_on(self.request, "developer_sign_in"), "Sign in"),
        )


@view_config(route_name="developer_passkey_request_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def request_options(request):
    """For the script: how to ask the browser for a passkey of this server."""
    party = request.developer_passkeys.needed_party()
    need_not_last(request.db)
    return as_json(passkeys.request_options(request.db, party, request.developer_browser.begin()))


@view_config(route_name="developer_passkey_creation_options", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def creation_options(request):
    """For the script: how to make a passkey; not for who signed in a while ago, and may have left the browser."""
    developer, mine = request.developer_browser.developer, request.developer_passkeys
    party = mine.needed_party()
    if not (developer and mine.fresh and accounts.lock(request.db, developer.id)):
        raise HTTPNotFound
    session_hash = request.developer_browser.session_hash
    return as_json(passkeys.creation_options(request.db, party, developer, developer.email, session_hash))


def includeme(config):
    config.add_request_method(of_developer, "developer_passkeys", reify=True)
