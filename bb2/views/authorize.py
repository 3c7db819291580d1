"""The authorization endpoint: an app's request is checked, kept, and put before the person (RFC 6749, 4.1.1)."""

import logging
from urllib.parse import urlencode

from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.openid.connect.core.exceptions import ConsentRequired, LoginRequired
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.clock import now
from bb2.db import need_not_last
from bb2.models import Client
from bb2.oauth import requests
from bb2.oauth.pushed import PushedRequestGone, resolved
from bb2.oauth.server import AUTHORIZATION_PARAMETERS, unpadded
from bb2.openapi.errors import help_uri
from bb2.views.pages import PageError, _, as_link, keep_language, language_of

log = logging.getLogger(__name__)


@view_config(
    route_name="authorize",
    request_method=("GET", "POST"),
    permission=NO_PERMISSION_REQUIRED,
    require_csrf=False,
    limited="authorize",
)
def authorize(request):
    """An app may send the request by GET or as a form; no other site's form can answer it, only bring it."""
    if request.method == "POST" and request.browser.session_hash is None and "client_secret" not in request.POST:
        # Another site's form brings no cookie (SameSite): begun here, it would take the place of the person's session.
        return as_link(request)
    asked = _checked(request)
    keep_language(request, language_of(getattr(asked, "lang", None), asked.ui_locales))
    if asked.prompt == "none":
        signed_in = request.browser.signed_in_since(requests.earliest_sign_in(asked, now(request.db)))
        wanted = signed_in and asked.named_beneficiary_id in (None, request.browser.beneficiary.id)
        raise to_app(request, (ConsentRequired if wanted else LoginRequired)(request=asked))
    need_not_last(request.db)  # nobody has answered yet: at worst the app asks again
    kept = requests.keep(
        request.db,
        asked,
        session_hash=request.browser.begin(),
        api_version=request.matchdict["version"],
        lifetime=request.registry["settings"].authorization_request_lifetime,
    )
    return HTTPSeeOther(request.route_path("consent", id=kept.id))


def _checked(request):
    """oauthlib's reading of a good authorization request; a bad one ends here."""
    # Parameters without a value are as if they were left out (RFC 6749, 3.1).
    asked = [
        (name, value) for name, value in request.params.items() if name in AUTHORIZATION_PARAMETERS and value != ""
    ]
    if not all(isinstance(value, str) for _name, value in asked):
        raise _unreachable(request, "A parameter is not text.")
    try:
        asked = unpadded(resolved(request.db, asked))
        # As text: of a list, oauthlib would drop what comes twice before it looks for duplicates.
        _scopes, read = request.oauth.validate_authorization_request("", body=urlencode(asked))
    except PushedRequestGone as error:
        raise _unreachable(request, "The request_uri was used, has expired, or is not this app's.") from error
    except FatalClientError as error:
        raise _unreachable(request, error.description) from error
    except OAuth2Error as error:
        raise to_app(request, error) from error
    return read["request"]


def _unreachable(request, reason):
    """The app cannot be trusted with an answer, so the person is told, and not sent on (RFC 6749, 4.1.2.1).

    Its developer finds the reason in the log, and in a sandbox on the page.
    """
    client_id = request.params.get("client_id")
    known = isinstance(client_id, str) and "\x00" not in client_id
    client = request.db.get(Client, client_id) if known else None
    if client and client.disabled_at:
        return PageError(
            400,
            _("${app} is switched off", mapping={"app": client.name}),
            _("This app may not ask for Medicare information at the moment. Nothing was shared."),
            _("The people who make the app can tell you more."),
        )
    log.warning("authorization request refused: %s client=%s", reason, client and client.client_id)
    app = _("The app “${app}”", mapping={"app": client.name}) if client else _("An app")
    app = request.localizer.translate(app)
    return PageError(
        400,
        _("This link from the app does not work"),
        _(
            "${app} sent you here in a way that we cannot answer safely. This is a mistake in the app, not yours. "
            "Nothing was shared.",
            mapping={"app": app},
        ),
        _("Please tell the people who make the app."),
        developer=f"{reason} Registered: {', '.join(client.redirect_uris)}" if client else reason,
    )


def to_app(request, error):
    """A redirect to the app with an error, its `state` and our `iss` (RFC 6749, 4.1.2.1; RFC 9207)."""
    base_url = request.registry["settings"].base_url
    error.uri = help_uri(base_url, error.error)
    answer = [*error.twotuples, ("iss", base_url)]
    return HTTPSeeOther(requests.answer_uri(error.redirect_uri, answer))
