"""requests-oauthlib: plain OAuth 2.0 with PKCE.  It knows no discovery; it checks state."""

from requests_oauthlib import OAuth2Session


def requests_oauthlib_app(settings):
    issuer, secret = settings["issuer"], settings["client_secret"]
    session = OAuth2Session(
        settings["client_id"], redirect_uri=settings["redirect_uri"], scope=settings["scope"].split(), pkce="S256"
    )
    authorization_url, _state = session.authorization_url(f"{issuer}/v2/o/authorize/")
    callback_url = yield authorization_url
    token = session.fetch_token(f"{issuer}/v2/o/token/", authorization_response=callback_url, client_secret=secret)
    session.scope = token["scope"]  # what was granted: a refresh asks for it again, and may not ask for more
    statuses = {name: session.get(url).status_code for name, url in settings["urls"].items()}
    auth = (settings["client_id"], secret)
    refreshed = session.refresh_token(f"{issuer}/v2/o/token/", auth=auth)
    status_after_refresh = session.get(settings["urls"]["Coverage"]).status_code
    session.post(f"{issuer}/v2/o/revoke_token/", {"token": refreshed["refresh_token"]}, withhold_token=True, auth=auth)
    return {
        "token": token | {"scope": token.scope},
        "statuses": statuses,
        "refreshed": refreshed | {"scope": refreshed.scope},
        "status_after_refresh": status_after_refresh,
        "status_after_revocation": session.get(settings["urls"]["Coverage"]).status_code,
    }
