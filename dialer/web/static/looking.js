// Before a call: one contact is shown, and nobody is called until somebody says so.

import { $, ask, el, moment, t, toast } from "./common.js";
import { phone } from "./phonebar.js";

const REASONS = ["not_now", "talked_lately", "not_target", "bad_data", "other"];
const TONE_EVERY_MS = 4000;

let now = null; // the operator, while a contact is shown or called
let tones = 0;

/** Draw what may be decided; `operator` is null outside of a preview. */
export function drawLooking(operator, card) {
  const shown = now?.attempt_id !== operator?.attempt_id;
  now = operator;
  $("#looking").hidden = !operator;
  $("#closing").hidden = Boolean(operator);
  if (!operator) return ring(false);
  const asked = operator.calls && !operator.until;
  $("#looking-text").textContent = t(asked ? "looking.rings" : card?.calls_at_deadline ? "looking.at_calls" : "looking.at");
  $("#looking-do").hidden = asked;
  if (shown || asked) closeSkips();
  ring(asked);
}

/** The line that rings is heard as a tone, until somebody answers or nobody does. */
function ring(on) {
  if (on === Boolean(tones)) return;
  clearInterval(tones);
  tones = on ? setInterval(() => phone.sound("ring"), TONE_EVERY_MS) : 0;
  if (on) phone.sound("ring");
}

async function decide(path, body) {
  const buttons = $("#looking").querySelectorAll("button");
  buttons.forEach((one) => one.setAttribute("aria-busy", "true"));
  try {
    await ask("POST", `/api/v1/operator/preview/${path}`, body);
  } catch (refusal) {
    const until = refusal.data?.until;
    const when = until ? t("call.until", { at: moment(until, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }) }) : "";
    toast(refusal.status === 0 ? t("operator.not_done") : [refusal.message, when].filter(Boolean).join(" "), "bad");
  } finally {
    buttons.forEach((one) => one.removeAttribute("aria-busy"));
  }
}

function closeSkips() {
  $("#skips").hidden = true;
  $("#skip-open").setAttribute("aria-expanded", "false");
}

function openSkips() {
  $("#skips").hidden = false;
  $("#skip-open").setAttribute("aria-expanded", "true");
  $("#skips button").focus();
}

/** What a key does while a contact is shown; whether it did anything. */
export function lookingKey(key) {
  if (now.calls) return false;
  const digit = Number(key);
  if (!$("#skips").hidden && digit >= 1 && digit <= REASONS.length) return $("#skips").children[digit - 1].click() ?? true;
  if (key.toLowerCase() === "s") return ($("#skips").hidden ? openSkips() : closeSkips()) ?? true;
  if (key === "Enter" && !document.activeElement?.matches("button, summary, a")) return $("#call-now").click() ?? true;
  return false;
}

/** Escape closes the reasons; whether they were open. */
export function lookingEscape() {
  if (!now || $("#skips").hidden) return false;
  closeSkips();
  $("#skip-open").focus();
  return true;
}

$("#call-now").addEventListener("click", () => decide("call"));
$("#skip-open").addEventListener("click", () => ($("#skips").hidden ? openSkips() : closeSkips()));
$("#skips").replaceChildren(
  ...REASONS.map((reason, place) => {
    const button = el("button", { type: "button" }, el("kbd", {}, String(place + 1)), el("span", {}, t(`skip.${reason}`)));
    button.addEventListener("click", () => decide("skip", { reason }));
    return button;
  }),
);
