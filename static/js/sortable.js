// Cards between columns by drag. Each card holds a form with a select and a button, which does the same by keyboard
// and without script; a drop sets that select and sends that form, so the server judges both ways alike.
document.querySelectorAll("[data-sortable-board]").forEach((board) => {
  board.querySelectorAll("[data-column]").forEach((column) => {
    window.Sortable?.create(column, {
      group: board.id || "board",
      draggable: "[data-drag]",
      handle: "[data-drag-handle]",
      filter: "select, button, a, textarea",
      preventOnFilter: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      onEnd({ item, to, from }) {
        if (to === from) return;
        const select = item.querySelector("select[data-move]");
        if (!select) return;
        select.value = to.dataset.column;
        select.form.requestSubmit();
      },
    });
  });
});
