// simple-oauth2: plain OAuth 2.0 for servers.  It knows no discovery, no PKCE and no state: those are the app's.

import { createHash, randomBytes } from "node:crypto";
import { AuthorizationCode } from "simple-oauth2";
import { each, play } from "./app.mjs";

const random = () => randomBytes(32).toString("base64url");

await play(async (settings, person) => {
  const client = new AuthorizationCode({
    client: { id: settings.client_id, secret: settings.client_secret },
    auth: {
      tokenHost: settings.issuer,
      tokenPath: "/v2/o/token/",
      revokePath: "/v2/o/revoke_token/",
      authorizePath: "/v2/o/authorize/",
    },
  });
  const { redirect_uri, scope } = settings;
  const code_verifier = random();
  const state = random();
  const callback = await person(
    client.authorizeURL({
      redirect_uri,
      scope,
      state,
      code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
      code_challenge_method: "S256",
    }),
  );
  const answer = new URL(callback).searchParams;
  if (answer.get("state") !== state) throw new Error("unexpected state");
  if (answer.has("error")) throw new Error(answer.get("error"));

  const token = await client.getToken({ code: answer.get("code"), redirect_uri, code_verifier });
  const status = async (url, { token }) => {
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token.access_token}` } });
    return response.status;
  };
  const statuses = await each(settings.urls, (url) => status(url, token));
  const refreshed = await token.refresh();
  const status_after_refresh = await status(settings.urls.Coverage, refreshed);
  await refreshed.revokeAll();
  const status_after_revocation = await status(settings.urls.Coverage, refreshed);
  return { token, statuses, refreshed, status_after_refresh, status_after_revocation };
});
