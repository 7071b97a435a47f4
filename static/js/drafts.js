// Drafts: what is typed into a form that is not saved yet goes to the server, and comes back on any device.
import { hold } from "./held.js";
import { say, send, words } from "./http.js";
import { read, write } from "./typed.js";

const PAUSE = 1000;
const started = new WeakSet();

export function start() {
  document.querySelectorAll("form[data-draft-url]").forEach((form) => {
    if (started.has(form)) return;
    started.add(form);
    attend(form);
  });
}

async function attend(form) {
  const url = form.dataset.draftUrl;
  const status = form.querySelector("[data-draft-status], [data-autosave-status]");
  let timer = 0;
  let busy = false;
  let again = false;
  let submitted = false;
  let flight = new AbortController();
  // How often this form had been sent when it was opened: a draft that comes after the sending changes nothing.
  let sent = "";

  async function put() {
    if (submitted) return;
    if (busy) { again = true; return; }
    busy = true;
    try {
      const response = await send(url, { method: "PUT", body: JSON.stringify({ fields: read(form) }), headers: { "Content-Type": "application/json", ...(sent ? { "X-Draft-Sent": sent } : {}) }, signal: flight.signal }, form);
      if (response.status === 409) { submitted = true; return; }
      if (response.status === 401) { submitted = true; hold(form); say(status, words(form, "signedOut", "not saved – you are signed out"), "failed"); return; }
      const data = response.ok ? await response.json() : null;
      if (data?.saved_at) say(status, `${words(form, "draft", "draft kept")} ${data.saved_at}`, "saved");
      else { say(status, words(form, "noDraft", "draft not kept – will retry"), "failed"); timer = setTimeout(put, 5000); }
    } catch {
      if (submitted) return;
      say(status, words(form, "noDraft", "draft not kept – will retry"), "failed");
      timer = setTimeout(put, 5000);
    } finally {
      busy = false;
      if (again) { again = false; put(); }
    }
  }
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(put, PAUSE); });
  // What is under way when the form is sent would bring the draft back that sending has ended.
  form.addEventListener("submit", () => { submitted = true; clearTimeout(timer); flight.abort(); });
  window.addEventListener("pageshow", async (event) => {
    submitted = false;
    flight = new AbortController();
    if (event.persisted) await ask();
  });

  async function ask() {
    const response = await send(url, {}, form);
    sent = response.headers.get("X-Draft-Sent") ?? "";
    return response.status === 200 ? response.json() : null;
  }

  let draft = null;
  try {
    draft = await ask();
  } catch { /* no draft is no harm */ }
  const since = form.dataset.draftNewerThan;
  if (!draft?.fields || (since && draft.saved_at && new Date(draft.saved_at) <= new Date(since))) return;
  const now = read(form);
  if (Object.entries(draft.fields).every(([name, value]) => String(now[name] ?? "") === String(value))) return;

  const box = document.createElement("div");
  box.className = "remark remark-info";
  box.setAttribute("role", "status");
  const text = document.createElement("p");
  text.textContent = `${words(form, "found", "There is newer text of yours that was not saved")}${draft.saved_at_text ? ` (${draft.saved_at_text})` : ""}. `;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm";
  button.textContent = words(form, "restore", "Bring it back");
  button.addEventListener("click", () => { write(form, draft.fields); box.remove(); form.querySelector("textarea, input:not([type=hidden])")?.focus(); });
  box.append(text, button);
  form.prepend(box);
}
