// While weights are typed, the words below the bar say what is missing to 100; the bar itself follows on saving.
import { readNumber } from "./numbers.js";

const fields = [...document.querySelectorAll("[data-weight]")];
const word = document.querySelector("#weights .tone-word");
const bars = [...document.querySelectorAll("#weights svg rect")];

function follow() {
  const values = fields.map((field) => readNumber(field.value) || 0);
  const total = Math.round(values.reduce((sum, value) => sum + value, 0) * 100) / 100;
  const left = Math.round((100 - total) * 100) / 100;
  // A weight has two decimals, so each may be rounded by half a hundredth: 33.33 × 3 come to 100.
  const slack = 0.005 * values.filter((value) => value > 0).length + 1e-9;
  const isWhole = total > 0 && Math.abs(left) <= slack;
  const tone = isWhole ? "ok" : left > 0 ? "warn" : "danger";
  word.className = `tone-word tone-${tone}`;
  word.textContent = isWhole ? word.dataset.right : `${total} / 100`;
  const scored = values.filter((value) => value > 0);
  const scale = Math.max(total, 100);
  let x = 0;
  scored.forEach((value, index) => {
    const bar = bars[index];
    if (!bar || bar.classList.contains("missing")) return;
    bar.setAttribute("x", `${(100 * x) / scale}%`);
    bar.setAttribute("width", `${Math.max(0, (100 * value) / scale - 0.4)}%`);
    x += value;
  });
}

if (word && fields.length) {
  word.dataset.right = word.textContent.trim().startsWith("sums") ? word.textContent : "100 / 100";
  fields.forEach((field) => field.addEventListener("input", follow));
}
