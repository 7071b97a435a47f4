// Keys for those who like them; none without a modifier while one writes.
let before = "";
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.form) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (writing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?") document.getElementById("keys")?.togglePopover();
  else if (event.key === "/") {
    const field = document.querySelector("[data-filter] input[type=search]");
    if (field) { event.preventDefault(); field.focus(); }
  } else if (before === "g" && event.key === "h") location.assign("/");
  before = event.key;
});
