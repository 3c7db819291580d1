// oauth4webapi: OpenID Connect for any JavaScript runtime, here as a public client, whose only proof is PKCE.
// It checks state, iss, nonce and the id_token with its signature.

import * as oauth from "oauth4webapi";
import { each, play } from "./app.mjs";

const OPTIONS = { [oauth.allowInsecureRequests]: true }; // http, as it is loopback

await play(async (settings, person) => {
  const issuer = new URL(settings.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, OPTIONS));
  const client = { client_id: settings.client_id };
  const authentication = oauth.None();

  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: settings.client_id,
    redirect_uri: settings.redirect_uri,
    scope: settings.scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const callback = oauth.validateAuthResponse(server, client, new URL(await person(url.href)), state);

  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, callback, settings.redirect_uri, verifier, OPTIONS,
  );
  const token = await oauth.processAuthorizationCodeResponse(server, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, answer, OPTIONS);
  const { sub } = oauth.getValidatedIdTokenClaims(token);

  const status = async (url, { access_token }) => {
    try {
      const response = await oauth.protectedResourceRequest(access_token, "GET", new URL(url), new Headers(), null, OPTIONS);
      return response.status;
    } catch (error) {
      return error.status; // WWWAuthenticateChallengeError: 401 and 403 come with their challenge, parsed
    }
  };
  const statuses = await each(settings.urls, (url) => status(url, token));
  if (statuses.userinfo === 200) {
    const userinfo = await oauth.userInfoRequest(server, client, token.access_token, OPTIONS);
    await oauth.processUserInfoResponse(server, client, sub, userinfo);
  }
  const refreshed = await oauth.processRefreshTokenResponse(
    server, client, await oauth.refreshTokenGrantRequest(server, client, authentication, token.refresh_token, OPTIONS),
  );
  const status_after_refresh = await status(settings.urls.Coverage, refreshed);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token, OPTIONS),
  );
  const status_after_revocation = await status(settings.urls.Coverage, refreshed);
  return { token, statuses, refreshed, status_after_refresh, status_after_revocation };
});
