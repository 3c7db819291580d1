// An app's side of node_app.py: JSON, a line each.  In: the settings, then the callback URL.  Out: the authorization
// URL, then what the app saw, or what the library refused.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

/** Play an app: `journey(settings, person)`, in which `await person(url)` sends the person and returns the callback. */
export async function play(journey) {
  const person = async (authorization_url) => {
    say({ authorization_url });
    return hear();
  };
  try {
    say({ seen: await journey(await hear(), person) });
  } catch (error) {
    say({ refused: [error.message, error.error, error.cause?.message].filter(Boolean).join(": ") });
  }
  process.exit();
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
