// For the pages about an app; all of them work without it.

// The preview follows the form: the same page that people will see, for what is chosen at this moment.
const form = document.querySelector("#app-form");
const frame = document.querySelector("#preview");
const SHOWN = ["name", "asks_demographic", "access", "description", "website", "privacy_policy", "terms"];
const CALM = 300; // milliseconds without a key

function address() {
  const typed = new FormData(form);
  const query = new URLSearchParams(form.dataset.preview ?? "");
  const scopes = typed.getAll("scopes");
  for (const scope of scopes.length ? scopes : [""]) query.append("scope", scope);
  for (const field of SHOWN) if (typed.get(field)) query.set(field, typed.get(field));
  query.set("lang", typed.get("preview_language") ?? "en");
  return `/developer/preview?${query}`;
}

if (form && frame) {
  document.documentElement.classList.add("scripted");
  let shown = address();
  let waiting;
  const follow = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (shown === address()) return;
      shown = address();
      frame.contentWindow.location.replace(shown); // no step for the Back button
    }, CALM);
  };
  form.addEventListener("input", follow);
  document.querySelector("#preview_language").addEventListener("change", follow);
}

// Its public keys are asked for where the app signs.
const keys = document.querySelector("#keys");
for (const kind of document.querySelectorAll('input[name="kind"]')) {
  kind.addEventListener("change", () => {
    keys.open = kind.value === "key";
  });
}

// A picture that is too large need not be sent to be refused.
for (const file of document.querySelectorAll('input[type="file"][data-most]')) {
  file.addEventListener("change", () => {
    const large = file.files[0]?.size > Number(file.dataset.most);
    const kilobytes = Math.round(Number(file.dataset.most) / 1000);
    file.setCustomValidity(large ? `The picture has more than ${kilobytes} KB: save it smaller, and choose it again.` : "");
    file.reportValidity();
    if (large) file.value = "";
  });
}
