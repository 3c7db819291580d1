// An app's side of node_app.py: JSON, a line each.  In, for each visit by its name: the settings, then the callback URL.
// Out, when each is there: the authorization URL, then what the app saw, or what the library refused.

import { createInterface } from "node:readline";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

/** Play an app: `journey(settings, person)`, in which `await person(url)` sends the person and returns the callback. */
export async function play(journey) {
  const under_way = {}; // {visit: what its callback URL is given to}
  for await (const line of createInterface({ input: process.stdin })) {
    const { visit, message } = JSON.parse(line);
    const person = (authorization_url) => {
      say({ authorization_url });
      return new Promise((resolve) => (under_way[visit] = resolve));
    };
    if (visit in under_way) under_way[visit](message);
    else end(journey(message, person));
  }
  process.exit();
}

/** Tell how a journey ends. */
async function end(journey) {
  try {
    say({ seen: await journey });
  } catch (error) {
    say({ refused: [error.message, error.error, error.cause?.message].filter(Boolean).join(": ") });
  }
}

/** {name: await answer(url)} for {name: url}. */
export async function each(urls, answer) {
  const answers = {};
  for (const [name, url] of Object.entries(urls)) answers[name] = await answer(url);
  return answers;
}

/** The private key of the settings, {jwk}, as the Web Crypto API has it; `crypto` and ES384 (SMART App Launch 2.2). */
export async function signingKey({ private_jwk: jwk }) {
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-384" }, false, ["sign"]);
  return { key, kid: jwk.kid };
}
