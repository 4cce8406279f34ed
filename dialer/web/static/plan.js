// What settings of a campaign mean for a base, said again at each change, before anything is saved.

import { $, ask, counted, number, t } from "./common.js";

const place = $("#plan");
const form = $("#settings");
const what = $("#what-if");
const SAID = ["mode", "attempts_max", "wrap_up_s", "ring_timeout_s", "max_lines", "profile", "purpose", "customer", "team"];
let turn = 0;

function query() {
  const said = new URLSearchParams();
  for (const name of SAID) {
    const field = form.elements[name];
    if (field?.value && field.validity.valid) said.set(name, field.value);
  }
  for (const field of what.elements) if (field.value && field.validity.valid) said.set(field.name, field.value);
  return said;
}

function words(plan) {
  return {
    attempts_max: number(plan.attempts_max),
    window: plan.window ? t("plan.window", { from: plan.window[0].replace(/^0/, ""), to: plan.window[1] }) : t("plan.hours", { hours: number(plan.hours_per_day, 1) }),
    contacts: number(plan.contacts),
    days: counted("days", plan.days),
    operators: counted("operators", plan.operators),
    attempts: number(plan.attempts),
    conversations: number(plan.conversations),
    work: number(plan.hours, 1),
    rate: number(plan.answer_rate * 100),
    talk: number(plan.talk_s),
  };
}

async function show() {
  const mine = ++turn;
  const said = query();
  const plan = await ask("GET", `${place.dataset.plan}?${said}`).catch(() => null);
  if (mine !== turn) return;
  if (!plan) {
    $("#plan-text").textContent = t("plan.unknown");
    $("#plan-from").textContent = "";
    return;
  }
  const given = words(plan);
  for (const name of ["contacts", "operators"]) what.elements[name].placeholder = number(plan[name]);
  what.elements.answer_percent.placeholder = given.rate;
  $("#plan-text").textContent = plan.contacts ? t("plan.sentence", given) : t("plan.empty", given);
  const example = place.dataset.example !== undefined && !said.has("contacts");
  const lines = ["plan.work", `plan.limited.${plan.limited_by}`, `plan.from.${plan.figures_of}`, ...(example ? ["plan.example"] : [])];
  $("#plan-from").textContent = plan.contacts ? lines.map((line) => t(line, given)).join(" ") : "";
}

let wait = 0;
for (const part of [form, what]) {
  part.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(show, 250);
  });
}
what.addEventListener("submit", (event) => event.preventDefault());
show();
