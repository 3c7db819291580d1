"""Discovery documents, the public keys, the directory of apps, and health."""

import logging
from functools import partial

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config
from sqlalchemy import select, text

from bb2 import discovery
from bb2.models import Client

log = logging.getLogger(__name__)


def public_document(route_name):
    return view_config(
        route_name=route_name, request_method=("GET", "HEAD"), renderer="json", permission=NO_PERMISSION_REQUIRED
    )


@public_document("openid_configuration")
@public_document("oauth_authorization_server")
@public_document("openid_configuration_of_version")
def openid_configuration(request):
    return discovery.openid_configuration(*_about(request))


@public_document("smart_configuration")
@public_document("smart_configuration_of_version")
def smart_configuration(request):
    return discovery.smart_configuration(*_about(request))


def _about(request):
    version = request.matchdict.get("version", discovery.DEFAULT_VERSION)
    return request.registry["settings"], version, request.registry["scopes"]


@public_document("jwks")
def jwks(request):
    """Apps may keep the answer for a part of the time that a new key is published before it signs."""
    seconds = min(3600, request.registry["settings"].key_publish_seconds // 2)
    request.response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return request.registry["signing_keys"].jwks()


@public_document("applications")
def applications(request):
    """The apps that are switched on, for people who look for one."""
    active = request.db.scalars(select(Client).where(Client.disabled_at.is_(None)).order_by(Client.name))
    return [
        {
            "name": client.name,
            "website": client.website,
            "privacy_policy": client.privacy_policy,
            "terms": client.terms,
            "asks_demographic": client.asks_demographic,
            "access": client.access,
        }
        for client in active
    ]


@public_document("health")
def health(request):
    return {"message": "all's well"}


@public_document("health_db")
def health_db(request):
    return _checked(request, "the database", partial(_ask, request.registry["reader"]))


@public_document("health_fhir")
def health_fhir(request):
    return _checked(request, "the store of FHIR records", request.registry["records"].check)


def _ask(reader):
    with reader.connect() as connection:
        connection.execute(text("SELECT 1")).first()


def _checked(request, what, check):
    try:
        check()
    except Exception:  # whatever it is, it is not well
        log.warning("%s does not answer", what, exc_info=True)
        request.response.status_int = 503
        return {"message": f"{what} does not answer"}
    return {"message": "all's well"}
