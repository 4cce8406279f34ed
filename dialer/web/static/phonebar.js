// What the operator sees of the phone: one line that says whether calls can come, and if not why; settings behind it.

import { $, ask, attempt, el, number, t } from "./common.js";
import { Phone, pageId } from "./phone.js";

export const page = await pageId();

let now = { operator: null, leg: null, line: null };
/** Whether this service has a pool of seats: without, operators name a seat and use its desk phone. */
const pool = $("#main").dataset.phones === "pool";
/** How long a page whose shift goes on waits for its call before it asks for it, and before it asks again. */
const CALL_AFTER_MS = 1000;
const CALL_AGAIN_MS = 8000;
export const phone = new Phone(page, () => now.leg, $("#voice"));

export const which = () => localStorage.getItem("phone") ?? "browser";

/** How a shift is begun here: by the browser's phone, the desk's, or a seat's name. */
export const kind = () => (pool ? which() : "named");

/** Why calls cannot come to this page, as a word; null when they can. */
export function trouble() {
  if (kind() !== "browser") return null;
  if (phone.line === "elsewhere") return "elsewhere";
  if (phone.mic !== "ok") return `mic_${phone.mic}`;
  return phone.line === "registered" ? null : `line_${phone.line}`;
}

let changed = () => {};

export async function startPhone(handle) {
  changed = handle;
  for (const radio of document.querySelectorAll("[name=which]")) radio.checked = radio.value === which();
  $("#volume").value = localStorage.getItem("volume") ?? "1";
  $("#voice").volume = Number($("#volume").value);
  showSettings();
  if (kind() === "browser") await use();
  draw();
}

async function use() {
  await phone.listen();
  listDevices();
  await phone.connect();
}

/** The server's picture: who has the line, which call is ours. */
export function seen(picture) {
  const { line } = now;
  now = picture;
  if (kind() === "browser") {
    if (picture.line && picture.line !== page && phone.line !== "elsewhere") phone.disconnect("elsewhere");
    if (!picture.line && phone.line === "elsewhere") phone.connect();
  }
  if (line !== picture.line) draw();
  else missCall();
}

let missing = 0;

/** A page that has just come has no call though the shift goes on, whatever the switch believes: it is called anew. */
function missCall() {
  const missed = now.leg && kind() === "browser" && !trouble() && !phone.busy;
  if (missed && missing) return;
  clearTimeout(missing);
  missing = missed ? setTimeout(askForCall, CALL_AFTER_MS) : 0;
}

async function askForCall() {
  await ask("POST", "/api/v1/operator/call-phone").catch(() => {});
  missing = setTimeout(() => {
    missing = 0;
    missCall();
  }, CALL_AGAIN_MS);
}

// The switch is told at once, and lets the callee wait until this page, or another one, is there again.
addEventListener("pagehide", () => phone.leave());

function draw() {
  const bad = trouble();
  $("#phone").dataset.state = bad ? "bad" : "good";
  $("#phone").hidden = kind() === "named";
  const word = $("#phone-word");
  const text = kind() === "browser" ? t(bad ? `trouble.${bad}` : phone.up ? "phone.up" : "phone.good") : t("phone.by_desk");
  if (word.dataset.text !== text) {
    word.dataset.text = text;
    word.replaceChildren(text);
    if (bad === "elsewhere") word.append(" ", action(t("phone.take"), () => phone.connect(true)));
    else if (bad?.startsWith("mic_")) word.append(" ", action(t("phone.again"), use));
  }
  $("#mute").setAttribute("aria-pressed", String(phone.muted));
  $("#mute").textContent = t(phone.muted ? "phone.unmute" : "phone.mute");
  $("#hold").setAttribute("aria-pressed", String(phone.held));
  $("#hold").textContent = t(phone.held ? "phone.unhold" : "phone.hold");
  drawQuality();
  missCall();
  changed();
}

function action(text, doing) {
  const button = el("button", { type: "button" }, text);
  button.addEventListener("click", doing);
  return button;
}

function drawQuality() {
  const { quality } = phone;
  const place = $("#quality");
  place.hidden = !quality || !["talking"].includes(now.operator?.state);
  $("#phone").dataset.heard = String(quality?.heard ?? 0);
  if (!quality) return;
  place.dataset.grade = quality.grade;
  place.textContent = t(`quality.${quality.word}`);
  const figures = { codec: quality.codec, loss_in: `${number(100 * quality.lossIn, 1)} %`, loss_out: `${number(100 * quality.lossOut, 1)} %`, jitter: `${number(1000 * quality.jitter)} ms`, round_trip: `${number(1000 * quality.roundTrip)} ms` };
  if (!$("#phone-settings").hidden) $("#figures").replaceChildren(...Object.entries(figures).map(([name, value]) => el("div", {}, el("dt", {}, t(`figure.${name}`)), el("dd", {}, value))));
}

phone.addEventListener("change", draw);
phone.addEventListener("level", () => {
  $("#level").style.setProperty("--level", phone.muted ? 0 : phone.level.toFixed(2));
});
phone.addEventListener("devices", () => listDevices());

// Settings -----------------------------------------------------------------------------

function showSettings() {
  $("#browser-settings").hidden = which() !== "browser";
  $("#desk-settings").hidden = which() !== "desk";
}

async function listDevices() {
  const { microphones, speakers, microphone, speaker } = await phone.devices();
  const fill = (select, devices, chosen) =>
    select.replaceChildren(...devices.map((one) => el("option", { value: one.id, selected: one.id === chosen }, one.name || t("phone.default"))));
  fill($("#microphone"), microphones, microphone);
  fill($("#speaker"), speakers, speaker || "default");
  $("#speaker-field").hidden = !speakers.length;
}

$("#phone-more").addEventListener("click", () => {
  const open = $("#phone-settings").hidden;
  $("#phone-settings").hidden = !open;
  $("#phone-more").setAttribute("aria-expanded", String(open));
  if (open) listDevices();
  drawQuality();
});

$("#phone-settings").addEventListener("change", async (event) => {
  const { name, id, value } = event.target;
  if (name === "which") {
    localStorage.setItem("phone", value);
    showSettings();
    if (value === "browser") await use();
    else phone.disconnect();
    draw();
  } else if (id === "microphone" || id === "speaker") {
    await phone.choose(id, value);
  }
});

$("#volume").addEventListener("input", (event) => {
  localStorage.setItem("volume", event.target.value);
  $("#voice").volume = Number(event.target.value);
});

$("#try-sound").addEventListener("click", () => phone.sound("connect"));

$("#desk-show").addEventListener("click", () =>
  attempt(async () => {
    const account = await ask("POST", "/api/v1/operator/desk-phone");
    const rows = { account: account.account, server: account.server, secret: account.secret ?? t("phone.secret_shown") };
    $("#desk-account").replaceChildren(...Object.entries(rows).map(([name, value]) => el("div", {}, el("dt", {}, t(`figure.${name}`)), el("dd", {}, value))));
  }),
);

// Keys of a call -------------------------------------------------------------------------

$("#mute").addEventListener("click", () => phone.mute(!phone.muted));
$("#hold").addEventListener("click", () => phone.hold(!phone.held));
$("#keypad-open").addEventListener("click", () => {
  const open = $("#keypad").hidden;
  $("#keypad").hidden = !open;
  $("#keypad-open").setAttribute("aria-expanded", String(open));
  if (open) $("#keypad button").focus();
});
$("#keypad").addEventListener("click", (event) => event.target.dataset.tone && phone.key(event.target.dataset.tone));
