// Keys for those who like them; none without a modifier while one writes. Who dictates would press single keys by
// chance, and can turn them off on this device.
const OFF = "pmcycle:no-single-keys";
const stored = (act) => { try { return act(localStorage); } catch { return null; } };
const choice = document.querySelector("[data-single-keys]");
if (choice) {
  choice.checked = stored((kept) => kept.getItem(OFF)) === null;
  choice.closest("label").hidden = false;
  choice.addEventListener("change", () => stored((kept) => (choice.checked ? kept.removeItem(OFF) : kept.setItem(OFF, "1"))));
}

let before = "";
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.form) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (choice && !choice.checked) return;
  if (writing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?") document.getElementById("keys")?.togglePopover();
  else if (event.key === "/") {
    const field = document.querySelector("[data-filter] input[type=search]");
    if (field) { event.preventDefault(); field.focus(); }
  } else if (before === "g" && event.key === "h") location.assign("/");
  before = event.key;
});
