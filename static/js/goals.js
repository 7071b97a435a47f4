// The form of a goal: rows come and go without a round trip, and the weight says what it leaves.

import { numberLanguage, readNumber } from "./numbers.js";

const rows = document.querySelector("[data-key-results]");

function fit(row) {
  const kind = row.querySelector("select")?.value || "increase";
  row.querySelectorAll("[data-for]").forEach((part) => {
    part.hidden = !part.dataset.for.split(" ").includes(kind);
  });
}

function dress(row) {
  fit(row);
  row.querySelector("select")?.addEventListener("input", () => fit(row));
  const remove = row.querySelector("input[name$=-DELETE]");
  remove?.addEventListener("input", () => {
    row.hidden = remove.checked;
    if (row.hidden) rows.querySelector("[data-add-row]").focus();
  });
}

if (rows) {
  const total = rows.querySelector("input[name$=-TOTAL_FORMS]");
  const most = Number(rows.querySelector("input[name$=-MAX_NUM_FORMS]").value);
  const add = rows.querySelector("[data-add-row]");
  rows.querySelectorAll("[data-rows] [data-row]").forEach(dress);
  const addRow = () => {
    const number = Number(total.value);
    const copy = rows.querySelector("[data-empty-row]").content.cloneNode(true);
    copy.querySelectorAll("*").forEach((node) => {
      for (const name of ["id", "name", "for", "aria-describedby"]) {
        const value = node.getAttribute(name);
        if (value?.includes("__prefix__")) node.setAttribute(name, value.replaceAll("__prefix__", number));
      }
    });
    const row = copy.querySelector("[data-row]");
    rows.querySelector("[data-rows]").append(copy);
    total.value = number + 1;
    add.disabled = number + 1 >= most;
    dress(row);
    return row;
  };
  add.addEventListener("click", (event) => {
    event.preventDefault();
    if (Number(total.value) < most) addRow().querySelector("input:not([type=hidden])").focus();
  });
  rows.closest("form").addEventListener("draft-restore", (event) => {
    while (Number(total.value) < most && `kr-${total.value}-title` in event.detail) addRow();
  });
}

const rest = document.querySelector("[data-weight-rest]");
const weight = document.querySelector("input[name=weight]");
if (rest && weight) {
  const live = rest.querySelector("[data-weight-live]");
  const words = new Intl.NumberFormat(numberLanguage, { maximumFractionDigits: 2 });
  const say = () => {
    const left = Math.round((Number(rest.dataset.weightRest) - (readNumber(weight.value) || 0)) * 100) / 100;
    live.textContent = weight.value === "" ? "" : `= ${words.format(100 - left)} / 100`;
    live.className = left === 0 ? "tone-ok" : left < 0 ? "tone-danger" : "tone-warn";
  };
  weight.addEventListener("input", say);
  say();
}

const horizon = document.querySelector("select[name=horizon]");
const weighs = document.querySelector("[data-weight]");
if (horizon && weighs) {
  const fitWeight = () => {
    weighs.hidden = horizon.value !== "cycle";
    if (rest) rest.hidden = weighs.hidden;
  };
  horizon.addEventListener("input", fitWeight);
  fitWeight();
}
