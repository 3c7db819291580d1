"""Whose page is this?  The signed-in person's own; another person's is as unknown as one that was never there."""

from pyramid.httpexceptions import HTTPSeeOther

from bb2.views.pages import PageError, _

LARGEST_NUMBER = 2**31 - 1  # of a row: more is no number that a database has given
LONGEST_NUMBER = len(str(LARGEST_NUMBER))


def signed_in(request):
    """The person who is signed in; whoever is not is led to the sign-in."""
    if request.browser.beneficiary is None:
        raise HTTPSeeOther(request.route_path("sign_in"))
    return request.browser.beneficiary


def number_of(text):
    """The number in a path or a query; None for whatever is none."""
    ours = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return int(text) if ours and int(text) <= LARGEST_NUMBER else None


def my_apps(request):
    """The way on of a page: (URL, label)."""
    return request.route_path("connections"), _("My connected apps")


def not_found(request):
    return PageError(
        404,
        _("This page was not found"),
        _("What you look for may have been typed or copied wrongly, or it belongs to another account."),
        way_on=my_apps(request),
    )
