// A button that copies code: beside each `pre`, and beside whatever has the class `copy` (a client_id, a secret).
// Without scripts, or where a page may not write to the clipboard, one selects and copies as ever.

const SAID_FOR = 2_000; // milliseconds

function copier(source) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copier";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.className = "unseen";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent.trimEnd());
    button.textContent = said.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
      said.textContent = "";
    }, SAID_FOR);
  });
  return [button, said];
}

function besideBlock(pre) {
  const block = pre.closest(".highlight") ?? pre;
  const both = document.createElement("div");
  both.className = "copyable";
  block.replaceWith(both);
  both.append(block, ...copier(pre));
}

if (navigator.clipboard) {
  document.querySelectorAll("main pre:not(.plain)").forEach(besideBlock);
  document.querySelectorAll("main .copy:not(pre)").forEach((source) => source.after(...copier(source)));
}

// What scrolls can be scrolled by the keyboard too.
for (const pre of document.querySelectorAll("main pre")) {
  if (pre.scrollWidth > pre.clientWidth || pre.scrollHeight > pre.clientHeight) pre.tabIndex = 0;
}
