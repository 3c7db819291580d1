"""Is this the person's password?  Wrong ones are counted, and too many of them make a pause."""

from bb2.identity import builtin
from bb2.identity.known import known_browser, remembered
from bb2.identity.sessions import cookie_name
from bb2.oauth.secrets import hashed
from bb2.views.limited import client_address
from bb2.views.pages import ONE_YEAR
from bb2.views.tries import Tries, by_address

KNOWN = "known"  #: the cookie by which a beneficiary's browser is known; each kind of person has another


def is_password_of(request, account, username, password, *, place="sign_in", known=KNOWN, **pause):
    """Is it this Account's (None: nobody's) password?  Commits what the request has done so far.

    `account` has a `username` and a `password_hash`; `place`: under which name it is counted.
    `pause`: what who must wait is told, and the `event`, as bb2.views.tries has it.
    """
    tries = Tries(request, *_tries(request, account, username, place, known), **{"event": "account.paused"} | pause)
    password_hash = account and account.password_hash
    tries.count()
    right = builtin.is_password(password_hash, password)
    if right:
        tries.take_back()
    return right


def _tries(request, account, username, place, cookie):
    """The {key: limit} that only this address or browser uses up, and the one that others share.

    A browser that the person knows is counted apart: strangers cannot hold it up.  So is each password of an account:
    who has chosen a new one need not wait for what was tried before.
    """
    name, settings = builtin.plain(username), request.registry["settings"]
    tried = hashed(account.password_hash) if account else ""
    known = known_browser(request.cookies.get(cookie_name(cookie, settings.secure)), account)
    if known:
        return {(place, "browser", name, tried, known): settings.limit_sign_in_account}, {}
    own = {(place, "account", name, tried, client_address(request) or ""): settings.limit_sign_in_account}
    shared = {(place, "anywhere", name, tried): settings.limit_sign_in_anywhere}
    return own, shared | by_address(request, place, settings.limit_sign_in_address)


def remember_browser(request, account, known=KNOWN):
    """This browser is known to the person of an Account from now on.  Returns whether it was new to them."""
    secure = request.registry["settings"].secure
    name = cookie_name(known, secure)
    cookie = request.cookies.get(name)
    value = remembered(cookie, account)
    request.add_response_callback(
        lambda _request, response: response.set_cookie(
            name, value, max_age=ONE_YEAR, secure=secure, httponly=True, samesite="Lax"
        )
    )
    return known_browser(cookie, account) is None
