"""Is this the person's password?  Wrong ones are counted, and too many of them make a pause."""

from bb2 import audit
from bb2.identity import builtin
from bb2.identity.known import known_browser
from bb2.identity.sessions import cookie_name
from bb2.oauth.secrets import hashed
from bb2.views.limited import TooMany, client_address


def is_password_of(request, account, username, password, **pause):
    """Is it this Account's (None: nobody's) password?  Only wrong ones stay counted.

    Commits what the request has done so far: SQLite's one writer shall be free while this counts, and while it hashes.
    """
    limits, (own, shared) = request.registry["limits"], _tries(request, account, username)
    password_hash = account and account.password_hash
    request.db.commit()
    # What one address is refused does not count for others: else it could lock the person out everywhere.
    for tries in own, shared:
        if wait := limits.count(tries):
            pause_for(request, wait, "account.paused", **pause)
    right = builtin.is_password(password_hash, password)
    if right:
        limits.count(own | shared, -1)
    return right


def pause_for(request, wait, event, *, asked, advice, way_on, also=None):
    """Tell the person to wait; the trail has the `event` once, with what it knows of the app (`asked`)."""
    if wait.first:
        audit.record(request.db, event, **asked)
        request.db.commit()
    raise TooMany(wait, advice, way_on=way_on, also=also)


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
    address = client_address(request)
    own = {("sign_in", "account", name, tried, address or ""): settings.limit_sign_in_account}
    shared = {("sign_in", "anywhere", name, tried): settings.limit_sign_in_anywhere}
    if address:
        shared["sign_in", "address", address] = settings.limit_sign_in_address
    return own, shared
