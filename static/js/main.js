// Loaded on every page. Each part wakes up only where its attribute is; without script every page still works.
import "./theme.js";
import "./confirm.js";
import "./palette.js";
import "./relative.js";
import "./fields.js";
import "./focus.js";
import "./quote.js";
import "./guard.js";
import "./keys.js";
import "./answers.js";
import "./held.js";

async function wake() {
  if (document.querySelector("[data-autosave]")) (await import("./autosave.js")).start();
  if (document.querySelector("[data-draft-url]")) (await import("./drafts.js")).start();
  if (document.querySelector("[data-picker-url]")) (await import("./picker.js")).start();
}
wake();
document.addEventListener("htmx:after:swap", wake);

// Toasts stay until read: they leave after ten seconds, but not while the pointer or the focus is on them.
function dress(toast) {
  if (toast.dataset.dressed) return;
  toast.dataset.dressed = "yes";
  const close = toast.querySelector("[data-toast-close]");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => toast.remove());
  }
  let left = toast.classList.contains("toast-danger") ? Infinity : 10;
  const clock = setInterval(() => {
    if (!toast.isConnected) return clearInterval(clock);
    if (toast.matches(":hover, :focus-within") || document.hidden) return;
    left -= 1;
    if (left <= 0) toast.remove();
  }, 1000);
}
const dressAll = () => document.querySelectorAll("[data-toast]").forEach(dress);
dressAll();
document.addEventListener("htmx:after:swap", dressAll);

const summary = document.querySelector("[data-focus]");
if (summary) summary.focus();

document.querySelectorAll("[data-back]").forEach((button) => {
  if (history.length < 2) return;
  button.hidden = false;
  button.addEventListener("click", () => history.back());
});
