// Passkeys: what only a script can ask of a browser (WebAuthn).  Each form is hidden until it is known to work here;
// its answer goes to the server as an ordinary form, so that every answer is a page.
(() => {
  "use strict";
  const known = window.PublicKeyCredential;
  if (!known?.parseRequestOptionsFromJSON || !known.parseCreationOptionsFromJSON || !known.prototype.toJSON) return;

  const STALE = "stale"; // the page was open for too long: the server says on a new one what is needed
  const all = (kind) => document.querySelectorAll(`[data-passkey="${kind}"]`);
  let waiting; // for a passkey that is chosen where the user name is typed

  const options = async (form) => {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.options, { method: "POST", body });
    if (!answer.ok) throw Object.assign(new Error(), { name: STALE });
    return answer.json();
  };

  const send = (form, credential) => {
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  };

  const ways = {
    "sign-in": async (form) =>
      navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(await options(form)) }),
    add: async (form) =>
      navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(await options(form)) }),
  };

  const tell = (form, name) => {
    const problems = [...form.querySelectorAll("[data-problem]")];
    const told = problems.find((each) => each.dataset.problem === name) || problems[0];
    problems.forEach((each) => (each.hidden = each !== told));
  };

  for (const [kind, way] of Object.entries(ways)) {
    for (const form of all(kind)) {
      form.hidden = false;
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        waiting?.abort();
        const button = form.querySelector("button");
        button.disabled = true;
        try {
          send(form, await way(form));
        } catch (error) {
          if (error.name === STALE) return location.reload();
          tell(form, error.name);
          button.disabled = false;
        }
      });
      window.addEventListener("pageshow", () => (form.querySelector("button").disabled = false)); // Back
    }
  }
  for (const words of all("unable")) words.hidden = true;

  // Beside the user names that the browser has kept, it offers passkeys too.
  const field = document.querySelector('[autocomplete~="webauthn"]');
  const form = all("sign-in")[0];
  if (field && form) {
    known.isConditionalMediationAvailable?.().then(async (can) => {
      if (!can) return;
      waiting = new AbortController();
      const publicKey = known.parseRequestOptionsFromJSON(await options(form));
      const wanted = { publicKey, mediation: "conditional", signal: waiting.signal };
      send(form, await navigator.credentials.get(wanted));
    }).catch(() => {}); // the form's button is there
  }

  known.isUserVerifyingPlatformAuthenticatorAvailable?.().then((can) => {
    for (const box of all("offer")) box.hidden = !can;
  }).catch(() => {});
})();
