"""What can go wrong when a person signs in at the OpenID Connect provider, and what are they and the app told?"""

from dataclasses import dataclass

from bb2.views.arriving import sign_in_link
from bb2.views.pages import PageError, _


@dataclass(frozen=True)
class Problem:
    """A page, and the error with which the app gets its person back (RFC 6749, 4.1.2.1)."""

    status: int
    error: str
    title: str
    paragraphs: tuple


CALL = _("If this happens again, call ${phone}.")
NOT_YOU = _("Nothing was shared. If you have another account at ${provider}, you can try again with that one.")
IF_WRONG = _("If this is not right, call ${phone}.")
PROBLEMS = {
    "down": Problem(
        503,
        "temporarily_unavailable",
        _("We cannot reach ${provider} at the moment"),
        (_("You sign in there, so please try again in a few minutes. Nothing was shared or changed."), CALL),
    ),
    "wrong": Problem(
        502,
        "server_error",
        _("Signing in did not work"),
        (
            _("We could not use the answer that ${provider} gave us. This is not your mistake. Nothing was shared."),
            _("Please try again."),
            CALL,
        ),
    ),
    "late": Problem(
        400,
        "access_denied",
        _("Signing in took too long"),
        (_("To keep you safe, we wait 30 minutes and no longer. Nothing was shared. Please try again."),),
    ),
    "nobody": Problem(
        403,
        "access_denied",
        _("We could not find your Medicare record"),
        (
            _("You signed in at ${provider}, but we have no record that belongs to this account."),
            NOT_YOU,
            _("If you have no other account, call ${phone}. Tell them that your account is not linked to your record."),
        ),
    ),
    "several": Problem(
        403,
        "server_error",
        _("We found more than one Medicare record"),
        (
            _("You signed in at ${provider}, but we cannot tell which record is yours. So nothing was shared."),
            _("Please call ${phone}. Tell them that your account is linked to more than one record."),
        ),
    ),
    "records": Problem(
        503,
        "temporarily_unavailable",
        _("We cannot look up your record at the moment"),
        (_("You signed in at ${provider}. Nothing was shared. Please try again in a few minutes."), CALL),
    ),
    "merged": Problem(
        403,
        "access_denied",
        _("Your record has moved"),
        (
            _("It was put together with another record of yours, and this account belongs to the old one."),
            NOT_YOU,
            IF_WRONG,
        ),
    ),
    "closed": Problem(
        403,
        "access_denied",
        _("Your account here is closed"),
        (_("No app can see your Medicare information through it any more."), IF_WRONG),
    ),
}
#: Those after which the provider must ask who it is: else it would send the same person back, unasked.
OF_THE_ACCOUNT = ("nobody", "several", "merged", "closed")


class SignInFailed(PageError):
    """The page of a problem, with another try; `kept` is the app's request that waits, or None."""

    def __init__(self, request, key, kept):
        settings, problem = request.registry["settings"], PROBLEMS[key]
        gaps = {"provider": settings.oidc_name, "phone": settings.support_phone}
        title, *paragraphs = (words % gaps for words in (problem.title, *problem.paragraphs))
        way_on = sign_in_link(request, kept, _("Try again"))
        super().__init__(problem.status, title, *paragraphs, way_on=way_on)
        self.key, self.kept = key, kept
