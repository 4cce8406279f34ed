// A test call, told as it happens.

import { $, ask, el, language, moment, Refusal, t } from "./common.js";

const form = $("#test-call");
const list = $("#trial");
const error = form && $(".error", form);
const SECONDS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const LOOK_EVERY_MS = 400;

const line = (at, text, className = "") => el("li", { className }, el("time", {}, moment(at, SECONDS)), " ", text);

/** Each step with its time; the last one is how it ended, in words and with the numbers a carrier asks for. */
function show(call) {
  const lines = [line(call.began_at, t("trial.sent", { trunk: call.trunk }))];
  if (call.rang_at) lines.push(line(call.rang_at, t("trial.ringing")));
  if (call.answered_at) lines.push(line(call.answered_at, t("trial.answered")));
  if (call.message_at) lines.push(line(call.message_at, t("trial.message")));
  if (call.ended_at) {
    const figures = [call.cause === null ? "" : `Q.850 ${call.cause}`, call.sip_code === null ? "" : `SIP ${call.sip_code}`].filter(Boolean).join(", ");
    const well = call.outcome === "answered";
    lines.push(line(call.ended_at, `${t(`trial.ended.${call.outcome}`)}${figures ? ` (${figures})` : ""}`, well ? "well" : "ill"));
  }
  list.replaceChildren(...lines);
  list.hidden = false;
}

async function follow(id) {
  for (;;) {
    const { call } = await ask("GET", `/api/v1/trunks/test-calls/${id}`);
    show(call);
    if (call.state === "ended") return;
    await new Promise((go) => setTimeout(go, LOOK_EVERY_MS));
  }
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = $("button", form);
  const { trunk, number, caller_number: shown } = form.elements;
  error.hidden = true;
  button.disabled = true;
  try {
    const { call } = await ask("POST", "/api/v1/trunks/test-calls", { trunk: trunk.value, number: number.value, caller_number: shown.value.trim() });
    show(call);
    await follow(call.id);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    error.textContent = refusal.message;
    error.lang = language;
    error.hidden = false;
  } finally {
    button.disabled = false;
  }
});
