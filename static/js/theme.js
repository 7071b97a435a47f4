// Light, dark or auto at once, without a new page; the cookie lets the server write the next page right from the start.
const remember = (name, value) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
};

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  const button = event.submitter;
  if (!form || !button) return;
  event.preventDefault();
  document.documentElement.dataset.bsTheme = button.value;
  remember("theme", button.value);
  form.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
});

document.querySelectorAll("[data-sidebar-fold]").forEach((button) => {
  button.hidden = false;
  const root = document.documentElement;
  button.setAttribute("aria-expanded", String(root.dataset.sidebar !== "narrow"));
  button.addEventListener("click", () => {
    const narrow = root.dataset.sidebar !== "narrow";
    root.dataset.sidebar = narrow ? "narrow" : "wide";
    button.setAttribute("aria-expanded", String(!narrow));
    remember("sidebar", root.dataset.sidebar);
  });
});
