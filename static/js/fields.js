// Small helps in forms: counters, growing text areas, filters that apply at once, copying one text into another.
const grows = CSS.supports("field-sizing", "content");

function grow(area) {
  if (grows) return;
  area.rows = Math.min(30, Math.max(3, area.value.split("\n").reduce((sum, line) => sum + 1 + Math.floor(line.length / Math.max(20, area.cols || 80)), 0)));
}

function count(field) {
  const counter = document.getElementById(field.dataset.counter);
  if (!counter) return;
  const numbers = counter.textContent.match(/\d+/g) || [];
  const limit = Number(numbers.at(-1));
  counter.textContent = counter.textContent.replace(/\d+/, String(field.value.length));
  counter.classList.toggle("is-over", limit > 0 && field.value.length > limit);
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-counter]")) count(event.target);
  if (event.target.matches?.("textarea[data-autosize]")) grow(event.target);
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-filter-submit]")) event.target.form.requestSubmit();
});
// Empty filters would only make the address long.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches?.("[data-filter]")) return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-from]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copyFrom);
  const to = document.getElementById(button.dataset.copyTo);
  if (!from || !to) return;
  to.value = "copyAppend" in button.dataset && to.value ? `${to.value}\n\n${from.value}` : from.value;
  to.dispatchEvent(new Event("input", { bubbles: true }));
  to.focus();
});
function dress() {
  document.querySelectorAll("[data-copy-from]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("textarea[data-autosize]").forEach(grow);
}
dress();
document.addEventListener("htmx:after:swap", dress);
