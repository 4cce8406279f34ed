// What a supervisor does to one operator from the board; each asks first and says who will see it.

import { $, ask, attempt, confirmed, el, moment, t } from "./common.js";
import { hear } from "./listening.js";

const dialog = $("#row");
const SECONDS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

/**
 * Listen, whisper, join, pause, message, another campaign or end of shift for one operator; and who saw what was said before.
 * `talks`: null while the operator does not talk, else whether the campaign shows listeners to its operators.
 */
export function openRow(id, name, talks) {
  $("#row-hear").hidden = talks === null;
  $("#row-title").textContent = name;
  $("#row-said").hidden = true;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener("close", () => act(dialog.returnValue, id, name, talks), { once: true });
  showSaid(id);
}

async function showSaid(id) {
  const { messages } = await ask("GET", `/api/v1/operators/${id}/messages`).catch(() => ({ messages: [] }));
  $("#row-said").hidden = !messages.length;
  $("#row-messages").replaceChildren(
    ...messages.slice(0, 5).map((one) =>
      el("li", {}, el("q", {}, one.text), el("small", {}, `${one.by} · ${moment(one.at, SECONDS)}`),
        el("span", { className: "pill", "data-state": one.heard_at ? "running" : "paused" }, one.heard_at ? t("row.seen", { at: moment(one.heard_at, SECONDS) }) : t("row.unseen"))),
    ),
  );
}

async function act(what, id, name, shown) {
  if (["listen", "whisper", "join"].includes(what)) return hear(what, id, name, shown);
  if (what === "campaign") return move(id, name);
  if (!["pause", "message", "stop"].includes(what)) return;
  const field = what === "message" ? t("row.message.text") : "";
  const said = await confirmed(t(`row.${what}`), t(`row.${what}.ask`, { name }), { field, danger: what === "stop", yes: t(`row.${what}`) });
  if (said === false) return;
  const body = what === "message" ? { text: said } : undefined;
  await attempt(() => ask("POST", `/api/v1/operators/${id}/${what}`, body), t(what === "message" ? "row.sent" : "row.done", { name }));
}

async function move(id, name) {
  const { campaigns } = await ask("GET", "/api/v1/campaigns").catch(() => ({ campaigns: [] }));
  const open = campaigns.filter((one) => one.state === "running" || one.state === "paused");
  const question = $("#row-move");
  $("select", question).replaceChildren(...open.map((one) => el("option", { value: String(one.id) }, `${one.name} · ${one.team}`)));
  question.returnValue = "no";
  question.showModal();
  question.addEventListener(
    "close",
    () => {
      const campaign = Number($("select", question).value);
      if (question.returnValue === "yes" && campaign) attempt(() => ask("POST", `/api/v1/operators/${id}/campaign`, { campaign }), t("row.done", { name }));
    },
    { once: true },
  );
}
