// A supervisor at a conversation: asks before it, says who notices, and shows while it lasts and why it ended. The server
// decides; this page is the phone, if it is the browser's, and its closing ends it.

import { $, Refusal, ask, attempt, clock, el, everyTick, serverNow, t, toast } from "./common.js";

const MODES = ["listen", "whisper", "join"];
const REGISTERED_MS = 10000;
const dialog = $("#hear");
const bar = $("#hearing");
const me = Number(bar.dataset.user);

const names = new Map();
let shown = []; // everybody who hears somebody now
let own = null; // what this supervisor hears
let leg = null; // the call that this page's phone answers
let phone = null;

// Asking ------------------------------------------------------------------------------

const sees = (mode, name, visible) => t(mode === "listen" ? `hear.sees.listen.${visible ? "shown" : "hidden"}` : `hear.sees.${mode}`, { name });

/** Ask whether this operator is to be heard, on which phone, and say who notices; then do it. */
export function hear(mode, id, name, visible) {
  $("#hear-title").textContent = t(`hear.title.${mode}`, { name });
  $("#hear-sees").textContent = sees(mode, name, visible);
  $("#hear-yes").textContent = t(`hear.${mode}`);
  $("#hear-secret").replaceChildren();
  const chosen = localStorage.getItem("hear.phone") ?? "browser";
  for (const radio of dialog.querySelectorAll("[name=phone]")) radio.checked = radio.value === chosen;
  $("#hear-desk").hidden = chosen !== "desk";
  dialog.returnValue = "no";
  dialog.showModal();
  $("#hear-yes").focus();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && attempt(() => begin(mode, id)), { once: true });
}

dialog.addEventListener("change", ({ target }) => {
  localStorage.setItem("hear.phone", target.value);
  $("#hear-desk").hidden = target.value !== "desk";
});

$("#hear-account").addEventListener("click", () =>
  attempt(async () => {
    const account = await ask("POST", "/api/v1/listening/desk-phone");
    const rows = { account: account.account, server: account.server, secret: account.secret ?? t("phone.secret_shown") };
    $("#hear-secret").replaceChildren(...Object.entries(rows).map(([name, value]) => el("div", {}, el("dt", {}, t(`figure.${name}`)), el("dd", {}, value))));
  }),
);

async function begin(mode, id) {
  const kind = localStorage.getItem("hear.phone") ?? "browser";
  if (kind === "browser") await pickUp(mode);
  else hangUp();
  try {
    const { listening } = await ask("POST", `/api/v1/operators/${id}/listen`, { mode, phone: kind });
    leg = listening.leg;
    take(listening);
  } catch (refusal) {
    hangUp();
    throw refusal;
  }
}

// The phone in the browser ----------------------------------------------------------------

/** A registered phone; with a microphone only where somebody is to hear it. */
async function pickUp(mode) {
  if (!phone) {
    const { Phone, pageId } = await import("./phone.js");
    phone = new Phone(await pageId(), () => leg, $("#voice"), "/api/v1/listening/phone");
    phone.addEventListener("change", () => (bar.dataset.heard = String(phone?.quality?.heard ?? 0)));
  }
  await speak(mode);
  if (phone.line === "registered") return;
  await phone.connect(true);
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => done(reject, "line_lost"), REGISTERED_MS);
    const look = () => {
      if (phone.line === "registered") done(resolve);
      else if (phone.line === "refused") done(reject, phone.refusal);
    };
    const done = (how, why) => {
      clearTimeout(late);
      phone?.removeEventListener("change", look);
      how(typeof why === "string" ? trouble(why) : why);
    };
    phone.addEventListener("change", look);
    look();
  }).catch((error) => {
    hangUp();
    throw error;
  });
}

const trouble = (word) => new Refusal(0, { code: word, message: t(`trouble.${word}`) });

async function speak(mode) {
  if (mode === "listen") return phone.silent();
  await phone.listen();
  if (phone.mic === "ok") return;
  const word = `mic_${phone.mic}`;
  phone.silent();
  throw trouble(word);
}

function hangUp() {
  leg = null;
  if (!phone) return;
  phone.disconnect();
  phone.release();
  phone = null;
  bar.dataset.heard = "0";
}

addEventListener("pagehide", () => phone?.leave());

// While it lasts --------------------------------------------------------------------------------

/** The board of this moment. */
export function showListenings(board) {
  shown = board.listenings ?? [];
  for (const operator of board.operators) names.set(operator.operator_id, operator.name);
  const present = shown.find((one) => one.user_id === me) ?? null;
  if (present) take(present);
  else if (own && !own.ended_at && Date.parse(board.at) > Date.parse(own.began_at)) ended(own.id);
}

/** What is said of an operator on the board: who hears the conversation. */
export const heardBy = (id) =>
  shown.filter((one) => one.operator_id === id && one.mode).map((one) => t(`hear.tile.${one.mode}`, { name: one.name })).join(" · ");

function take(listening) {
  own = listening;
  draw();
}

/** Why it ended; a service that was started again knows nothing of it, which is why. */
async function ended(id) {
  const { at, listening } = await ask("GET", "/api/v1/listening").catch(() => ({}));
  if (own?.id !== id || !at || (listening?.id === id && !listening.ended_at)) return;
  hangUp();
  take(listening?.id === id ? listening : { ...own, ended_at: at, how: "service" });
}

function draw() {
  const name = names.get(own.operator_id) ?? "";
  const over = Boolean(own.ended_at);
  bar.hidden = false;
  bar.dataset.state = over ? "over" : own.mode ? "on" : "calling";
  const word = over ? t(`hear.over.${own.how}`, { name }) : own.mode ? t(`hear.on.${own.mode}`, { name }) : t("hear.calling");
  if ($("#hearing-word").textContent !== word) $("#hearing-word").textContent = word;
  $("#hearing-sees").textContent = over || !own.mode ? "" : sees(own.mode, name, own.shown);
  $("#hearing-modes").hidden = over || !own.mode;
  $("#hearing-stop").hidden = over;
  $("#hearing-close").hidden = !over;
  for (const mode of MODES) $(`[data-mode=${mode}]`, bar).setAttribute("aria-pressed", String(own.mode === mode));
  tick();
}

function tick() {
  if (bar.hidden || !own) return;
  const until = own.ended_at ? Date.parse(own.ended_at) : serverNow();
  $("#hearing-time").textContent = clock(Math.max(0, until - Date.parse(own.began_at)) / 1000);
}

$("#hearing-modes").addEventListener("click", ({ target: { dataset } }) => {
  const { mode } = dataset;
  if (!mode || !own || mode === own.mode) return;
  attempt(async () => {
    if (phone) await speak(mode);
    await ask("PATCH", "/api/v1/listening", { mode });
    toast(sees(mode, names.get(own.operator_id) ?? "", own.shown), "plain");
  });
});

$("#hearing-stop").addEventListener("click", () =>
  attempt(async () => {
    const { listening } = await ask("DELETE", "/api/v1/listening");
    hangUp();
    if (listening) take(listening);
  }),
);

$("#hearing-close").addEventListener("click", () => (bar.hidden = true));

everyTick(tick);
