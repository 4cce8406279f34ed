// How the conversation ended: disposition, what it needs, note. Kept on the server as one works; "saved" is the server's word.

import { $, ask, el, language, moment, serverNow, t } from "./common.js";
import { kindName, reasonName, stepNow } from "./card.js";
import { chipTime, fromWall, oddity, toWall } from "./times.js";

const DRAFT_AFTER_MS = 300;
const RETRY_MS = 1500;
/** So long a save lets a draft go first. */
const DRAFT_WAIT_MS = 1000;

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

const form = $("#closing");
let card = null;
let chosen = null; // disposition kind
let reason = null;
let savedCode = null;
let saving = false;
let promise = null; // what the server says of the callback's time

export function showClosing(shown) {
  card = shown;
  form.reset();
  chosen = reason = savedCode = promise = null;
  saving = false;
  $("#saved").textContent = $("#drafted").textContent = "";
  fail(null);
  $("#dispositions").replaceChildren(...card.dispositions.filter((kind) => !kind.archived).map(button));
  choose(null, true);
  if (card.draft) restore(card.draft);
  if (card.saved) showSaved(card.saved);
}

/** The server says it is saved, perhaps by another page. */
export function noteSaved(code) {
  if (code && savedCode !== code) showSaved(code);
}

const CLASSES = { success: "good", callback: "later", refusal: "refused", bad_number: "bad", technical: "plain" };

function button(kind) {
  const made = el(
    "button",
    { type: "button", role: "radio", className: `kind ${CLASSES[kind.shade]}`, "aria-checked": "false", "data-code": kind.code },
    el("kbd", {}, kind.key ?? ""),
    el("span", {}, kind[`name_${language}`]),
  );
  made.addEventListener("click", () => choose(kind));
  return made;
}

function choose(kind, quiet = false) {
  if (savedCode) return;
  chosen = kind;
  for (const one of $("#dispositions").children) one.setAttribute("aria-checked", String(one.dataset.code === kind?.code));
  const needs = kind?.needs ?? [];
  $("#needs-time").hidden = !needs.includes("time");
  $("#needs-address").hidden = !needs.includes("address");
  $("#needs-reason").hidden = !needs.includes("reason");
  $("#makes-lead").hidden = !kind?.makes_lead;
  form.person.placeholder = card?.name ?? "";
  $("#zone").textContent = zone().replaceAll("_", " ");
  reason = kind?.reasons.includes(reason) ? reason : null;
  $("#reasons").replaceChildren(...(kind?.reasons ?? []).map(chip));
  fail(null);
  if (quiet) return;
  if (needs.includes("time")) form.due.focus();
  else if (needs.includes("reason")) $("#reasons button").focus();
  else if (needs.includes("address")) form.address.focus();
  keepDraft();
}

function chip(name) {
  const made = el("button", { type: "button", role: "radio", "aria-checked": String(name === reason) }, reasonName(name));
  made.addEventListener("click", () => {
    reason = name;
    for (const other of $("#reasons").children) other.setAttribute("aria-checked", String(other === made));
    keepDraft();
  });
  return made;
}

// The callback's time, on the callee's clock ------------------------------------------

const zone = () => card?.zones[0] ?? "UTC";
const dueAt = () => (form.due.value ? new Date(fromWall(form.due.value, zone())).toISOString() : null);

$("#chips").addEventListener("click", (event) => {
  if (!event.target.dataset.chip) return;
  form.due.value = chipTime(event.target.dataset.chip, serverNow(), zone());
  timeChanged();
  keepDraft();
});

async function timeChanged() {
  const due = dueAt();
  promise = null;
  $("#promise").textContent = "";
  $("#yours").textContent = due ? t("operator.yours", { at: moment(due, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }) }) : "";
  if (!due || !card) return;
  const answer = await ask("GET", `/api/v1/attempts/${card.attempt_id}/promise?due_at=${encodeURIComponent(due)}`).catch(() => null);
  if (!answer || due !== dueAt()) return;
  promise = answer;
  const place = $("#promise");
  place.className = `promise ${answer.allowed ? (answer.same_hour > 5 ? "full" : "good") : "bad"}`;
  const odd = oddity(form.due.value, zone());
  if (odd) place.append(t(`promise.${odd}`, { at: moment(due, { hour: "2-digit", minute: "2-digit" }, zone()) }), " ");
  if (answer.allowed) {
    place.append(answer.same_hour > 5 ? t("promise.full", { count: answer.same_hour }) : t("promise.good"));
    return;
  }
  place.append(t(`promise.${answer.code.split(".")[1]}`));
  if (!answer.next_at) return;
  const wall = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const next = el("button", { type: "button" }, t("promise.next", { at: moment(answer.next_at, wall, zone()) }));
  next.addEventListener("click", () => {
    form.due.value = toWall(Math.ceil(Date.parse(answer.next_at) / 60e3) * 60e3, zone());
    timeChanged();
    keepDraft();
  });
  place.append(" ", next);
}

form.due.addEventListener("change", timeChanged);

// Draft ---------------------------------------------------------------------------------

function content() {
  const due = chosen?.needs.includes("time") ? dueAt() : null;
  return {
    ...(chosen ? { code: chosen.code } : {}),
    note: form.note.value,
    ...(reason && chosen?.needs.includes("reason") ? { reason } : {}),
    ...(form.address.value && chosen?.needs.includes("address") ? { address: form.address.value } : {}),
    ...(chosen?.makes_lead && (form.person.value || form.company.value) ? { lead: { person: form.person.value, company: form.company.value } } : {}),
    ...(due ? { callback: { due_at: due, operator: form.mine.checked ? "me" : "anyone" } } : {}),
  };
}

let draftTimer = 0;
let unkept = false;
let sending = null; // the draft on its way

/** Soon on the server; again and again until it is there. */
export function keepDraft() {
  clearTimeout(draftTimer);
  if (!card || savedCode) return;
  unkept = true;
  draftTimer = setTimeout(draftNow, DRAFT_AFTER_MS);
}

const draftNow = () => (sending = sendDraft());

async function sendDraft() {
  const attempt = card?.attempt_id;
  if (!attempt || savedCode || saving) return;
  try {
    await ask("PUT", `/api/v1/attempts/${attempt}/draft`, { ...content(), ...(stepNow() ? { step: stepNow() } : {}) });
    if (card?.attempt_id !== attempt) return;
    unkept = false;
    $("#drafted").textContent = t("draft.kept", { at: moment(serverNow(), { hour: "2-digit", minute: "2-digit", second: "2-digit" }) });
  } catch (refusal) {
    if (card?.attempt_id !== attempt || savedCode) return; // what is saved needs no draft
    $("#drafted").textContent = t("draft.not_kept");
    if (refusal.status === 0 || refusal.status >= 500) draftTimer = setTimeout(draftNow, RETRY_MS);
  }
}

/** Whether something typed is not on the server yet. */
export const unsaved = () => unkept && !savedCode && Boolean(card);

/** A page that goes away sends what it has; the answer does not matter any more. */
addEventListener("pagehide", () => {
  if (!unsaved()) return;
  fetch(`/api/v1/attempts/${card.attempt_id}/draft`, {
    method: "PUT", keepalive: true, headers: { "X-Dialer": "1", "Content-Type": "application/json" }, body: JSON.stringify(content()),
  }).catch(() => {});
});

function restore(draft) {
  form.note.value = draft.note ?? "";
  form.address.value = draft.address ?? "";
  form.person.value = draft.lead?.person ?? "";
  form.company.value = draft.lead?.company ?? "";
  reason = draft.reason ?? null;
  if (draft.callback) {
    form.due.value = toWall(Date.parse(draft.callback.due_at), zone());
    form.mine.checked = draft.callback.operator === "me";
    timeChanged();
  }
  const kind = card.dispositions.find((candidate) => candidate.code === draft.code);
  if (kind) choose(kind, true);
}

form.addEventListener("input", keepDraft);

// Save ------------------------------------------------------------------------------------

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

/** Save; while no answer comes it is tried again with the same key, and the page says that it is not saved yet. */
export async function save() {
  const attempt = card?.attempt_id;
  if (!attempt || savedCode || saving) return;
  if (!chosen) return fail(t("operator.choose"));
  if (chosen.needs.includes("time") && promise && !promise.allowed) return fail($("#promise").firstChild.textContent);
  saving = true;
  clearTimeout(draftTimer);
  await Promise.race([sending, pause(DRAFT_WAIT_MS)]); // a draft that comes after the save would be refused
  const body = content();
  while (saving && card?.attempt_id === attempt) {
    $("#saved").textContent = t("operator.saving");
    try {
      const answer = await ask("POST", `/api/v1/attempts/${attempt}/disposition`, body, { "Idempotency-Key": idempotencyKey(attempt) });
      fail(null);
      if (card?.attempt_id === attempt) showSaved(answer.disposition.code);
      break;
    } catch (refusal) {
      $("#saved").textContent = t("operator.not_saved");
      fail(refusal.message);
      if (refusal.status !== 0 && refusal.status < 500) break;
      await pause(RETRY_MS);
    }
  }
  saving = false;
}

function showSaved(code) {
  savedCode = code;
  unkept = false;
  for (const one of $("#dispositions").children) one.setAttribute("aria-checked", String(one.dataset.code === code));
  $("#saved").textContent = `✓ ${t("operator.saved", { name: kindName(card, code) })}`;
  $("#drafted").textContent = "";
  fail(null);
}

function fail(sentence) {
  $("#error").hidden = !sentence;
  $("#error").textContent = sentence ?? "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});

/** Digits choose, Enter saves, Backspace takes the choice back. True when the key meant something. */
export function closingKey(key) {
  if (!card) return false;
  if (/^[0-9]$/.test(key)) {
    const kind = card.dispositions.find((one) => one.key === key && !one.archived);
    if (kind) choose(kind);
    return Boolean(kind);
  }
  if (key === "Backspace" && chosen && !savedCode) {
    choose(null, true);
    keepDraft();
    return true;
  }
  if (key === "Enter" && chosen) {
    save();
    return true;
  }
  return false;
}
