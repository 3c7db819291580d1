"""OpenID Connect Core 5.3: claims about the beneficiary, by the scopes granted."""

from bb2.oauth.claims import released
from bb2.settings import fhir_base


def userinfo(request):
    identity, registry = request.identity, request.registry
    base = fhir_base(registry["settings"].base_url, request.matchdict["version"])
    claims = released(registry["plugins"], registry["scopes"], identity.beneficiary, identity.scopes, base)
    return claims | {"sub": identity.beneficiary.sub}  # always there (OpenID Connect Core 5.3.2)
