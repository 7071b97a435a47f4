// Ctrl-K: find a person, a goal or a page within what the reader may see; the server answers with a list of links.
const dialog = document.getElementById("palette");

if (dialog) {
  const input = dialog.querySelector("[data-palette-input]");
  const list = dialog.querySelector("[data-palette-list]");
  const status = dialog.querySelector("[data-palette-status]");
  let timer = 0;
  let asked = 0;

  const links = () => [...list.querySelectorAll("a")];
  const choose = (index) => {
    const all = links();
    all.forEach((link) => link.classList.remove("is-chosen"));
    const link = all[(index + all.length) % all.length];
    link?.classList.add("is-chosen");
    link?.scrollIntoView({ block: "nearest" });
  };

  async function ask() {
    const number = ++asked;
    const url = new URL(dialog.dataset.paletteUrl, location.href);
    url.searchParams.set("q", input.value);
    try {
      const response = await fetch(url, { credentials: "same-origin", headers: { "X-Palette": "1" } });
      if (!response.ok || number !== asked) return;
      list.innerHTML = await response.text();
      status.textContent = String(links().length);
      if (links().length) choose(0);
    } catch { /* the next letter asks again */ }
  }

  const open = () => {
    if (!dialog.open) dialog.showModal();
    input.select();
    ask();
  };
  document.addEventListener("click", (event) => {
    if (!dialog.isConnected) return; // another page took the window; its link leads to the search page
    if (event.target.closest("[data-palette-open]")) {
      event.preventDefault();
      document.getElementById("sidebar")?.matches(":popover-open") && document.getElementById("sidebar").hidePopover();
      open();
    } else if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && dialog.isConnected) {
      event.preventDefault();
      open();
    }
  });
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("keydown", (event) => {
    const index = links().findIndex((link) => link.classList.contains("is-chosen"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(index + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && index >= 0) {
      event.preventDefault();
      links()[index].click();
    }
  });
}
