// One person out of all, by a few letters: a combobox. The server finds them, accents or not; without script the
// field takes a full name, an e-mail or a number.
let made = 0;

class Picker {
  constructor(box) {
    this.box = box;
    this.input = box.querySelector("input");
    this.list = document.createElement("ul");
    this.list.id = `picker-${++made}`;
    this.list.className = "picker-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", box.dataset.pickerLabel);
    this.list.hidden = true;
    this.input.after(this.list);
    this.input.removeAttribute("list");
    const says = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(says)) this.input.setAttribute(name, value);
    this.asked = 0;
    this.timer = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), 150);
    });
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the field loses the focus to the list, which would close it.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get chosen() {
    return this.list.querySelector("[aria-selected=true]");
  }

  async ask() {
    const number = ++this.asked;
    if (!this.input.value.trim()) return this.close();
    const url = new URL(this.box.dataset.pickerUrl, location.href);
    url.searchParams.set("q", this.input.value);
    try {
      const response = await fetch(url, { credentials: "same-origin", headers: { "HX-Request": "true" } });
      if (!response.ok || number !== this.asked || document.activeElement !== this.input) return;
      this.list.innerHTML = await response.text();
      this.options.forEach((option, index) => { option.id = `${this.list.id}-${index}`; });
      this.list.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.choose(null);
    } catch { /* the next letter asks again */ }
  }

  choose(option) {
    for (const each of this.options) each.setAttribute("aria-selected", String(each === option));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  take(option) {
    if (!option) return;
    this.input.value = option.dataset.value;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
    this.close();
  }

  close() {
    ++this.asked; // what is still on its way comes too late
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  press(event) {
    const { options } = this;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.list.hidden) {
      event.preventDefault();
      this.ask();
    } else if (step && options.length) {
      event.preventDefault();
      const from = this.chosen ? options.indexOf(this.chosen) : step > 0 ? -1 : 0;
      this.choose(options[(from + step + options.length) % options.length]);
    } else if (event.key === "Enter" && !this.list.hidden && this.chosen) {
      event.preventDefault();
      this.take(this.chosen);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.close();
    }
  }
}

export function start() {
  for (const box of document.querySelectorAll("[data-picker-url]:not([data-picked])")) {
    box.dataset.picked = "";
    new Picker(box);
  }
}
