"""Did this person sign in in this browser before?  Then a stranger's wrong passwords do not hold them up here.

A cookie says so: a random value, and for each account that signed in here a code that only the account's secret hash
can make ("Device Cookies", OWASP).  It names nobody, opens nothing, and a new password ends it.
"""

import hashlib
import hmac
from secrets import token_urlsafe

MOST = 5  #: people who share a browser


def known_browser(cookie, account):
    """The random value of a browser in which this Account signed in before; None for any other."""
    value, *codes = (cookie or "").split(".")
    if account is None or len(codes) > MOST:
        return None
    ours = _code(value, account).encode()
    return value if any(hmac.compare_digest(code.encode(), ours) for code in codes) else None


def remembered(cookie, account):
    """The cookie for a browser in which this Account has just signed in; the last people are remembered."""
    value, *codes = (cookie or "").split(".")
    if not (codes and value.isascii() and len(value) == len(token_urlsafe())):
        value, codes = token_urlsafe(), []
    code = _code(value, account)
    others = [other for other in codes if other != code and other.isalnum()]
    return ".".join([value, code, *others[: MOST - 1]])


def _code(value, account):
    said = f"known {account.username} {value}".encode("utf-8", "surrogatepass")
    return hmac.new(account.password_hash.encode(), said, hashlib.sha256).hexdigest()
