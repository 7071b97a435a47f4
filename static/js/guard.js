// Forms marked data-guard: leaving with words that are not saved asks first.
const touched = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (form) touched.add(form);
});
document.addEventListener("submit", (event) => touched.delete(event.target));
window.addEventListener("beforeunload", (event) => {
  if ([...touched].some((form) => form.isConnected)) event.preventDefault();
});

// A second click while the first is on its way does nothing; the server would not do it twice either. A form that
// is stopped on its way, or that scripts send, may be sent again.
const under = new Map();
const PATIENCE = 10000;
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || !(Date.now() - (under.get(event.target) ?? 0) < PATIENCE)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
window.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method === "post") under.set(event.target, Date.now());
});
window.addEventListener("pageshow", () => under.clear());
