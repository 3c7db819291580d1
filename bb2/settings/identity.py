"""The settings of who says who a person is, and for how long."""

from pathlib import Path
from urllib.parse import urlsplit

from bb2.settings.kinds import Setting, SettingError, boolean, one_of, upstream_url, whole


def issuer(value):
    """The identifier of an OpenID Connect provider, which is kept to the letter (OpenID Connect Discovery 1.0, 2)."""
    upstream_url(value)
    return value


def requested_scope(value):
    """What is asked of the provider: it makes no id_token for a scope that does not begin as the default does."""
    first = IDENTITY_SCOPE.split(maxsplit=1)[0]
    if first not in value.split():
        raise ValueError(f"accepted: names with spaces between them, one of them {first}")
    return " ".join(value.split())


IDENTITY_SCOPE = "openid email"
IDENTITY = (
    Setting(
        "bb2.identity",
        one_of("builtin", "oidc"),
        "builtin",
        "Who says who a person is: `builtin`, the user names and passwords of this server; `oidc`, an OpenID Connect "
        "provider.",
    ),
    Setting("bb2.oidc_issuer", issuer, None, "The provider's issuer, to the letter, such as https://id.example."),
    Setting("bb2.oidc_name", str, None, "What the provider is called on the pages. Default: the issuer's host."),
    Setting("bb2.oidc_client_id", str, None, "This server's `client_id` at the provider."),
    Setting(
        "bb2.oidc_client_secret",
        Path,
        None,
        "File of its secret there; read at each sign-in, so that it can be renewed.",
    ),
    Setting(
        "bb2.oidc_client_key",
        Path,
        None,
        "Or file of its private key there, RSA or EC: PEM, without a passphrase, or a JSON Web Key.",
    ),
    Setting("bb2.oidc_scope", requested_scope, IDENTITY_SCOPE, "The scopes that the provider is asked for."),
    Setting(
        "bb2.oidc_claim",
        str,
        None,
        "The claim, of the id_token or of the provider's userinfo, that says which patient a person is.",
    ),
    Setting(
        "bb2.oidc_identifier_system",
        str,
        None,
        "What the claim holds: a value of this system among the identifiers of a Patient record that is loaded here. "
        "Default: the Patient.id.",
    ),
    Setting(
        "bb2.oidc_sign_out",
        boolean,
        "false",
        "Whether people are signed out at the provider as soon as they have signed in here.",
    ),
)
SESSIONS = (
    Setting(
        "bb2.session_idle", whole(60, 86_400), "1800", "Seconds without a click until a person must sign in again."
    ),
    Setting(
        "bb2.session_lifetime", whole(60, 604_800), "43200", "Seconds until a person must sign in again in any case."
    ),
)


def check_identity(values):
    """Refuse half of a description of the OpenID Connect provider."""
    if values["identity"] != "oidc":
        return
    for name in "oidc_issuer", "oidc_client_id", "oidc_claim":
        if not values[name]:
            raise SettingError(f"bb2.identity = oidc needs bb2.{name}")
    if (values["oidc_client_secret"] is None) == (values["oidc_client_key"] is None):
        raise SettingError("bb2.identity = oidc needs either bb2.oidc_client_secret or bb2.oidc_client_key")
    if values["oidc_issuer"].startswith("http:") and not values["sandbox"]:
        raise SettingError("bb2.oidc_issuer must be https: only a sandbox may ask by http")
    if values["oidc_identifier_system"] and values["fhir_source"] != "sql":
        raise SettingError(
            "bb2.oidc_identifier_system needs bb2.fhir_source = sql: in another server nobody is looked for by number"
        )
    values["oidc_name"] = values["oidc_name"] or urlsplit(values["oidc_issuer"]).hostname
