"""Is this the person's password?  Wrong ones are counted, and too many of them make a pause."""

from bb2.identity import builtin
from bb2.identity.known import known_browser
from bb2.identity.sessions import cookie_name
from bb2.oauth.secrets import hashed
from bb2.views.limited import client_address
from bb2.views.tries import Tries, by_address


def is_password_of(request, account, username, password, **pause):
    """Is it this Account's (None: nobody's) password?  Commits what the request has done so far.

    `pause`: what who must wait is told, as bb2.views.tries has it.
    """
    tries = Tries(request, *_tries(request, account, username), event="account.paused", **pause)
    password_hash = account and account.password_hash
    tries.count()
    right = builtin.is_password(password_hash, password)
    if right:
        tries.take_back()
    return right


def _tries(request, account, username):
    """The {key: limit} that only this address or browser uses up, and the one that others share.

    A browser that the person knows is counted apart: strangers cannot hold it up.  So is each password of an account:
    who has chosen a new one need not wait for what was tried before.
    """
    name, settings = builtin.plain(username), request.registry["settings"]
    tried = hashed(account.password_hash) if account else ""
    known = known_browser(request.cookies.get(cookie_name("known", settings.secure)), account)
    if known:
        return {("sign_in", "browser", name, tried, known): settings.limit_sign_in_account}, {}
    own = {("sign_in", "account", name, tried, client_address(request) or ""): settings.limit_sign_in_account}
    shared = {("sign_in", "anywhere", name, tried): settings.limit_sign_in_anywhere}
    return own, shared | by_address(request, "sign_in", settings.limit_sign_in_address)
