// The operator's page: state and card come from the server; nothing is shown as saved before the server said so.

import { $, ask, clock, el, everyTick, follow, has, icon, language, moment, serverNow, t } from "./common.js";

const form = $("#closing");
let now = { operator: null, card: null };
let chosen = null; // disposition kind
let reason = null;
let savedCode = null;
let saving = false;

const seat = localStorage.getItem("seat");
if (seat) $("#start").seat.value = seat;

function show(picture) {
  const before = now.card?.attempt_id;
  const same = now.card && now.card.attempt_id === picture.operator?.attempt_id;
  now = { operator: picture.operator, card: picture.card_unknown && same ? now.card : picture.card };
  const state = now.operator?.state ?? "offline";
  $("#state").className = `state state-${state}`;
  $("#state-icon").replaceChildren(icon(state));
  $("#state-word").textContent = t(`state.${state}`);
  $("#state-more").textContent = [
    now.operator?.seat,
    now.operator?.reason ? (has(`pause.${now.operator.reason}`) ? t(`pause.${now.operator.reason}`) : now.operator.reason) : "",
    now.operator?.pause_after_call ? t("operator.pause_after_call") : "",
  ]
    .filter(Boolean)
    .join(" · ");
  // One primary action per state; what cannot be done is not there.
  $("#start").hidden = state !== "offline";
  $("#hangup").hidden = state !== "talking";
  $("#ready").hidden = !["paused", "wrap_up"].includes(state);
  $("#pauses").hidden = !["ready", "talking", "wrap_up"].includes(state) || Boolean(now.operator?.pause_after_call);
  $("#stop").hidden = !["ready", "paused"].includes(state);
  $("#hint").textContent = now.card || !has(`hint.${state}`) ? "" : t(`hint.${state}`);
  $("#work").hidden = !now.card;
  if (now.card && now.card.attempt_id !== before) showCard(now.card);
  if (now.card?.saved) saved(now.card.saved);
  tick();
}

function tick() {
  const operator = now.operator;
  const left = operator?.until ? (Date.parse(operator.until) - serverNow()) / 1000 : null;
  const spent = operator ? (serverNow() - Date.parse(operator.since)) / 1000 : null;
  $("#timer").textContent = left !== null ? `−${clock(left)}` : spent !== null ? clock(spent) : "";
  $("#state").classList.toggle("late", left !== null && left < 10);
  if (now.card?.zones.length) {
    const zone = now.card.zones[0];
    $("#local").textContent = t("operator.local", { at: moment(serverNow(), { hour: "2-digit", minute: "2-digit" }, zone), zone });
  }
}

// The card -----------------------------------------------------------------------------

function showCard(card) {
  $("#name").textContent = card.name || t("operator.nameless");
  $("#phone").textContent = card.phone;
  $("#about").textContent = t("operator.about", { campaign: card.campaign, number: card.number });
  $("#attributes").replaceChildren(
    ...Object.entries(card.attributes).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value ?? "")))),
  );
  $("#history").replaceChildren(
    ...card.history.map((entry) =>
      el(
        "li",
        {},
        el("time", { dateTime: entry.sent_at }, moment(entry.sent_at)),
        ` ${t(`outcome.${entry.outcome}`)}`,
        entry.code ? ` · ${kindName(card, entry.code)}` : "",
        entry.operator ? ` · ${entry.operator}` : "",
        entry.note ? el("q", {}, entry.note) : "",
      ),
    ),
  );
  if (!card.history.length) $("#history").append(el("li", { className: "muted" }, t("operator.first")));
  form.reset();
  chosen = reason = savedCode = null;
  $("#saved").textContent = "";
  showDispositions(card);
  if (card.draft) restore(card.draft);
}

const kindName = (card, code) => card.dispositions.find((kind) => kind.code === code)?.[`name_${language}`] ?? code;

const digit = (place) => (place < 9 ? String(place + 1) : place === 9 ? "0" : "");

function kindClass(kind) {
  if (kind.result) return "good";
  if (kind.needs.includes("time")) return "later";
  if (kind.verdict === "stale" || kind.verdict === "off_target") return "bad";
  if (kind.code.startsWith("refused")) return "refused";
  return "plain";
}

function showDispositions(card) {
  $("#dispositions").replaceChildren(
    ...card.dispositions.map((kind, place) => {
      const button = el(
        "button",
        { type: "button", role: "radio", className: `kind ${kindClass(kind)}`, "aria-checked": "false", "data-code": kind.code },
        el("kbd", {}, digit(place)),
        el("span", {}, kind[`name_${language}`]),
      );
      button.addEventListener("click", () => choose(kind));
      return button;
    }),
  );
}

function choose(kind, quiet = false) {
  if (savedCode) return;
  chosen = kind;
  for (const button of $("#dispositions").children) button.setAttribute("aria-checked", String(button.dataset.code === kind.code));
  $("#needs-time").hidden = !kind.needs.includes("time");
  $("#needs-address").hidden = !kind.needs.includes("address");
  $("#needs-reason").hidden = !kind.needs.includes("reason");
  $("#zone").textContent = now.card?.zones[0] ?? "";
  reason = kind.reasons.includes(reason) ? reason : null;
  $("#reasons").replaceChildren(
    ...kind.reasons.map((name) => {
      const chip = el("button", { type: "button", role: "radio", "aria-checked": String(name === reason) }, has(`reason.${name}`) ? t(`reason.${name}`) : name);
      chip.addEventListener("click", () => {
        reason = name;
        for (const other of $("#reasons").children) other.setAttribute("aria-checked", String(other === chip));
        keepDraft();
      });
      return chip;
    }),
  );
  if (!quiet) keepDraft();
}

// Time of a callback: typed in the callee's local time, sent with its zone --------------------------

/** Milliseconds by which the zone is ahead of UTC at that instant. */
function ahead(zone, at) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(at);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(at / 1000) * 1000;
}

/** `2026-03-01T14:00` on the wall of that zone -> milliseconds. */
function fromWall(text, zone) {
  const wall = Date.parse(`${text}:00Z`);
  const guess = wall - ahead(zone, wall);
  return wall - ahead(zone, guess);
}

const toWall = (at, zone) => new Date(at + ahead(zone, at)).toISOString().slice(0, 16);

const calleeZone = () => now.card?.zones[0] ?? "UTC";

function dueAt() {
  return form.due.value ? new Date(fromWall(form.due.value, calleeZone())).toISOString() : null;
}

$("#chips").addEventListener("click", (event) => {
  const zone = calleeZone();
  const wall = toWall(serverNow(), zone);
  const day = 86400e3;
  const chip = event.target.dataset.chip;
  if (chip === "hour") form.due.value = toWall(serverNow() + 3600e3, zone);
  if (chip === "tonight") form.due.value = `${wall.slice(0, 10)}T18:00`;
  if (chip === "tomorrow") form.due.value = toWall(serverNow() + day, zone).slice(0, 16);
  keepDraft();
});

// Draft and save ----------------------------------------------------------------------------------

function content() {
  const due = chosen?.needs.includes("time") ? dueAt() : null;
  return {
    code: chosen?.code,
    note: form.note.value,
    ...(reason && chosen?.needs.includes("reason") ? { reason } : {}),
    ...(form.address.value && chosen?.needs.includes("address") ? { address: form.address.value } : {}),
    ...(due ? { callback: { due_at: due, operator: form.mine.checked ? "me" : "anyone" } } : {}),
  };
}

let draftTimer = 0;

function keepDraft() {
  $("#yours").textContent = dueAt() ? t("operator.yours", { at: moment(dueAt()) }) : "";
  clearTimeout(draftTimer);
  const attempt = now.card?.attempt_id;
  if (!attempt || savedCode) return;
  draftTimer = setTimeout(() => ask("PUT", `/api/v1/attempts/${attempt}/draft`, content()).catch(() => {}), 400);
}

function restore(draft) {
  form.note.value = draft.note ?? "";
  form.address.value = draft.address ?? "";
  reason = draft.reason ?? null;
  if (draft.callback) {
    form.due.value = toWall(Date.parse(draft.callback.due_at), calleeZone());
    form.mine.checked = draft.callback.operator === "me";
  }
  const kind = now.card.dispositions.find((candidate) => candidate.code === draft.code);
  if (kind) choose(kind, true);
}

form.addEventListener("input", keepDraft);

/** One key per attempt, also after a reload: saving twice changes nothing. */
function idempotencyKey(attempt) {
  const name = `key.${attempt}`;
  let key = sessionStorage.getItem(name);
  if (!key) {
    key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem(name, key);
  }
  return key;
}

async function save() {
  const attempt = now.card?.attempt_id;
  if (!attempt || savedCode || saving) return;
  if (!chosen) return fail(new Error(t("operator.choose")));
  saving = true;
  clearTimeout(draftTimer);
  $("#saved").textContent = t("operator.saving");
  try {
    const headers = { "Idempotency-Key": idempotencyKey(attempt) };
    const answer = await ask("POST", `/api/v1/attempts/${attempt}/disposition`, content(), headers);
    fail(null);
    if (now.card?.attempt_id === attempt) saved(answer.disposition.code);
  } catch (refusal) {
    $("#saved").textContent = t("operator.not_saved");
    fail(refusal);
  } finally {
    saving = false;
  }
}

function saved(code) {
  savedCode = code;
  $("#saved").textContent = `✓ ${t("operator.saved", { name: kindName(now.card, code) })}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});

// Commands ------------------------------------------------------------------------------------------

function fail(refusal) {
  $("#error").hidden = !refusal;
  $("#error").textContent = refusal?.message ?? "";
}

async function command(name, body) {
  try {
    await ask("POST", `/api/v1/operator/${name}`, body);
    fail(null);
  } catch (refusal) {
    fail(refusal);
  }
}

$("#start").addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem("seat", event.target.seat.value);
  command("start", { seat: event.target.seat.value });
});
$("#ready").addEventListener("click", () => command("ready"));
$("#stop").addEventListener("click", () => command("stop"));
$("#hangup").addEventListener("click", () => command("hangup"));
$("#pauses").addEventListener("click", (event) => event.target.dataset.pause && command("pause", { reason: event.target.dataset.pause }));

let afterG = 0;

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) {
    if (!$("#hangup").hidden) command("hangup");
    return;
  }
  if (event.target.closest("input, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "g") {
    afterG = performance.now();
  } else if (performance.now() - afterG < 1000 && event.key === "r" && !$("#ready").hidden) {
    command("ready");
  } else if (performance.now() - afterG < 1000 && event.key === "p" && !$("#pauses").hidden) {
    command("pause", { reason: "break" });
  } else if (now.card && /^[0-9]$/.test(event.key)) {
    const kind = now.card.dispositions[event.key === "0" ? 9 : Number(event.key) - 1];
    if (kind) choose(kind);
  } else if (now.card && event.key === "Enter" && !event.target.closest("button:not(.kind)")) {
    event.preventDefault(); // on a chosen disposition too: Enter confirms
    save();
  }
});

follow("/api/v1/operator/live", show);
everyTick(tick);
