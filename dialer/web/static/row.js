// What a supervisor does to one operator from the board; each asks first and says who will see it.

import { $, ask, attempt, confirmed, t } from "./common.js";

const dialog = $("#row");

/** Pause, message or end of shift for one operator. */
export function openRow(id, name) {
  $("#row-title").textContent = name;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener("close", () => act(dialog.returnValue, id, name), { once: true });
}

async function act(what, id, name) {
  if (!["pause", "message", "stop"].includes(what)) return;
  const field = what === "message" ? t("row.message.text") : "";
  const said = await confirmed(t(`row.${what}`), t(`row.${what}.ask`, { name }), { field, danger: what === "stop", yes: t(`row.${what}`) });
  if (said === false) return;
  const body = what === "message" ? { text: said } : undefined;
  await attempt(() => ask("POST", `/api/v1/operators/${id}/${what}`, body), t(what === "message" ? "row.sent" : "row.done", { name }));
}
