// openid-client: OpenID Connect for servers.  It checks state, iss, nonce and the id_token with its signature.

import * as oidc from "openid-client";
import { each, play, signingKey } from "./app.mjs";

const OPTIONS = { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] }; // http, as it is loopback

await play(async (settings, person) => {
  const authentication = settings.private_jwk
    ? oidc.PrivateKeyJwt(await signingKey(settings))
    : oidc.ClientSecretBasic(settings.client_secret);
  const config = await oidc.discovery(new URL(settings.issuer), settings.client_id, {}, authentication, OPTIONS);

  const verifier = oidc.randomPKCECodeVerifier();
  const asked = {
    redirect_uri: settings.redirect_uri,
    scope: settings.scope,
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  const build = settings.pushes ? oidc.buildAuthorizationUrlWithPAR : oidc.buildAuthorizationUrl;
  const callback = await person((await build(config, asked)).href);

  const token = await oidc.authorizationCodeGrant(config, new URL(callback), {
    pkceCodeVerifier: verifier,
    expectedState: asked.state,
    expectedNonce: asked.nonce,
    idTokenExpected: true,
  });
  const { sub } = token.claims();

  const status = async (url, { access_token }) => {
    try {
      const response = await oidc.fetchProtectedResource(config, access_token, new URL(url), "GET");
      return response.status;
    } catch (error) {
      return error.status; // WWWAuthenticateChallengeError: 401 and 403 come with their challenge, parsed
    }
  };
  const statuses = await each(settings.urls, (url) => status(url, token));
  if (statuses.userinfo === 200) await oidc.fetchUserInfo(config, token.access_token, sub); // it compares the sub
  const introspected = await oidc.tokenIntrospection(config, token.access_token);
  const refreshed = await oidc.refreshTokenGrant(config, token.refresh_token);
  const status_after_refresh = await status(settings.urls.Coverage, refreshed);
  await oidc.tokenRevocation(config, refreshed.refresh_token);
  const status_after_revocation = await status(settings.urls.Coverage, refreshed);
  return { token, statuses, introspected, refreshed, status_after_refresh, status_after_revocation };
});
