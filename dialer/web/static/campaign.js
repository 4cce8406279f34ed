// What the settings of a campaign mean for its bases, said again at each change, before anything is saved.

import { $, ask, number, t } from "./common.js";

const place = $("#plan");
const form = $("#settings");
const what = $("#what-if");
let turn = 0;

async function show() {
  $("#preview-settings").hidden = form.elements.mode.value !== "preview";
  const mine = ++turn;
  const said = new URLSearchParams();
  for (const name of ["mode", "attempts_max", "wrap_up_s", "ring_timeout_s", "max_lines", "profile", "purpose"]) {
    const field = form.elements[name];
    if (field.value && field.validity.valid) said.set(name, field.value);
  }
  for (const field of what.elements) if (field.value && field.validity.valid) said.set(field.name, field.value);
  const plan = await ask("GET", `/api/v1/campaigns/${place.dataset.campaign}/plan?${said}`).catch(() => null);
  if (mine !== turn) return;
  if (!plan) {
    $("#plan-text").textContent = t("plan.unknown");
    return;
  }
  const given = {
    attempts_max: form.elements.attempts_max.value,
    window: plan.window ? t("plan.window", { from: plan.window[0].replace(/^0/, ""), to: plan.window[1] }) : t("plan.hours", { hours: number(plan.hours_per_day, 1) }),
    contacts: number(plan.contacts),
    days: number(plan.days),
    operators: number(plan.operators),
    attempts: number(plan.attempts),
    conversations: number(plan.conversations),
    work: number(plan.hours, 1),
  };
  what.elements.contacts.placeholder = number(plan.contacts);
  what.elements.operators.placeholder = number(plan.operators);
  $("#plan-text").textContent = plan.contacts ? t("plan.sentence", given) : t("plan.empty", given);
  $("#plan-from").textContent = plan.contacts
    ? `${t("plan.work", given)} ${t(`plan.limited.${plan.limited_by}`)} ${t(plan.own_figures ? "plan.own" : "plan.usual", { rate: number(plan.answer_rate * 100), talk: number(plan.talk_s) })}`
    : "";
}

let wait = 0;
for (const place of [form, what]) {
  place.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(show, 250);
  });
}
what.addEventListener("submit", (event) => event.preventDefault());
show();
