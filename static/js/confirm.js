// A button with a consequence: without script it unfolds its sentence, with script it asks in a dialog.
document.addEventListener("click", (event) => {
  const summary = event.target.closest("details[data-confirm] > summary");
  if (!summary) return;
  event.preventDefault();
  const form = summary.closest("form");
  if (form && !form.reportValidity()) return;
  const box = summary.parentElement.querySelector(".confirm-box");
  const dialog = document.createElement("dialog");
  dialog.className = "ask";
  const copy = box.cloneNode(true);
  dialog.append(...copy.childNodes);
  const sentence = dialog.querySelector("p");
  sentence.id = "ask-sentence";
  dialog.setAttribute("aria-labelledby", sentence.id);
  const cancel = dialog.querySelector("[data-confirm-cancel]");
  cancel.hidden = false;
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (inside) => { if (inside.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { dialog.remove(); summary.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  cancel.focus();
});
