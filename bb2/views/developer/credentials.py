"""What does a developer show to be let in, and what follows?  What goes wrong is counted, as beneficiaries' is."""

from pyramid.httpexceptions import HTTPSeeOther

from bb2 import audit
from bb2.developers import second_factor
from bb2.views import credentials
from bb2.views.developer.arriving import leading_on, way_on
from bb2.views.limited import client_address
from bb2.views.tries import Tries, by_address

KNOWN = "known_developer"  #: the cookie by which a developer's browser is known
PLACE = "developer"  #: under which what they try is counted


def is_password_of(request, developer, email, password, **pause):
    """Is it this Developer's (None: nobody's) password?  Commits what the request has done so far."""
    pause = {"advice": "If you forgot your password, you need not wait: set a new one.", "asked": {}} | pause
    pause = {"event": "developer.paused", "way_on": trouble(request)} | pause
    return credentials.is_password_of(request, developer, email, password, place=PLACE, known=KNOWN, **pause)


def trouble(request):
    """(path, label) of the way back to a forgotten password."""
    return leading_on(request, "developer_trouble"), "Set a new password"


def code_tries(request, developer):
    """Of the second factor: only who knows the password can use them up, and a new password brings new ones."""
    settings, whose = request.registry["settings"], f"{developer.id} {developer.password_hash}"
    own = {(PLACE, "code", whose, client_address(request) or ""): settings.limit_developer_code}
    shared = {(PLACE, "code anywhere", whose): settings.limit_developer_code_anywhere}
    return Tries(
        request,
        own,
        shared,
        event="developer.paused",
        asked={"developer_id": developer.id},
        advice="A passkey still lets you in.",
        way_on=(leading_on(request, "developer_sign_in"), "Sign in"),
    )


def mail_tries(request, email):
    """Of mails that anybody may have sent to an address, which is somebody's or nobody's."""
    settings, address = request.registry["settings"], client_address(request)
    own = {(PLACE, "mail", email, address or ""): settings.limit_developer_mail}
    own |= by_address(request, f"{PLACE} mail", settings.limit_developer_mail_address)
    return Tries(
        request,
        own,
        {(PLACE, "mail anywhere", email): settings.limit_developer_mail_anywhere},
        event="developer.paused",
        asked={},
        advice="Look for our earlier mails, also where your mail program puts what it takes for spam.",
        way_on=(leading_on(request, "developer_sign_in"), "Sign in"),
    )


def first_step(request, developer, method):
    """What the developer has shown is right: on to the second factor, if there is one, else in."""
    if not second_factor.is_needed(request.db, developer):
        return enter(request, developer, method)
    request.developer_browser.half_sign_in(developer)
    return HTTPSeeOther(leading_on(request, "developer_second_factor"))


def enter(request, developer, method):
    """Sign a Developer in, and send them on."""
    new = credentials.remember_browser(request, developer, KNOWN)
    request.developer_browser.sign_in(developer)
    audit.record(request.db, "developer.signed_in", developer_id=developer.id, method=method, new_browser=new)
    return way_on(request)
