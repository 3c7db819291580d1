"""Every URL of the server.  FHIR's come from the scopes that are installed."""

from bb2.notices.links import PATHS as LINKS
from bb2.scopes import API_VERSIONS, USERINFO
from bb2.views import fhir, userinfo

VERSION = f"{{version:{'|'.join(API_VERSIONS)}}}"
USERINFO_AS_OF_2019 = "connect/UserInfo"  # the spelling of CMS's announcement of November 2019


def includeme(config):
    # In this order they are tried: what apps ask for all the time need not wait for a hundred pages.
    _oauth(config)
    _well_known(config)
    _fhir(config)
    config.add_protected_view(userinfo.userinfo, USERINFO)
    config.add_protected_view(userinfo.userinfo, USERINFO, path=USERINFO_AS_OF_2019)
    _reference(config)
    _people(config)
    if config.registry["settings"].developers:
        _developers(config)
        _apps_of_developers(config)
    _docs(config)


def _oauth(config):
    config.add_route("authorize", f"/{VERSION}/o/authorize")
    config.add_route("token", f"/{VERSION}/o/token")
    config.add_route("revoke_token", f"/{VERSION}/o/revoke_token")
    config.add_route("revoke", f"/{VERSION}/o/revoke")
    config.add_route("end_session", f"/{VERSION}/connect/logout")
    config.add_route("introspect", f"/{VERSION}/o/introspect")
    config.add_route("pushed_request", f"/{VERSION}/o/par")


def _well_known(config):
    config.add_route("openid_configuration", "/.well-known/openid-configuration")
    config.add_route("oauth_authorization_server", "/.well-known/oauth-authorization-server")
    config.add_route("openid_configuration_of_version", f"/{VERSION}/connect/.well-known/openid-configuration")
    config.add_route("smart_configuration", "/.well-known/smart-configuration")
    config.add_route("smart_configuration_of_version", f"/{VERSION}/fhir/.well-known/smart-configuration")
    config.add_route("jwks", "/.well-known/jwks.json")
    config.add_route("applications", "/.well-known/applications")
    config.add_route("health", "/health")
    config.add_route("health_db", "/health/db")
    config.add_route("health_fhir", "/health/fhir")


def _reference(config):
    """What developers look up; errors point there, so it is there with or without developers' accounts."""
    config.add_route("openapi", "/openapi.json")
    config.add_route("postman", "/postman.json")
    config.add_route("docs_api", "/docs/api")
    config.add_route("docs_api_signed_in", "/docs/api/signed-in")
    config.add_route("docs_errors", "/docs/errors")
    config.add_route("docs_limits", "/docs/limits")
    config.add_route("docs_scopes", "/docs/scopes")


def _people(config):
    config.add_route("home", "/")
    config.add_route("sign_in", "/sign-in")
    config.add_route("sign_out", "/sign-out")
    if config.registry["settings"].identity == "oidc":
        config.add_route("sign_in_callback", "/sign-in/callback")
    else:
        _own_account(config)
    config.add_route("consent", "/consent/{id}")
    config.add_route("connections", "/connections")
    config.add_route("logo", "/apps/{client_id}/logo")
    config.add_route("stop_all", "/connections/stop")
    config.add_route("receipts", "/connections/receipts")
    config.add_route("receipt_fhir", "/connections/receipts/{number}.fhir.json")
    config.add_route("receipt_json", "/connections/receipts/{number}.json")
    config.add_route("receipt", "/connections/receipts/{number}")
    config.add_route("connection", "/connections/{id}")
    config.add_route("stop_sharing", "/connections/{id}/stop")
    config.add_route("share_less", "/connections/{id}/less")
    if config.registry["settings"].sandbox:
        config.add_route("testclient", "/testclient")
        config.add_route("testclient_callback", "/testclient/callback")
        config.add_route("testclient_act", "/testclient/act")
        config.add_route("testclient_call", "/testclient/call/{path:.*}")
        config.add_route("testclient_open", "/testclient/open/{path:.*}")
        if config.registry["settings"].identity == "builtin":
            config.add_route("personas", "/sandbox/people")


def _developers(config):
    """The pages for app developers; their scripts and forms have a session of their own."""
    config.add_route("developer", "/developer")
    config.add_route("developer_preview", "/developer/preview")
    config.add_route("developer_sign_up", "/developer/sign-up")
    config.add_route("developer_mailed", "/developer/mailed")
    config.add_route("developer_sign_in", "/developer/sign-in")
    config.add_route("developer_second_factor", "/developer/sign-in/second")
    config.add_route("developer_sign_out", "/developer/sign-out")
    config.add_route("developer_passkey_sign_in", "/developer/sign-in/passkey")
    config.add_route("developer_passkey_request_options", "/developer/sign-in/passkey/options")
    config.add_route("developer_trouble", "/developer/trouble")
    config.add_route("developer_account", "/developer/account")
    config.add_route("developer_about", "/developer/account/about")
    config.add_route("developer_address", "/developer/account/email")
    config.add_route("developer_password", "/developer/account/password")
    config.add_route("developer_authenticator", "/developer/account/authenticator")
    config.add_route("developer_authenticator_picture", "/developer/account/authenticator/picture")
    config.add_route("developer_authenticator_remove", "/developer/account/authenticator/remove")
    config.add_route("developer_codes", "/developer/account/codes")
    config.add_route("developer_passkeys", "/developer/account/passkeys")
    config.add_route("developer_passkey_creation_options", "/developer/account/passkeys/options")
    config.add_route("developer_passkey_remove", "/developer/account/passkeys/{number}/remove")
    config.add_route("developer_sign_out_everywhere", "/developer/account/sign-out-everywhere")
    config.add_route("developer_close", "/developer/account/close")
    for purpose, path in LINKS.items():
        config.add_route(f"developer_{purpose}", f"{path}/{{link}}")


def _apps_of_developers(config):
    config.add_route("developer_apps", "/developer/apps")
    config.add_route("developer_app_new", "/developer/apps/new")
    config.add_route("developer_app", "/developer/apps/{client_id}")
    for act in ("edit", "secret", "disable", "delete", "logo"):
        config.add_route(f"developer_app_{act}", f"/developer/apps/{{client_id}}/{act}")
    config.add_route("developer_app_usage", "/developer/apps/{client_id}/usage")
    config.add_route("developer_app_usage_file", "/developer/apps/{client_id}/usage/{table}.csv")


def _docs(config):
    """The documentation that was built.  Last, as pages that the server makes itself stand under /docs too."""
    config.add_route("docs", "/docs")
    config.add_route("docs_search", "/docs/search")
    config.add_route("docs_static", "/docs/{folder:_images|_downloads}/*subpath")
    config.add_route("docs_page", "/docs/{page}")


def _own_account(config):
    """Of the built-in directory."""
    config.add_route("trouble", "/sign-in/trouble")
    config.add_route("trouble_question", "/sign-in/trouble/question")
    config.add_route("trouble_password", "/sign-in/trouble/password")
    config.add_route("trouble_done", "/sign-in/trouble/done")
    config.add_route("account", "/account")
    config.add_route("account_email", "/account/email")
    config.add_route("account_password", "/account/password")
    config.add_route("account_question", "/account/question")
    config.add_route("sign_out_everywhere", "/account/sign-out-everywhere")
    config.add_route("create_account", "/account/create")
    config.add_route("account_created", "/account/create/done")
    config.add_route("create_account_step", "/account/create/{draft}/{step}")
    config.add_route("passkeys", "/account/passkeys")
    config.add_route("passkey_creation_options", "/account/passkeys/options")
    config.add_route("passkey_sign_in", "/sign-in/passkey")
    config.add_route("passkey_request_options", "/sign-in/passkey/options")


def _fhir(config):
    config.add_route("metadata", f"/{VERSION}/fhir/metadata")
    for endpoint in config.registry["scopes"].endpoints:
        if endpoint.interaction == "search-type":
            config.add_protected_view(fhir.search, endpoint)
            config.add_protected_view(fhir.search, endpoint, path=f"{endpoint.path}/_search", methods=("POST",))
        elif endpoint.interaction == "read":
            config.add_protected_view(fhir.read, endpoint)
