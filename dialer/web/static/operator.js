// The operator's page: state and card come from the server; nothing is shown as done before the server said so.

import { $, ageS, ask, attempt, clock, el, everyTick, follow, has, icon, language, moment, number, serverNow, t, toast, typing } from "./common.js";
import { answerKey, localTime, onStep, showCard } from "./card.js";
import { closingKey, keepDraft, noteSaved, save, showClosing, unsaved } from "./closing.js";
import { drawLooking, lookingEscape, lookingKey } from "./looking.js";
import { dialDue, dialEscape, dialKey, dialTick, drawDial, readCampaigns } from "./manual.js";
import { kind, phone, seen, startPhone, trouble } from "./phonebar.js";

/** A picture older than this is greyed: what it says may not be so any more. */
const STALE_S = 5;
const DAY_EVERY_MS = 30_000;
const HOLD_ESC_MS = 500;

let now = { operator: null, card: null };
let cardOf = null; // the attempt on the page; what is typed there is newer than the draft, even if a picture lacked it
let day = null;
let warned = null; // the deadline whose nearness was sounded

function show(picture) {
  const before = now;
  const same = now.card && now.card.attempt_id === picture.operator?.attempt_id;
  now = { ...picture, card: picture.card_unknown && same ? now.card : picture.card };
  const state = now.operator?.state ?? "offline";
  const was = before.operator?.state ?? "offline";
  seen(picture);
  drawState(state);
  drawMessages(picture.messages ?? []);
  if (now.card && now.card.attempt_id !== cardOf) {
    cardOf = now.card.attempt_id;
    showCard(now.card);
    showClosing(now.card);
    if (state === "talking") phone.sound("connect");
    if (state === "preview") phone.sound("look");
  } else if (was === "preview" && state === "talking") {
    phone.sound("connect");
  } else if (before.operator?.held_until && state === "talking" && !now.operator.held_until) {
    phone.sound("connect");
  }
  if (was === "preview" && state !== was && now.operator?.missed) sayMissed(now.operator.missed);
  if (now.card?.saved) noteSaved(now.card.saved);
  if (was === "talking" && state !== "talking") {
    phone.fresh();
    close("keypad");
  }
  if (was !== state) {
    close("pauses");
    readDay();
  }
  tick();
}

function drawState(state) {
  const { operator } = now;
  $("#state").className = `state state-${state}`;
  $("#state-icon").replaceChildren(icon(state));
  $("#state-word").textContent = t(`state.${state}`);
  $("#state-more").textContent = [now.card?.campaign, operator?.reason ? pauseName(operator.reason) : "", operator?.pause_after_call ? t("operator.pause_after_call") : ""]
    .filter(Boolean)
    .join(" · ");
  $("#callee").textContent = now.card ? `${$("#name").textContent} ${$("#number").textContent}` : "";
  // One primary action per state; what cannot be done is not there.
  const looks = state === "preview" && !operator.calls;
  $("#hangup").hidden = state !== "talking" && (state !== "preview" || looks);
  $("#hangup").textContent = t(state === "preview" ? "looking.give_up" : "operator.hangup");
  $("#ready").hidden = state !== "paused" && !operator?.pause_after_call;
  $("#ready").textContent = operator?.pause_after_call ? t("operator.no_pause") : t("operator.ready");
  $("#pause-open").hidden = !["ready", "ringing", "preview", "talking", "wrap_up"].includes(state) || Boolean(operator?.pause_after_call);
  $("#pause-open").textContent = t(["talking", "wrap_up"].includes(state) || operator?.calls ? "operator.pause_next" : "operator.pause");
  $("#listened").hidden = !operator?.listened;
  $("#listened").textContent = operator?.listened ? t(`listened.${operator.listened}`) : "";
  const tape = state === "talking" ? operator.recording : null;
  $("#tape").hidden = $("#taped").hidden = !tape;
  $("#tape").textContent = tape ? t({ paused: "tape.keep", ask: "tape.agreed" }[tape] ?? "tape.pause") : "";
  $("#taped").textContent = tape ? t(`tape.${tape}`) : "";
  $("#more-time").hidden = state !== "wrap_up";
  $("#more-time").textContent = operator?.extended ? t("operator.more_time_used", { count: operator.extended }) : t("operator.more_time");
  $("#stop").hidden = !["ready", "ringing", "paused"].includes(state) && !looks;
  $("#phone-keys").hidden = state !== "talking" || kind() !== "browser" || !phone.up;
  drawLooking(state === "preview" ? operator : null, now.card);
  $("#work").hidden = !now.card;
  $("#home").hidden = Boolean(now.card);
  drawHome(state);
  drawDial(operator);
}

/** The call that was asked for led to no conversation, or was refused: a refusal was said where it was asked. */
function sayMissed(missed) {
  if (has(`outcome.${missed}`)) toast(t("looking.missed", { outcome: t(`outcome.${missed}`) }));
  else toast(has(`error.call.${missed}`) ? t(`error.call.${missed}`) : missed, "bad");
}

function drawHome(state) {
  const why = trouble();
  $("#begin-title").textContent = t(`home.${state}`);
  $("#hint").textContent = why && ["offline", "paused"].includes(state) ? t(`trouble.${why}`) : has(`hint.${state}`) ? t(`hint.${state}`) : "";
  $("#start").hidden = state !== "offline" || kind() === "named";
  $("#named").hidden = state !== "offline" || kind() !== "named";
  for (const one of [$("#start"), $("#ready")]) one.disabled = Boolean(why);
  $("#ready").title = why ? t(`trouble.${why}`) : "g r";
}

function tick() {
  const { operator } = now;
  const left = operator?.until ? (Date.parse(operator.until) - serverNow()) / 1000 : null;
  const spent = operator ? (serverNow() - Date.parse(operator.since)) / 1000 : null;
  $("#timer").textContent = left !== null ? `−${clock(left)}` : spent !== null ? clock(spent) : "";
  const pause = operator?.state === "paused" ? pauseOf(operator.reason) : null;
  $("#state").classList.toggle("late", Boolean(pause && pauseOver(pause)) || (left !== null && left < 10));
  if (left !== null && left < 10 && warned !== operator.until) {
    warned = operator.until;
    phone.sound("ending");
  }
  drawHeld();
  localTime();
  dialTick();
  drawPauses();
  const age = ageS();
  const stale = age > STALE_S;
  document.body.classList.toggle("stale", stale);
  $("#age").hidden = !stale;
  if (stale) $("#age").textContent = t("operator.age", { s: Math.floor(age) });
}

/** The phone is away in the middle of a conversation: how long the callee still waits for it. */
function drawHeld() {
  const until = now.operator?.held_until;
  $("#held").hidden = !until;
  if (until) $("#held-left").textContent = clock((Date.parse(until) - serverNow()) / 1000);
}

// Messages from supervisors --------------------------------------------------------------------

function drawMessages(messages) {
  const notices = $("#notices");
  const wanted = JSON.stringify(messages);
  if (notices.dataset.shown === wanted) return;
  notices.dataset.shown = wanted;
  notices.replaceChildren(
    ...messages.map((one) => el("p", { className: "notice" }, el("b", {}, one.by), " ", el("time", {}, moment(one.at, { hour: "2-digit", minute: "2-digit" })), ` ${one.text}`)),
  );
  if (!messages.length) return;
  const close = el("button", { type: "button" }, t("help.close"));
  close.addEventListener("click", () => attempt(() => ask("POST", "/api/v1/operator/heard")));
  notices.lastChild.append(close);
}

// The own day --------------------------------------------------------------------------------------

async function readDay() {
  const since = new Date();
  since.setHours(0, 0, 0, 0);
  const read = await ask("GET", `/api/v1/operator/day?since=${encodeURIComponent(since.toISOString())}`).catch(() => null);
  if (!read) return;
  day = { ...read, at: serverNow() };
  const worked = ["ready", "ringing", "preview", "talking", "wrap_up"].reduce((sum, state) => sum + (day.state_s[state] ?? 0), 0);
  const figures = {
    talks: number(day.talks),
    results: number(day.results),
    per_hour: worked >= 300 ? number((day.results * 3600) / worked, 1) : "–",
    talk_time: clock(day.state_s.talking ?? 0),
    wrap_up: clock(day.state_s.wrap_up ?? 0),
    worked: clock(worked),
    extensions: number(day.extensions),
  };
  $("#day").replaceChildren(...Object.entries(figures).map(([name, value]) => el("div", {}, el("dd", {}, value), el("dt", {}, t(`day.${name}`)))));
  $("#callbacks").replaceChildren(...day.callbacks.map(callback));
  if (!day.callbacks.length) $("#callbacks").append(el("li", { className: "muted" }, t("day.no_callbacks")));
  drawPauseButtons();
  drawPauses();
  drawState(now.operator?.state ?? "offline");
}

function callback(one) {
  const zone = one.zones[0] ?? "UTC";
  const options = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return el(
    "li",
    { className: one.state },
    el("b", {}, moment(one.next_at, options)),
    one.state === "pending" ? "" : el("span", { className: "pill", "data-state": one.state === "late" ? "down" : "idle" }, t(`callback.${one.state}`)),
    el("span", {}, one.contact || one.phone),
    el("small", {}, `${one.campaign} · ${t("day.theirs", { at: moment(one.next_at, { hour: "2-digit", minute: "2-digit" }, zone) })}`),
    one.note ? el("q", {}, one.note) : "",
    now.operator?.state === "ready" ? callNow(one) : dialDue(one),
  );
}

/** A promise may be kept sooner; the rules are asked, and a refusal says when it may be otherwise. */
function callNow(one) {
  const button = el("button", { type: "button" }, t("callback.call_now"));
  button.setAttribute("aria-label", `${t("callback.call_now")}: ${one.contact || one.phone}`);
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    try {
      await ask("POST", `/api/v1/operator/callbacks/${one.id}/call`);
      toast(t("callback.calling"));
    } catch (refusal) {
      const until = refusal.data?.until;
      const when = until ? t("call.until", { at: moment(until, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }) }) : "";
      toast(refusal.status === 0 ? t("operator.not_done") : [refusal.message, when].filter(Boolean).join(" "), "bad");
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return button;
}

// Pauses ------------------------------------------------------------------------------------------

const pauseOf = (code) => day?.pauses.find((one) => one.code === code);
const pauseName = (code) => pauseOf(code)?.[`name_${language}`] ?? (has(`pause.${code}`) ? t(`pause.${code}`) : code);

/** Seconds a pause took today; the one that goes on has gone on since the figures were read. */
function pauseUsed(pause) {
  const { operator } = now;
  if (operator?.state !== "paused" || operator.reason !== pause.code) return pause.used_s;
  return pause.used_s + Math.max(0, serverNow() - Math.max(day.at, Date.parse(operator.since))) / 1000;
}

const pauseOver = (pause) => pause.allowed_s !== null && pauseUsed(pause) > pause.allowed_s;

function pauseText(pause) {
  if (pause.allowed_s === null) return t("pause_used.free", { used: clock(pauseUsed(pause)) });
  return t("pause_used.of", { used: Math.floor(pauseUsed(pause) / 60), allowed: Math.round(pause.allowed_s / 60) });
}

function drawPauseButtons() {
  $("#pauses").replaceChildren(
    ...day.pauses.map((pause, place) => {
      const button = el("button", { type: "button", "data-pause": pause.code }, el("kbd", {}, String(place + 1)), el("span", {}, pause[`name_${language}`]), el("small", {}));
      button.addEventListener("click", () => command("pause", { reason: pause.code }));
      return button;
    }),
  );
  $("#day-pauses").replaceChildren(...day.pauses.map((pause) => el("li", { "data-code": pause.code }, el("span", {}, pause[`name_${language}`]), el("b", {}))));
}

function drawPauses() {
  if (!day) return;
  for (const pause of day.pauses) {
    const text = pauseText(pause);
    for (const place of [$(`[data-pause="${pause.code}"] small`), $(`[data-code="${pause.code}"] b`)]) {
      if (place && place.textContent !== text) place.textContent = text;
      place?.classList.toggle("over", pauseOver(pause));
    }
  }
  const pause = now.operator?.state === "paused" ? pauseOf(now.operator.reason) : null;
  if (pause) $("#state-more").textContent = `${pauseName(pause.code)} · ${pauseText(pause)}`;
}

function open(id) {
  $(`#${id}`).hidden = false;
  $(`#${id === "pauses" ? "pause-open" : "keypad-open"}`).setAttribute("aria-expanded", "true");
  $(`#${id} button`)?.focus();
}

function close(id) {
  $(`#${id}`).hidden = true;
  $(`#${id === "pauses" ? "pause-open" : "keypad-open"}`).setAttribute("aria-expanded", "false");
}

$("#pause-open").addEventListener("click", () => ($("#pauses").hidden ? open("pauses") : close("pauses")));

// Commands ------------------------------------------------------------------------------------------

/** Ask the server; while it does not answer the button waits, and what was not done is said. */
async function command(name, body) {
  const buttons = document.querySelectorAll("#actions button, #pauses button, #start");
  buttons.forEach((one) => one.setAttribute("aria-busy", "true"));
  try {
    await ask("POST", `/api/v1/operator/${name}`, body);
    close("pauses");
    return true;
  } catch (refusal) {
    toast(refusal.status === 0 ? t("operator.not_done") : refusal.message, "bad");
    return false;
  } finally {
    buttons.forEach((one) => one.removeAttribute("aria-busy"));
  }
}

$("#start").addEventListener("click", () => command("start", { phone: kind() }));
$("#named").addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem("seat", event.target.seat.value);
  command("start", { seat: event.target.seat.value });
});
$("#named").seat.value = localStorage.getItem("seat") ?? "";
$("#ready").addEventListener("click", () => command("ready"));
$("#stop").addEventListener("click", () => command("stop"));
$("#hangup").addEventListener("click", () => command("hangup"));
$("#tape").addEventListener("click", () => command("recording", { wish: ["paused", "ask"].includes(now.operator?.recording) ? "keep" : "pause" }));
$("#more-time").addEventListener("click", () => command("more-time"));

// Keys -----------------------------------------------------------------------------------------------

let afterG = -Infinity;
let escSince = null;

function pressed(event) {
  const { key } = event;
  if (!$("#pauses").hidden && /^[1-9]$/.test(key)) return Boolean($("#pauses").children[Number(key) - 1]?.click() ?? true);
  if (performance.now() - afterG < 1000 && key === "r" && !$("#ready").hidden) return $("#ready").click() ?? true;
  if (performance.now() - afterG < 1000 && key === "p" && !$("#pause-open").hidden) return open("pauses") ?? true;
  afterG = key === "g" ? performance.now() : -Infinity;
  if (key === "m" && !$("#phone-keys").hidden) return $("#mute").click() ?? true;
  if (key === "h" && !$("#phone-keys").hidden) return $("#hold").click() ?? true;
  if (key === "v" && !$("#tape").hidden) return $("#tape").click() ?? true;
  if (key === "+" && !$("#more-time").hidden) return $("#more-time").click() ?? true;
  if (!now.card) return dialKey(key);
  if (/^[a-f]$/.test(key) && answerKey(key)) return true;
  if (now.operator?.state === "preview") return lookingKey(key);
  if (key === "n") return $("#closing").note.focus() ?? true;
  const onButton = document.activeElement?.matches("button:not(.kind), summary, a");
  if (key === "Enter" && onButton) return false;
  return closingKey(key);
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    if (now.operator?.state === "preview" && !now.operator.calls) lookingKey("Enter");
    else if ($("#hangup").hidden) save();
    else command("hangup");
    return;
  }
  if (event.key === "Escape") {
    if (!$("#pauses").hidden) return close("pauses");
    if (!$("#keypad").hidden) return close("keypad");
    if (lookingEscape() || dialEscape()) return;
    if (typing()) return document.activeElement.blur();
    if (!$("#hangup").hidden && escSince === null) {
      escSince = setTimeout(() => !$("#hangup").hidden && command("hangup"), HOLD_ESC_MS);
    }
    return;
  }
  if (typing() || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!$("#keypad").hidden && /^[0-9*#]$/.test(event.key)) {
    event.preventDefault();
    return phone.key(event.key);
  }
  if (pressed(event)) event.preventDefault();
});

document.addEventListener("keyup", (event) => {
  if (event.key !== "Escape") return;
  clearTimeout(escSince);
  escSince = null;
});

// Leaving in the middle of a conversation is asked about: the voice would be gone.
addEventListener("beforeunload", (event) => {
  if (unsaved() || (now.operator?.state === "talking" && kind() === "browser" && phone.up)) event.preventDefault();
});

onStep(() => now.operator?.state !== "preview" && keepDraft());
readDay();
readCampaigns();
setInterval(() => document.hidden || (readDay(), readCampaigns()), DAY_EVERY_MS);
startPhone(() => drawState(now.operator?.state ?? "offline"));
follow("/api/v1/operator/live", show);
everyTick(tick);
