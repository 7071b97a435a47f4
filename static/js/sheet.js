// The sheet by keyboard: arrows go from amount to amount, and the pool shows what would be left before it is saved.
// What is true comes from the server with each answer; this only looks ahead.

import { numberLanguage, readNumber, typedNumber } from "./numbers.js";

const cents = (text) => Math.round(readNumber(text) * 100);

function outside(form, value) {
  return value < cents(form.dataset.low) || value > cents(form.dataset.high);
}

function ahead(form) {
  const input = form.elements.amount;
  const value = cents(input.value || "0");
  const reason = form.querySelector("[data-reason]");
  if (reason) reason.hidden = !outside(form, value);
  const pool = document.querySelector(`[data-pool="${form.dataset.poolOf}"]`);
  if (!pool) return;
  let line = pool.querySelector(".sheet-after");
  if (!line) {
    line = document.createElement("p");
    line.className = "sheet-after";
    line.setAttribute("role", "status");
    pool.append(line);
  }
  const more = value - cents(form.dataset.was);
  const left = cents(pool.dataset.left) - more;
  line.toggleAttribute("data-over", left < 0);
  const number = new Intl.NumberFormat(numberLanguage, { minimumFractionDigits: 2 }).format(left / 100);
  line.textContent = more === 0 ? "" : `→ ${number}`;
}

// The handle moves in steps of the rounding, and stops at the ends of the band as they are.
function moved(handle) {
  const { low, high, step } = handle.form.dataset;
  const cent = Math.round(Number(handle.value) / Number(step)) * Number(step);
  return typedNumber(Math.min(Math.max(cent, Number(low)), Number(high)));
}

function prepare(root) {
  for (const form of root.querySelectorAll("[data-sheet-form]")) {
    const handle = form.querySelector("[data-handle]");
    if (handle) handle.hidden = Number(form.dataset.low) >= Number(form.dataset.high);
    const reason = form.querySelector("[data-reason]");
    if (reason) reason.hidden = !outside(form, cents(form.elements.amount.value || "0"));
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-sheet-form]");
  if (!form) return;
  const handle = form.querySelector("[data-handle]");
  if (event.target === handle) form.elements.amount.value = moved(handle);
  else if (event.target.name === "amount" && handle) handle.value = readNumber(event.target.value || "0");
  else return;
  ahead(form);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("[data-handle]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.target.name !== "amount" || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const fields = [...document.querySelectorAll("[data-sheet-form] [name=amount]")];
  const next = fields[fields.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  event.preventDefault();
  next?.focus();
  next?.select();
});

let last = "";
document.addEventListener("submit", (event) => {
  if (event.target.matches?.("[data-sheet-form]")) last = event.target.elements.amount.id;
});
document.addEventListener("htmx:after:swap", () => {
  prepare(document);
  if (last) document.getElementById(last)?.focus();
  last = "";
});
prepare(document);
