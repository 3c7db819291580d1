"""authlib: OpenID Connect in a Flask app.  It checks state, nonce and the id_token with its signature."""

import time

from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask
from joserfc.jwk import ECKey


def authlib_app(settings):
    secret, method = _authentication(settings)
    authenticated = {"token_endpoint_auth_method": method, "revocation_endpoint_auth_method": method}
    oauth = OAuth(web := Flask("app"))
    web.config.update(SECRET_KEY="of the app's own sessions", TESTING=True)
    bb2 = oauth.register(
        "bb2",
        server_metadata_url=f"{settings['issuer']}/.well-known/openid-configuration",
        client_id=settings["client_id"],
        client_secret=secret,
        client_kwargs={"scope": settings["scope"], "code_challenge_method": "S256"} | authenticated,
    )

    @web.get("/login")
    def login():
        return bb2.authorize_redirect(settings["redirect_uri"])

    @web.get("/callback")
    def callback():
        return bb2.authorize_access_token()

    browser = web.test_client()
    callback_url = yield browser.get("/login").location
    token = browser.get(callback_url).get_json()
    assert token["userinfo"]["sub"]  # of the id_token

    metadata = bb2.load_server_metadata()
    session = OAuth2Session(settings["client_id"], secret, token=token, **authenticated)
    statuses = {name: session.get(url).status_code for name, url in settings["urls"].items()}
    introspected = session.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    refreshed = session.refresh_token(metadata["token_endpoint"])
    status_after_refresh = session.get(settings["urls"]["Coverage"]).status_code
    session.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"]).raise_for_status()
    return {
        "token": token,
        "statuses": statuses,
        "introspected": introspected,
        "refreshed": refreshed,
        "status_after_refresh": status_after_refresh,
        "status_after_revocation": session.get(settings["urls"]["Coverage"]).status_code,
    }


def _authentication(settings):
    """(secret or key, method) by which the app proves itself."""
    if "private_jwk" not in settings:
        return settings["client_secret"], "client_secret_basic"
    key = ECKey.import_key(settings["private_jwk"])
    return key, FiveMinutes(f"{settings['issuer']}/v2/o/token/", alg="ES384", headers={"kid": key.kid})


class FiveMinutes(PrivateKeyJWT):
    """Assertions that live as long as SMART allows; authlib's own live an hour."""

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 300}
        return super().sign(auth, token_endpoint)
