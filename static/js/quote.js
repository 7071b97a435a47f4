// A piece of evidence becomes a quote in the text, where the cursor stands.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-quote-target]");
  if (!button) return;
  const area = document.querySelector(button.dataset.quoteTarget);
  const source = button.dataset.quote ?? document.querySelector(button.dataset.quoteFrom || null)?.textContent ?? "";
  if (!area || !source.trim()) return;
  const quote = source.trim().split(/\r?\n/).map((line) => `> ${line.trim()}`).join("\n");
  const credit = button.dataset.quoteCredit ? `\n> — ${button.dataset.quoteCredit}` : "";
  const at = area.selectionEnd ?? area.value.length;
  const before = area.value.slice(0, at).replace(/\s*$/, "");
  const after = area.value.slice(at).replace(/^\s*/, "");
  const text = `${before}${before ? "\n\n" : ""}${quote}${credit}\n\n`;
  area.value = text + after;
  area.focus();
  area.setSelectionRange(text.length, text.length);
  area.dispatchEvent(new Event("input", { bubbles: true }));
});
