// Quotes go to the text that was written in last; choosing a low rating shows what it must rest on; what is saved
// brings the running score and what contradicts what was measured.
const form = document.querySelector("form[data-writing]");

function aim(area) {
  document.querySelectorAll("[data-quote]").forEach((button) => { button.dataset.quoteTarget = `#${area.id}`; });
}

if (form) {
  const areas = form.querySelectorAll("textarea");
  document.querySelectorAll("[data-quote]").forEach((button) => { button.hidden = areas.length === 0; });
  if (areas.length) aim(areas[0]);
  form.addEventListener("focusin", (event) => { if (event.target.matches("textarea")) aim(event.target); });
  const gate = document.querySelector("[data-gate]");
  if (gate) {
    const low = gate.dataset.gate.split(",");
    form.addEventListener("change", (event) => {
      if (event.target.name === "level") gate.hidden = !low.includes(event.target.value);
    });
  }
  form.addEventListener("pmcycle:saved", ({ detail }) => {
    if (!detail.warnings) return;
    const score = form.querySelector("[data-score]");
    if (score) score.textContent = detail.score;
    form.querySelectorAll("[data-warning]").forEach((place) => {
      place.textContent = detail.warnings[place.dataset.warning] || "";
    });
  });
}
