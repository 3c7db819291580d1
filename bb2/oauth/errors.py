"""In which words may a refusal be given?  (RFC 6749, 4.1.2.1 and 5.2; RFC 6750, 3)"""

import re

from oauthlib.oauth2 import OAuth2Error

NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")

#: What to mend, where oauthlib says only the code.
DESCRIPTIONS = {
    "invalid_client": "The client is unknown or switched off, or its secret is wrong or missing",
    "invalid_grant": "code_verifier does not fit the code_challenge of the authorization request",
    "invalid_scope": "A refresh cannot have more scopes than were granted",
}


class ClientError(Exception):
    """A registration that cannot be made; the message says what to mend."""


class InvalidTarget(OAuth2Error):
    """The resource is unknown, or not what was granted (RFC 8707, 2)."""

    error = "invalid_target"


class UnmetAuthenticationRequirements(OAuth2Error):
    """The app insists on a kind of authentication that this server does not offer (its name in OpenID Connect)."""

    error = "unmet_authentication_requirements"
    description = "This server offers no acr"


def printable(text):
    """The text in the characters that an error_description may have."""
    return NOT_ALLOWED.sub("?", text)
