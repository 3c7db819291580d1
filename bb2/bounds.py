"""How long does what last, how large may what be, how often may what be asked?  Every limit that an app meets, once.

The page /docs/limits, the discovery documents and OpenAPI's info are made from this.
"""

from dataclasses import dataclass

from bb2.fhir.search import DEFAULT_COUNT, MOST_COUNT, MOST_VALUES
from bb2.oauth import assertions, consents, pushed, server

MOST_BODY = 65_536  # bytes: no form here needs more, and parsing a large one would cost the server its memory
#: Characters of a value that is not plain ASCII: to bring more accents into their order takes Python seconds (UAX 15,
#: "Stream-Safe Text Format"), and no other request is answered meanwhile.
MOST_LETTERS = 4_000


@dataclass(frozen=True)
class Bound:
    """One limit: its name in discovery, its value, the unit and a sentence for people."""

    name: str
    value: int | str | None  #: None: no limit
    unit: str
    words: str

    @property
    def said(self):
        """The value with its unit."""
        if self.value is None:
            return "no limit"
        number = f"{self.value:,}" if isinstance(self.value, int) else self.value
        return f"{number} {self.unit}".strip()


def lifetimes(settings):
    return (
        Bound(
            "access_token_seconds",
            settings.access_token_lifetime,
            "seconds",
            "An access token lives so long, and never longer than the access that the person gave. The token response "
            "says it too, as expires_in.",
        ),
        Bound(
            "authorization_code_seconds",
            settings.authorization_code_lifetime,
            "seconds",
            "An authorization code must be exchanged within this time, once.",
        ),
        Bound(
            "authorization_request_seconds",
            settings.authorization_request_lifetime,
            "seconds",
            "A person has so long to sign in and answer.",
        ),
        Bound(
            "pushed_request_seconds",
            pushed.LIFETIME,
            "seconds",
            "A request_uri of a pushed request must be used within this time, once.",
        ),
        Bound(
            "ongoing_access_months",
            settings.consent_months,
            "months",
            "An app with ongoing access is connected so long; the token response has the day as "
            "access_grant_expiration. Then the person is asked again.",
        ),
        Bound(
            "one_time_access_seconds",
            int(consents.ONE_TIME.total_seconds()),
            "seconds",
            "An app with one-time access is connected so long, and gets no refresh token.",
        ),
        Bound(
            "research_access_months",
            None,
            "months",
            "A research app stays connected until the person ends it.",
        ),
        Bound(
            "refresh_repeat_seconds",
            settings.refresh_replay_window,
            "seconds",
            "A confidential app may repeat its last refresh within this time, for a lost response; 0: never. "
            "A refresh token has no end of its own: it counts once, and ends with the access.",
        ),
        Bound(
            "records_answer_seconds",
            settings.upstream_seconds if settings.fhir_source == "upstream" else None,
            "seconds",
            "Reading records takes at most so long, as they are in another server: then the answer is 504. Ask for "
            "smaller pages."
            if settings.fhir_source == "upstream"
            else "Reading records may take as long as it needs. Your own proxy may know a limit.",
        ),
        Bound(
            "client_assertion_seconds",
            assertions.MOST_AHEAD,
            "seconds",
            "The exp of a client_assertion may be so far ahead.",
        ),
        Bound(
            "signing_key_notice_seconds",
            settings.key_publish_seconds,
            "seconds",
            "A new signing key is published so long before it signs an id_token.",
        ),
    )


def sizes():
    return (
        Bound("body_bytes", MOST_BODY, "bytes", "The body of a request has at most so many; more is answered 413."),
        Bound(
            "parameter_characters",
            server.MOST_PARAMETER,
            "characters",
            "Each parameter of an authorization request has at most so many.",
        ),
        Bound(
            "pushed_request_bytes",
            server.MOST_PUSHED,
            "bytes",
            "A pushed authorization request has at most so many in all.",
        ),
        Bound("state_least_characters", server.LEAST_STATE, "characters", "The least that state may have."),
        Bound(
            "value_characters_beyond_ascii",
            MOST_LETTERS,
            "characters",
            "A value with other than ASCII characters has at most so many.",
        ),
        Bound("search_default_count", DEFAULT_COUNT, "records", "A page of a search has so many without _count."),
        Bound("search_most_count", MOST_COUNT, "records", "And with _count at most so many: more is taken for this."),
        Bound("search_most_values", MOST_VALUES, "values", "One search names at most so many values to search by."),
    )


#: Endpoint -> what the pages call it; the settings are `bb2.limit_ENDPOINT_client` and `_address`.
LIMITED = {
    "authorize": "authorization requests",
    "token": "token requests",
    "introspect": "introspections",
    "revoke": "revocations",
    "par": "pushed authorization requests",
}


def rates(settings):
    return tuple(bound for place, what in LIMITED.items() for bound in _rates_of(settings, place, what))


def _rates_of(settings, place, what):
    by_client = getattr(settings, f"limit_{place}_client")
    by_address = getattr(settings, f"limit_{place}_address")
    yield Bound(f"{place}_rate_of_app", _rate(by_client), "", f"So many {what} of one app from one address.")
    yield Bound(f"{place}_rate_of_address", _rate(by_address), "", f"So many {what} from one address, of all apps.")


def _rate(item):
    """A RateLimitItem in words: `3000 per minute`; None where there is no limit."""
    if item is None:
        return None
    name = item.GRANULARITY.name
    return f"{item.amount} per {name}" if item.multiples == 1 else f"{item.amount} per {item.multiples} {name}s"


def all_bounds(settings):
    return (*lifetimes(settings), *sizes(), *rates(settings))


def as_members(settings):
    """{name: value} for the documents that machines read."""
    return {bound.name: bound.value for bound in all_bounds(settings)}
