// The first call with Node 20 or later, and nothing else:
//   CLIENT_ID=... CLIENT_SECRET=... node javascript.mjs
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const BASE = process.env.BASE ?? "http://localhost:8000";
const REDIRECT_URI = process.env.REDIRECT_URI ?? "http://localhost:3000/callback";
const { CLIENT_ID, CLIENT_SECRET } = process.env;

// Random values of this one request: the verifier stays here, its hash goes along (PKCE).
const state = randomBytes(32).toString("base64url");
const verifier = randomBytes(32).toString("base64url");
const authorize = new URL("/v2/o/authorize/", BASE);
authorize.search = new URLSearchParams({
  response_type: "code",
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  state,
  code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  code_challenge_method: "S256",
});

// 1. A person signs in, in a browser, and answers; the browser comes back here.
const listener = createServer().listen(new URL(REDIRECT_URI).port, "localhost");
await once(listener, "listening");
console.log("Open this address, sign in as BBUser00000 with the password PW00000! and say Yes:");
console.log(authorize.href);
const [request, response] = await once(listener, "request");
response.end("Thank you. Go back to the terminal.");
listener.close();
const answer = new URL(request.url, REDIRECT_URI).searchParams;
if (answer.get("state") !== state) throw new Error("This is not the answer to this request.");
if (!answer.has("code")) throw new Error(`No code came back: ${answer.get("error")}`);

// 2. The code becomes a token.
const token = await json(
  fetch(`${BASE}/v2/o/token/`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    }),
  }),
);

// 3. The token opens the person's records.
const claims = await json(
  fetch(`${BASE}/v2/fhir/ExplanationOfBenefit?_count=1`, {
    headers: { Authorization: `Bearer ${token.access_token}` },
  }),
);
console.log(claims.total, "claims; the first is", claims.entry[0].resource.id);

async function json(answered) {
  const found = await answered;
  if (!found.ok) throw new Error(`${found.status}: ${await found.text()}`);
  return found.json();
}
