// What was sent when the sign-in had ended is kept on the device, and is in its form again after signing in.
//
// Each form that is sent is noted in this tab. If the answer says that nobody is signed in (data-held), the note is
// held on the device; any other answer ends it. Only whoever typed it gets it back, within a day; signing out ends all.
import { words } from "./http.js";
import { read, write } from "./typed.js";

const SENT = "pmcycle:sent";
const HELD = "pmcycle:held";
const DAY = 24 * 60 * 60 * 1000;
const user = () => document.body.dataset.user || "";
const here = () => location.pathname + location.search;
const target = (form) => new URL(form.getAttribute("action") || form.getAttribute("hx-post") || location.href, location.href).pathname;

function held() {
  try {
    const found = JSON.parse(localStorage.getItem(HELD) || "[]");
    return found.filter((one) => Date.now() - one.at < DAY);
  } catch {
    return [];
  }
}

function keep(list) {
  try {
    if (list.length) localStorage.setItem(HELD, JSON.stringify(list));
    else localStorage.removeItem(HELD);
  } catch { /* a device that keeps nothing: the page still shows the words */ }
}

const same = (a, b) => a.user === b.user && a.page === b.page && a.action === b.action;

function note(form) {
  const typed = [...form.querySelectorAll("textarea, input:not([type=hidden]), select")].some((field) => field.name && field.value);
  if (!user() || !typed || form.method !== "post" || form.querySelector("input[type=password]")) return null;
  return { user: user(), page: here(), action: target(form), fields: read(form), at: Date.now() };
}

// Keep what stands in this form, because the server has just said that nobody is signed in, or (anew) that this page
// belongs to another sign-in.
export function hold(form, anew = false) {
  const one = note(form);
  if (!one) return;
  keep([...held().filter((other) => !same(one, other)), one]);
  if (form.querySelector(":scope > [data-signed-out]")) return;
  const box = remark(anew
    ? words(form, "anew", "This page belongs to another sign-in. Your words are kept on this device: load it anew, and they are in the form again.")
    : words(form, "signedOutLong", "You are signed out. Your words are kept on this device: sign in, and they are in the form again."));
  box.dataset.signedOut = "";
  const way = document.getElementById("words")?.dataset.signInUrl;
  if (anew) box.append(link(one.page, words(form, "load", "Load it anew")));
  else if (way) box.append(link(`${way}?next=${encodeURIComponent(one.page)}`, words(form, "signIn", "Sign in")));
  form.prepend(box);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (/\/logout\/$/.test(target(form))) {
    keep([]);
    return;
  }
  const one = note(form);
  if (!one) return;
  keep(held().filter((other) => !same(one, other)));
  try { sessionStorage.setItem(SENT, JSON.stringify(one)); } catch { /* as above */ }
}, true);

function remark(text) {
  const box = document.createElement("div");
  box.className = "remark remark-info";
  box.setAttribute("role", "status");
  const line = document.createElement("p");
  line.textContent = `${text} `;
  box.append(line);
  return box;
}

function link(href, text) {
  const way = document.createElement("a");
  way.className = "btn btn-sm";
  way.href = href;
  way.textContent = text;
  return way;
}

function away(one, box) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm";
  button.textContent = words(null, "throwAway", "Throw away");
  button.addEventListener("click", () => { keep(held().filter((other) => !same(one, other))); box.remove(); });
  return button;
}

function sentBefore() {
  try {
    const one = JSON.parse(sessionStorage.getItem(SENT) || "null");
    sessionStorage.removeItem(SENT);
    return one;
  } catch {
    return null;
  }
}

function start() {
  const sent = sentBefore();
  if (document.querySelector("[data-held]")) {
    if (sent) keep([...held().filter((other) => !same(sent, other)), sent]);
    const line = document.querySelector("[data-held-words]");
    if (line) line.hidden = !sent;
    return;
  }
  const mine = held().filter((one) => one.user === user());
  keep(held());
  for (const one of mine) {
    const form = one.page === here() && [...document.querySelectorAll("form")].find((each) => each.method === "post" && target(each) === one.action);
    if (form) {
      write(form, one.fields);
      const box = remark(words(form, "held", "Your words from before you were signed out are in the form again. They are not handed in yet."));
      box.append(away(one, box));
      form.prepend(box);
    } else {
      const box = remark(words(null, "heldElsewhere", "Words of yours from before you were signed out are kept on this device."));
      if (one.page === here()) {
        for (const text of Object.values(one.fields).flat().filter((value) => /\s|.{20}/.test(value))) {
          const line = document.createElement("p");
          line.textContent = text;
          box.append(line);
        }
      } else {
        box.append(link(one.page, words(null, "heldGo", "Back to the form")), " ");
      }
      box.append(away(one, box));
      document.querySelector(".page-main")?.prepend(box);
    }
  }
}
start();
