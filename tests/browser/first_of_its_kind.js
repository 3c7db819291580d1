// Of the elements that are drawn alike (their text in one look, on one stack of backgrounds) mark the first, and let axe
// judge the contrast of these alone: the others have the same.  Run after axe's own script, before axe runs.
() => {
  const TEXT = ["color", "fontSize", "fontWeight", "textShadow", "textIndent", "visibility"];
  const BEHIND = ["backgroundColor", "backgroundImage", "opacity", "mixBlendMode", "filter"];
  const PLACE = ["position", "zIndex", "left", "top", "overflow", "clip", "clipPath"]; // over what it is, and if it is seen
  const NOTHING = "rgba(0, 0, 0, 0),none,1,normal,none,static,auto,auto,auto,visible,auto,none";
  const TYPED = "input, select, textarea"; // what has its text in no child
  const MARK = "data-first-of-its-kind";
  const kinds = new Set();

  const read = (style, names) => names.map((name) => style[name]).join();
  const hasText = ({ childNodes }) => [...childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const isOff = (element) => element.closest(":disabled, [aria-disabled=true]") || element.closest("label")?.control?.disabled;

  function visit(element, around) {
    const style = getComputedStyle(element);
    const parts = ["::before", "::after"].map((part) => getComputedStyle(element, part));
    const drawn = [style, ...parts.filter(({ content }) => content !== "none")].map((each) => read(each, [...BEHIND, ...PLACE]));
    const stack = [...around, ...drawn.filter((each) => each !== NOTHING)];
    if (element.checkVisibility() && (element.matches(TYPED) || hasText(element)) && !isOff(element)) {
      const kind = [read(style, TEXT), ...stack].join("\n");
      element.toggleAttribute(MARK, !kinds.has(kind));
      kinds.add(kind);
    }
    for (const child of element.children) visit(child, stack);
  }

  visit(document.documentElement, []);
  axe.configure({ rules: [{ id: "color-contrast", selector: `[${MARK}]` }] });
}
