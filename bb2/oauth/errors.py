"""In which words may a refusal be given?  (RFC 6749, 4.1.2.1 and 5.2; RFC 6750, 3)"""

import re

NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")

#: What to mend, where oauthlib says only the code.
DESCRIPTIONS = {
    "invalid_client": "The client is unknown or switched off, or its secret is wrong or missing",
    "invalid_grant": "code_verifier does not fit the code_challenge of the authorization request",
    "invalid_scope": "A refresh cannot have more scopes than were granted",
}


def printable(text):
    """The text in the characters that an error_description may have."""
    return NOT_ALLOWED.sub("?", text)
