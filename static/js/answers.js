// What htmx does with answers that are no fragment. A refused or conflicting change (409, 422) may come as a whole
// page: it takes the whole window, never the corner that asked. Errors leave the page alone and are said in words.
import { hold } from "./held.js";
import { words } from "./http.js";

document.addEventListener("htmx:after:request", (event) => {
  const ctx = event.detail.ctx;
  if (ctx.response.status !== 409 && ctx.response.status !== 422) return;
  if (!/<html[\s>]/i.test(ctx.text)) return;
  ctx.target = document.body;
  ctx.swap = "innerHTML";
  ctx.select = null;
  ctx.hx = { ...ctx.hx, retarget: null, reswap: null, reselect: null };
  scrollTo(0, 0);
});

function tell(text) {
  const place = document.getElementById("messages");
  if (!place || [...place.children].some((toast) => toast.textContent === text)) return;
  const toast = document.createElement("div");
  toast.className = "toast-note toast-danger";
  toast.setAttribute("role", "alert");
  toast.textContent = text;
  place.append(toast);
  setTimeout(() => toast.remove(), 15000);
}

const polls = (ctx) => /\bevery\b/.test(ctx.sourceElement?.getAttribute("hx-trigger") || "");

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const { status } = ctx.response;
  if (status === 409 || status === 422 || polls(ctx)) return;
  const form = ctx.sourceElement?.closest?.("form");
  const anew = status === 403 && ctx.response.headers?.get("X-Load-Anew");
  if ((status === 401 || anew) && form) { hold(form, anew); return; }
  tell(status === 401 ? words(null, "signedOut", "not saved – you are signed out") : [403, 404].includes(status) ? words(null, "shut", "This is not open to you any more.") : words(null, "failed", "That did not work. Try again in a minute."));
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !polls(event.detail.ctx)) tell(words(null, "failed", "That did not work. Try again in a minute."));
});
