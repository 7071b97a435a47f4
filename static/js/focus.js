// What htmx swaps away takes the focus with it. It goes to what came in the place of what was focused: the same
// field, link or button, else whatever stands there now, so that who works by keys or by ear goes on where they were.
const PARTS = "a[href], button:not(:disabled), summary, select:not(:disabled), textarea:not(:disabled), input:not([type=hidden], :disabled)";

const parts = (region) => [...region.querySelectorAll(PARTS)].filter((part) => part.checkVisibility());
const sort = (part) => [part.tagName, part.id, part.name, part.getAttribute("href"), part.form?.getAttribute("action")].join(" ");

let left = null;
document.addEventListener("htmx:before:swap", (event) => {
  const region = event.detail.ctx.target;
  const focused = document.activeElement;
  left = region?.id && region.contains(focused) && { id: region.id, at: parts(region).indexOf(focused), sort: sort(focused) };
});
document.addEventListener("htmx:after:swap", () => {
  const region = left && document.activeElement === document.body && document.getElementById(left.id);
  if (region) {
    const all = parts(region);
    const same = all[left.at] && sort(all[left.at]) === left.sort ? all[left.at] : all.find((part) => sort(part) === left.sort);
    (same || all[Math.min(Math.max(left.at, 0), all.length - 1)])?.focus();
  }
  left = null;
});

// Browsers give the focus back when a popover closes, but not when it was opened out of another one.
const openers = new WeakMap();
document.addEventListener("beforetoggle", (event) => {
  if (event.newState === "open") openers.set(event.target, document.activeElement);
}, true);
document.addEventListener("toggle", (event) => {
  const focused = document.activeElement;
  if (event.newState === "closed" && (focused === document.body || event.target.contains(focused))) openers.get(event.target)?.focus({ preventScroll: true });
}, true);

// Tabs, steps and tables that are wider than the screen show what is current, and what has the focus as a whole:
// browsers leave alone what is seen by a corner.
for (const now of document.querySelectorAll(".tabs [aria-current], .step-current")) {
  const [one, bar] = [now, now.closest(".tabs, .stepper")].map((part) => part.getBoundingClientRect());
  now.closest(".tabs, .stepper").scrollBy(one.left + one.width / 2 - bar.left - bar.width / 2, 0);
}
document.addEventListener("focusin", ({ target }) => {
  if (target.closest(".tabs, .stepper, .table-responsive")) target.scrollIntoView({ block: "nearest", inline: "nearest" });
});
