// fhirclient.js as a server's app: smart(request, response, storage).  It checks state; it has no revocation.

import smart from "fhirclient";
import { each, play } from "./app.mjs";

/** A session of the app's, as express-session would keep it. */
class Storage {
  #kept = {};
  get = async (key) => this.#kept[key];
  set = async (key, value) => (this.#kept[key] = value);
  unset = async (key) => delete this.#kept[key];
}

await play(async (settings, person) => {
  const storage = new Storage();
  const { host } = new URL(settings.redirect_uri);
  const request = (url) => ({ url, headers: { host }, socket: {} });

  const url = await new Promise((sent, failed) => {
    const response = { writeHead: (_status, { location }) => sent(location), end() {} };
    smart(request("/launch"), response, storage)
      .authorize({
        iss: settings.fhir,
        clientId: settings.client_id,
        clientSecret: settings.client_secret,
        redirectUri: settings.redirect_uri,
        scope: settings.scope,
        pkceMode: "required",
      })
      .catch(failed);
  });
  const { pathname, search } = new URL(await person(url));
  const client = await smart(request(pathname + search), {}, storage).ready();
  const token = { ...client.state.tokenResponse };

  const status = (url) => client.request(url).then(() => 200, (error) => error.status ?? error.message);
  const statuses = await each(settings.urls, status);
  if (statuses.Patient === 200) {
    const { id } = await client.patient.read();
    if (id !== token.patient) throw new Error("another person's record");
  }
  await client.refresh();
  const refreshed = { ...client.state.tokenResponse };
  const status_after_refresh = await status(settings.urls.Coverage);
  const { revocation_endpoint } = await (await fetch(`${settings.fhir}/.well-known/smart-configuration`)).json();
  await fetch(revocation_endpoint, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${settings.client_id}:${settings.client_secret}`)}` },
    body: new URLSearchParams({ token: refreshed.refresh_token }),
  });
  const status_after_revocation = await status(settings.urls.Coverage);
  return { token, statuses, refreshed, status_after_refresh, status_after_revocation };
});
