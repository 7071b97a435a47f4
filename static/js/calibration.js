// A card dropped in another column opens the form that asks for the reason; the server judges the move.
const board = document.querySelector("[data-calibration]");
if (board && window.Sortable) {
  board.querySelectorAll("[data-column]").forEach((column) => {
    window.Sortable.create(column, {
      group: "calibration",
      draggable: "[data-drag]",
      filter: "a, button",
      preventOnFilter: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      onEnd({ item, to, from }) {
        if (to === from) return;
        location.href = `${board.dataset.calibration}?case=${item.dataset.case}&level=${to.dataset.column}#move`;
      },
    });
  });
}
