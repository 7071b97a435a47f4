// Autosave: the form's text goes to the server while people write. "Saved" is only ever said in the server's words,
// requests go one at a time and in order, and a text that someone else saved meanwhile is never overwritten.
import { hold } from "./held.js";
import { say, send, words } from "./http.js";

const PAUSE = 800;
const RETRY = [2, 5, 10, 20, 30];
const started = new WeakSet();

export function start() {
  document.querySelectorAll("form[data-autosave]").forEach((form) => {
    if (started.has(form)) return;
    started.add(form);
    attend(form);
  });
}

function attend(form) {
  const status = form.querySelector("[data-autosave-status]") || document.querySelector(`[data-autosave-status][data-for="${form.id}"]`);
  let timer = 0;
  let sending = null;
  let changed = false;
  let refused = false;
  let stopped = false;
  let leaving = false;
  let failures = 0;

  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  };

  form.addEventListener("input", (event) => {
    if (stopped || event.target.closest("[data-no-autosave]")) return;
    changed = true;
    refused = false;
    say(status, words(form, "changed", "not saved yet"), "changed");
    later(PAUSE);
  });
  form.addEventListener("change", () => changed && !stopped && later(PAUSE / 2));

  // The form's own submit must not race an autosave with an older version number: it waits for the answer.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (sending && !leaving) {
      event.preventDefault();
      const button = event.submitter;
      sending.finally(() => {
        leaving = true;
        form.requestSubmit(button);
      });
      return;
    }
    leaving = true;
    changed = false;
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (changed || refused || sending)) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && changed && !sending && !stopped) save();
  });
  window.addEventListener("online", () => changed && !stopped && later(0));

  function save() {
    if (sending || stopped || !changed || leaving) return;
    changed = false;
    const body = new FormData(form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    sending = send(form.dataset.autosave, { method: "POST", body, headers: { "X-Autosave": "1" } }, form)
      .then(answer, () => missed())
      .catch(() => missed())
      .finally(() => {
        sending = null;
        if (changed && !stopped && !failures) later(PAUSE);
      });
  }

  async function answer(response) {
    const json = (response.headers.get("Content-Type") || "").includes("json");
    const data = json ? await response.json() : {};
    if (response.ok && data.saved_at) {
      failures = 0;
      const version = form.querySelector("[name=version]");
      if (version && data.version !== undefined) version.value = data.version;
      if (!changed) say(status, `${words(form, "saved", "saved")} ${data.saved_at}`, "saved");
      form.dispatchEvent(new CustomEvent("pmcycle:saved", { bubbles: true, detail: data }));
    } else if (response.status === 409 && data.version !== undefined) {
      stopped = true;
      changed = true;
      banner(data.conflict_url);
    } else if (response.status === 400 || response.status === 422) {
      failures = 0;
      refused = true;
      const first = Object.values(data.errors || {}).flat()[0];
      say(status, first ? `${words(form, "wrong", "not saved:")} ${first}` : words(form, "unsaved", "not saved"), "failed");
    } else if (response.status === 401) {
      stopped = true;
      hold(form);
      say(status, words(form, "signedOut", "not saved – you are signed out"), "failed");
    } else if (response.status === 403 || response.status === 404 || response.status === 409) {
      // Refused, and not because somebody else saved: the reason in the server's words. It keeps the text.
      stopped = true;
      changed = true;
      say(status, `${words(form, "wrong", "not saved:")} ${data.detail || words(form, "closed", "this is not open to you any more. Copy your text before you leave.")}`, "failed");
    } else {
      missed();
    }
  }

  function missed() {
    changed = true;
    const wait = RETRY[Math.min(failures, RETRY.length - 1)];
    failures += 1;
    say(status, words(form, "retry", "not saved – will retry"), "failed");
    later(wait * 1000);
  }

  function banner(url) {
    say(status, words(form, "conflict", "not saved – someone saved meanwhile"), "failed");
    const box = document.createElement("div");
    box.className = "remark remark-warn";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = words(form, "conflictLong", "Someone saved this while you were writing. Your text is still here and nothing was overwritten.") + " ";
    if (url && new URL(url, location.href).origin === location.origin) {
      const link = document.createElement("a");
      link.href = url;
      link.textContent = words(form, "compare", "Compare the two texts");
      text.append(link);
      link.addEventListener("click", () => { leaving = true; });
    } else {
      text.append(words(form, "submitToCompare", "Save the form to compare the two texts."));
    }
    box.append(text);
    form.prepend(box);
    box.scrollIntoView({ block: "nearest" });
  }
}
