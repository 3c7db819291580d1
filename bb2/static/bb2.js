// A little comfort: every page works without it.

// Not every browser honors autofocus on what is no field: the problem, or what was done, is read first.
document.querySelector("[autofocus]")?.focus();

// A double click is one answer.  After Back, or when no page came, the button works again.
const WAIT = 5_000; // milliseconds
const pressed = new Map();
addEventListener("pageshow", () => pressed.clear());
addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter ?? event.target;
  if (performance.now() - pressed.get(button) < WAIT) event.preventDefault();
  else pressed.set(button, performance.now());
});
