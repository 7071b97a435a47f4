// "3 hours ago" beside the words of the server, kept fresh; the exact instant stays in the title.
const steps = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"]];
const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });

function refresh() {
  document.querySelectorAll("time[data-relative]").forEach((time) => {
    let amount = (new Date(time.getAttribute("datetime")) - Date.now()) / 1000;
    for (const [size, unit] of steps) {
      if (Math.abs(amount) < size) {
        time.textContent = unit === "second" ? format.format(0, "minute") : format.format(Math.round(amount), unit);
        return;
      }
      amount /= size;
    }
  });
}
refresh();
setInterval(refresh, 60000);
document.addEventListener("htmx:after:swap", refresh);
