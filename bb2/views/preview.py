"""What will a person be asked, by an app that does not exist yet?  The authorization page, of which nothing works."""

import re

from pyramid.renderers import render

from bb2.clock import utcnow
from bb2.models import AuthorizationRequest, Beneficiary, Client
from bb2.oauth.client_checks import ACCESS_CATEGORIES, LONGEST_NAME
from bb2.oauth.clients import CHECKS
from bb2.oauth.errors import ClientError
from bb2.oauth.scope_names import why_unknown
from bb2.sharing import words
from bb2.views.consent import screen_of
from bb2.views.pages import _

SHOWN = ("description", "website", "privacy_policy", "terms")  # of a Client, beside what has a default
LINK = re.compile(r"<a\b[^>]*")
AWAY = re.compile(r' href="(?!#)[^"]*"')
FORM = re.compile(r"<form\b[^>]*")
SENT = re.compile(r' (?:action|method)="[^"]*"')


class NoPreview(Exception):
    """There is no page to show; the message says why, in English."""


def consent_preview(request, client, names=None):
    """The HTML of the page on which this Client asks for the scopes of these names; None: for all that are installed.

    The client need be in no database, and none is asked.  NoPreview where no person would see a page.
    """
    scopes = requested(request.registry["scopes"], client, names)
    screen = screen_of(request, client, scopes, utcnow())
    return inert(
        render(
            "bb2:templates/consent.jinja2",
            {
                "preview": True,
                "screen": screen,
                "kept": AuthorizationRequest(id="preview"),
                "client": client,
                "person": Beneficiary(given_name="Jane", family_name="Doe"),
                "chosen": screen.demographic_default,
                "shares": set(),
                "unticked": set(),
                "words": words,
                "get_csrf_token": str,  # the form is nobody's: no session begins
            },
            request=request,
        )
    )


def requested(registry, client, names):
    """The names of the scopes that the page of this app is about, as an authorization request would have it."""
    names = registry.one_of_each_family() if names is None else list(dict.fromkeys(names))
    for name in names:
        if name not in registry:
            installed = " ".join(scope.name for scope in registry.offered)
            raise NoPreview(f"{name[:LONGEST_NAME]} {why_unknown(name)}. Installed: {installed}")
        if registry[name].deprecated:
            raise NoPreview(f"{name} is deprecated: nobody is asked for it any more.")
    if not names:
        raise NoPreview("The app asks for nothing: choose at least one scope.")
    asked = registry.allowed(names, names, client.asks_demographic)
    asked = [name for name in asked if not (registry[name].offline and client.access == "one-time")]
    if not asked:
        raise NoPreview(
            "The app can have none of these scopes: they are demographic, and it asks for no demographic information; "
            "or they are for access that goes on, and its access is for one time."
        )
    return asked


def client_of(request, asked):
    """The app of a preview, as a form describes it: {field of a Client: text}.  What cannot be shown is left out."""
    name = " ".join(asked.get("name", "").split())[:LONGEST_NAME]
    access = asked.get("access", "ongoing")
    if access not in ACCESS_CATEGORIES:
        raise NoPreview(f"Unknown access category {access[:LONGEST_NAME]!r}; accepted: {', '.join(ACCESS_CATEGORIES)}")
    return Client(
        client_id=asked.get("client_id") or "preview",
        name=name if name.isprintable() and name else request.localizer.translate(_("Your app")),
        asks_demographic=asked.get("asks_demographic", "yes") != "no",
        access=access,
        logo=asked.get("logo"),
        **{field: _registrable(field, asked.get(field)) for field in SHOWN},
    )


def _registrable(field, text):
    """What would be kept of it in a registration; None where that is refused, as it may be half typed."""
    try:
        return CHECKS[field](text)
    except ClientError:
        return None


def inert(page):
    """The HTML of a page of ours, with nothing on it that leads anywhere: as the template escapes, tags are tags."""
    page = LINK.sub(lambda tag: AWAY.sub("", tag[0]), page)
    page = FORM.sub(lambda tag: SENT.sub("", tag[0]), page)
    return page.replace("<button", "<button disabled")
