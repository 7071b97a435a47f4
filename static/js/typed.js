// What stands in a form, as plain values, and back into it again; never passwords, files or the form's own marks.
const skipped = (name) => ["csrfmiddlewaretoken", "form_key", "version"].includes(name);

export function read(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (skipped(name) || value instanceof File) continue;
    if (name in fields) fields[name] = [].concat(fields[name], value);
    else fields[name] = value;
  }
  form.querySelectorAll("input[type=password]").forEach((field) => delete fields[field.name]);
  return fields;
}

export function write(form, fields) {
  // A form whose rows come and go makes the rows first that the draft has.
  form.dispatchEvent(new CustomEvent("draft-restore", { detail: fields }));
  for (const [name, value] of Object.entries(fields)) {
    if (skipped(name)) continue;
    const values = [].concat(value).map(String);
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
      else if (field.type !== "file" && field.type !== "hidden") field.value = values[0];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}
