// The editor of a script: what is written on the left is shown on the right exactly as operators will see it, by the same code.

import { $, ask, confirmed, el, language, Refusal, t, toast } from "./common.js";
import { onStep, showCard } from "./card.js";

const place = $("#editor");
const may = place.dataset.may !== undefined;
const first = JSON.parse(place.dataset.script);
const path = `/api/v1/campaigns/${place.dataset.campaign}/script`;
const KINDS = ["any", "first", "repeat", "callback"];

let version = first.version;
let { brief, body } = first;
let saved = JSON.stringify([brief, body]);
let words = [];
let findings = [];
let kind = "first";
let looking = null; // the step the preview shows

const beginning = () => body.scenarios[kind] || body.scenarios.any || body.steps[0]?.id || null;
const label = (step) => step.title || t("editor.step", { number: body.steps.indexOf(step) + 1 });

// What is written ------------------------------------------------------------------

/** An input that writes into `of[name]`; structure stays, so that the focus does. */
function input(of, name, tag, properties) {
  const made = el(tag, { ...properties, disabled: !may });
  made.value = of[name];
  made.addEventListener("input", () => {
    of[name] = made.value;
    changed();
  });
  return made;
}

function tool(text, title, act) {
  const made = el("button", { type: "button", className: "small", title, "aria-label": title }, text);
  made.addEventListener("click", act);
  return made;
}

/** Move, delete: the same for steps and objections. */
function tools(list, at, name, remove) {
  if (!may) return [];
  const move = (by) => {
    [list[at], list[at + by]] = [list[at + by], list[at]];
    restructured();
  };
  return [
    ...(at > 0 ? [tool("↑", t("editor.up", { name }), () => move(-1))] : []),
    ...(at < list.length - 1 ? [tool("↓", t("editor.down", { name }), () => move(1))] : []),
    tool("×", t("editor.remove", { name }), remove),
  ];
}

function destinations(chosen, none, pick) {
  const select = el("select", { disabled: !may });
  select.append(new Option(none, ""), ...body.steps.map((step) => new Option(`→ ${label(step)}`, step.id)));
  if (may && pick) select.append(new Option(t("editor.to_new"), "+"));
  if (chosen && !body.steps.some((step) => step.id === chosen)) select.append(new Option(t("editor.to_gone"), chosen));
  select.value = chosen ?? "";
  return select;
}

function answerRow(step, answer, at) {
  const text = input(answer, "text", "input", { maxLength: 200, placeholder: t("editor.answer"), "aria-label": t("editor.answer_of", { number: at + 1, name: label(step) }) });
  const to = destinations(answer.to, t("editor.ends"), true);
  to.setAttribute("aria-label", t("editor.leads", { number: at + 1, name: label(step) }));
  to.addEventListener("change", () => {
    answer.to = to.value === "+" ? newStep(step).id : to.value || null;
    restructured();
  });
  const drop = tool("×", t("editor.remove", { name: answer.text || t("editor.answer") }), () => {
    step.answers.splice(at, 1);
    restructured();
  });
  return el("li", { className: "answer" }, el("kbd", {}, "abcdef"[at] ?? ""), text, to, ...(may ? [drop] : []));
}

function stepItem(step, at) {
  const name = label(step);
  const title = input(step, "title", "input", { maxLength: 200, placeholder: name, "aria-label": t("editor.step_title", { number: at + 1 }) });
  const text = input(step, "text", "textarea", { rows: 3, maxLength: 4000, placeholder: t("editor.says"), "aria-label": t("editor.step_text", { name }) });
  const add = tool(`+ ${t("editor.answer")}`, t("editor.add_answer", { name }), () => {
    step.answers.push({ text: "", to: null });
    restructured();
    $(`#step-${step.id} .answer:last-child input`).focus();
  });
  const remove = async () => {
    const used = body.steps.some((other) => other !== step && other.answers.some((answer) => answer.to === step.id));
    if (used && (await confirmed(t("editor.remove", { name }), t("editor.used"), { danger: true })) === false) return;
    body.steps.splice(body.steps.indexOf(step), 1);
    for (const one of KINDS) if (body.scenarios[one] === step.id) delete body.scenarios[one];
    restructured();
  };
  const item = el(
    "li",
    { id: `step-${step.id}`, className: "step-item" },
    el("div", { className: "row" }, el("span", { className: "muted" }, String(at + 1)), title, ...tools(body.steps, at, name, remove)),
    text,
    el("ul", { className: "answers-list" }, ...step.answers.map((answer, number) => answerRow(step, answer, number))),
    ...(may && step.answers.length < 12 ? [el("div", { className: "row" }, add)] : []),
    el("ul", { className: "findings-list" }),
  );
  item.addEventListener("focusin", () => {
    if (looking === step.id) return;
    looking = step.id;
    preview();
  });
  return item;
}

function hintItem(hint, at) {
  const name = hint.title || t("editor.objection");
  const remove = () => {
    body.objections.splice(at, 1);
    restructured();
  };
  return el(
    "li",
    { className: "step-item" },
    el("div", { className: "row" }, input(hint, "title", "input", { maxLength: 200, placeholder: t("editor.objection"), "aria-label": t("editor.objection_of", { number: at + 1 }) }), ...tools(body.objections, at, name, remove)),
    input(hint, "text", "textarea", { rows: 2, maxLength: 4000, placeholder: t("editor.reply"), "aria-label": t("editor.reply_to", { name }) }),
  );
}

function scenario(one) {
  const select = destinations(body.scenarios[one], t(one === "any" ? "editor.at_first" : "editor.as_any"), false);
  select.addEventListener("change", () => {
    if (select.value) body.scenarios[one] = select.value;
    else delete body.scenarios[one];
    changed();
  });
  return el("label", {}, t(`kind.${one}`), select);
}

function newStep(after = null) {
  const taken = new Set(body.steps.map((step) => step.id));
  let number = body.steps.length + 1;
  while (taken.has(`s${number}`)) number += 1;
  const step = { id: `s${number}`, title: "", text: "", answers: [] };
  body.steps.splice(after ? body.steps.indexOf(after) + 1 : body.steps.length, 0, step);
  return step;
}

function restructured() {
  $("#steps").replaceChildren(...body.steps.map(stepItem));
  if (!body.steps.length) $("#steps").append(el("li", { className: "nothing" }, el("strong", {}, t("editor.none")), el("p", {}, t("editor.none.do"))));
  $("#hints").replaceChildren(...body.objections.map(hintItem));
  $("#scenarios").replaceChildren(...KINDS.map(scenario));
  changed();
}

// What operators will see -------------------------------------------------------------

function preview() {
  const attributes = Object.fromEntries(words.map((word) => [word, `«${word}»`]));
  showCard({
    name: t("editor.sample"), phone: "+74951234567", campaign: place.dataset.name, number: kind === "first" ? 1 : 2, kind,
    attributes, brief, history: [], zones: [], begin: beginning(), script: body, draft: looking ? { step: looking } : null,
  });
  $("#attributes").replaceChildren();
  $("#nothing").hidden = Boolean(body.steps.length || body.objections.length);
}

onStep((id) => (looking = id));

$("#kinds").addEventListener("click", (event) => {
  if (!event.target.dataset.kind) return;
  kind = event.target.dataset.kind;
  looking = null;
  for (const other of $("#kinds").children) other.setAttribute("aria-checked", String(other.dataset.kind === kind));
  preview();
});

// The check -----------------------------------------------------------------------------

let wait = 0;

/** Written but perhaps not saved: shown at once, checked soon. */
function changed() {
  preview();
  $("#unsaved").textContent = JSON.stringify([brief, body]) === saved ? "" : t("editor.unsaved");
  clearTimeout(wait);
  wait = setTimeout(check, 350);
}

async function check() {
  const answer = await ask("POST", `${path}/check`, sendable()).catch(() => null);
  if (!answer) return;
  ({ findings } = answer);
  if (words.join() !== answer.words.join()) {
    words = answer.words;
    preview();
  }
  $("#words").textContent = words.length ? t("editor.words", { words: ["name", ...words].map((word) => `{${word}}`).join(" ") }) : "";
  showFindings();
}

/** An answer without words is not said by anybody. */
const sendable = () => ({
  ...body,
  steps: body.steps.map((step) => ({ ...step, answers: step.answers.filter((answer) => answer.text.trim()) })),
  objections: body.objections.filter((one) => one.title.trim()),
});

function finding(one, named) {
  const step = body.steps.find((other) => other.id === one.step);
  const line = el("li", { className: one.code === "broken" ? "wrong" : "" });
  if (named && step) {
    const go = el("button", { type: "button", className: "small" }, label(step));
    go.addEventListener("click", () => $(`#step-${step.id} textarea`).focus());
    line.append(go, " ");
  }
  line.append(one[language]);
  return line;
}

function showFindings() {
  const well = body.steps.length ? t("editor.well") : t("editor.none");
  $("#findings").replaceChildren(...(findings.length ? findings.map((one) => finding(one, true)) : [el("li", { className: "well" }, well)]));
  for (const step of body.steps) {
    const own = findings.filter((one) => one.step === step.id);
    $(`#step-${step.id} > .findings-list`)?.replaceChildren(...own.map((one) => finding(one, false)));
  }
}

// Saving, and versions ---------------------------------------------------------------------

function take(script) {
  ({ brief, body } = script);
  $("#brief-text").value = brief;
  looking = null;
  restructured();
}

async function save() {
  try {
    const { script } = await ask("PUT", path, { brief, body: sendable(), based_on: version });
    version = script.version;
    saved = JSON.stringify([script.brief, script.body]);
    take(script);
    toast(t("editor.saved", { version }));
    $("#edited").textContent = t("editor.version", { version });
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    toast(refusal.message, "bad");
  }
}

$("#save")?.addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (!may || event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  save();
});
addEventListener("beforeunload", (event) => {
  if (may && JSON.stringify([brief, body]) !== saved) event.preventDefault();
});

for (const button of document.querySelectorAll("[data-version]")) {
  button.addEventListener("click", async () => {
    if ($("#unsaved").textContent && (await confirmed(button.textContent, t("editor.lose"), { danger: true })) === false) return;
    const { script } = await ask("GET", `${path}?version=${button.dataset.version}`);
    take(script);
    toast(t("editor.opened", { version: script.version }), "plain");
    scrollTo({ top: 0 });
  });
}

$("#brief-text").addEventListener("input", (event) => {
  brief = event.target.value;
  changed();
});
$("#brief-text").disabled = !may;
$("#add-step")?.addEventListener("click", () => {
  const step = newStep();
  restructured();
  $(`#step-${step.id} textarea`).focus();
});
$("#add-hint")?.addEventListener("click", () => {
  body.objections.push({ title: "", text: "" });
  restructured();
  $("#hints li:last-child input").focus();
});

take(first);
