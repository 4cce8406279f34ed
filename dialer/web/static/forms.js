// Forms and buttons of the admin pages: what they say goes to the API as JSON; a refusal is shown at its field.

import { $, ask, confirmed, moment, Refusal, t, toast } from "./common.js";

const READ = {
  int: (text) => Number.parseInt(text, 10),
  float: (text) => Number(text.replace(",", ".")),
  hours: (text) => Math.round(Number(text.replace(",", ".")) * 3600),
  decimal: (text) => text.replace(/[\s\u00a0]/g, "").replace(",", "."),
  percent: (text) => Math.round(Number(text.replace(",", ".")) * 10),
  lines: (text) => text.split("\n").map((line) => line.trim()).filter(Boolean),
  moment: (text) => new Date(text).toISOString(),
  flag: (text) => text === "true",
  list: (text) => text.split(/[\s,;]+/).filter(Boolean),
};

/** Put a value where a name like `keys.9` says. */
function put(said, name, value) {
  const [first, ...rest] = name.split(".");
  if (rest.length) put((said[first] ??= {}), rest.join("."), value);
  else said[first] = value;
}

/** What a form says, by the types its fields name; an empty field is left out unless it has data-empty. */
export function body(form) {
  const said = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    if (field.type === "checkbox") {
      if (field.dataset.type === "many") {
        said[field.name] ??= [];
        if (field.checked) said[field.name].push(field.value);
      } else said[field.name] = field.checked;
      continue;
    }
    const text = field.value.trim();
    if (text) put(said, field.name, (READ[field.dataset.type] ?? String)(text));
    else if (field.dataset.empty !== undefined) said[field.name] = field.dataset.empty === "null" ? null : field.dataset.type === "lines" ? [] : field.dataset.empty;
  }
  return said;
}

export function clear(form) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const note of form.querySelectorAll(".field-error")) note.remove();
  const place = $(".error", form);
  if (place) place.hidden = true;
}

/** Show a refusal at the fields it names, the rest above the button; the first wrong field gets the focus. */
export function refuse(form, refusal) {
  const fields = refusal.data?.fields ?? [];
  let first = null;
  for (const { field, message } of fields) {
    const input = form.elements[field] ?? form.elements[field.split(".")[0]];
    if (!input?.setAttribute) continue;
    const note = document.createElement("small");
    note.className = "field-error";
    note.id = `wrong-${field.replace(/\W/g, "-")}`;
    note.textContent = refusal.code === "request.invalid" ? message : refusal.message;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", note.id);
    input.after(note);
    first ??= input;
  }
  const place = $(".error", form);
  if (place && !first) {
    place.textContent = refusal.message;
    place.hidden = false;
  } else if (!first) toast(refusal.message, "bad");
  first?.focus();
}

async function send(api, said) {
  const [method, path] = api.split(" ");
  return ask(method, path, said);
}

/** `reload`, `stay` (a toast), `show:#id` (a secret that is shown once) or `go:/path/{a.b}` filled from the answer. */
function then(what, answer) {
  const [word, rest = ""] = what.split(/:(.*)/);
  if (word === "go") location.assign(rest.replace(/\{([\w.]+)\}/g, (_, path) => path.split(".").reduce((part, name) => part[name], answer)));
  else if (word === "show") {
    const place = $(rest);
    place.hidden = false;
    $("[data-secret]", place).textContent = answer.secret;
    place.focus();
  } else if (word === "reload") {
    sessionStorage.setItem("said", t("form.done"));
    location.reload();
  } else toast(t("form.saved"));
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form) return;
  event.preventDefault();
  clear(form);
  if (form.dataset.ask && (await confirmed(form.dataset.title ?? t("form.sure"), form.dataset.ask)) === false) return;
  const button = event.submitter ?? $("button", form);
  button.disabled = true;
  try {
    then(form.dataset.then ?? "reload", await send(form.dataset.api, body(form)));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    refuse(form, refusal);
  } finally {
    button.disabled = false;
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-api]");
  if (!button) return;
  const { api, ask: question = "", title = t("form.sure"), field = "", name = "", danger } = button.dataset;
  let said = button.dataset.body ? JSON.parse(button.dataset.body) : undefined;
  if (question || field) {
    const typed = await confirmed(title, question, { field, danger: danger !== undefined });
    if (typed === false) return;
    if (field) said = { ...said, [name]: typed };
  }
  try {
    then(button.dataset.then ?? "reload", await send(api, said));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    toast(refusal.message, "bad");
  }
});

const said = sessionStorage.getItem("said");
if (said) {
  sessionStorage.removeItem("said");
  toast(said);
}

/** Times are written by the server in UTC; the reader's own zone is shown. */
function localTimes(within) {
  for (const time of within.querySelectorAll("time[data-moment]")) {
    time.textContent = moment(time.dateTime, time.dataset.moment === "seconds" ? { dateStyle: "short", timeStyle: "medium" } : undefined);
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    delete time.dataset.moment;
  }
}

localTimes(document);
new MutationObserver(() => localTimes(document)).observe(document.body, { childList: true, subtree: true });
