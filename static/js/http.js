// What every request of ours to the server carries: the token against forged requests, and that it stays at home.
export function token(form) {
  const field = form?.querySelector("[name=csrfmiddlewaretoken]");
  if (field) return field.value;
  try {
    return JSON.parse(document.body.getAttribute("hx-headers:inherited") || "{}")["X-CSRFToken"] || "";
  } catch {
    return "";
  }
}

export function send(url, options = {}, form = null) {
  return fetch(url, {
    credentials: "same-origin",
    redirect: "error",
    ...options,
    headers: { "X-CSRFToken": token(form), Accept: "application/json", ...options.headers },
  });
}

export function say(element, words, state = "") {
  if (!element) return;
  element.textContent = words;
  element.dataset.state = state;
}

// The words of the page's language: a form's own (data-words-…), else base.html's, else English.
export function words(element, name, fallback) {
  const key = `words${name[0].toUpperCase()}${name.slice(1)}`;
  return element?.dataset[key] || document.getElementById("words")?.dataset[key] || fallback;
}
