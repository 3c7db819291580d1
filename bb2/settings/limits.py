"""The settings of how often something may be tried."""

from ipaddress import ip_network

from limits import parse as parse_limit

from bb2.settings.kinds import Setting

WRONG_CREDENTIAL = 30  #: requests, for the limits of apps: guessing ends long before honest work does


def networks(value):
    """Addresses and networks of proxies, separated by spaces, as `ipaddress` reads them."""
    try:
        return tuple(ip_network(network) for network in value.split())
    except ValueError:
        raise ValueError("accepted: addresses and networks, such as 192.0.2.7 or 10.0.0.0/8") from None


def limit(value):
    """How often something may be tried, as the `limits` library reads it; `off`: None."""
    wrong = ValueError("accepted: such as `10 per 15 minutes`, or `off`")
    try:
        item = None if value == "off" else parse_limit(value)
    except ValueError:
        raise wrong from None
    if item and item.amount < 1:
        raise wrong
    return item


def counter_url(value):
    """Valkey and Redis speak one protocol, and Valkey's client both."""
    if not value.startswith(("valkey://", "valkeys://", "redis://", "rediss://")):
        raise ValueError("accepted: valkey://HOST:PORT/0, redis://HOST:PORT/0; with TLS: valkeys://, rediss://")
    return value.replace("redis", "valkey", 1)


def limits_of(place, what, by_client, by_address):
    """The two limits of an endpoint that apps use."""
    guesses = "" if place == "authorize" else f"; a wrong credential counts as {WRONG_CREDENTIAL}"
    return (
        Setting(f"bb2.limit_{place}_client", limit, by_client, f"{what} of one app from one address{guesses}."),
        Setting(f"bb2.limit_{place}_address", limit, by_address, f"{what} from one address, of whatever apps."),
    )


LIMITS = (
    Setting(
        "bb2.trusted_proxies",
        networks,
        "",
        "Proxies whose `X-Forwarded-For` is believed, as addresses or networks with spaces between them.",
    ),
    Setting(
        "bb2.limits_url",
        counter_url,
        None,
        "Where tries are counted: Valkey or Redis, as `redis://…` (needs `bb2[valkey]`). Default: the database.",
    ),
    Setting(
        "bb2.limit_sign_in_account",
        limit,
        "10 per 15 minutes",
        "Wrong passwords for one account, from one address or in one browser that its person has used before.",
    ),
    Setting(
        "bb2.limit_sign_in_anywhere",
        limit,
        "100 per hour",
        "Wrong passwords for one account from all addresses; a browser that its person has used before is not held up.",
    ),
    Setting(
        "bb2.limit_sign_in_address",
        limit,
        "100 per 15 minutes",
        "Wrong passwords from one address, for whatever accounts; browsers as above are not held up. As many wrong "
        "passkeys.",
    ),
    Setting(
        "bb2.limit_recovery_number",
        limit,
        "10 per hour",
        "How often people with trouble signing in may say who they are, for one Medicare number from one address.",
    ),
    Setting(
        "bb2.limit_recovery_address",
        limit,
        "100 per hour",
        "The same from one address, for whatever Medicare numbers.",
    ),
    Setting(
        "bb2.limit_recovery_answer",
        limit,
        "5 per hour",
        "Wrong secret answers for one person, from one address.",
    ),
    Setting(
        "bb2.limit_recovery_anywhere",
        limit,
        "20 per day",
        "Wrong secret answers for one person from all addresses, by who knows all that was asked before.",
    ),
    Setting(
        "bb2.limit_enroll_number",
        limit,
        "10 per hour",
        "Wrong information for a new account with one Medicare number, from one address.",
    ),
    Setting(
        "bb2.limit_enroll_anywhere",
        limit,
        "10 per day",
        "Wrong information for a new account with one Medicare card, from all addresses: a card tells no day of birth.",
    ),
    Setting(
        "bb2.limit_enroll_address",
        limit,
        "50 per hour",
        "Wrong information for a new account from one address, with whatever Medicare numbers.",
    ),
    Setting(
        "bb2.limit_developer_code",
        limit,
        "10 per 15 minutes",
        "Wrong codes of an authenticator app, or recovery codes, for one developer from one address, by who knows the "
        "password. Wrong passwords of developers have the limits of `bb2.limit_sign_in_…`, counted apart.",
    ),
    Setting(
        "bb2.limit_developer_code_anywhere",
        limit,
        "50 per day",
        "The same from all addresses.",
    ),
    Setting(
        "bb2.limit_developer_mail",
        limit,
        "5 per hour",
        "Mails to one e-mail address that somebody at one address may ask for: to sign up as a developer, or for a new "
        "password.",
    ),
    Setting(
        "bb2.limit_developer_mail_anywhere",
        limit,
        "20 per day",
        "The same to one e-mail address from all addresses.",
    ),
    Setting(
        "bb2.limit_developer_mail_address",
        limit,
        "50 per hour",
        "The same from one address, to whatever e-mail addresses.",
    ),
    *limits_of("authorize", "Authorization requests", "300 per minute", "600 per minute"),
    *limits_of("token", "Token requests", "3000 per minute", "6000 per minute"),
    *limits_of("introspect", "Introspections", "3000 per minute", "6000 per minute"),
    *limits_of("revoke", "Revocations", "3000 per minute", "6000 per minute"),
    *limits_of("par", "Pushed authorization requests", "300 per minute", "600 per minute"),
)
