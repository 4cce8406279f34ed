// The card of the conversation: who it is, what was said before, what to say now.

import { $, el, has, language, moment, serverNow, t } from "./common.js";

let card = null;
let path = []; // steps of the script walked through; the last one is shown
let stepped = () => {};

/** Called with the step's id whenever the operator moves in the script. */
export const onStep = (handle) => (stepped = handle);

export const stepNow = () => path.at(-1) ?? null;

export function showCard(shown) {
  card = shown;
  $("#name").textContent = card.name || t("operator.nameless");
  $("#number").textContent = spaced(card.phone);
  $("#about").textContent = t(card.came_in ? "operator.about_came_in" : "operator.about", { campaign: card.campaign, number: card.number });
  const kind = el("span", { className: `pill kind-${card.kind}` }, t(`kind.${card.kind}`));
  $("#about").prepend(kind, " ");
  if (card.came_in) $("#about").prepend(el("span", { className: "pill came-in" }, t("operator.came_in")), " ");
  $("#attributes").replaceChildren(
    ...Object.entries(card.attributes).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value ?? "")))),
  );
  $("#brief-field").hidden = !card.brief;
  $("#brief").replaceChildren(...paragraphs(card.brief));
  $("#history").replaceChildren(...card.history.map(earlier));
  if (!card.history.length) $("#history").append(el("li", { className: "muted" }, t("operator.first")));
  const kept = card.draft?.step;
  path = card.begin ? [card.begin] : [];
  if (kept && kept !== card.begin && card.script.steps.some((step) => step.id === kept)) path.push(kept);
  showScript();
  localTime();
}

/** `+7 912 345-67-89` reads better than fifteen digits; any other number in groups of three. */
function spaced(phone) {
  const russian = /^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(phone);
  if (russian) return `+7 ${russian[1]} ${russian[2]}-${russian[3]}-${russian[4]}`;
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone);
  return american ? `+1 ${american[1]} ${american[2]}-${american[3]}` : phone.replace(/(\d{3})(?=\d{2})/g, "$1 ");
}

const paragraphs = (text) => text.split(/\n\s*\n/).filter(Boolean).map((part) => el("p", {}, part.trim()));

export const kindName = (of, code) => of.dispositions.find((kind) => kind.code === code)?.[`name_${language}`] ?? code;

function earlier(entry) {
  const talked = entry.outcome === "connected";
  return el(
    "li",
    { className: talked ? "talked" : "" },
    el("time", { dateTime: entry.sent_at }, moment(entry.sent_at)),
    " ",
    entry.came_in && talked ? `${t("operator.came_in")}: ` : "",
    el("b", {}, entry.code ? kindName(card, entry.code) : t(`outcome.${entry.outcome}`)),
    entry.operator ? ` · ${entry.operator}` : "",
    entry.note ? el("q", {}, entry.note) : "",
  );
}

/** The callee's clock moves. */
export function localTime() {
  if (!card?.zones.length) return;
  const at = (zone) => moment(serverNow(), { weekday: "short", hour: "2-digit", minute: "2-digit" }, zone);
  $("#local").textContent = t("operator.local", { at: at(card.zones[0]), zone: card.zones[0].replaceAll("_", " ") });
  const hour = Number(new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23", timeZone: card.zones[0] }).format(serverNow()));
  $("#local").dataset.part = hour < 6 || hour >= 21 ? "night" : "day";
}

// Script --------------------------------------------------------------------------

/** `{name}` and the card's attributes are filled in; an unknown name stays as it is written. */
function filled(text) {
  const known = { name: card.name, phone: card.phone, campaign: card.campaign, ...card.attributes };
  return text.replace(/\{([^{}]{1,60})\}/g, (whole, name) => String(known[name.trim()] ?? whole));
}

function showScript() {
  const { steps, objections } = card.script;
  $("#script").hidden = !steps.length && !objections.length;
  $("#work").classList.toggle("scripted", !$("#script").hidden);
  const step = steps.find((one) => one.id === stepNow());
  $("#step-title").textContent = step?.title || t("script.title");
  $("#step").replaceChildren(...paragraphs(filled(step?.text ?? "")));
  $("#answers").replaceChildren(
    ...(step?.answers ?? []).map((answer, place) => {
      const button = el("button", { type: "button" }, el("kbd", {}, "abcdef"[place] ?? ""), el("span", {}, answer.text));
      button.addEventListener("click", () => follow(answer));
      return button;
    }),
  );
  $("#step-back").hidden = path.length < 2;
  $("#objections-field").hidden = !objections.length;
  $("#objections").replaceChildren(
    ...objections.map((one) => el("details", {}, el("summary", {}, one.title), ...paragraphs(filled(one.text)))),
  );
}

function follow(answer) {
  if (!answer.to) return $("#dispositions button")?.focus();
  path.push(answer.to);
  showScript();
  $("#answers button")?.focus({ preventScroll: true });
  stepped(stepNow());
}

$("#step-back").addEventListener("click", () => {
  path.pop();
  showScript();
  stepped(stepNow());
});

/** The answer of this letter, if the step has it. */
export function answerKey(letter) {
  const button = $("#answers").children["abcdef".indexOf(letter)];
  button?.click();
  return Boolean(button);
}

export const reasonName = (name) => (has(`reason.${name}`) ? t(`reason.${name}`) : name);
