"""What is an entry of the error index, and where on its page does a code stand?"""

from dataclasses import dataclass

PAGE = "/docs/errors"


@dataclass(frozen=True)
class Cause:
    """One reason for an error: what it is told in, and what to do about it.

    `said` is the `error_description` or the `diagnostics`, to the letter; `…` stands for what differs.
    """

    said: str
    mend: str
    example: str = ""  #: its name among the examples of the OpenAPI document; "": it is none
    at: tuple[str, ...] = ()  #: the operations that show this example, by the names of `bb2.openapi`
    filled: str = ""  #: `said` with something in place of `…`, for the example

    @property
    def shown(self):
        """What the example says."""
        return self.filled or self.said


@dataclass(frozen=True)
class Code:
    """One error code: which answers carry it, and every cause that we know of."""

    code: str
    statuses: tuple[int, ...]  #: of the answers; 303: it comes to the app's redirect_uri
    means: str
    causes: tuple[Cause, ...]


def help_uri(base_url, code):
    """Where a person can read about a code (RFC 6749, 5.2: `error_uri`)."""
    return f"{base_url}{PAGE}#{code}"


def oauth_error(base_url, code, description):
    """The body of an OAuth error (RFC 6749, 5.2)."""
    return {"error": code, "error_description": description, "error_uri": help_uri(base_url, code)}
